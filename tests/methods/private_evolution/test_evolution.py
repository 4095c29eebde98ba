"""Private evolution on a plane: texts are points, a variation is a step, so all can be checked."""

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from support.project import ROOT

from lib.common.errors import DoppelError
from lib.evaluation.fidelity.distance_by_iteration import approach
from lib.generation import prompt_file
from lib.generation.engines.base import Completion, Request, Sampling, Usage
from lib.methods.private_evolution import evolution, toy
from lib.methods.private_evolution.evolution import Evolution, Voters, lineage
from lib.methods.private_evolution.selection import quotas, select
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.text_api import Api, Writing

CELLS = [{"side": "left"}, {"side": "right"}]
PROMPTS = """
about: points of a plane
labels: [side]
one_line: true
random: ["Name a {colour} point on the {side}."]
rephrase: ["In a {colour} way: {text}"]
fill: ["Fill: {text}"]
draws: {colour: [red, green, blue, black, white, grey, pink, brown]}
"""
POINT = re.compile(r"at (-?[\d.]+) and (-?[\d.]+)")


class Plane:
    """A chat model that answers with points: anywhere for RANDOM_API, near the parent for VARIATION_API."""

    name = "plane"

    def __init__(self) -> None:
        self.usage = Usage()
        self.asked: list[list[Request]] = []
        self.scripted: list[Completion] = []  # given first
        self.die_at: int | None = None  # the call of `reply` that is killed

    def reply(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        self.asked.append(list(requests))
        if len(self.asked) == self.die_at:
            raise KeyboardInterrupt
        for number, request in reversed(list(enumerate(requests))):
            if self.scripted:
                yield number, self.scripted.pop(0)
                continue
            rng = np.random.default_rng([sampling.seed, number])
            parent = POINT.search(request.messages[-1][1])
            x, y = (np.array(parent.groups(), float) + rng.normal(0, 0.3, 2)) if parent else rng.uniform(-5, 5, 2)
            yield number, Completion(f"at {x:.4f} and {y:.4f}", 4, True)


def embed(texts: Sequence[str]) -> np.ndarray:
    return np.array([POINT.search(text).groups() for text in texts], dtype=np.float32)


@pytest.fixture
def asking(tmp_path: Path) -> prompt_file.PromptFile:
    (tmp_path / "plane.yaml").write_text(PROMPTS)
    return prompt_file.load(tmp_path / "plane.yaml")


VOTERS = Voters(
    np.random.default_rng(0).normal([3, 3], 0.5, (400, 2)).astype(np.float32), np.repeat([0, 1], [100, 300])
)


def made(asking, folder: Path, model: Plane | None = None, voters: Voters = VOTERS, **changes) -> Evolution:
    writing = Writing(Sampling(seed=5), max_new_tokens=16)
    given = {"iterations": 3, "samples": 8, "noise_multiplier": 1.0, "privacy_seed": 1} | changes
    return Evolution(
        Api(model or Plane(), asking, writing),
        embed,
        voters,
        cells=CELLS,
        shares=np.array([0.25, 0.75]),
        catalogue=[],
        settings=Settings(**given),
        folder=folder,
    )


def trace(run: Evolution) -> list:
    """All that came out, comparable."""
    history = run.run()
    return [
        (one.generation.texts, one.generation.parents, one.noisy.tolist(), one.chosen.tolist()) for one in history
    ] + run.result(history[-1])


# the whole


def test_the_selected_set_moves_to_the_private_records(asking, tmp_path):
    history = made(asking, tmp_path, iterations=8, samples=12).run()
    away = [np.linalg.norm(embed(one.selected) - [3, 3], axis=1).mean() for one in history]
    start = np.linalg.norm(embed(history[0].generation.texts) - [3, 3], axis=1).mean()
    assert away[0] < start and away[-1] < away[0] / 2 and away[-1] < 0.7


def test_each_iteration_asks_the_model_for_what_it_needs_and_no_more(asking, tmp_path):
    """N L first texts, N (L - 1) variations for each further vote, nothing after the last one."""
    model = Plane()
    run = made(asking, tmp_path, model, variants=4)
    history = run.run()
    assert [len(call) for call in model.asked] == [8 * 4, 8 * 3, 8 * 3]
    assert [one.generation.tokens for one in history] == [4 * 32, 4 * 24, 4 * 24]
    assert [one.generation.requested for one in history] == [32, 24, 24]
    assert len(run.result(history[-1])) == 8
    assert len(model.asked) == 3


@pytest.mark.parametrize(
    ("changes", "calls"),
    [
        ({"keep_parents": False, "variants": 2}, [16, 16, 16]),
        ({"schedule": [2, 4, 8], "variants": 3}, [6, 4, 8]),
        ({"seed_factor": 5.0, "variants": 2}, [40, 8, 8]),
        ({"lookahead_degree": 2, "variants": 2}, [16, 32, 8, 16, 8, 16]),
        ({"iterations": 1, "variants": 1}, [8]),
    ],
)
def test_settings_that_change_how_much_is_asked(asking, tmp_path, changes, calls):
    model = Plane()
    made(asking, tmp_path, model, **changes).run()
    assert [len(call) for call in model.asked] == calls


def test_kept_parents_stand_again_and_are_embedded_once(asking, tmp_path):
    embedded = []
    run = made(asking, tmp_path)
    run.embed = lambda texts: embedded.append(list(texts)) or embed(texts)
    history = run.run()
    for before, after in itertools.pairwise(history):
        kept = after.generation.texts[: after.generation.kept]
        assert kept == before.selected
        np.testing.assert_array_equal(run._generation(after.number, [], None)[1], embed(after.generation.texts))
    assert len(embedded) == 3 and len({text for call in embedded for text in call}) == sum(map(len, embedded))


def test_lookahead_embeds_a_candidate_as_the_mean_of_its_variations(asking, tmp_path):
    model = Plane()
    run = made(asking, tmp_path, model, lookahead_degree=3, iterations=1)
    texts = run.run()[0].generation.texts
    looked = np.load(tmp_path / "vectors-00.npy")
    assert not np.allclose(looked, embed(texts)) and np.abs(looked - embed(texts)).max() < 1.5
    drawn = run.api.vary(np.repeat(texts, 3).tolist(), [CELLS[0]] * 3 * len(texts), evolution.LOOK_AHEAD, 0)
    of_first = embed([drawn.texts[i] for i in range(3)])
    np.testing.assert_allclose(looked[0], of_first.mean(axis=0), atol=1e-5)


def test_a_candidate_whose_lookahead_fails_is_embedded_as_itself(asking, tmp_path):
    model = Plane()
    run = made(asking, tmp_path, model, lookahead_degree=1, iterations=1, samples=2, variants=1)
    run.api.writing = Writing(Sampling(), max_new_tokens=16, max_attempts=1)
    model.scripted = [Completion("at 1.0 and 1.0", 4, True), Completion("at 2.0 and 2.0", 4, True)]
    model.scripted += [Completion("", 1, True), Completion("at 4.0 and 4.0", 4, True)]
    assert run.run()[0].generation.rejected == {"empty": 1}
    np.testing.assert_allclose(np.load(tmp_path / "vectors-00.npy"), [[4, 4], [1, 1]])


# privacy


def test_votes_without_noise_are_those_of_brute_force_and_are_never_written(asking, tmp_path):
    history = made(asking, tmp_path, noise_multiplier=None, k_nn=2).run()
    assert not list(tmp_path.glob("votes*"))
    for one in history:
        candidates, cells = embed(one.generation.texts), np.array(one.generation.cells)
        wanted = np.zeros(len(candidates))
        for vector, cell in zip(VOTERS.vectors, VOTERS.cells, strict=True):
            (members,) = np.nonzero(cells == cell)
            gaps = ((candidates[members].astype(float) - vector) ** 2).sum(axis=1)
            wanted[members[np.argsort(gaps, kind="stable")[:2]]] += 1
        assert one.noisy.tolist() == wanted.tolist()


def test_a_user_has_the_votes_of_one_record_however_many_records(asking, tmp_path):
    owners = np.repeat([0, 1, 2, 3], 100)
    voters = Voters(VOTERS.vectors, VOTERS.cells, owners)
    one = made(asking, tmp_path, voters=voters, noise_multiplier=None, iterations=1, k_nn=4).run()[0]
    assert 0 < np.linalg.norm(one.noisy) <= 4 * 2  # four users, each of norm sqrt(k_nn) at most
    apart = made(asking, tmp_path / "apart", noise_multiplier=None, iterations=1, k_nn=4).run()[0]
    assert apart.noisy.sum() == 1600


def test_noise_has_the_size_that_is_accounted(asking, tmp_path):
    """sigma sqrt(k_nn) votes, over 400 draws of a small election."""
    draws = []
    for seed in range(50):
        noisy = made(asking, tmp_path / f"{seed}", iterations=1, k_nn=4, noise_multiplier=3.0, privacy_seed=seed).run()
        clean = made(asking, tmp_path / f"clean {seed}", iterations=1, k_nn=4, noise_multiplier=None).run()
        draws += (noisy[0].noisy - clean[0].noisy).tolist()
    assert np.std(draws) == pytest.approx(3.0 * 2, rel=0.08)
    assert np.mean(draws) == pytest.approx(0, abs=0.6)


def test_iterations_have_independent_noise(asking, tmp_path):
    still = Plane()
    still.reply = lambda requests, sampling: (
        (n, Completion(f"at {n}.5 and {len(r.messages[0][1])}", 4, True)) for n, r in enumerate(requests)
    )
    silent = Voters(np.zeros((0, 2), np.float32), np.zeros(0, int))
    history = made(asking, tmp_path, still, voters=silent, iterations=3).run()
    first, second, third = (one.noisy[:8] for one in history)
    assert len({*first, *second, *third}) == 24
    again = made(asking, tmp_path / "again", still, voters=silent, privacy_seed=None, iterations=1).run()
    assert not set(again[0].noisy) & set(history[0].noisy)


@pytest.mark.parametrize("die_at", range(1, 4))
def test_a_killed_run_goes_on_to_the_same_result(asking, tmp_path, die_at):
    whole = trace(made(asking, tmp_path / "whole"))
    model = Plane()
    model.die_at = die_at
    with pytest.raises(KeyboardInterrupt):
        made(asking, tmp_path / "cut", model).run()
    assert trace(made(asking, tmp_path / "cut")) == whole


@pytest.mark.parametrize("file", ["generation-00", "votes-00", "generation-01", "votes-01", "votes-02"])
def test_a_run_killed_after_any_file_goes_on_to_the_same_result_and_asks_for_nothing_twice(
    asking, tmp_path, monkeypatch, file
):
    model = Plane()
    whole = trace(made(asking, tmp_path / "whole", model))
    first, write = Plane(), evolution.write_json

    def killed(path: Path, value: object) -> None:
        write(path, value)
        if path.stem == file:
            raise KeyboardInterrupt

    monkeypatch.setattr(evolution, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        made(asking, tmp_path / "cut", first).run()
    monkeypatch.setattr(evolution, "write_json", write)
    second = Plane()
    assert trace(made(asking, tmp_path / "cut", second)) == whole
    assert sum(map(len, first.asked + second.asked)) == sum(map(len, model.asked))


def test_noise_is_drawn_once_an_iteration_however_often_the_run_is_killed(asking, tmp_path, monkeypatch):
    """With the operating system's noise a second draw would be a second release."""
    drawn, draw = [], evolution.noisy_votes
    monkeypatch.setattr(evolution, "noisy_votes", lambda *a, **k: drawn.append(k["iteration"]) or draw(*a, **k))
    for die_at in (2, 2, 3):
        model = Plane()
        model.die_at = die_at
        with pytest.raises(KeyboardInterrupt):
            made(asking, tmp_path, model, privacy_seed=None, iterations=5).run()
    first = made(asking, tmp_path, privacy_seed=None, iterations=5).run()
    again = made(asking, tmp_path, privacy_seed=None, iterations=5).run()
    assert sorted(drawn) == [0, 1, 2, 3, 4]
    assert [one.noisy.tolist() for one in first] == [one.noisy.tolist() for one in again]


def test_what_is_kept_holds_no_clean_votes(asking, tmp_path):
    clean = made(asking, tmp_path / "clean", noise_multiplier=None, iterations=1).run()[0].noisy
    made(asking, tmp_path / "kept", iterations=1).run()
    (file,) = (tmp_path / "kept").glob("votes*")
    kept = np.array(json.loads(file.read_text())) / evolution.VOTE
    assert (np.abs(kept - clean) > 1e-3).all()
    assert not any("votes" in path.name for path in (tmp_path / "kept").iterdir() if path != file)


# edges


def test_a_label_without_private_records_has_noise_alone(asking, tmp_path):
    lonely = Voters(VOTERS.vectors, np.zeros(400, int))
    one = made(asking, tmp_path, voters=lonely, iterations=1).run()[0]
    right = one.noisy[np.array(one.generation.cells) == 1]
    assert len(right) == 18 and np.abs(right).max() < 6 < one.noisy.max()
    assert len(one.chosen) == 8


def test_a_corpus_without_labels_is_one_cell(tmp_path):
    model = Plane()
    run = Evolution(
        Api(model, prompt_file.load(ROOT / "prompts" / "pubmed.yaml"), Writing(Sampling(), max_new_tokens=16)),
        embed,
        Voters(VOTERS.vectors, np.zeros(400, int)),
        cells=[{}],
        shares=np.ones(1),
        catalogue=[],
        settings=Settings(iterations=2, samples=5, noise_multiplier=1.0, variants=2, privacy_seed=1),
        folder=tmp_path,
    )
    history = run.run()
    assert [len(one.generation.texts) for one in history] == [10, 10]
    assert [labels for _, labels in run.result(history[-1])] == [{}] * 5


def test_fewer_samples_than_labels_and_a_label_whose_texts_all_failed(asking, tmp_path):
    history = made(asking, tmp_path, samples=1, variants=2).run()
    assert {cell for one in history for cell in one.generation.cells} == {1}
    model = Plane()
    run = made(asking, tmp_path / "failed", model, samples=4, variants=1, iterations=1)
    run.api.writing = Writing(Sampling(), max_new_tokens=16, max_attempts=1)
    point = Completion("at 1.0 and 1.0", 4, True)  # replies come last request first
    model.scripted = [point, point, point, Completion("I cannot write that review.", 5, True)]
    (only,) = run.run()
    assert only.generation.cells == [1, 1, 1] and only.generation.requested == 4
    assert len(run.result(only)) == 3


def test_one_candidate_is_selected_and_varied(asking, tmp_path):
    run = made(asking, tmp_path, samples=1, seed_factor=1.0, variants=2)
    history = run.run()
    assert [len(one.generation.texts) for one in history] == [1, 2, 2]
    assert len(run.result(history[-1])) == 1


def test_variations_that_all_fail_leave_the_parents(asking, tmp_path):
    model = Plane()
    run = made(asking, tmp_path, model, iterations=2, variants=2, samples=2)
    first = run._generation(0, [], lambda what, total: lambda done: None)
    run.api.writing = Writing(Sampling(), max_new_tokens=16, max_attempts=2)
    model.scripted = [Completion("", 1, True)] * 4
    history = run.run()
    assert history[1].generation.texts == history[0].selected
    assert history[1].generation.rejected == {"empty": 4} and len(first[0].texts) == 4


def test_variations_that_all_fail_where_no_parent_stays_end_in_words(asking, tmp_path):
    model = Plane()
    run = made(asking, tmp_path, model, iterations=2, variants=1, samples=2, keep_parents=False)
    run._generation(0, [], lambda what, total: lambda done: None)
    run.api.writing = Writing(Sampling(), max_new_tokens=16, max_attempts=2)
    model.scripted = [Completion("", 1, True)] * 4
    with pytest.raises(DoppelError, match="none of 4 completions was accepted"):
        run.run()


def test_a_text_drawn_twice_is_handed_out_once_and_varied_for_the_rest(asking, tmp_path):
    run = made(asking, tmp_path, selection="sample", threshold=20.0, iterations=2)
    last = run.run()[-1]
    result = run.result(last)
    assert len(set(last.chosen.tolist())) < len(last.chosen) == len(result)
    assert len({text for text, _ in result}) == len(result)
    assert {text for text, _ in result} >= set(last.selected)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"schedule": [4, 8]}, "needs iterations = 3 sizes"),
        ({"schedule": [4, 4, 4]}, "samples = 8"),
        ({"schedule": [0, 4, 8]}, "at least 1"),
        ({"variants": 1}, "varies nothing"),
        ({"k_nn": 25}, "over the 24 first candidates"),
    ],
)
def test_settings_that_do_not_fit(changes, why):
    with pytest.raises(DoppelError, match=why):
        Settings(**{"iterations": 3, "samples": 8, "noise_multiplier": 1.0} | changes)


