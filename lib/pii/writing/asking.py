"""Slot texts that a language model writes: asked for, looked at, and asked for again where they cannot be taken."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from lib.common.errors import DoppelError
from lib.common.files import read_json, write_json
from lib.generation.engines.base import ChatModel, Completion, Request, Sampling
from lib.generation.generate import draw
from lib.generation.reasoning import without_reasoning
from lib.generation.rejection import rejection
from lib.generation.reply_cleanup import clean
from lib.pii.detectors.detector import Detector
from lib.pii.slots import Brackets, Parsed
from lib.pii.writing.acceptance import judge
from lib.pii.writing.grammar import SlotText
from lib.pii.writing.plan import Plan
from lib.pii.writing.prompting import Asked, Prompts

SIZE = 64  # texts that are asked for together; a killed run loses at most so many of a local model's

Progress = Callable[[int], object]


@dataclass
class Written:
    """What a writer gave.

    Attributes:
        texts: one a record; None where none was taken.
        rejected: texts that were not taken, by reason.
        mapped: brackets that an alias turned into slots, in the texts that were taken.
    """

    texts: list[SlotText | None]
    rejected: Counter[str]
    mapped: int = 0

    def __str__(self) -> str:
        taken = sum(text is not None for text in self.texts)
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.rejected.most_common()) or "none"
        mapped = f"; {self.mapped:,} brackets are aliases of slots" if self.mapped else ""
        return f"{taken:,} of {len(self.texts):,} texts{mapped}; rejected: {reasons}"

    def require(self) -> "Written":
        """Itself.

        Raises:
            DoppelError: no text was taken.
        """
        if not any(self.texts):
            raise DoppelError(
                "pii.nothing_written",
                f"none of {self.rejected.total()} texts could be taken",
                value=self.rejected.total(),
                remedy="use a better model, raise max_new_tokens if they are truncated, or add to "
                "prompts/pii/brackets.yaml what its brackets mean",
            )
        return self


def ask(
    model: ChatModel,
    prompts: Prompts,
    plan: Plan,
    sampling: Sampling,
    *,
    detector: Detector,
    brackets: Brackets,
    max_attempts: int,
    folder: Path,
    progress: Progress = lambda texts: None,
) -> Written:
    """Ask a model for the slot texts of a plan.

    A text that cannot be taken is asked for again, with the same words and other random draws. Texts that were taken
    are kept in files, so that a killed run goes on behind the last whole one.

    Args:
        model: answers the requests.
        prompts: the requests.
        plan: of the set.
        sampling: how tokens are drawn; each round of each part has a seed of its own.
        detector: finds personal data outside slots.
        brackets: aliases and words that are text.
        max_attempts: rounds in which a rejected text is asked for again, at least 1.
        folder: of the files.
        progress: called with the number of texts newly taken.
    """
    written = Written([], Counter())
    for number, start in enumerate(range(0, plan.samples, SIZE)):
        path = folder / f"texts-{start:08d}.json"
        asked = [prompts.request(plan, plan.task(i)) for i in range(start, min(start + SIZE, plan.samples))]
        if not path.is_file():
            write_json(path, _part(model, asked, sampling, number, detector, brackets, max_attempts, progress))
        else:
            progress(len(asked))
        part = read_json(path)
        written.texts += [None if text is None else SlotText(text, text_id(text)) for text in part["texts"]]
        written.rejected.update(part["rejected"])
        written.mapped += part["mapped"]
    return written


def examine(
    completion: Completion, asked: Asked, detector: Detector, brackets: Brackets
) -> tuple[str | None, Parsed | None]:
    """Whether a reply is a text that can be filled.

    Args:
        completion: the reply; its reasoning and remarks around the text are taken off.
        asked: what it answers.
        detector: finds personal data outside slots.
        brackets: aliases and words that are text.

    Returns:
        Why it is not taken, or None; and its pieces, None where it is no text.
    """
    answer = without_reasoning(completion)
    answer = replace(answer, text=clean(answer.text, one_line=False))
    if reason := rejection(answer, asked.messages[-1][1], ()):
        return reason, None
    if answer.text.split() == asked.example.split():
        return "copy of the example", None
    (judged,) = judge([answer.text.strip()], detector, brackets, [asked.classes])
    return judged.fault, judged.parsed


def text_id(text: str) -> str:
    """The id of a slot text: equal ones share it, however they were filled."""
    return f"text-{sha256(text.encode()).hexdigest()[:12]}"


def _part(
    model: ChatModel,
    asked: Sequence[Asked],
    sampling: Sampling,
    number: int,
    detector: Detector,
    brackets: Brackets,
    max_attempts: int,
    progress: Progress,
) -> dict:
    """The texts of one part, as JSON holds them."""
    taken: dict[int, Parsed] = {}

    def replies(positions: Sequence[int], attempt: int) -> Iterator[tuple[int, Completion]]:
        requests = [Request(asked[position].messages, sampling.max_new_tokens) for position in positions]
        return model.reply(requests, replace(sampling, seed=sampling.seed_for(number, attempt)))

    def check(position: int, completion: Completion) -> str | None:
        fault, taken[position] = examine(completion, asked[position], detector, brackets)
        return fault

    draws = draw(replies, check, len(asked), max_attempts=max_attempts, progress=progress)
    texts = [taken[position].text if position in draws.items else None for position in range(len(asked))]
    return json.loads(
        json.dumps(
            {
                "texts": texts,
                "rejected": draws.rejected,
                "mapped": sum(taken[position].mapped for position in draws.items),
            }
        )
    )
