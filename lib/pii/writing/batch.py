"""Slot texts that a model on Amazon Bedrock writes in a batch: files of requests now, files of replies later.

The stage stops behind the requests and says which commands come next; when their output lies where they say, the stage
is run again and reads it. A batch is not asked again: what cannot be taken is missing, and counted.
"""

from collections import Counter
from pathlib import Path

from lib.common.errors import DoppelError
from lib.common.paths import DATA
from lib.generation.endpoint.bedrock_batch import Batch, write_requests
from lib.generation.endpoint.bedrock_output import BatchCounts, outputs, read_replies
from lib.generation.engines.base import Request, Sampling
from lib.pii.detectors.detector import Detector
from lib.pii.slots import Brackets
from lib.pii.writing.asking import Written, examine, text_id
from lib.pii.writing.grammar import SlotText
from lib.pii.writing.plan import Plan
from lib.pii.writing.prompting import Prompts


def folder_of(run: str, stage: str) -> Path:
    """Where the files of a stage's batch are: outside the results, for a job outlives an attempt of the stage.

    Args:
        run: of the stage.
        stage: its id.
    """
    return DATA / "batches" / run / stage


def take(
    folder: Path,
    prompts: Prompts,
    plan: Plan,
    sampling: Sampling,
    model: str,
    *,
    detector: Detector,
    brackets: Brackets,
    prices: dict[str, float],
) -> tuple[Written, BatchCounts]:
    """The texts of a batch whose output was fetched; without output, write its requests and stop.

    Args:
        folder: of the batch, see `folder_of`.
        prompts: the requests.
        plan: of the set.
        sampling: how tokens are drawn.
        model: ``bedrock:ID``.
        detector: finds personal data outside slots.
        brackets: aliases and words that are text.
        prices: of a million tokens, ``input`` and ``output``.

    Returns:
        The texts, and what became of all records of the batch.

    Raises:
        DoppelError: ``pii.batch_waits`` with the commands that come next; or the output is of another batch, or a job
            has not ended.
    """
    asked = [prompts.request(plan, plan.task(number)) for number in range(plan.samples)]
    batch = Batch([Request(one.messages, sampling.max_new_tokens) for one in asked], sampling, model)
    if not outputs(folder):
        raise DoppelError("pii.batch_waits", write_requests(folder, batch), name="writer", value="batch")
    completions, counts = read_replies(folder, batch, prices=prices)
    written = Written([None] * plan.samples, Counter({f"error {code}": n for code, n in counts.errors.items()}))
    written.rejected.update({"missing": counts.missing} if counts.missing else {})
    for number, completion in completions.items():
        fault, parsed = examine(completion, asked[number], detector, brackets)
        if fault:
            written.rejected[fault] += 1
            continue
        written.texts[number] = SlotText(parsed.text, text_id(parsed.text))
        written.mapped += parsed.mapped
    return written, counts
