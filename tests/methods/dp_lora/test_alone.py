"""A single process does all of a training itself."""

import torch

from lib.methods.dp_lora.alone import ALONE


def test_one_process_computes_every_micro_batch_and_agrees_with_itself() -> None:
    assert list(ALONE.share(0, [[], [], []], [1, 2, 3], [])) == [0, 1, 2]
    assert list(ALONE.share(0, [], [], [])) == [None]  # a step without units
    sums = [torch.ones(2)]
    ALONE.gather(sums)
    with ALONE.evaluating(torch.nn.Linear(1, 1)), ALONE.working():
        assert ALONE.all(True) and not ALONE.all(False) and sums[0].tolist() == [1, 1]
