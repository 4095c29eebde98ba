"""A tiny model, and made-up records of two moods."""

import numpy as np
import pytest

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.steering.states import Reader
from lib.methods.steering.steering import Asked
from lib.models.examples import Example

CELLS = [{"mood": "good"}, {"mood": "bad"}]
PARAMETERS = {
    "inputs": {"corpus": "00_process_data"}, "model": "bundled:tiny-random", "prompt": "One {mood} text:",
    "chat": False, "max_tokens": 12, "layers": None, "target_epsilon": 8.0, "clip": 1.0, "reserve": 0.0,
    "copy_share": 0.2, "for_release": False, "privacy_seed": 5, "references": 4, "temperature": 1.0, "top_p": 1.0,
    "one_line": False, "batch_size": 8, "tokens_at_once": 128, "device": "cpu", "dtype": "float32", "seed": 0,
}  # fmt: skip


def record(number: int, text: str, mood: str = "good", user: str | None = None) -> Record:
    return Record(f"r{number}", PrivateText(text), {"mood": mood}, user)


RECORDS = [
    record(i, "the box came " + "late " * (i % 5) + "and it is " + "red " * (i % 3), CELLS[i % 2]["mood"])
    for i in range(20)
]


@pytest.fixture(scope="session")
def asked() -> Asked:
    return Asked.open(PARAMETERS, "record")


def read(reader: Reader, examples: list[Example]) -> np.ndarray:
    """The states of the examples in their order, (examples, layers, width)."""
    found = np.full((len(examples), len(reader.layers), reader.model.config.hidden_size), np.nan, np.float32)
    for group, batch in reader.read(examples):
        found[group] = batch
    return found
