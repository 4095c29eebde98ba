"""What a model is expected to be asked while records are sanitized, told before anything is paid for."""

from collections.abc import Mapping
from pathlib import Path

from lib.generation.expected import Expected, tokens
from lib.sanitization.prompting import Prompts
from lib.sanitization.settings import expected_calls

TEXT = 669  # characters of a text: records that the grammar of 50_private_records wrote
GUESS = 1100  # characters of the request for guesses, without the text
REPLIED = {  # characters of a reply, by step
    "annotate": 700, "rank": 300, "passages": 120, "strategy": 120, "abstract": 460, "drop": 400, "instruction": 200,
    "guess": 350,
}  # fmt: skip


def expected(parameters: Mapping[str, object], inputs: Mapping[str, Mapping[str, object]]) -> Expected:
    """Calls and tokens of a stage for records of usual length, where nothing is asked twice.

    Args:
        parameters: of 51_sanitize.
        inputs: the parameters of its one input, by name: ``samples`` says how many records there are.

    Returns:
        What is expected; for an input that does not say how many records it has, and without ``samples``, of one.
    """
    counts = [one.get("samples") for one in (parameters, *inputs.values())]
    records = min((count for count in counts if isinstance(count, int)), default=1)
    prompts = Prompts(Path(str(parameters["prompts"])))
    whole = Expected(0, 0, 0)
    for step, times in expected_calls(parameters).items():
        read = TEXT if step in ("annotate", "guess") else min(int(parameters["chunk_characters"]), TEXT)
        around = GUESS if step == "guess" else prompts.characters(step)
        whole += Expected(1, tokens(around + read), tokens(REPLIED[step])).times(round(times * records))
    return whole