def test_texts_are_traced_back_to_what_was_first_invented(asking, tmp_path):
    history = made(asking, tmp_path).run()
    rows = lineage(history, 3)
    assert len(rows) == 3 and list(rows[0]) == ["vote", "text 1", "text 2", "text 3"]
    assert [row.pop("vote") for row in rows] == [1, 2, 3]
    changes = [len({row[name] for row in rows}) for name in rows[0]]
    assert changes == sorted(changes, reverse=True) and changes[0] > 1
    assert set(rows[-1].values()) <= set(history[-1].selected)
    for above, below in itertools.pairwise(rows):
        for name in above:  # a step of VARIATION_API at most
            assert np.linalg.norm(embed([above[name]]) - embed([below[name]])) < 1.6
    assert set(rows[0].values()) <= set(history[0].generation.texts)


def test_the_toy_is_counted_as_it_says():
    def topics(texts: Sequence[str]) -> np.ndarray:
        known = ("battery", "screen", "price", "cat")
        return np.array([[word in text for word in known] for text in texts], np.float32) + 0.01

    ballots = toy.election(topics, noise_multiplier=0.5, privacy_seed=3)
    assert ballots.votes.tolist() == [5 + 3, 3, 1, 0]  # no topic at all ties, and a tie is the first one's
    assert ballots.votes.sum() == len(toy.VOTERS) == 12
    assert ballots.chosen.tolist()[0] == 0 and len(ballots.chosen) == 2
    assert np.abs(ballots.noisy - ballots.votes).max() < 3
    assert ballots.points.shape == (16, 2)


