"""The loop of private evolution on a plane: what is selected, what is asked, what is kept, and what noise it has."""

import hashlib
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from support.errors import refused
from support.evolution_toys import VOTERS, Eyes, Plane, embed, on_plane
from support.project import ROOT

from lib.generation import prompt_file
from lib.generation.engines.base import Completion, Sampling
from lib.generation.prompt_file import PromptFile
from lib.methods.private_evolution import candidates, evolution
from lib.methods.private_evolution.evolution import Evolution, Voters, lineage
from lib.methods.private_evolution.modality import text_modality, text_record
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.text_api import Api, Writing


def trace(run: Evolution) -> list:
    """Everything that a run gives, comparable."""
    history = run.run()
    iterations = [(i.generation.items, i.generation.parents, i.noisy.tolist(), i.chosen.tolist()) for i in history]
    return iterations + run.result(history[-1])


UNCHANGED = {  # recorded before images came, when texts were all that could be evolved
    "rank": ({}, None, "bf0b125717130b59"),
    "draws that look ahead": (
        {"selection": "sample", "keep_parents": False, "lookahead_degree": 2, "variants": 2},
        None,
        "ccec737c2447d8d1",
    ),
    "users who weigh their votes": (
        {"schedule": [2, 4, 8], "seed_factor": 5.0, "k_nn": 3, "vote_weights": "halving", "max_overlap": 0.5}
        | {"threshold": 1.0},
        np.arange(400) // 5,
        "7fb6e3aaf2d8387a",
    ),
}


@pytest.mark.parametrize("way", UNCHANGED)
def test_texts_evolve_to_the_byte_as_they_did(prompts: PromptFile, tmp_path: Path, way: str) -> None:
    """Files, vectors, noisy votes, result and lineage; only the seconds that it took differ."""
    changes, owners, recorded = UNCHANGED[way]
    folder = tmp_path / "run"
    run = on_plane(prompts, folder, voters=Voters(VOTERS.vectors, VOTERS.cells, owners), **changes)
    history, made = run.run(), hashlib.sha256()
    (folder / evolution.MADE_WITH).unlink()
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        if file.name.startswith("generation"):
            content = json.dumps(json.loads(content) | {"seconds": None}).encode()
        made.update(file.name.encode() + content)
    selected = [record.as_json() for record in history[-1].records(text_record)]
    made.update(json.dumps([run.result(history[-1]), lineage(history, 3), selected]).encode())
    assert made.hexdigest()[:16] == recorded


def test_the_selected_set_moves_to_the_private_records(prompts: PromptFile, tmp_path: Path) -> None:
    history = on_plane(prompts, tmp_path, iterations=8, samples=12).run()
    away = [np.linalg.norm(embed(i.selected) - [3, 3], axis=1).mean() for i in history]
    start = np.linalg.norm(embed(history[0].generation.items) - [3, 3], axis=1).mean()
    assert away[0] < start and away[-1] < away[0] / 2 and away[-1] < 0.7


def test_each_iteration_asks_the_model_for_what_it_needs_and_no_more(prompts: PromptFile, tmp_path: Path) -> None:
    """N L first texts, N (L - 1) variations for each further vote, nothing after the last one."""
    model = Plane()
    run = on_plane(prompts, tmp_path, model, variants=4)
    history = run.run()
    assert [len(call) for call in model.asked] == [8 * 4, 8 * 3, 8 * 3]
    assert [i.generation.tokens for i in history] == [4 * 32, 4 * 24, 4 * 24]
    assert [i.generation.requested for i in history] == [32, 24, 24]
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
def test_settings_that_change_how_much_is_asked(
    prompts: PromptFile, tmp_path: Path, changes: dict, calls: list[int]
) -> None:
    model = Plane()
    on_plane(prompts, tmp_path, model, **changes).run()
    assert [len(call) for call in model.asked] == calls


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"keep_parents": False, "variants": 2, "lookahead_degree": 2},
        {"schedule": [2, 4, 8], "variants": [3, 2, 5], "final": "varied"},
    ],
)
def test_the_settings_say_how_much_will_be_asked(prompts: PromptFile, tmp_path: Path, changes: dict) -> None:
    model = Plane()
    run = on_plane(prompts, tmp_path, model, **changes)
    run.result(run.run()[-1])
    assert sum(map(len, model.asked)) == run.settings.asked


# --- privacy


