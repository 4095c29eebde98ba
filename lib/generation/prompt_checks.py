"""Checks of prompt files beyond the types of their fields, and pydantic's faults as ours."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError, nearest
from lib.models import templates

if TYPE_CHECKING:
    from pydantic import ValidationError

    from lib.generation.prompt_file import PromptFile

OPTIONAL = ("words", "labels")  # placeholders that may have no value
SHOWN = ("good", "bad")  # those of variations alone


def problems(prompts: PromptFile) -> Iterator[DoppelError]:
    """Faults that types cannot express: clashing names, unknown names, placeholders without a value.

    Args:
        prompts: a prompt file whose fields have the right types.
    """
    for name in prompts.draws:
        if name in (*OPTIONAL, *SHOWN, "text", *prompts.labels) or not name.isidentifier():
            yield DoppelError(
                "generation.draw_name_taken",
                f"{name!r} is taken or is not one word",
                name=name,
                where="draws",
                remedy="choose another name",
            )
    for name, draw in prompts.draws_by_label():
        if draw.by not in prompts.labels:
            yield _unknown(f"draws: {name}: by", draw.by, prompts.labels)
    for number, shot in enumerate(prompts.shots):
        for key, given, known in (("labels", shot.labels, prompts.labels), ("draws", shot.draws, prompts.draws)):
            for name in sorted(set(given) - set(known)):
                yield _unknown(f"shots[{number}]: {key}", name, known)
    known = {*prompts.labels, *prompts.draws}
    for key, texts, needed in (
        ("random", prompts.random_templates, set()),
        ("rephrase", prompts.rephrase_templates, {"text"}),
        ("fill", prompts.fill_templates, {"text"}),
    ):
        for number, template in enumerate(texts):
            optional = (*OPTIONAL, *SHOWN) if needed else OPTIONAL
            faults = templates.problems(template, known=known | needed, optional=optional, needed=needed)
            yield from (fault.at(f"{key}[{number}]") for fault in faults)


def check_shown(prompts: PromptFile, variation: str, shown: Collection[str]) -> None:
    """Check that every template of a kind of variation has a place for the candidates that it is to show.

    Args:
        prompts: the prompt file.
        variation: ``rephrase`` or ``fill``.
        shown: which of `SHOWN` are asked for.

    Raises:
        DoppelError: a template lacks one.
    """
    for name in shown:
        for template in getattr(prompts, f"{variation}_templates"):
            if name not in templates.fields(template):
                raise DoppelError(
                    "generation.shown_without_place",
                    f"{name}_shots: a template of {variation} has no {{{name}}}",
                    name=f"{name}_shots",
                    where="prompts",
                    remedy=f"add a passage like [Texts like these:\\n{{{name}}}\\n], or set {name}_shots: 0",
                )


def type_faults(error: ValidationError, keys: Mapping[str, Collection[str]]) -> Iterator[DoppelError]:
    """pydantic's faults as ours: key, value, what is allowed.

    Args:
        error: of a prompt file.
        keys: allowed keys by the top-level key that they are under, "" for those of the top level.
    """
    for fault in error.errors():
        *_, key = place = fault["loc"] or ("the file",)
        where = ": ".join(str(step) for step in place if step not in ("ByLabel", "constrained-list"))
        if fault["type"] == "extra_forbidden":
            yield DoppelError(
                "generation.prompt_key_unknown",
                "unknown key",
                name=str(key),
                where=where,
                remedy=nearest(str(key), keys.get(str(place[0]), keys[""])),
            )
        elif fault["type"] == "missing":
            yield DoppelError(
                "generation.prompt_key_missing", "is missing", name=str(key), where=where, remedy="add it"
            )
        else:
            value = str(fault["input"])[:60]
            message = fault["msg"].removeprefix("Input ")
            yield DoppelError(
                "generation.prompt_value_wrong", f"{where} = {value!r}: {message}", name=str(key), value=value
            )


def nearest_if_any(name: str, known: Collection[str]) -> str:
    """A remedy for the mistyped ``name``, or none where no name is ``known``; see `lib.common.errors.nearest`."""
    return nearest(name, known) if known else ""


def _unknown(where: str, name: str, known: Collection[str]) -> DoppelError:
    """The fault of a name that the prompt file does not define."""
    return DoppelError(
        "generation.prompt_name_unknown",
        f"{name!r} is not defined in this file",
        name=name,
        where=where,
        remedy=nearest_if_any(name, known),
    )
