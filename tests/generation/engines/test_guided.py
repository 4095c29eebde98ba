"""Guided decoding against single texts computed step by step, without a cache, a batch or padding."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from support.errors import refused

from lib.generation.engines.base import Completion, Sampling, line_breaks
from lib.generation.engines.guided import _LIKELIEST, _choose
from lib.generation.generate import generate_records, open_engine
from lib.models.prompt import Prompt

TINY = "bundled:tiny-random"
LABELLED = ("a good one", "a very bad one, and long", "well", "a good one", "so")
UNLABELLED = ("one",) * 4 + ("a prompt that is longer than the one with a label",)
SAMPLING = Sampling(guidance=1.5, temperature=1.3, top_k=90, top_p=0.9, max_new_tokens=10, seed=5)


@pytest.fixture(scope="module")
def engine():
    return open_engine(TINY, device="cpu", dtype="float32", guidance=1.0)


def contexts(engine) -> tuple[list[list[int]], list[list[int]]]:
    return tuple([engine.tokenizer(text).input_ids for text in texts] for texts in (LABELLED, UNLABELLED))


def completed(engine, sampling: Sampling, **more: object) -> list[Completion]:
    prompts, without_label = contexts(engine)
    done = dict(engine.complete(prompts, sampling, without_label=without_label, **more))
    assert sorted(done) == list(range(len(prompts)))
    return [done[i] for i in sorted(done)]


def by_hand(engine, pair: Sequence[Sequence[int]], sampling: Sampling, position: int) -> list[int]:
    """The text number ``position``, both contexts read anew at each step in float64."""
    model, ends = engine.model, engine._ends
    uniforms = np.random.default_rng(sampling.seed_for(position)).random(sampling.max_new_tokens)
    drawn: list[int] = []
    for uniform in uniforms:
        with torch.inference_mode():
            with_label, without = (
                model(torch.tensor([[*context, *drawn]])).logits[0, -1].double().numpy() for context in pair
            )
        logits = (1 + sampling.guidance) * with_label - sampling.guidance * without
        if len(drawn) < sampling.min_new_tokens:
            logits[ends] = -np.inf
        for token in set(drawn):
            logits[token] *= 1 / sampling.repetition_penalty if logits[token] > 0 else sampling.repetition_penalty
        order = np.argsort(-logits)[: sampling.top_k or None]
        weights = np.exp((logits[order] - logits.max()) / sampling.temperature)
        weights /= weights.sum()
        weights = weights[weights.cumsum() - weights < sampling.top_p]
        drawn.append(int(order[np.searchsorted(weights.cumsum(), uniform * weights.sum(), side="right")]))
        if drawn[-1] in ends:
            break
    return drawn


@pytest.mark.parametrize(
    "change", [{}, {"guidance": 0.5, "top_p": 0.6}, {"repetition_penalty": 1.7}, {"min_new_tokens": 10}]
)
def test_a_guided_text_is_the_one_that_is_computed_by_hand(engine, change):
    sampling = replace(SAMPLING, **change)
    prompts, without_label = contexts(engine)
    expected = [by_hand(engine, pair, sampling, i) for i, pair in enumerate(zip(prompts, without_label, strict=True))]
    done = completed(engine, sampling)
    assert [one.tokens for one in done] == [len(ids) for ids in expected]
    texts = [engine.tokenizer.decode([token for token in ids if token not in engine._ends]) for ids in expected]
    assert [one.text for one in done] == texts
    assert len({one.text for one in done}) == len(done)  # the two that are asked the same have draws of their own


def test_a_batch_decides_nothing(engine):
    whole = completed(engine, SAMPLING)
    try:
        for engine.batch_size in (1, 2, 3):
            assert completed(engine, SAMPLING) == whole
    finally:
        engine.batch_size = 64
    assert completed(engine, replace(SAMPLING, seed=6)) != whole
    limits = [1, 2, 3, 10, 5]
    for short, long, limit in zip(completed(engine, SAMPLING, limits=limits), whole, limits, strict=True):
        assert long.text.startswith(short.text) and short.tokens == min(limit, long.tokens)


def test_where_both_prompts_are_the_same_guidance_changes_nothing(engine):
    prompts, _ = contexts(engine)
    greedy = Sampling(temperature=0, max_new_tokens=12)
    plain = dict(engine.complete(prompts, greedy))
    assert dict(engine.complete(prompts, replace(greedy, guidance=3.0), without_label=prompts)) == plain
    assert completed(engine, replace(greedy, guidance=3.0)) != [plain[i] for i in range(len(prompts))]  # they differ


def test_without_guidance_the_second_prompt_is_not_read(engine):
    prompts, without_label = contexts(engine)
    plain = Sampling(max_new_tokens=10, seed=5)
    assert dict(engine.complete(prompts, plain, without_label=without_label)) == dict(engine.complete(prompts, plain))


@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1.0), (0, 0.5), (0, 0.999), (7, 1.0), (3000, 0.7)])
def test_draws_follow_the_nucleus_also_where_it_is_wider_than_what_is_sorted_first(top_k, top_p):
    size, draws = 5000, 500
    logits = torch.randn(1, size, generator=torch.Generator().manual_seed(0))
    uniforms = torch.linspace(0, 1, draws + 1, dtype=torch.double)[:-1]
    tokens = _choose(logits.expand(draws, -1), Sampling(top_k=top_k, top_p=top_p, temperature=0.8), uniforms)
    weights, order = (logits[0].double() / 0.8).softmax(-1).sort(descending=True)
    weights[top_k or size :] = 0
    weights = weights / weights.sum()
    weights = weights.where(weights.cumsum(0) - weights < top_p, 0)
    kept = int((weights > 0).sum())
    assert kept > _LIKELIEST or (top_k, top_p) != (0, 0.999)
    expected = dict(zip(order[:kept].tolist(), (weights / weights.sum())[:kept].tolist(), strict=True))
    seen = Counter(tokens.tolist())
    assert set(seen) <= set(expected)
    assert max(abs(seen[token] / draws - share) for token, share in expected.items()) <= 1.01 / draws


def test_a_line_ends_with_its_first_break_and_does_not_begin_with_one(engine):
    prompts, without_label = contexts(engine)
    breaks = line_breaks(engine.tokenizer)
    lines = Sampling(guidance=1.0, one_line=True, temperature=5.0, max_new_tokens=400, seed=1)
    done = dict(engine.complete(prompts * 8, lines, without_label=without_label * 8)).values()
    assert {engine.tokenizer.decode([token]) for token in breaks} == {"\n", "\r"}
    stopped = [one for one in done if one.text.endswith(("\n", "\r"))]
    assert stopped and all(one.ended and one.tokens > 1 for one in stopped)
    assert not any(mark in one.text[:-1] for one in done for mark in "\n\r")


def test_records_are_guided_away_from_the_prompt_without_its_label(engine):
    prompt, labels = Prompt("a {mood} text:"), [{"mood": "good"}, {"mood": "bad"}] * 2
    sampling = Sampling(guidance=2.0, max_new_tokens=40, seed=2)
    without = prompt.unlabelled()
    assert without == Prompt("a text:")
    first, draws = generate_records(engine, prompt, labels, sampling, without_label=without)
    assert len(first) == len(labels) and draws.rejected  # some were drawn again
    assert generate_records(engine, prompt, labels, sampling, without_label=without)[0] == first
    other, _ = generate_records(engine, prompt, labels, sampling, without_label=Prompt("no"))
    assert [record.text for record in other] != [record.text for record in first]
    with refused("generation.prompt_too_long", name="max_new_tokens"):
        generate_records(engine, prompt, labels, sampling, without_label=Prompt("x" * 500))


def test_engines_that_cannot_guide_say_so(monkeypatch: pytest.MonkeyPatch):
    assert open_engine(TINY, device="cpu", guidance=0.5).name == "transformers"
    for name in ("ctranslate2", "vllm"):
        with refused("generation.guidance_unsupported", name="guidance", value=0.5):
            open_engine(TINY, device="cpu", engine=name, guidance=0.5)
    with refused("generation.guidance_unsupported", name="guidance", value=0.5):
        list(open_engine(TINY, device="cpu", engine="ctranslate2").complete([[5]], Sampling(guidance=0.5)))
