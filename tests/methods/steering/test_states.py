"""States against texts that are read alone, whoever else is read with them, and public texts."""

import numpy as np
import pytest
import torch
from methods.steering.conftest import CELLS, RECORDS, read
from support.errors import refused

from lib.data import labels
from lib.methods.steering import states
from lib.methods.steering.states import Public, Reader
from lib.methods.steering.steering import Asked
from lib.models.examples import Example
from lib.models.hidden_states import layers_of


@pytest.fixture(scope="module")
def reader(asked: Asked) -> Reader:
    return Reader.open(asked.engine.model, [0, 1], 128, 60)


def shaped(model, ids: torch.Tensor, weights: torch.Tensor, layers: list[int]) -> torch.Tensor:
    """States of a machine on which the shape of a batch moves every row: bfloat16's rounding, made plain to see."""
    found = torch.zeros(len(ids), len(layers), 4) + ids.shape[0] * 1000 + ids.shape[1]
    return found + (ids * (weights > 0)).sum(1)[:, None, None]


def test_the_shape_of_a_batch_follows_from_a_text_by_itself(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states.hidden_states, "means", shaped)
    examples = [Example([1] * 3, [2] * length, 0) for length in (2, 5, 9, 17, 30, 31, 60, 200)] * 3

    def found(some: list[Example], reader: Reader) -> np.ndarray:
        return np.array(
            [
                state
                for _, state in sorted((i, s.tolist()) for g, b in reader.read(some) for i, s in zip(g, b, strict=True))
            ]
        )

    class Naive(Reader):
        """One that gives a batch as many rows as it has texts."""

        def _states(self, members, width):
            self.__dict__["tokens"] = width * len(members)
            return super()._states(members, width)

    for kind, expected in ((Reader, True), (Naive, False)):
        reader = kind(asked.engine.model, [0], 128, 300)
        whole = found(examples, reader)
        rests = [found(examples[:i] + examples[i + 1 :], kind(asked.engine.model, [0], 128, 300)) for i in range(24)]
        assert all(np.array_equal(np.delete(whole, i, 0), rest) for i, rest in enumerate(rests)) is expected


@torch.no_grad()
def test_a_state_is_the_mean_where_tokens_are_predicted(asked: Asked, reader: Reader) -> None:
    examples, seen = asked.examples(RECORDS), []
    for example, found in zip(examples, read(reader, examples), strict=True):
        whole = torch.tensor([[*example.prompt, *example.completion]])
        hooks = [layer.register_forward_hook(lambda *given: seen.append(given[2])) for layer in layers_of(reader.model)]
        reader.model(whole)
        for hook in hooks:
            hook.remove()
        by_hand = [states[0, len(example.prompt) - 1 : -1].mean(0).numpy() for states in seen[-2:]]
        np.testing.assert_allclose(found, by_hand, atol=1e-5)


def test_no_record_moves_the_state_of_another_by_a_bit(asked: Asked, reader: Reader) -> None:
    examples = asked.examples(RECORDS)
    together = read(reader, examples)
    for left_out in range(len(examples)):
        rest = examples[:left_out] + examples[left_out + 1 :]
        assert np.array_equal(np.delete(together, left_out, 0), read(reader, rest))


def test_rows_that_depend_on_each_other_are_seen_and_refused(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    means = states.hidden_states.means

    def leaking(model, ids, weights, layers):
        found = means(model, ids, weights, layers)
        return found + 1e-6 * found.mean(0, keepdim=True)

    assert Reader(asked.engine.model, [0], 128, 60).rows_are_independent()
    monkeypatch.setattr(states.hidden_states, "means", leaking)
    with refused("methods.rows_depend", name="tokens_at_once"):
        Reader.open(asked.engine.model, [0], 128, 60)


def test_rows_are_measured_up_to_the_longest_text_there_can_be(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, means = set(), states.hidden_states.means

    def noting(model, ids, weights, layers):
        seen.add(int((weights > 0).sum(1).max()))
        return means(model, ids, weights, layers)

    monkeypatch.setattr(states.hidden_states, "means", noting)
    Reader.open(asked.engine.model, [0], 128, 100)
    assert seen == {8, 32, 50}  # half of 16, 64 and 100: what follows the prompt


def test_a_model_in_bfloat16_whose_rows_depend_is_read_in_float32(asked: Asked, monkeypatch, capsys) -> None:
    answers = [False, True]
    monkeypatch.setattr(Reader, "rows_are_independent", lambda self: answers.pop(0))
    opened = Reader.open(Asked.open(_in_bfloat16(), "record").engine.model, None, 128, 60)
    assert opened.model.dtype == torch.float32 and "float32 is used" in capsys.readouterr().out and answers == []


def _in_bfloat16() -> dict:
    from methods.steering.conftest import PARAMETERS

    return PARAMETERS | {"dtype": "bfloat16"}


def test_a_long_text_is_a_batch_by_itself(asked: Asked, reader: Reader) -> None:
    long, short = Example([1] * 3, [2] * 200, 0), Example([1] * 3, [2] * 4, 1)
    groups = [group for group, _ in reader.read([long, short, short])]
    assert sorted(groups) == [[0], [1, 2]]


def test_vectors_are_relative_to_public_texts_and_directions_are_their_reverse(asked: Asked, reader: Reader) -> None:
    own = asked.public_texts(CELLS, [], 4, 0)
    rows = labels.cell_numbers(own, CELLS)
    public = Public.of(reader, asked.examples(own), rows, 2)
    found = read(reader, asked.examples(own)).astype(float)
    vectors = public.vectors(found, rows)
    of_layers = np.linalg.norm(vectors.reshape(len(own), 2, -1), axis=2)  # together they have the norm of one
    assert np.median(of_layers, axis=0) * 2**0.5 == pytest.approx([1, 1])
    np.testing.assert_allclose(np.array([vectors[rows == row].mean(0) for row in (0, 1)]), 0, atol=1e-6)
    again = public.means[rows] + public.directions(vectors)
    np.testing.assert_allclose(again, found, atol=1e-4)


def test_labels_without_a_public_text_get_the_mean_of_all(asked: Asked, reader: Reader) -> None:
    own = asked.public_texts(CELLS, [], 2, 0)
    public = Public.of(reader, asked.examples(own), np.zeros(len(own), int), 2)
    np.testing.assert_allclose(public.means[0], public.means[1])
    same = Public.of(reader, asked.examples(own[:1] * 3), np.zeros(3, int), 1)
    assert (same.spread == 1).all()  # texts that do not differ have no spread to divide by
