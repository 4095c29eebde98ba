"""An Aug-PE arm evolved again with canaries: what its votes give away with noise and without."""

from pathlib import Path

import numpy as np
import pytest
from support.audit_toys import CELLS, corpus, plant

from lib.audit import attack
from lib.audit.canary_set import CanarySet, coins
from lib.common.files import write_array
from lib.data import labels
from lib.methods.private_evolution import audit
from lib.methods.private_evolution.candidates import Generation
from lib.methods.private_evolution.evolution import Evolution, Iteration, Voters
from lib.methods.private_evolution.settings import Settings


class Votes:
    """Two iterations of private evolution on a plane, 30 candidates each: no model, real votes."""

    def __init__(self, folder: Path, planting: CanarySet, noise: float | None, owners: bool = False, **plan):
        rng = np.random.default_rng(4)
        records = corpus()
        train = planting.insert(records)
        place = {c.record.text: rng.normal(0, 3, 2).astype(np.float32) for c in planting.everyone}
        vectors = np.stack([place.get(r.text, rng.normal(0, 3, 2).astype(np.float32)) for r in train])
        users = np.arange(len(train)) if owners else None
        voters = Voters(vectors, labels.cell_numbers(train, CELLS), users)
        settings = Settings(iterations=2, samples=10, noise_multiplier=noise, **plan)
        evolution = Evolution(
            None, voters, cells=CELLS, shares=np.array([0.5, 0.5]), catalogue=[], settings=settings, folder=folder
        )
        history = []
        for number in range(2):
            write_array(evolution.vectors_file(number), rng.normal(0, 3, (30, 2)).astype(np.float32))
            cells = [i % 2 for i in range(30)]
            generation = Generation([""] * 30, [{}] * 30, cells, [None] * 30)
            clean = audit._votes(voters, np.load(evolution.vectors_file(number)), np.array(cells), settings)
            noisy = clean + rng.normal(0, noise or 0, 30)
            history.append(Iteration(number, generation, noisy, np.arange(10)))
        self.run = audit.Evolved(evolution, history, noise)
        self.first, self.single = len(records), planting.single
        self.vectors = np.stack([place[c.record.text] for c in planting.single])

    def scores(self, **options) -> np.ndarray:
        return audit.vote_scores(self.run, self.single, self.vectors, first=self.first, **options)


@pytest.mark.parametrize("plan", [{}, {"k_nn": 3, "vote_weights": "halving"}], ids=["nearest", "halving"])
@pytest.mark.parametrize("owners", [False, True], ids=["records", "users"])
def test_votes_without_noise_give_the_canaries_away(tmp_path: Path, owners: bool, plan: dict) -> None:
    planting = plant(24)
    votes = Votes(tmp_path, planting, None, owners, **plan)
    scores = votes.scores()
    assert attack.auc(scores, coins(planting.single)).value > 0.9  # some share a candidate: not 1
    assert scores.sum() == pytest.approx(coins(planting.single).sum(), abs=0.2)  # votes are counted, none is lost


def test_noise_hides_them_and_the_same_votes_without_it_are_the_positive_control(tmp_path: Path) -> None:
    planting = plant(24)
    votes = Votes(tmp_path, planting, 50.0)
    inside = coins(planting.single)
    assert attack.auc(votes.scores(), inside).value < 0.8
    assert attack.unnoised_control("votes", votes.scores(noise=False), planting.single).passed
    assert not attack.unnoised_control("votes", votes.scores(), planting.single).passed