# selection


def test_quotas_follow_the_shares_by_largest_remainders():
    assert quotas(np.array([0.5, 0.3, 0.2]), 10).tolist() == [5, 3, 2]
    assert quotas(np.array([0.4, 0.35, 0.25]), 2).tolist() == [1, 1, 0]
    assert quotas(np.full(4, 0.25), 2).tolist() == [1, 1, 0, 0]
    rng = np.random.default_rng(0)
    for samples in range(40):
        shares = rng.dirichlet(np.ones(5))
        found = quotas(shares, samples)
        assert found.sum() == samples and (np.abs(found - shares * samples) < 1).all()


def test_rank_takes_the_most_voted_of_each_cell_and_begins_again_when_it_runs_out():
    noisy = np.array([1.0, 5.0, 3.0, -2.0, 9.0])
    cells = np.array([0, 0, 0, 1, 1])
    rng = np.random.default_rng(0)
    assert select(noisy, cells, [2, 1], threshold=0, how="rank", rng=rng).tolist() == [1, 2, 4]
    assert select(noisy, cells, [0, 5], threshold=0, how="rank", rng=rng).tolist() == [4, 3, 4, 3, 4]
    assert select(noisy, cells, [2, 1], threshold=100, how="rank", rng=rng).tolist() == [1, 2, 4]
    assert select(noisy, cells, [0, 0], threshold=0, how="rank", rng=rng).tolist() == []
    assert select(noisy, np.array([0, 0, 0, 0, 0]), [1, 4], threshold=0, how="rank", rng=rng).tolist() == [4]