def test_votes_without_noise_are_those_of_brute_force_and_are_never_written(
    prompts: PromptFile, tmp_path: Path
) -> None:
    history = on_plane(prompts, tmp_path, noise_multiplier=None, k_nn=2).run()
    assert not list(tmp_path.glob("votes*"))
    for iteration in history:
        candidates, cells = embed(iteration.generation.items), np.array(iteration.generation.cells)
        wanted = np.zeros(len(candidates))
        for vector, cell in zip(VOTERS.vectors, VOTERS.cells, strict=True):
            (members,) = np.nonzero(cells == cell)
            gaps = ((candidates[members].astype(float) - vector) ** 2).sum(axis=1)
            wanted[members[np.argsort(gaps, kind="stable")[:2]]] += 1
        assert iteration.noisy.tolist() == wanted.tolist()


def test_a_user_has_the_votes_of_one_record_however_many_records(prompts: PromptFile, tmp_path: Path) -> None:
    owners = np.repeat([0, 1, 2, 3], 100)
    voters = Voters(VOTERS.vectors, VOTERS.cells, owners)
    iteration = on_plane(prompts, tmp_path, voters=voters, noise_multiplier=None, iterations=1, k_nn=4).run()[0]
    assert 0 < np.linalg.norm(iteration.noisy) <= 4 * 2  # four users, each of norm sqrt(k_nn) at most
    apart = on_plane(prompts, tmp_path / "apart", noise_multiplier=None, iterations=1, k_nn=4).run()[0]
    assert apart.noisy.sum() == 1600


def test_noise_has_the_size_that_is_accounted(prompts: PromptFile, tmp_path: Path) -> None:
    """sigma sqrt(k_nn) votes, over 1,200 draws of a small vote."""
    draws, settings = [], {"iterations": 1, "k_nn": 4}
    clean = on_plane(prompts, tmp_path / "clean", noise_multiplier=None, **settings).run()[0].noisy
    for seed in range(50):
        run = on_plane(prompts, tmp_path / f"{seed}", noise_multiplier=3.0, privacy_seed=seed, **settings)
        draws += (run.run()[0].noisy - clean).tolist()
    assert np.std(draws) == pytest.approx(3.0 * 2, rel=0.08)
    assert np.mean(draws) == pytest.approx(0, abs=0.6)


def test_iterations_have_independent_noise(prompts: PromptFile, tmp_path: Path) -> None:
    still = Plane()
    still.reply = lambda requests, sampling: (
        (n, Completion(f"at {n}.5 and {len(r.messages[0][1])}", 4, True)) for n, r in enumerate(requests)
    )
    silent = Voters(np.zeros((0, 2), np.float32), np.zeros(0, int))
    history = on_plane(prompts, tmp_path, still, voters=silent, iterations=3).run()
    first, second, third = (iteration.noisy[:8] for iteration in history)
    assert len({*first, *second, *third}) == 24
    again = on_plane(prompts, tmp_path / "again", still, voters=silent, privacy_seed=None, iterations=1).run()
    assert not set(again[0].noisy) & set(history[0].noisy)


@pytest.mark.parametrize("die_at", range(1, 4))
def test_a_killed_run_goes_on_to_the_same_result(prompts: PromptFile, tmp_path: Path, die_at: int) -> None:
    whole = trace(on_plane(prompts, tmp_path / "whole"))
    model = Plane()
    model.die_at = die_at
    with pytest.raises(KeyboardInterrupt):
        on_plane(prompts, tmp_path / "cut", model).run()
    assert trace(on_plane(prompts, tmp_path / "cut")) == whole


