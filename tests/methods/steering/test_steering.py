"""From records to directions: users, resumed noise, what is written, and a model that is steered."""

import json
from pathlib import Path

import numpy as np
import pytest
from methods.steering.conftest import CELLS, RECORDS, record
from support.errors import refused

from lib.data import labels
from lib.generation import generate
from lib.methods.steering import steering
from lib.methods.steering.states import Public, Reader
from lib.methods.steering.steering import Asked

HISTOGRAM = {"cells": CELLS, "noisy_counts": [9, 11]}


@pytest.fixture(scope="module")
def reader(asked: Asked) -> Reader:
    return asked.reader(None, 128, CELLS)


@pytest.fixture(scope="module")
def public(asked: Asked, reader: Reader) -> Public:
    own = asked.public_texts(CELLS, [], 4, 0)
    return Public.of(reader, asked.examples(own), labels.cell_numbers(own, CELLS), 2)


def total(asked: Asked, reader: Reader, public: Public, members: list, clip: float | None = 1.0) -> np.ndarray:
    rows = labels.cell_numbers(members, CELLS)
    return steering.summed(reader, public, asked.examples(members), rows, clip).exact


@pytest.mark.parametrize("left_out", range(0, 20, 3))
def test_a_record_changes_the_sums_by_at_most_the_clip(asked, reader, public, left_out: int) -> None:
    rest = RECORDS[:left_out] + RECORDS[left_out + 1 :]
    change = total(asked, reader, public, RECORDS, 0.5) - total(asked, reader, public, rest, 0.5)
    assert 0 < np.linalg.norm(change) <= 0.5
    assert np.count_nonzero(np.abs(change).sum(1)) == 1  # in the row of its own labels


def test_a_user_changes_the_sums_by_at_most_the_clip_with_all_records(asked, reader, public) -> None:
    users = Asked(asked.engine, asked.template, asked.sampling, asked.max_tokens, "user")
    members = [record(i, one.text.reveal(), one.labels["mood"], f"u{i % 3}") for i, one in enumerate(RECORDS)]
    rest = [one for one in members if one.user != "u1"]
    change = total(users, reader, public, members, 0.5) - total(users, reader, public, rest, 0.5)
    assert 0 < np.linalg.norm(change) <= 0.5
    by_record = total(asked, reader, public, members, 0.5) - total(asked, reader, public, rest, 0.5)
    assert np.linalg.norm(by_record) > 0.5  # so the test can fail


def test_noise_is_drawn_once_however_often_a_run_goes_on(asked, reader, public, tmp_path: Path) -> None:
    rows = labels.cell_numbers(RECORDS, CELLS)
    sums = steering.summed(reader, public, asked.examples(RECORDS), rows, 1.0)
    first = steering.released(sums, 0.7, None, tmp_path)
    assert np.array_equal(first, steering.released(sums, 0.7, None, tmp_path))
    assert not np.array_equal(first, steering.released(sums, 0.7, None, tmp_path / "other"))
    assert not np.array_equal(first, steering.released(sums, 0.8, None, tmp_path))  # noise of another size is not there


def test_directions_lead_from_the_models_own_texts_to_the_records(asked, reader, public, tmp_path: Path) -> None:
    sums = total(asked, reader, public, RECORDS, None)
    found = steering.directions(sums, public, {"cells": CELLS, "noisy_counts": [10, 10]}, 1.0, None)
    states = np.zeros((20, 1, found.shape[2]))
    for group, batch in reader.read(asked.examples(RECORDS)):
        states[group] = batch
    rows = labels.cell_numbers(RECORDS, CELLS)
    for row in (0, 1):
        np.testing.assert_allclose(found[row], states[rows == row].mean(0) - public.means[row], atol=1e-4)
    np.testing.assert_allclose(found[2], found[:2].mean(0), atol=1e-6)
    np.save(tmp_path / steering.FILE, found)
    (tmp_path / steering.MODEL).write_text(json.dumps({"layers": [1]}))
    kept = steering.read(tmp_path, 0.5)
    assert kept.layers == [1] and np.allclose(kept.vectors.numpy(), found / 2)


@pytest.mark.parametrize("guidance", [0.0, 1.0])
def test_a_steered_model_writes_what_its_direction_says(asked, tmp_path: Path, guidance: float) -> None:
    """A direction that is the embedding of a token, behind the last layer, far longer than any state."""
    head = asked.engine.model.get_output_embeddings().weight.detach().numpy()
    vectors = np.stack([1e4 * head[token] for token in (70, 90, 110)])[:, None].astype(np.float32)
    np.save(tmp_path / steering.FILE, vectors)
    last = len(asked.engine.model.model.layers) - 1
    (tmp_path / steering.MODEL).write_text(json.dumps({"layers": [last]}))
    machine = {"engine": "auto", "device": "cpu", "dtype": "float32", "batch_size": 3, "served_model": None}
    writer = generate.open_writer(
        "bundled:tiny-random", None, machine | {"guidance": guidance}, steering=steering.read(tmp_path, 1.0)
    )
    wanted = [CELLS[0], CELLS[1], CELLS[1], CELLS[0], CELLS[1]]
    sampling = generate.Sampling(temperature=0.0, max_new_tokens=3, guidance=guidance)
    prompts = [asked.template.build(writer.tokenizer, one) for one in wanted]
    without = [asked.template.unlabelled().build(writer.tokenizer, {})] * 5
    moved = steering.numbers(wanted, CELLS)
    found = dict(writer.complete(prompts, sampling, without_label=without, moved=moved))
    # behind the prompt without its label the last direction is added, and weighs the other way
    scores = [(1 + guidance) * head @ head[token] - guidance * head @ head[110] for token in (70, 90)]
    for position, number in enumerate(moved):
        assert found[position].text == writer.tokenizer.decode([int(scores[number].argmax())] * 3)
    assert len({found[position].text for position in (0, 3)}) == 1 == len({found[p].text for p in (1, 2, 4)})
    assert found[0].text != found[1].text


def test_label_sets_find_their_direction() -> None:
    assert steering.numbers([{"mood": "bad", "item": "book"}, {"mood": "good"}], CELLS) == [1, 0]
    assert steering.numbers([{}, {"item": "book"}], [{}]) == [0, 0]
    with refused("methods.no_direction", name="labels"):
        steering.numbers([{"mood": "odd"}], CELLS)


def test_public_texts_have_labels_of_all_cells_and_rows_of_the_catalogue(asked: Asked) -> None:
    own = asked.public_texts(CELLS, [{"item": "a"}, {"item": "b"}], 4, 0)
    assert len(own) == 8 and {one.labels["item"] for one in own} == {"a", "b"}
    assert [one.labels["mood"] for one in own] == ["good"] * 4 + ["bad"] * 4