def test_sample_draws_in_proportion_above_the_threshold():
    noisy = np.array([1.0, 4.0, 3.0, -2.0, 9.0])
    cells = np.array([0, 0, 0, 0, 1])
    rng = np.random.default_rng(0)
    drawn = select(noisy, cells, [30_000, 1], threshold=1.0, how="sample", rng=rng)
    shares = np.bincount(drawn, minlength=5)[:4] / 30_000
    np.testing.assert_allclose(shares, [0, 0.6, 0.4, 0], atol=0.01)
    below = select(noisy, cells, [30_000, 0], threshold=50.0, how="sample", rng=rng)
    np.testing.assert_allclose(np.bincount(below, minlength=4) / 30_000, [0.25] * 4, atol=0.01)


def test_selection_refuses_what_it_does_not_know():
    for bad in ({"how": "prob"}, {"threshold": -1.0}):
        with pytest.raises(DoppelError, match=r"selection = 'prob'|threshold = -1"):
            select(np.ones(1), np.zeros(1), [1], **{"threshold": 0.0, "how": "rank", "rng": None} | bad)


# the two APIs


def test_keywords_are_drawn_for_each_sample_and_again_for_each_redraw(asking):
    model = Plane()
    model.scripted = [Completion("", 1, True)] * 40
    Api(model, asking, Writing(Sampling(), max_new_tokens=16)).random([CELLS[0]] * 40, 0)
    first, second = ([request.messages[-1][1] for request in call] for call in model.asked)
    assert len(set(first)) >= 7 and len(first) == len(second) == 40
    assert sum(a != b for a, b in zip(first, second, strict=True)) > 25


