"""Private evolution of pictures: it nears the private ones, by votes that bound a user over all labels, and resumes."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.errors import refused
from support.image_toys import ARM, CELLS, CORPUS, SHAPE, evolving, private, record

from lib.data.images import parquet
from lib.data.images.decoding import read_pixels
from lib.generation.images.digits import Digits
from lib.methods.private_evolution import evolution, image_api, modalities
from lib.methods.private_evolution.image_api import DRAWINGS, NUMBERS, Nearest, Rendered, image_modality
from lib.models.image_encoders import Pixels


def distance(pictures: np.ndarray, rows: list) -> float:
    """The mean distance of pictures to the nearest private one, in blurred pixels."""
    space = Pixels(1.0)
    made, real = space.encode(pictures), space.encode(parquet.pixels(rows))
    return float(np.sqrt(((made[:, None] - real) ** 2).sum(axis=2)).min(axis=1).mean())


def trace(run: evolution.Evolution) -> list:
    history = run.run()
    return [(i.generation.items, i.noisy.tolist(), i.chosen.tolist()) for i in history] + run.result(history[-1])


def test_pictures_come_near_to_the_private_ones(tmp_path: Path) -> None:
    rows = private()
    run = evolving(tmp_path, rows)
    history = run.run()
    first, last = (np.stack([run.modality.api.render(i) for i in items]) for items in
                   (history[0].generation.items, history[-1].selected))  # fmt: skip
    assert distance(last, rows) < 0.6 * distance(first, rows)
    assert [r.labels["digit"] for r in history[-1].records(run.modality.record)] == ["1"] * 6 + ["7"] * 6
    assert {item.text for item, labels in run.result(history[-1]) if labels["digit"] == "7"} == {"7"}


def test_a_killed_run_goes_on_to_the_same_pictures_and_keeps_parameters_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, write = private(60), evolution.write_json
    whole = trace(evolving(tmp_path / "whole", rows))

    def killed(path: Path, value: object) -> None:
        write(path, value)
        if path.stem == "votes-01":
            raise KeyboardInterrupt

    monkeypatch.setattr(evolution, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        evolving(tmp_path / "cut", rows).run()
    monkeypatch.setattr(evolution, "write_json", write)
    assert trace(evolving(tmp_path / "cut", rows)) == whole
    kept = json.loads((tmp_path / "cut" / "generation-02.json").read_text())
    assert kept["drawings"][0].keys() == {*Digits(SHAPE).random("1", np.random.default_rng(0)).__dict__}
    other = evolving(tmp_path / "cut", rows)
    other.modality.api.fingerprint = "other fonts"
    with refused("methods.changed_on_resume", name="api"):
        other.run()
    eyes = evolving(tmp_path / "cut", rows)
    eyes.modality.encoder.fingerprint = Pixels(2.0).fingerprint
    with refused("methods.changed_on_resume", name="encoder"):
        eyes.run()


def test_a_user_with_pictures_of_several_labels_changes_the_votes_by_one_unit(tmp_path: Path) -> None:
    """The L2 norm over all cells together is at most sqrt(k_nn). Scaled cell by cell it would be sqrt(2 k_nn)."""
    rows = [record(f"{n}", read_pixels(r.image.reveal()), dict(r.labels), "one") for n, r in enumerate(private(20))]
    assert {r.labels["digit"] for r in rows} == {"1", "7"}
    for k_nn in (1, 3):
        votes = {}
        for who, own in (("nobody", []), ("one", rows)):
            everyone = [*private(10, seed=5), *own]
            named = [record(r.id, read_pixels(r.image.reveal()), dict(r.labels), r.user or r.id) for r in everyone]
            run = evolving(tmp_path / f"{who}{k_nn}", named, "user", noise_multiplier=None, iterations=1, k_nn=k_nn)
            votes[who] = run.run()[0].noisy
        change = votes["one"] - votes["nobody"]
        assert 0.99 * k_nn**0.5 < np.linalg.norm(change) <= k_nn**0.5
        records = evolving(tmp_path / f"records{k_nn}", rows, noise_multiplier=None, iterations=1, k_nn=k_nn)
        assert np.linalg.norm(records.run()[0].noisy) > 2 * k_nn**0.5  # positive control: nobody bounds them


def test_a_label_without_pictures_identical_candidates_and_fewer_samples_than_labels(tmp_path: Path) -> None:
    ones = [row for row in private(40) if row.labels["digit"] == "1"]
    run = evolving(tmp_path / "a", ones, iterations=2)
    assert len(run.result(run.run()[-1])) == 12
    same = evolving(tmp_path / "b", private(40), degrees=0.0, iterations=2)
    assert len(same.result(same.run()[-1])) == 12
    few = evolving(tmp_path / "c", private(40), samples=1, iterations=2)
    assert len(few.result(few.run()[-1])) == 1
    low = evolving(tmp_path / "d", private(40), threshold=1e6, selection="sample", iterations=2)
    assert len(low.result(low.run()[-1])) == 12  # votes all below H: a uniform draw


def test_vectors_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    run = evolving(tmp_path, private(10))
    run.voters.vectors[3, 2] = np.nan
    with refused("methods.vector_not_finite", name="private"):
        run.run()


def test_a_public_set_offers_its_pictures_and_the_nearest_of_them() -> None:
    public = private(30, seed=3)
    api = Nearest(public, Pixels(1.0), seed=0)
    drawn = api.random([{"digit": "7"}] * 50 + [{"digit": "9"}] * 50, 0).items
    assert {public[drawn[i]].labels["digit"] for i in range(50)} == {"7"}
    assert {public[drawn[i]].labels["digit"] for i in range(50, 100)} == {"1", "7"}  # none has that label: all count
    vectors = Pixels(1.0).encode(parquet.pixels(public))
    gaps = ((vectors - vectors[4]) ** 2).sum(axis=1)
    order = np.argsort(gaps, kind="stable").tolist()
    assert order[0] == 4
    for degree in (1, 3):
        near = {*api.vary([4] * 60, [{}] * 60, 1, degree=degree).items.values()}
        assert near == {*order[1 : degree + 1]}
    assert {*api.vary([4] * 400, [{}] * 400, 1, degree=1000).items.values()} == {*range(30)} - {4}
    modality = image_modality(api, NUMBERS, Pixels(1.0), SHAPE)
    assert modality.record("x", 4, {}).image == public[4].image
    assert NUMBERS.take(NUMBERS.put([3, 4], Path()), Path()) == [3, 4]
    with refused("methods.public_set_too_small", value=1):
        Nearest(public[:1], Pixels(1.0), seed=0)


def test_a_public_set_with_private_pictures_is_refused() -> None:
    rows, encoder = private(20, seed=1), Pixels(1.0)
    image_api.check_overlap(Nearest(private(20, seed=2), encoder, seed=0), rows)
    image_api.check_overlap(Rendered(Digits(SHAPE), None, 0), rows)
    with refused("methods.public_set_overlaps", name="public_pictures"):
        image_api.check_overlap(Nearest([*private(20, seed=2), rows[3]], encoder, seed=0), rows)


def test_a_stage_opens_what_its_parameters_name(tmp_path: Path) -> None:
    opened = modalities.open_modality(ARM, CORPUS)
    assert isinstance(opened.api, Rendered) and opened.encoder.fingerprint == Pixels(1.0).fingerprint
    items = opened.api.random(CELLS, 1).items
    assert [items[0].text, items[1].text] == ["1", "7"]
    assert {*opened.api.random([{}] * 3, 1).items.values()} if ARM["text_label"] is None else True
    free = modalities.open_modality(ARM | {"text_label": None}, CORPUS).api
    assert {item.text for item in free.random([{}] * 200, 1).items.values()} == {*"0123456789"}
    parquet.write(tmp_path / "public.parquet", private(8))
    given = ARM | {"api": "nearest", "public_pictures": f"public:images:{tmp_path / 'public.parquet'}"}
    assert len(modalities.open_modality(given, CORPUS).api.pictures) == 8
    assert DRAWINGS.take(DRAWINGS.put([items[0]], Path()), Path()) == [items[0]]
    assert image_api.public_pictures(given["public_pictures"], SHAPE)[0].image == private(8)[0].image
