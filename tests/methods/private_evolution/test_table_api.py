"""Private evolution of rows: draws and mutations within the domain, votes near to the private rows."""

from pathlib import Path

import numpy as np
import pytest

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.tables.domain import as_text, columns_of, from_text
from lib.methods.private_evolution import modalities
from lib.methods.private_evolution.evolution import Evolution, Voters
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.table_api import TableApi, TableEncoder, table_modality

DECLARED = {"age": {"low": 0, "high": 100}, "dose": {"low": 0.0, "high": 1.0, "decimals": 2}, "pet": ["cat", "dog"]}
COLUMNS = columns_of(DECLARED, missing=["dose"])
CELLS = [{"pet": "cat"}, {"pet": "dog"}]


def private(count: int = 200) -> list[Record]:
    rng, rows = np.random.default_rng(0), []
    for number in range(count):
        row = {"age": int(rng.normal(20, 3)), "dose": round(float(rng.uniform(0.7, 0.8)), 2), "pet": "cat"}
        if number % 2:
            row = {"age": int(rng.normal(80, 3)), "dose": None, "pet": "dog"}
        rows.append(Record(f"{number}", PrivateText(as_text(row)), {"pet": row["pet"]}))
    return rows


def test_draws_are_uniform_and_within_the_domain() -> None:
    drawn = TableApi(COLUMNS, 0).random([CELLS[0]] * 2000 + [{}] * 2000).items
    rows = [from_text(drawn[i]) for i in range(4000)]
    assert {row["pet"] for row in rows[:2000]} == {"cat"}
    assert np.mean([row["pet"] == "dog" for row in rows[2000:]]) == pytest.approx(0.5, abs=0.05)
    ages = np.array([row["age"] for row in rows])
    assert ages.min() >= 0 and ages.max() <= 100 and ages.mean() == pytest.approx(50, abs=2)
    assert np.mean([row["dose"] is None for row in rows]) == pytest.approx(0.1, abs=0.02)


def test_mutations_change_as_many_cells_as_the_degree_says_and_no_label() -> None:
    api, parent = TableApi(COLUMNS, 0), as_text({"age": 50, "dose": 0.5, "pet": "cat"})
    assert {*api.vary([parent] * 50, [CELLS[0]] * 50, 1, degree=0.0).items.values()} == {parent}
    rows = [from_text(row) for row in api.vary([parent] * 2000, [CELLS[0]] * 2000, 1, degree=0.2).items.values()]
    assert {row["pet"] for row in rows} == {"cat"} and all(0 <= row["age"] <= 100 for row in rows)
    assert np.mean([row["dose"] != 0.5 for row in rows]) == pytest.approx(0.2, abs=0.04)


def test_vectors_keep_gaps_of_cells_between_0_and_1() -> None:
    rows = [{"age": 0, "dose": 0.0, "pet": "cat"}, {"age": 100, "dose": 0.0, "pet": "cat"},
            {"age": 0, "dose": 0.0, "pet": "dog"}, {"age": 0, "dose": None, "pet": "cat"}]  # fmt: skip
    space = TableEncoder(COLUMNS)
    vectors = space.encode([*map(as_text, rows)])
    assert np.linalg.norm(vectors[1:] - vectors[0], axis=1) == pytest.approx([1, 1, 1])
    assert (space.encode([PrivateText(as_text(rows[2]))])[0] == vectors[2]).all()
    assert space.fingerprint != TableEncoder(columns_of(DECLARED)).fingerprint


def test_rows_come_near_to_the_private_ones(tmp_path: Path) -> None:
    rows, modality = private(), table_modality(COLUMNS, 0)
    voters = Voters.of(modality.voters(rows), rows, CELLS, "record")
    run = Evolution(
        modality, voters, cells=CELLS, shares=np.array([0.5, 0.5]), catalogue=[], folder=tmp_path,
        settings=Settings(iterations=6, samples=20, noise_multiplier=0.5, degrees=0.3, privacy_seed=1, variants=4),
    )  # fmt: skip
    made = [from_text(item) for item, _ in run.result(run.run()[-1])]
    cats, dogs = ([row for row in made if row["pet"] == pet] for pet in ("cat", "dog"))
    assert len(cats) == len(dogs) == 10
    assert abs(np.mean([row["age"] for row in cats]) - 20) < 15  # of uniform rows it is 30 away
    assert abs(np.mean([row["age"] for row in dogs]) - 80) < 20
    assert np.mean([row["dose"] is None for row in dogs]) >= 0.5 > 0.3 > np.mean([row["dose"] is None for row in cats])
    opened = modalities.open_modality({"seed": 0}, {"columns": DECLARED, "missing": ["dose"]})
    assert opened.encoder.fingerprint == modality.encoder.fingerprint
