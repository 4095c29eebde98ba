"""The writers of slot texts: the grammar, a model that is asked, at once or in a batch, and another arm."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lib.data import records
from lib.generation.endpoint.bedrock_output import BatchCounts
from lib.generation.engines.base import Sampling, Usage
from lib.generation.generate import chat_settings, open_chat
from lib.pii.classes import classes
from lib.pii.detectors.rules import Rules
from lib.pii.slots import PLAIN, Brackets, read_brackets
from lib.pii.writing import asking, batch, from_arm, grammar, settings
from lib.pii.writing.asking import Written
from lib.pii.writing.grammar import Grammar
from lib.pii.writing.plan import Plan
from lib.pii.writing.prompting import Prompts

BRACKETS = Path("prompts/pii/brackets.yaml")
PII = Path("lib/pii")
TABLES = ("classes.csv", "locales.csv", "places.csv", "words.yml")

Progress = Callable[[int], object]


@dataclass
class Texts:
    """What is to be filled.

    Attributes:
        plan: of the set.
        written: slot texts that a model or an arm wrote; None: the grammar writes them while the set is filled.
        labels: of the records of an arm's texts; None: field, style and locale.
        brackets: what else in brackets of ``written`` is text.
        usage: what a model's replies have cost.
        batch: what became of the records of a batch.
    """

    plan: Plan
    written: Written | None = None
    labels: list[dict[str, str]] | None = None
    brackets: Brackets = PLAIN
    usage: Usage | None = None
    batch: BatchCounts | None = None

    @property
    def filling(self) -> dict[str, object]:
        """What `lib.pii.writing.parts.write_set` is told of the texts."""
        texts = None if self.written is None else self.written.texts
        return {"texts": texts, "labels": self.labels, "brackets": self.brackets}


def files(parameters: Mapping[str, object]) -> list[Path]:
    """The files that a stage reads: templates, prompts, and the tables of lib/pii, which are no modules.

    Args:
        parameters: of 40_pii_text.
    """
    read = [PII / name for name in TABLES] + ([] if parameters["writer"] == "arm" else grammar.files())
    read += [] if parameters["writer"] == "grammar" else [BRACKETS]
    return read + ([Path(parameters["prompts"])] if parameters["writer"] in ("model", "batch") else [])


def slot_texts(
    parameters: Mapping[str, object],
    rules: Grammar,
    *,
    arm: Path | None,
    folder: Path,
    progress: Progress = lambda texts: None,
) -> Texts:
    """The texts of a stage, with slots.

    Args:
        parameters: of 40_pii_text, checked.
        rules: the grammar.
        arm: folder of the input ``arm``; None where there is none.
        folder: for texts that a model wrote, so that a killed run need not ask for them again.
        progress: called with the number of texts newly written.

    Raises:
        DoppelError: ``pii.batch_waits``, when the requests of a batch are written, with what comes next; or no text can
            be taken, or the model cannot be opened or does not answer.
    """
    if parameters["writer"] == "grammar":
        plan = settings.plan(parameters, rules)
        progress(plan.samples)
        return Texts(plan)
    brackets = read_brackets(BRACKETS, classes())
    text_only = Brackets({}, brackets.literals)
    if parameters["writer"] == "arm":
        given = records.read(arm / "synthetic.jsonl")[: parameters["samples"]]
        written = from_arm.take(given, Rules("en_US"), brackets).require()
        progress(len(given))
        labels = [dict(record.labels) for record in given]
        return Texts(settings.plan(parameters, rules, len(given)), written, labels, text_only)
    plan = settings.plan(parameters, rules)
    prompts, sampling = Prompts(Path(parameters["prompts"]), rules), Sampling.of(parameters)
    if parameters["writer"] == "batch":
        at = batch.folder_of(parameters["run"], parameters["stage"])
        how = {"detector": Rules("en_US"), "brackets": brackets, "prices": parameters["prices"]}
        written, told = batch.take(at, prompts, plan, sampling, parameters["model"], **how)
        progress(plan.samples)
        return Texts(plan, written.require(), None, text_only, told.usage, told)
    model = open_chat(parameters["model"], **chat_settings(parameters))
    written = asking.ask(
        model,
        prompts,
        plan,
        sampling,
        detector=Rules("en_US"),
        brackets=brackets,
        max_attempts=parameters["max_attempts"],
        folder=folder,
        progress=progress,
    ).require()
    return Texts(plan, written, None, text_only, model.usage)
