"""Records as token ids: padded batches, and groups of similar length."""

import pytest
from support.lora_toys import examples

from lib.models.examples import Batch, by_length


def test_a_batch_says_where_each_completion_token_is_predicted() -> None:
    data = examples()
    batch = Batch.of(data, 0, "cpu")
    assert batch.lengths.tolist() == [len(e.completion) for e in data]
    targets = iter(batch.targets.tolist())
    for number, example in enumerate(data):
        tokens = [*example.prompt, *example.completion]
        assert batch.input_ids[number, : len(tokens) - 1].tolist() == tokens[:-1]
        assert not batch.input_ids[number, len(tokens) - 1 :].any()
        positions = batch.columns[batch.rows == number].tolist()
        assert [tokens[position + 1] for position in positions] == [next(targets) for _ in positions]
        assert len(positions) == len(example.completion)
    assert next(targets, None) is None


@pytest.mark.parametrize("tokens", [1, 30, 64, 10_000])
def test_groups_hold_every_item_once_and_no_more_tokens_than_they_may(tokens: int) -> None:
    widths = [5, 40, 7, 7, 3, 12, 9, 30, 5]
    rows = [1, 2, 1, 3, 1, 1, 2, 1, 1]
    groups = list(by_length(rows, widths, tokens))
    assert sorted(item for group in groups for item in group) == list(range(9))
    for group in groups:
        padded = sum(rows[item] for item in group) * max(widths[item] for item in group)
        assert padded <= tokens or len(group) == 1  # a larger item is a group by itself
    widest = [max(widths[item] for item in group) for group in groups]
    assert widest == sorted(widest)


def test_groups_are_as_large_as_they_may_be() -> None:
    assert list(by_length([1] * 6, [4] * 6, 12)) == [[0, 1, 2], [3, 4, 5]]
    assert list(by_length([1] * 3, [2, 9, 2], 10_000)) == [[0, 2, 1]]
    assert list(by_length([], [], 10)) == []
