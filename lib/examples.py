"""From records to token ids: what a model is trained on and scored on."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from lib.errors import DoppelError
from lib.models import Prompt, encode
from lib.per_sample import Example
from lib.records import Record, owner_numbers


def encode_all(
    records: Sequence[Record], tokenizer: PreTrainedTokenizerBase, prompt: Prompt, *, max_tokens: int, unit: str
) -> tuple[list[Example], int]:
    """Examples in the order of the records, and how many were cut at ``max_tokens`` (these end without EOS).

    ``unit`` is ``record`` (each record is its own unit) or ``user`` (a user's records share one).
    """
    if not records:
        raise DoppelError("no records to encode; look at the table of 00_process_data")
    units = owner_numbers(records) if unit == "user" else range(len(records))
    examples, cut = [], 0
    for number, record in zip(units, records, strict=True):
        one = encode(tokenizer, prompt, record.text.reveal(), record.labels, max_tokens)
        cut += one.truncated
        examples.append(Example(one.prompt, one.completion, number))
    return examples, cut
