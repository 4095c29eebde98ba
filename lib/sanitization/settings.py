"""The parameters of 51_sanitize: what is refused before a record is looked at, and what they make."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from lib.common.errors import DoppelError, nearest
from lib.generation.engines.names import is_remote
from lib.pii.classes import TABLE
from lib.pii.detectors import registry
from lib.pii.locales import FOLDER, locale_named
from lib.private_records import fields
from lib.sanitization import guesses, instructions, rule_table
from lib.sanitization.annotators import Detected, Given
from lib.sanitization.blocks import Make
from lib.sanitization.inputs import KINDS
from lib.sanitization.model_annotator import Asked
from lib.sanitization.model_rewriter import Model
from lib.sanitization.prompting import Prompts
from lib.sanitization.rules import Rules
from lib.sanitization.sanitize import Sanitizer
from lib.sanitization.statement import private_to_remote
from lib.stage.notebook_roles import check_input

Parameters = Mapping[str, object]

# of 700 records that the grammar of 50 wrote (669 characters each), with uniform weights: targets of a record, chunks
# of its text, and chunks that tell one target
ABSTRACT, DROP, CHUNKS, TOLD_IN = 2.3, 1.5, 2.1, 1.1
ASKS = {"attributes": "model", "passages": "model", "rewriter": "model", "guesser": "model"}  # what needs a model


def expected_calls(parameters: Parameters) -> dict[str, float]:
    """How often a model is asked for one record where no try fails, by step: an estimate from records of 50.

    Args:
        parameters: of 51_sanitize.

    Returns:
        Step -> calls a record, on average; empty where no model is asked.
    """
    by_model = parameters["rewriter"] == "model"
    calls = {
        "annotate": 1.0 * (parameters["attributes"] == "model"),
        "rank": 1.0 * (by_model and parameters["target_weights"] == "sensitivity"),
        "passages": (ABSTRACT + DROP) * CHUNKS * (parameters["passages"] == "model"),
        "strategy": ABSTRACT * by_model,
        "abstract": TOLD_IN * ABSTRACT * by_model,
        "drop": TOLD_IN * DROP * by_model,
        "instruction": 1.0 * by_model,
        "guess": len(guesses.SIDES) * 1.0 * (parameters["guesser"] == "model"),
    }
    return {step: times for step, times in calls.items() if times}


def files(parameters: Parameters) -> list[Path]:
    """The files that a stage reads beside modules: tables, phrases and prompts.

    Args:
        parameters: of 51_sanitize.
    """
    read = [TABLE, FOLDER / "locales.csv", fields.TABLE, rule_table.TABLE, instructions.FILE]
    read += [Path(str(parameters["prompts"]))] if asks_model(parameters) else []
    return read + ([guesses.FILE] if parameters["guesser"] == "model" else [])


def asks_model(parameters: Parameters) -> bool:
    """Whether a language model is asked for anything.

    Args:
        parameters: of 51_sanitize.
    """
    return any(parameters[name] == value for name, value in ASKS.items())


def input_of(parameters: Parameters) -> str:
    """The name of the one input, a key of `lib.sanitization.inputs.KINDS`.

    Args:
        parameters: of 51_sanitize.

    Raises:
        DoppelError: ``sanitization.inputs``.
    """
    names = list(parameters["inputs"])
    if len(names) != 1 or names[0] not in KINDS:
        unknown = [name for name in names if name not in KINDS]
        raise DoppelError(
            "sanitization.inputs",
            "inputs: must have one of records, arm and corpus, and nothing else",
            name="inputs",
            value=sorted(names),
            remedy=nearest(unknown[0], KINDS) if unknown else "write inputs: {records: 50_private_records}",
        )
    return names[0]


def check(parameters: Parameters) -> None:
    """Refuse parameters with which nothing, or not what was asked for, would be sanitized.

    Args:
        parameters: of 51_sanitize, resolved.

    Raises:
        DoppelError: the inputs; ``sanitization.no_attributes``; ``sanitization.passages``;
            ``sanitization.no_detectors``; a detector, locale, engine, server or prompt file that cannot be used;
            ``sanitization.no_model`` and ``sanitization.unread_model``; ``sanitization.private_to_remote``: real
            people's texts never leave this machine.
    """
    name = input_of(parameters)
    if KINDS[name].notebooks:
        check_input(name, parameters["inputs"][name], KINDS[name].notebooks, name)
    if parameters["attributes"] == "given" and not KINDS[name].annotated:
        raise DoppelError(
            "sanitization.no_attributes",
            f"attributes: given, but records of the input {name} do not say what they tell",
            name="attributes",
            value="given",
            remedy="set attributes: detectors, or model",
        )
    if parameters["passages"] == "model" and parameters["rewriter"] != "model":
        raise DoppelError(
            "sanitization.passages",
            "passages: model goes with rewriter: model, which alone can reword them",
            name="passages",
            value="model",
            remedy="set passages: places, or rewriter: model",
        )
    locale_named(parameters["locale"])
    if parameters["attributes"] == "detectors":
        if not parameters["detectors"]:
            raise DoppelError(
                "sanitization.no_detectors",
                "attributes: detectors, but detectors names none",
                name="detectors",
                value=[],
                remedy=f"name some of {', '.join(registry.DETECTORS)}",
            )
        for detector in parameters["detectors"]:
            registry.check_names([detector])
            if detector == registry.TRAINED:
                raise DoppelError(
                    "sanitization.trained_detector",
                    "detectors: trained is read by 01_scrub and 41_pii_check alone",
                    name="detectors",
                    value=detector,
                    remedy="leave it out",
                )
            registry.load(detector, parameters["locale"], gliner=parameters["gliner"])
    rule_table.table()
    _check_model(parameters, KINDS[name].private)


def sanitizer(parameters: Parameters) -> Sanitizer:
    """What all records of a stage go through.

    Args:
        parameters: of 51_sanitize, checked.
    """
    return Sanitizer(
        annotator=_annotator(parameters),
        rewriter=_rewriter(parameters),
        weighting=parameters["target_weights"],
        chunk_characters=parameters["chunk_characters"],
        seed=parameters["seed"],
    )


def make(parameters: Parameters) -> Make:
    """What gives each process its sanitizer.

    Args:
        parameters: of 51_sanitize, checked.
    """
    return partial(sanitizer, dict(parameters))


def _rewriter(parameters: Parameters) -> Rules | Model:
    if parameters["rewriter"] == "rules":
        return Rules()
    return Model(_prompts(parameters), parameters["tries"], parameters["growth"], parameters["passages"] == "model")


def _prompts(parameters: Parameters) -> Prompts:
    return Prompts(Path(str(parameters["prompts"])))


def _annotator(parameters: Parameters) -> Given | Detected | Asked:
    if parameters["attributes"] == "given":
        return Given()
    if parameters["attributes"] == "model":
        return Asked(_prompts(parameters), parameters["tries"])
    names, locale = parameters["detectors"], parameters["locale"]
    return Detected([registry.load(name, locale, gliner=parameters["gliner"]) for name in names])


def _check_model(parameters: Parameters, private: bool) -> None:
    from lib.generation.endpoint.servers import check_model

    model = parameters["model"]
    asking = [name for name, value in ASKS.items() if parameters[name] == value]
    if asking and model is None:
        raise DoppelError("sanitization.no_model", f"{asking[0]}: model needs a model", name="model", remedy="name it")
    if model is None:
        return
    if not asking:
        raise DoppelError(
            "sanitization.unread_model",
            "no step asks a model",
            name="model",
            value=model,
            remedy="set model: null, or rewriter: model",
        )
    if private and is_remote(str(model)):
        raise private_to_remote("corpus", str(model))
    _prompts(parameters)
    check_model(str(model), parameters)