@pytest.mark.parametrize("file", ["generation-00", "votes-00", "generation-01", "votes-01", "votes-02"])
def test_a_run_killed_after_any_file_goes_on_to_the_same_result_and_asks_for_nothing_twice(
    prompts: PromptFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    model = Plane()
    whole = trace(on_plane(prompts, tmp_path / "whole", model))
    first, write = Plane(), evolution.write_json

    def killed(path: Path, value: object) -> None:
        write(path, value)
        if path.stem == file:
            raise KeyboardInterrupt

    monkeypatch.setattr(evolution, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        on_plane(prompts, tmp_path / "cut", first).run()
    monkeypatch.setattr(evolution, "write_json", write)
    second = Plane()
    assert trace(on_plane(prompts, tmp_path / "cut", second)) == whole
    assert sum(map(len, first.asked + second.asked)) == sum(map(len, model.asked))


def test_noise_is_drawn_once_an_iteration_however_often_the_run_is_killed(
    prompts: PromptFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the operating system's noise a second draw would be a second release."""
    drawn, draw = [], evolution.noisy_votes
    monkeypatch.setattr(evolution, "noisy_votes", lambda *a, **k: drawn.append(k["iteration"]) or draw(*a, **k))
    for die_at in (2, 2, 3):
        model = Plane()
        model.die_at = die_at
        with pytest.raises(KeyboardInterrupt):
            on_plane(prompts, tmp_path, model, privacy_seed=None, iterations=5).run()
    first = on_plane(prompts, tmp_path, privacy_seed=None, iterations=5).run()
    again = on_plane(prompts, tmp_path, privacy_seed=None, iterations=5).run()
    assert sorted(drawn) == [0, 1, 2, 3, 4]
    assert [i.noisy.tolist() for i in first] == [i.noisy.tolist() for i in again]


def test_what_is_kept_holds_no_clean_votes(prompts: PromptFile, tmp_path: Path) -> None:
    clean = on_plane(prompts, tmp_path / "clean", noise_multiplier=None, iterations=1).run()[0].noisy
    on_plane(prompts, tmp_path / "kept", iterations=1).run()
    (file,) = (tmp_path / "kept").glob("votes*")
    kept = np.array(json.loads(file.read_text())) / evolution.VOTE
    assert (np.abs(kept - clean) > 1e-3).all()
    assert not any("votes" in path.name for path in (tmp_path / "kept").iterdir() if path != file)


def test_a_run_is_not_resumed_with_another_encoder(prompts: PromptFile, tmp_path: Path) -> None:
    """Its vectors lie in another space than those of the voters."""
    on_plane(prompts, tmp_path).run()
    run = on_plane(prompts, tmp_path)
    run.modality.encoder.fingerprint = "other eyes"
    with refused("methods.changed_on_resume", name="encoder"):
        run.run()


# --- settings that change from vote to vote


def test_each_vote_has_its_own_settings(prompts: PromptFile, tmp_path: Path) -> None:
    """The first vote keeps its parents and ranks, the second keeps none, has 3 variations each and draws."""
    model = Plane()
    plan = {"variants": [2, 3, 4], "keep_parents": [True, False, True], "selection": ["rank", "sample", "rank"]}
    history = on_plane(prompts, tmp_path, model, **plan).run()
    assert [len(call) for call in model.asked] == [16, 8, 24]
    assert [i.generation.kept for i in history] == [0, 8, 0]
    one = on_plane(prompts, tmp_path / "one", variants=2, iterations=1).run()[0]
    assert history[0].chosen.tolist() == one.chosen.tolist()
    assert len({*history[0].chosen}) == 8 and len({*history[1].chosen}) < 8  # a draw takes some twice


def test_degrees_go_to_the_votes_that_they_are_of(prompts: PromptFile, tmp_path: Path) -> None:
    run = on_plane(prompts, tmp_path, degrees=[0.5, 0.25, 0.1], lookahead_degree=1, final="varied")
    given, vary = [], run.modality.api.vary
    run.modality.api.vary = lambda *a, degree, **k: given.append((a[2:], degree)) or vary(*a, **k)
    result = run.result(run.run()[-1])
    ahead, after = candidates.LOOK_AHEAD, candidates.VARY
    assert given == [
        ((ahead, 0), 0.5), ((after, 1), 0.5), ((ahead, 1), 0.25), ((after, 2), 0.25), ((ahead, 2), 0.1),
        ((candidates.COPIES,), 0.1),
    ]  # fmt: skip
    assert len(result) == 8


def test_what_is_handed_out_can_be_variations_of_what_was_selected(prompts: PromptFile, tmp_path: Path) -> None:
    run = on_plane(prompts, tmp_path, final="varied")
    last = run.run()[-1]
    result = run.result(last)
    assert len(result) == 8 and not {text for text, _ in result} & set(last.generation.items)
    assert [labels for _, labels in result] == [last.generation.labels[i] for i in last.chosen]


# --- edges


def test_a_label_without_private_records_has_noise_alone(prompts: PromptFile, tmp_path: Path) -> None:
    lonely = Voters(VOTERS.vectors, np.zeros(400, int))
    iteration = on_plane(prompts, tmp_path, voters=lonely, iterations=1).run()[0]
    right = iteration.noisy[np.array(iteration.generation.cells) == 1]
    assert len(right) == 18 and np.abs(right).max() < 6 < iteration.noisy.max()
    assert len(iteration.chosen) == 8


def test_a_corpus_without_labels_is_one_cell(tmp_path: Path) -> None:
    model = Plane()
    api = Api(model, prompt_file.load(ROOT / "prompts" / "pubmed.yaml"), Writing(Sampling(), max_new_tokens=16))
    run = Evolution(
        text_modality(api, Eyes()),
        Voters(VOTERS.vectors, np.zeros(400, int)),
        cells=[{}],
        shares=np.ones(1),
        catalogue=[],
        settings=Settings(iterations=2, samples=5, noise_multiplier=1.0, variants=2, privacy_seed=1),
        folder=tmp_path,
    )
    history = run.run()
    assert [len(i.generation.items) for i in history] == [10, 10]
    assert [labels for _, labels in run.result(history[-1])] == [{}] * 5


def test_fewer_samples_than_labels_and_a_label_whose_texts_all_failed(prompts: PromptFile, tmp_path: Path) -> None:
    history = on_plane(prompts, tmp_path, samples=1, variants=2).run()
    assert {cell for iteration in history for cell in iteration.generation.cells} == {1}
    model = Plane()
    run = on_plane(prompts, tmp_path / "failed", model, samples=4, variants=1, iterations=1)
    run.modality.api.writing = Writing(Sampling(), max_new_tokens=16, max_attempts=1)
    point = Completion("at 1.0 and 1.0", 4, True)  # replies come last request first
    model.scripted = [point, point, point, Completion("I cannot write that review.", 5, True)]
    (only,) = run.run()
    assert only.generation.cells == [1, 1, 1] and only.generation.requested == 4
    assert len(run.result(only)) == 3


def test_one_candidate_is_selected_and_varied(prompts: PromptFile, tmp_path: Path) -> None:
    run = on_plane(prompts, tmp_path, samples=1, seed_factor=1.0, variants=2)
    history = run.run()
    assert [len(i.generation.items) for i in history] == [1, 2, 2]
    assert len(run.result(history[-1])) == 1


def test_variations_that_all_fail_leave_the_parents(prompts: PromptFile, tmp_path: Path) -> None:
    model = Plane()
    run = on_plane(prompts, tmp_path, model, iterations=2, variants=2, samples=2)
    first, _ = run._generation(0, [], lambda title, total: lambda done: None)
    run.modality.api.writing = Writing(Sampling(), max_new_tokens=16, max_attempts=2)
    model.scripted = [Completion("", 1, True)] * 4
    history = run.run()
    assert history[1].generation.items == history[0].selected
    assert history[1].generation.rejected == {"empty": 4} and len(first.items) == 4


def test_variations_that_all_fail_where_no_parent_stays_are_refused(prompts: PromptFile, tmp_path: Path) -> None:
    model = Plane()
    run = on_plane(prompts, tmp_path, model, iterations=2, variants=1, samples=2, keep_parents=False)
    run._generation(0, [], lambda title, total: lambda done: None)
    run.modality.api.writing = Writing(Sampling(), max_new_tokens=16, max_attempts=2)
    model.scripted = [Completion("", 1, True)] * 4
    with refused("generation.nothing_accepted", value=4):
        run.run()


def test_a_run_can_begin_with_the_candidates_of_another(prompts: PromptFile, tmp_path: Path) -> None:
    """Then the model is asked for variations alone; where the run has begun already, its own candidates stay."""
    first = on_plane(prompts, tmp_path / "first").run()
    model = Plane()
    run = on_plane(prompts, tmp_path / "again", model)
    run.begin_with(first[0].generation)
    again = run.run()
    assert again[0].generation.items == first[0].generation.items and again[0].noisy.tolist() == first[0].noisy.tolist()
    assert [len(call) for call in model.asked] == [16, 16]
    run.begin_with(again[1].generation)
    assert run.run()[0].generation.items == first[0].generation.items


def test_a_text_drawn_twice_is_handed_out_once_and_varied_for_the_rest(prompts: PromptFile, tmp_path: Path) -> None:
    run = on_plane(prompts, tmp_path, selection="sample", threshold=20.0, iterations=2)
    last = run.run()[-1]
    result = run.result(last)
    assert len(set(last.chosen.tolist())) < len(last.chosen) == len(result)
    assert len({text for text, _ in result}) == len(result)
    assert {text for text, _ in result} >= set(last.selected)


def test_texts_are_traced_back_to_what_was_first_invented(prompts: PromptFile, tmp_path: Path) -> None:
    history = on_plane(prompts, tmp_path).run()
    rows = lineage(history, 3)
    assert len(rows) == 3 and list(rows[0]) == ["vote", "text 1", "text 2", "text 3"]
    assert [row.pop("vote") for row in rows] == [1, 2, 3]
    changes = [len({row[name] for row in rows}) for name in rows[0]]
    assert changes == sorted(changes, reverse=True) and changes[0] > 1
    assert set(rows[-1].values()) <= set(history[-1].selected)
    for above, below in itertools.pairwise(rows):
        for name in above:  # a step of VARIATION_API at most
            assert np.linalg.norm(embed([above[name]]) - embed([below[name]])) < 1.6
    assert set(rows[0].values()) <= set(history[0].generation.items)
