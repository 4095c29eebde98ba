"""A tiny model that writes, with made-up records beside it."""

import pytest

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.private_prediction.batches import Batch
from lib.methods.private_prediction.writer import Writer

TINY = "bundled:tiny-random"
CELLS = [{"mood": "good"}, {"mood": "bad"}]
PARAMETERS = {
    "inputs": {"corpus": "00_process_data"}, "model": TINY, "prompt": "One {mood} text.",
    "prompt_with_record": "One {mood} text, like: {text}\nAnother:", "prompts": None, "chat": False,
    "max_record_tokens": 20,
    "target_epsilon": 8.0, "expected_batch": 3.0, "copy_share": 0.2, "reserve": 0.0, "for_release": False,
    "privacy_seed": 5, "samples": 4, "temperature": 0.8, "top_k": 20, "top_k_margin": 0.5, "max_new_tokens": 7,
    "one_line": False, "unfinished": "drop", "batch_size": 3, "device": "cpu", "dtype": "float32",
}  # fmt: skip


@pytest.fixture(scope="session")
def writer() -> Writer:
    return Writer.open(PARAMETERS, CELLS[0])


@pytest.fixture
def parted() -> dict[Batch, list[list[Record]]]:
    """Three batches with units, of which one is a user with two records; every other batch is empty."""

    def records(*names: str) -> list[Record]:
        return [Record(name, PrivateText(f"the box {name} came"), CELLS[0], name[0]) for name in names]

    return {
        Batch(0, 0): [records("a1"), records("b1 late"), records("c1")],
        Batch(0, 1): [records("d1 and it is long", "d2"), records("e1")],
        Batch(1, 0): [records("f1")],
    }
