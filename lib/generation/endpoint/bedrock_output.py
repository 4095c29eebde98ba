"""What the jobs of a Bedrock batch leave: every record that was asked for is accounted for.

The service gives records back in any order, in any number of files, some with an error in place of a reply, and some
never. They are joined by their recordId, which holds the batch's name.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.common import system
from lib.common.errors import DoppelError
from lib.generation.endpoint.answer import Answer, BrokenReply
from lib.generation.endpoint.bedrock_batch import Batch
from lib.generation.engines.base import Completion, Usage

# the ten states of a job, in botocore's service model of bedrock
RUNNING = ("Submitted", "Validating", "Scheduled", "InProgress", "Stopping")
ENDED = ("Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired")
_NO_COMPLETION = "no completion"
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}")  # of an error; its message may repeat the prompt and is not read


def outputs(folder: Path) -> list[Path]:
    """The files of records that were fetched, in order of their paths.

    Args:
        folder: of the batch.
    """
    return sorted((folder / "output").rglob("*.jsonl.out"))


@dataclass
class BatchCounts:
    """What became of the records of a batch: ``requested`` is ``answered``, ``errors`` and ``missing`` together.

    Attributes:
        requested: records that were asked for.
        answered: records with a reply.
        truncated: of these, replies that were cut at their limit.
        refused: of these, replies that the provider refused or filtered.
        errors: records without a reply, by the code of their error; ``no completion`` is a reply of another form,
            ``unnamed`` an error without a code.
        missing: records that no line has.
        duplicates: lines of a record that an earlier line has. A reply is kept over an error, else the first.
        foreign: lines with a recordId of no record of this batch, another job's say.
        unreadable: lines that are no records.
        cut_off: files that end within a line, so that the rest of them is missing.
        told: records that the manifests (``manifest.json.out``) of the same jobs call processed; None without any.
        held: lines of these jobs that are records, whatever they say.
        states: the last state of each job by its name, where ``jobs.json`` was fetched.
        usage: tokens of the replies, and their price.
    """

    requested: int
    answered: int = 0
    truncated: int = 0
    refused: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    missing: int = 0
    duplicates: int = 0
    foreign: int = 0
    unreadable: int = 0
    cut_off: int = 0
    told: int | None = None
    held: int = 0
    states: Mapping[str, str] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)

    def __str__(self) -> str:
        counted = {
            "missing": self.missing,
            "duplicates": self.duplicates,
            "of another job": self.foreign,
            "unreadable lines": self.unreadable,
            "files that end within a line": self.cut_off,
        }
        parts = [
            f"{self.answered} of {self.requested} records answered ({self.truncated} cut, {self.refused} refused)",
            *(f"error {code}: {count}" for code, count in self.errors.items()),
            *(f"{what}: {count}" for what, count in counted.items() if count),
        ]
        if self.told is not None and self.told != self.held:
            parts.append(f"the manifests tell of {self.told} records, the files hold {self.held}: fetch them again")
        return "; ".join([*parts, *(f"{name}: {state}" for name, state in sorted(self.states.items()))])


def read_replies(
    folder: Path, batch: Batch, *, prices: Mapping[str, float] | None = None
) -> tuple[dict[int, Completion], BatchCounts]:
    """Read what the jobs of a batch left.

    Args:
        folder: of the batch, with the fetched files anywhere below ``output/``.
        batch: what was asked; made of the same requests as when they were written.
        prices: ``{"input": .., "output": ..}``, the price of a million tokens in a batch, at least 0.

    Returns:
        The replies by position in ``batch.requests``, and what became of all records.

    Raises:
        DoppelError: there is no output, a job has not ended, or no record is of this batch.
    """
    counts = BatchCounts(len(batch.requests), states=_states(folder, batch))
    positions = {batch.record(position): position for position in range(counts.requested)}
    answers: dict[int, Answer] = {}
    errors: dict[int, str] = {}
    own_folders = set()
    for path in outputs(folder):
        for row in _records(path, counts):
            position = positions.get(row["recordId"])
            if position is None:
                counts.foreign += 1
                continue
            own_folders.add(path.parent)
            counts.held += 1
            counts.duplicates += position in answers or position in errors
            if position not in answers:
                _take(batch, position, row, answers, errors)
    if not own_folders and (counts.foreign or not outputs(folder)):
        raise _nothing_of_ours(folder, batch, counts)
    manifests = [_processed(path / "manifest.json.out") for path in own_folders]
    counts.told = None if None in manifests or not manifests else sum(manifests)
    counts.errors = dict(Counter(errors.values()).most_common())
    counts.missing = counts.requested - len(answers) - len(errors)
    completions = {position: answer.completion for position, answer in sorted(answers.items())}
    counts.answered = len(completions)
    counts.refused = sum(one.refused for one in completions.values())
    counts.truncated = sum(not one.ended and not one.refused for one in completions.values())
    counts.usage = _usage(answers, prices or {})
    return completions, counts


def _take(batch: Batch, position: int, row: dict, answers: dict[int, Answer], errors: dict[int, str]) -> None:
    """Sort a record's line into its reply or its error."""
    if (error := row.get("error")) is None:
        try:
            answers[position] = batch.read(row.get("modelOutput"), position)
            errors.pop(position, None)
            return
        except BrokenReply:
            code = _NO_COMPLETION
    else:
        given = str(error.get("errorCode", "")) if isinstance(error, dict) else ""
        code = given if _CODE.fullmatch(given) else "unnamed"
    errors.setdefault(position, code)