def test_what_is_no_text_is_drawn_again_and_never_replaced_by_the_prompt(asking):
    model = Plane()
    parents = ["at 1.0 and 1.0", "at 2.0 and 2.0"]
    model.scripted = [
        Completion(' "At 2.0 and 2.0." ', 4, True),  # the second parent again
        Completion("at 7.0 and", 4, False),
        Completion("", 0, True, refused=True),
        Completion("at 1.0, and 1.0", 9, True),
        *[Completion("", 1, True)] * 6,
    ]
    drawn = Api(model, asking, Writing(Sampling(), max_new_tokens=16)).vary(parents, CELLS, 1)
    assert drawn.texts == {}
    assert sum(drawn.rejected.values()) == 10 and drawn.requested == 2
    assert drawn.rejected == {"copy of its parent": 2, "truncated": 1, "refusal": 1, "empty": 6}
    model.reply = lambda requests, sampling: (
        (n, Completion(f"Yes: {request.messages[-1][1]}", 9, True)) for n, request in enumerate(requests)
    )
    drawn = Api(model, asking, Writing(Sampling(), max_new_tokens=16)).vary(parents, CELLS, 1)
    assert drawn.rejected == {"echo of the prompt": 10}
    with pytest.raises(DoppelError, match="none of 10 completions"):
        Api(model, asking, Writing(Sampling(), max_new_tokens=16)).random(CELLS, 1)


