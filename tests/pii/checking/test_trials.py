"""No training is tested on a template that it saw, each has its own seed, and the gap is what is lost on the way."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support.pii_sets import TEMPLATES, examples, tiny_encoder

from lib.pii.checking import common, sets, testing, trials
from lib.pii.checking.scores import ALL, Outcomes
from lib.pii.detectors import training
from lib.pii.detectors.token_classifier import TokenClassifier
from lib.pii.detectors.training import TokenClassifierSettings
from lib.pii.spans import Filled, Span, unfill

SETTINGS = TokenClassifierSettings(1, 2, 1e-3, 80, "cpu", "float32")


class Rote:
    """Finds what it learned: the spans of texts whose text with slots it saw."""

    name, scheme = "rote", "doppel"

    def __init__(self, learned: Sequence[Filled]):
        self.templates = {unfill(one) for one in learned}

    def find(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        known = {one.filled.text: one.filled for one in examples(60)}
        return [known[text].spans if text in known and unfill(known[text]) in self.templates else () for text in texts]


def labelled(name: str = "synthetic") -> sets.LabelledSet:
    texts = examples(60)
    return sets.labelled_set(name, [one.filled for one in texts], [one.template for one in texts], "doppel")


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds of all trainings; each detector learns by rote."""
    seen: list[int] = []

    def train(texts: Sequence[Filled], encoder: str, settings: object, *, seed: int, progress: object) -> Rote:
        seen.append(seed)
        progress(1)
        return Rote(texts)

    monkeypatch.setattr(trials, "train", train)
    return seen


def test_what_was_learned_by_rote_is_worth_nothing_at_home(seeds: list[int]) -> None:
    synthetic, told = labelled(), []
    away = labelled("same")  # the positive control: these texts are learned and tested
    progress = trials.Progress(told.append, told.append)
    made = trials.run(synthetic, {"same": away}, "none", SETTINGS, count=3, test_texts=30, seed=4, progress=progress)
    assert seeds == [4, 5, 6] and len(made.seconds) == 3
    assert len(made.tested.filled) == 30 and len(set(made.tested.groups)) == len(TEMPLATES)
    assert not any(made.home)
    assert sum(told) == 3 + 30 + 3 * 60
    kept = testing.both(synthetic, away)
    results = trials.trained(made, away, kept)
    rows = {(row["set"], row["metric"]): row["value"] for row in trials.rows(results, draws=20, seed=0)}
    assert rows["home", "strict_f1"] == 0 and rows["home", "strict_precision"] is None
    assert 0.7 < rows["same", "strict_f1"] < 0.95  # each training knows two thirds of the templates
    lost, sentence = trials.gap(results, "strict_f1", "same", draws=20, seed=0)
    assert lost.value == -rows["same", "strict_f1"] and "at home" in sentence


def test_all_texts_are_tested_where_they_are_few(seeds: list[int]) -> None:
    made = trials.run(labelled(), {}, "none", SETTINGS, count=2, test_texts=1000, seed=0)
    assert sorted(made.tested.texts) == sorted(labelled().texts)


def test_a_detector_beside_is_tested_alone_and_together_with_the_trained_one(seeds: list[int]) -> None:
    synthetic, away = labelled(), labelled("same")
    made = trials.run(synthetic, {"same": away}, "none", SETTINGS, count=2, test_texts=60, seed=0)
    kept = testing.both(synthetic, away)
    results = trials.beside(Rote([one.filled for one in examples(1)]), made, away, kept)
    assert [(one.detector, one.tested, len(one.trainings)) for one in results] == [
        ("rote", "home", 1), ("rote", "same", 1), ("rote + trained", "home", 1), ("rote + trained", "same", 2)
    ]  # fmt: skip
    rows = {
        (row["detector"], row["set"]): row["value"]
        for row in trials.rows([*results, *trials.trained(made, away, kept)], draws=5, seed=0)
        if row["metric"] == "strict_recall"
    }
    assert rows["rote + trained", "home"] == rows["rote", "home"] > rows["trained", "home"] == 0
    assert rows["rote + trained", "same"] > rows["trained", "same"] > rows["rote", "same"]
    shown = trials.wide(trials.rows(results, draws=20, seed=0))
    assert list(shown.index) == [(one.detector, one.tested) for one in results] and "strict F1" in shown
    other = Rote([])
    other.scheme = "presidio"
    assert [one.detector for one in trials.beside(other, made, away, kept)] == ["rote", "rote"]


def test_a_figure_that_is_not_defined_is_none_with_its_interval() -> None:
    nothing = Outcomes((ALL,), np.zeros((3, 1, 4, 5), np.int64), np.zeros((3, 1, 3), np.int64))
    for row in trials.rows([trials.Result("d", common.FOREIGN, [nothing])], draws=5, seed=0):
        assert (row["value"], row["low"], row["high"]) == (None, None, None)


def test_a_run_that_was_killed_goes_on_and_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, calls = str(tiny_encoder(tmp_path / "encoder")), []

    def train(*given: object, **settings: object) -> TokenClassifier:
        calls.append(settings["seed"])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return training.train(*given, **settings)

    monkeypatch.setattr(trials, "train", train)
    told: list[int] = []

    def run(folder: Path) -> trials.Trials:
        quiet = trials.Progress(told.append)
        return trials.run(
            labelled(), {}, encoder, SETTINGS, count=2, test_texts=20, seed=7, folder=folder, progress=quiet
        )

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "kept")
    (tmp_path / "kept" / "training-1").mkdir()  # what a kill in the middle of saving leaves
    resumed = run(tmp_path / "kept")
    assert calls == [7, 8, 8] and told == [1, 1, 1]
    assert run(tmp_path / "kept")[:3] == resumed[:3] == run(tmp_path / "fresh")[:3] and calls == [7, 8, 8, 7, 8]
