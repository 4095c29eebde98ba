"""The terms of a budget: what all runs together may spend on a corpus, set by whoever answers for the data."""

import json
from dataclasses import dataclass
from pathlib import Path

from lib.common.errors import DoppelError
from lib.privacy.ledger import Unit
from lib.stage import parameters, strict_yaml

DEFAULT_LIMIT = 100.0  # stops a mistake; it is no advice

_TERMS = {
    "source": parameters.Parameter("source", "str", ""),
    "unit": parameters.Parameter("unit", 'Literal["record", "user"] | None', None),
    "epsilon": parameters.Parameter("epsilon", "float | None", None, low=0, brackets="()"),
    "delta": parameters.Parameter("delta", "float | None", None, low=0, high=1, brackets="()"),
}
_FILE = """\
# The budget of one corpus: what all runs together may spend on it. Whoever answers for the data edits it.
# What is spent, charge by charge, is in {lines}; ./run_all.sh budget sums it up.
{why}source: {source}
unit: {unit} # what the limit protects, record or user: others are refused. null: both are added up
epsilon: {epsilon} # the limit; null counts and limits nothing
delta: null # of the sum; null: the smallest of the charged stages, which is below 1/n of each
"""
_WHY_PUBLIC = (
    "# There is no limit because this text is public anyway: the sum shows what a corpus of yours would spend.\n"
)
_WHY_DEFAULT = "# The limit below stops a mistake. It is no advice: set your own.\n"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an account allows.

    Args:
        source: whose account it is, as in `Account`.
        unit: that the limit protects one of; None: both units are charged, and added up.
        epsilon: the limit, > 0; None: there is none.
        delta: in (0, 1), of the sum; None: the smallest of the charged stages.
    """

    source: str
    unit: Unit | None
    epsilon: float | None
    delta: float | None


def read(path: Path, shown: str, source: str) -> Terms:
    """The terms in a file.

    Args:
        path: the YAML file.
        shown: the file as refusals name it.
        source: of the account, which the terms must be about.

    Raises:
        DoppelError: the file is not YAML, a term is missing, unknown or out of its range, or the terms are about
            another source.
    """
    values = strict_yaml.read(path, shown)
    if not isinstance(values, dict):
        raise DoppelError(
            "privacy.no_terms",
            "holds no terms",
            remedy="move it away, and the account opens with new ones",
            where=shown,
        )
    if missing := [name for name in _TERMS if name not in values]:
        raise DoppelError(
            "privacy.term_missing",
            f"has no {missing[0]}",
            name=missing[0],
            remedy=f"the terms are {', '.join(_TERMS)}",
            where=shown,
        )
    terms = Terms(**parameters.check(_TERMS, values, shown))
    if terms.source != source:
        raise DoppelError(
            "privacy.terms_of_another",
            f"is about {terms.source}, not {source}",
            name="source",
            value=terms.source,
            remedy="give each corpus its own file",
            where=shown,
        )
    return terms


def text(source: str, *, lines: str, unit: Unit, public_text: bool) -> str:
    """The file of terms that an account opens with.

    Args:
        source: of the account.
        lines: name of the file of its charges.
        unit: of the first charge: the limit protects one of these.
        public_text: whether anybody can read the source's text; there is no limit then, and both units are charged.
    """
    return _FILE.format(
        lines=lines,
        why=_WHY_PUBLIC if public_text else _WHY_DEFAULT,
        source=json.dumps(source),
        unit="null" if public_text else unit,
        epsilon="null" if public_text else DEFAULT_LIMIT,
    )