def test_a_redrawn_reply_is_checked_against_its_own_parent(asking):
    model = Plane()
    model.scripted = [
        Completion("", 1, True),  # replies come last request first
        Completion("at 5.0 and 5.0", 4, True),
        Completion("at 1.0 and 1.0", 4, True),  # the first parent's text, for the second
    ]
    writing = Writing(Sampling(), max_new_tokens=16)
    drawn = Api(model, asking, writing).vary(["at 1.0 and 1.0", "at 2.0 and 2.0"], CELLS, 1)
    assert drawn.texts == {0: "at 5.0 and 5.0", 1: "at 1.0 and 1.0"} and drawn.rejected == {"empty": 1}


def test_examples_and_blanks_that_come_back_are_drawn_again(asking, tmp_path):
    shots = "shots: [{labels: {side: left}, draws: {colour: red}, text: at 9.0 and 9.0, again: at 8.0 and 8.0}]\n"
    (tmp_path / "shots.yaml").write_text(PROMPTS + shots)
    model = Plane()
    model.scripted = [
        Completion("At 9.0 and 9.0!", 4, True),
        Completion("at 8.0 and 8.0", 4, True),
        Completion("at _ and 1.0", 4, True),
    ]
    writing = Writing(Sampling(), max_new_tokens=16, variation="fill", mask_probability=0.3)
    drawn = Api(model, prompt_file.load(tmp_path / "shots.yaml"), writing).vary(["at 1.0 and 1.0"], CELLS[:1], 1)
    assert drawn.rejected == {"copy of an example": 2, "blanks left": 1} and len(drawn.texts) == 1


