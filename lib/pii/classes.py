"""The 56 classes of personal data that a slot may name, and what other label sets call them.

``classes.csv`` holds them, with the names of the ai4privacy pii-masking-200k data set.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from lib.common.errors import DoppelError, nearest

Scheme = Literal["presidio", "ontonotes", "tab"]
TABLE = Path(__file__).with_name("classes.csv")


@dataclass(frozen=True)
class PiiClass:
    """One class of personal data.

    Args:
        name: as a slot has it: ``EMAIL``.
        description: what its values are, for people.
        of_person: whether the number of its slot counts persons (``[EMAIL_2]``: the e-mail of person 2); otherwise it
            counts things of the class (``[COMPANYNAME_2]``: the second company).
        presidio: its entity in Microsoft Presidio, be it one of a single country (``US_SSN``); None where it has none.
        ontonotes: its type in OntoNotes 5; None where OntoNotes has none.
        tab: its type in the Text Anonymization Benchmark (Pilan et al., 2022); never None: TAB has ``MISC``.
        identifier: what TAB calls the class's part in telling who somebody is: ``DIRECT`` (alone), ``QUASI`` (with
            others) or ``NO_MASK`` (no part).
        reserved: where values that belong to nobody are set aside, with the standard; None: nowhere for this class.
    """

    name: str
    description: str
    of_person: bool
    presidio: str | None
    ontonotes: str | None
    tab: str
    identifier: str
    reserved: str | None


@cache
def classes() -> dict[str, PiiClass]:
    """All classes by name, in alphabetical order."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = [{key: value or None for key, value in row.items()} for row in csv.DictReader(file)]
    return {row["name"]: PiiClass(**row | {"of_person": row["of_person"] == "yes"}) for row in rows}


def named(name: str) -> PiiClass:
    """The class of a name.

    Args:
        name: in capitals, without a number: ``EMAIL``.

    Raises:
        DoppelError: no class has it; the remedy names the nearest one.
    """
    if name not in classes():
        remedy = nearest(name.upper(), classes())
        raise DoppelError("pii.unknown_class", f"no class is called {name!r}", name="class", value=name, remedy=remedy)
    return classes()[name]


def mapping(scheme: Scheme) -> dict[str, str | None]:
    """What another label set calls each class; None where that set has no such class, and values stay unlabelled.

    The other sets are coarser: several classes share a name there, so the way back is `classes_of`.

    Args:
        scheme: ``presidio``, ``ontonotes`` or ``tab``.

    Raises:
        DoppelError: an unknown scheme.
    """
    _check_scheme(scheme)
    return {name: getattr(entry, scheme) for name, entry in classes().items()}


def classes_of(label: str, scheme: Scheme) -> tuple[str, ...]:
    """The classes that another label set calls ``label``, in alphabetical order.

    Args:
        label: as the other set spells it: ``PERSON``.
        scheme: ``presidio``, ``ontonotes`` or ``tab``.

    Raises:
        DoppelError: an unknown scheme, or a label that no class has there.
    """
    labels = mapping(scheme)
    names = tuple(name for name, other in labels.items() if other == label)
    if not names:
        known = set(labels.values()) - {None}
        raise DoppelError(
            "pii.unknown_label",
            f"no class is called {label!r} in {scheme}",
            name="label",
            value=label,
            remedy=nearest(label.upper(), known),
        )
    return names


def _check_scheme(scheme: str) -> None:
    if scheme not in get_args(Scheme):
        raise DoppelError(
            "pii.unknown_scheme",
            f"no label set is called {scheme!r}",
            name="scheme",
            value=scheme,
            remedy=nearest(scheme, get_args(Scheme)),
        )
