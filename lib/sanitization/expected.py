"""What a model is expected to be asked while records are sanitized, told before anything is paid for."""

from collections.abc import Mapping
from pathlib import Path

from lib.generation.expected import Expected, tokens
from lib.sanitization.prompting import Prompts

# a usual record, by the offline set of 50_private_records (preset private-records)
CHARACTERS = 800  # of its text
ABSTRACT, DROP = 3, 2  # targets
PLACES = 1.3  # chunks that tell a target
GUESS = 1100  # characters of the request for guesses, without the text
REPLIED = {  # characters of a reply, by step
    "annotate": 700, "rank": 300, "passages": 120, "strategy": 120, "abstract": 460, "drop": 400, "instruction": 200,
}  # fmt: skip
GUESSED = 350  # characters of a reply
SIDES = 3  # texts of a record that are guessed from


def expected(parameters: Mapping[str, object], inputs: Mapping[str, Mapping[str, object]]) -> Expected:
    """Calls and tokens of a stage for records of usual length, where nothing is asked twice.

    Args:
        parameters: of 51_sanitize.
        inputs: the parameters of its one input, by name: ``samples`` says how many records there are.

    Returns:
        What is expected; for an input that does not say how many records it has, and without ``samples``, of one.
    """
    counts = [one.get("samples") for one in (parameters, *inputs.values())]
    known = [count for count in counts if isinstance(count, int)]
    return a_record(parameters).times(min(known, default=1))


def a_record(parameters: Mapping[str, object]) -> Expected:
    """Calls and tokens of one record.

    Args:
        parameters: of 51_sanitize.
    """
    prompts, chunk = Prompts(Path(str(parameters["prompts"]))), int(parameters["chunk_characters"])
    rewrites, targets = parameters["rewriter"] == "model", ABSTRACT + DROP
    chunks = -(-CHARACTERS // chunk)
    calls = {
        "annotate": int(parameters["attributes"] == "model"),
        "rank": rewrites and int(parameters["target_weights"] == "sensitivity"),
        "passages": rewrites and targets * chunks * (parameters["passages"] == "model"),
        "strategy": rewrites and ABSTRACT,
        "abstract": rewrites and round(ABSTRACT * PLACES),
        "drop": rewrites and round(DROP * PLACES),
        "instruction": int(rewrites),
    }
    whole = Expected(0, 0, 0)
    for step, times in calls.items():
        read = CHARACTERS if step == "annotate" else min(chunk, CHARACTERS)
        asked, replied = tokens(prompts.characters(step) + read), tokens(REPLIED[step])
        whole += Expected(1, asked, replied).times(int(times))
    if parameters["guesser"] == "model":
        whole += Expected(1, tokens(GUESS + CHARACTERS), tokens(GUESSED)).times(SIDES)
    return whole