def test_cut_replies_can_end_at_their_last_sentence(asking):
    model = Plane()
    writing = Writing(Sampling(), max_new_tokens=16, unfinished="trim", max_attempts=1)
    model.scripted = [
        Completion('It is at 1.0. "Truly so." And th', 9, False),
        Completion("no end at 4.5 of it", 9, False),
    ]
    drawn = Api(model, asking, writing).random(CELLS, 0)
    assert drawn.texts == {1: 'It is at 1.0. "Truly so."'} and drawn.rejected == {"truncated": 1}


def test_lengths_adapt_to_the_parent(asking):
    api = Api(Plane(), asking, Writing(Sampling(), max_new_tokens=64, word_var_scale=5.0, min_words=8))
    rng = np.random.default_rng(0)
    found = [api.length("word " * 30, rng) for _ in range(2000)]
    words, limits = map(np.array, zip(*found, strict=True))
    assert words.mean() == pytest.approx(30, abs=0.4) and words.std() == pytest.approx(5, abs=0.3)
    assert (limits >= np.minimum(words * 1.2, 64)).all() and (limits <= 64).all() and len(set(limits.tolist())) <= 4
    assert min(api.length("one", rng)[0] for _ in range(100)) == 8
    fixed = Api(Plane(), asking, Writing(Sampling(), max_new_tokens=64))
    assert fixed.length("word " * 30, rng) == (None, 64)


def test_fill_masks_the_parent(asking):
    model = Plane()
    writing = Writing(Sampling(), max_new_tokens=16, variation="fill", mask_probability=0.5, max_attempts=1)
    Api(model, asking, writing).vary(["some words at 1.0 and 1.0"] * 20, [CELLS[0]] * 20, 1)
    asked = {request.messages[-1][1] for request in model.asked[0]}
    assert len(asked) > 10 and all("_" in text for text in asked)


# how near the selected texts come


def test_the_distance_is_least_for_held_out_records_and_falls_as_a_set_comes_nearer():
    rng = np.random.default_rng(0)
    real, held_out = rng.normal(0, 1, (200, 6)), rng.normal(0, 1, (60, 6))
    sets = [rng.normal(shift, 1, (size, 6)) for shift, size in ((1.0, 300), (0.5, 60), (0.2, 75))]
    points, ceiling = approach(real, sets, held_out, seed=0)
    values = [value for value, *_ in (*points, ceiling)]
    assert values == sorted(values, reverse=True)
    assert all(low < value < high for value, low, high in (*points, ceiling))
    parts = [
        approach(real, [sets[0][order]], held_out, seed=0)[0][0][0] for order in (slice(None), slice(None, None, -1))
    ]
    assert parts[0] == pytest.approx(parts[1], rel=0.05)  # the mean over five parts of the large set


def test_sets_are_compared_at_one_size():
    """Frechet distance grows as n falls: a small set of the same distribution must not look worse than a large one."""
    rng = np.random.default_rng(1)
    real, held_out = rng.normal(0, 1, (400, 20)), rng.normal(0, 1, (400, 20))
    points, ceiling = approach(real, [rng.normal(0, 1, (n, 20)) for n in (400, 100)], held_out, seed=0)
    assert points[0][0] == pytest.approx(points[1][0], rel=0.25)
    assert ceiling[0] == pytest.approx(points[1][0], rel=0.25)
