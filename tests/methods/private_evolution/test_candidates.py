"""Candidates of private evolution: which are kept, and how they are embedded."""

import itertools
from pathlib import Path

import numpy as np
from support.evolution_toys import CELLS, PROMPTS, Plane, embed, on_plane

from lib.generation.engines.base import Completion, Sampling
from lib.generation.prompt_file import PromptFile, load
from lib.methods.private_evolution import candidates
from lib.methods.private_evolution.text_api import Writing


def test_kept_parents_stand_again_and_are_embedded_once(prompts: PromptFile, tmp_path: Path) -> None:
    embedded: list[list[str]] = []
    run = on_plane(prompts, tmp_path)
    run.modality.encoder.encode = lambda texts: embedded.append(list(texts)) or embed(texts)
    history = run.run()
    for before, after in itertools.pairwise(history):
        kept = after.generation.items[: after.generation.kept]
        assert kept == before.selected
        np.testing.assert_array_equal(run._generation(after.number, [], None)[1], embed(after.generation.items))
    assert len(embedded) == 3 and len({text for call in embedded for text in call}) == sum(map(len, embedded))


def test_lookahead_embeds_a_candidate_as_the_mean_of_its_variations(prompts: PromptFile, tmp_path: Path) -> None:
    model = Plane()
    run = on_plane(prompts, tmp_path, model, lookahead_degree=3, iterations=1)
    texts = run.run()[0].generation.items
    looked = np.load(tmp_path / "vectors-00.npy")
    assert not np.allclose(looked, embed(texts)) and np.abs(looked - embed(texts)).max() < 1.5
    drawn = run.modality.api.vary(np.repeat(texts, 3).tolist(), [CELLS[0]] * 3 * len(texts), candidates.LOOK_AHEAD, 0)
    of_first = embed([drawn.items[i] for i in range(3)])
    np.testing.assert_allclose(looked[0], of_first.mean(axis=0), atol=1e-5)


def test_a_candidate_whose_lookahead_fails_is_embedded_as_itself(prompts: PromptFile, tmp_path: Path) -> None:
    model = Plane()
    run = on_plane(prompts, tmp_path, model, lookahead_degree=1, iterations=1, samples=2, variants=1)
    run.modality.api.writing = Writing(Sampling(), max_new_tokens=16, max_attempts=1)
    model.scripted = [Completion("at 1.0 and 1.0", 4, True), Completion("at 2.0 and 2.0", 4, True)]
    model.scripted += [Completion("", 1, True), Completion("at 4.0 and 4.0", 4, True)]
    assert run.run()[0].generation.rejected == {"empty": 1}
    np.testing.assert_allclose(np.load(tmp_path / "vectors-00.npy"), [[4, 4], [1, 1]])


def test_variations_show_other_candidates_in_each_prompt_and_the_same_again_when_resumed(tmp_path: Path) -> None:
    (tmp_path / "shown.yaml").write_text(PROMPTS.replace("In a", "[Good:\\n{good}\\n][Bad:\\n{bad}\\n]In a"))
    prompts, asked = load(tmp_path / "shown.yaml"), []
    for folder in ("once", "again"):
        model = Plane()
        run = on_plane(prompts, tmp_path / folder, model, good_shots=2, bad_shots=1, samples=16)
        history = run.run()
        asked.append([request.messages[-1][1] for call in model.asked[1:] for request in call])
    assert asked[0] == asked[1]
    heads = [text.split("In a")[0] for text in asked[0]]
    assert all(head.count("\n- ") == 3 for head in heads) and len(set(heads)) > len(heads) / 2
    known = {text for one in history for text in one.generation.items}
    assert {line[2:] for head in heads for line in head.splitlines() if line.startswith("- ")} <= known