def _records(path: Path, counts: BatchCounts) -> Iterator[dict[str, Any]]:
    """The lines of a file that have a recordId; the others are counted."""
    with system.refusals(path), path.open("rb") as file:
        for line in file:
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if isinstance(row, dict) and isinstance(row.get("recordId"), str):
                yield row
            elif line.endswith(b"\n"):
                counts.unreadable += 1
            else:
                counts.cut_off += 1


def _states(folder: Path, batch: Batch) -> dict[str, str]:
    """The last state of each job of the batch, from ``output/jobs.json``, which may be missing.

    Raises:
        DoppelError: a job has not ended, or the file is not what the AWS CLI wrote.
    """
    path = folder / "output" / "jobs.json"
    if not path.is_file():
        return {}
    states = {}
    try:
        summaries = json.loads(path.read_bytes())["invocationJobSummaries"]
        for job in sorted(summaries, key=lambda job: str(job["submitTime"])):
            if f"-{batch.job}-" in job["jobName"]:
                states[job["jobName"]] = job["status"]
    except (ValueError, KeyError, TypeError):
        raise DoppelError(
            "generation.batch_jobs_unreadable",
            f"{path} is not what `aws bedrock list-model-invocation-jobs` writes",
            name=str(path),
            remedy="fetch it again, or remove it",
        ) from None
    for name, state in states.items():
        if state not in ENDED:
            raise DoppelError(
                "generation.batch_not_ended",
                f"job {name} is {state if state in RUNNING else 'in a state that is not known here'}",
                name=name,
                value=state if state in RUNNING else None,
                remedy=f"wait until it is {' or '.join(ENDED)}, then fetch {path.name} and the output again",
            )
    return states


def _nothing_of_ours(folder: Path, batch: Batch, counts: BatchCounts) -> DoppelError:
    """The refusal where no record of the batch was found."""
    ended = ", ".join(f"{name}: {state}" for name, state in sorted(counts.states.items()))
    if not counts.foreign:
        return DoppelError(
            "generation.batch_without_output",
            f"there is no .jsonl.out in {folder / 'output'}" + (f" ({ended})" if ended else ""),
            name=str(folder),
            remedy="fetch the output of the jobs; one that failed or expired must be started again",
        )
    return DoppelError(
        "generation.batch_of_another_job",
        f"none of {counts.foreign} records in {folder / 'output'} is of batch {batch.job}",
        name=str(folder),
        value=counts.foreign,
        remedy="fetch the output of this batch; if a prompt, a seed or the model changed since its requests were "
        "written, change it back, or write and run new ones",
    )


def _processed(path: Path) -> int | None:
    """Records that a manifest calls processed; None where there is none."""
    try:
        return int(json.loads(path.read_bytes())["processedRecordCount"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _usage(answers: Mapping[int, Answer], prices: Mapping[str, float]) -> Usage:
    """Tokens of the replies, and what they cost."""
    prompts = sum(answer.prompt_tokens for answer in answers.values())
    tokens = sum(answer.completion.tokens for answer in answers.values())
    cost = (prompts * prices.get("input", 0.0) + tokens * prices.get("output", 0.0)) / 1e6
    unsure = sum(answer.unsure for answer in answers.values())
    return Usage(len(answers), prompts, tokens, unsure=unsure, cost=cost)
