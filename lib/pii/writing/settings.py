"""The parameters of 40_pii_text: what is refused before a text is written, and the plan that they make."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from lib.common.errors import DoppelError, nearest
from lib.pii.exports.registry import FORMATS
from lib.pii.writing import grammar
from lib.pii.writing.grammar import Grammar
from lib.pii.writing.plan import Plan, check_locales, check_samples
from lib.pii.writing.prompting import Prompts

Parameters = Mapping[str, object]


def check(parameters: Parameters) -> None:
    """Refuse parameters with which nothing, or not what was asked for, would be written.

    Args:
        parameters: of 40_pii_text, resolved.

    Raises:
        DoppelError: an unknown field, style, locale or export format; a reference that is no day; fewer samples than
            pairs where each is to be written; a prompt file that cannot be read.
    """
    check_locales(parameters["locales"])
    day(parameters["reference"])
    for name in parameters["exports"]:
        if name not in FORMATS:
            raise DoppelError(
                "pii.unknown_format",
                f"exports: {name!r} is not known",
                name="exports",
                value=name,
                remedy=f"{nearest(name, FORMATS)}; there are {', '.join(FORMATS)}",
            )
    if parameters["writer"] == "arm":
        return
    rules = grammar.load()
    fields, styles = chosen(parameters, rules)
    check_samples(parameters["samples"], parameters["mode"], len(fields) * len(styles))
    if parameters["writer"] != "grammar":
        Prompts(Path(parameters["prompts"]), rules)
        _check_model(parameters)


def _check_model(parameters: Parameters) -> None:
    """Refuse a server that cannot be reached with these settings, and a batch for a model that has none."""
    from lib.generation.endpoint.servers import check_model

    model = str(parameters["model"])
    if parameters["writer"] == "batch":
        if not model.startswith("bedrock:"):
            raise DoppelError(
                "pii.batch_model",
                f"writer: batch writes files for Amazon Bedrock, and model = {model!r} is not there",
                name="model",
                value=model,
                remedy="name bedrock:ID, or set writer: model",
            )
    else:
        check_model(model, parameters)


def chosen(parameters: Parameters, rules: Grammar) -> tuple[list[str], list[str]]:
    """The fields and styles of a stage: those that it names, or all.

    Args:
        parameters: of 40_pii_text.
        rules: the grammar.
    """
    picked: list[list[str]] = []
    for kind, known in (("field", rules.fields), ("style", rules.styles)):
        names = list(dict.fromkeys(parameters[f"{kind}s"])) or list(known)
        for name in names:
            if name not in known:
                raise grammar.unknown(kind, name, known)
        picked.append(names)
    return picked[0], picked[1]


def day(written: str) -> date:
    """The day of a parameter.

    Args:
        written: ``2026-01-31``.
    """
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise DoppelError(
            "pii.no_day",
            f"reference = {written!r} is no day",
            name="reference",
            value=written,
            remedy="write it as '2026-01-31', in quotes",
        ) from None


def plan(parameters: Parameters, rules: Grammar, samples: int | None = None) -> Plan:
    """The plan of a stage.

    Args:
        parameters: of 40_pii_text, checked.
        rules: the grammar.
        samples: of an arm's texts, which have no field and style of ours; None: as many as the parameters say.
    """
    fields, styles = chosen(parameters, rules) if samples is None else (["arm"], ["text"])
    return Plan(
        samples=parameters["samples"] if samples is None else samples,
        mode=parameters["mode"] if samples is None else "random",
        fields=fields,
        styles=styles,
        locales=parameters["locales"],
        negatives=parameters["negatives"],
        messy=parameters["messy"],
        seed=parameters["seed"],
        reference=day(parameters["reference"]),
        values=parameters["values"],
    )
