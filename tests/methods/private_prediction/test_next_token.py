"""One token: scores against loops, the sensitivity of every unit, and all outcomes of a toy model against the bound."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from lib.methods.private_prediction.next_token import clip_bound, draw, kept, mixed, uniforms
from lib.privacy.exponential import profile

B, WORDS = 4.0, 6


def by_loops(public, private, allowed, units, texts, clip, divisor):
    """The formula of the module, entry by entry."""
    scores = np.full(public.shape, -np.inf)
    for text, row in enumerate(public):
        words = np.flatnonzero(allowed[text])
        weights = np.exp(row[words] - row[words].max())
        weights /= weights.sum()
        for word in words:
            total = 0.0
            for unit in np.flatnonzero(texts == text):
                summed = 0.0
                for r in np.flatnonzero(units == unit):
                    centre = sum(w * (private[r, v] - row[v]) for w, v in zip(weights, words, strict=True))
                    summed += private[r, word] - row[word] - centre
                total += min(max(summed, -clip), clip)
            scores[text, word] = row[word] + total / divisor
    return scores


def batch(seed: int = 0, scale: float = 3.0):
    """Two texts and an empty batch; five units, of which one has three records."""
    rng = np.random.default_rng(seed)
    public = rng.normal(0, 2, (3, WORDS))
    units, texts = np.array([0, 1, 2, 2, 2, 3, 4]), np.array([0, 0, 0, 1, 1])
    private = public[texts[units]] + rng.normal(0, scale, (len(units), WORDS))
    return public, private, rng.random((3, WORDS)) < 0.8, units, texts


def scores(public, private, allowed, units, texts, clip=1.5, divisor=B) -> np.ndarray:
    return mixed(
        torch.as_tensor(public),
        torch.as_tensor(private),
        allowed=torch.as_tensor(allowed),
        units=torch.as_tensor(units),
        texts=torch.as_tensor(texts),
        clip=clip,
        divisor=divisor,
    ).numpy()


@pytest.mark.parametrize("clip", [0.3, 1.5, math.inf])
def test_scores_are_those_of_the_formula_with_users_and_an_empty_batch(clip):
    for seed in range(5):
        given = batch(seed)
        np.testing.assert_allclose(scores(*given, clip), by_loops(*given, clip, B), rtol=0, atol=1e-9)
    public, _, allowed, *_ = given
    nobody = np.zeros((0, WORDS)), allowed, np.zeros(0, int), np.zeros(0, int)
    np.testing.assert_array_equal(scores(public, *nobody), np.where(allowed, public, -np.inf))
    assert np.array_equal(scores(*given)[2], np.where(allowed[2], public[2], -np.inf))  # the batch without a unit


ODD = (1e300, -1e300, np.inf, -np.inf, np.nan, 0.0)


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_no_unit_moves_a_score_by_more_than_clip_over_divisor(odd):
    for seed in range(20):
        public, private, allowed, units, texts = batch(seed, scale=10.0)
        private[units == seed % 5, seed % WORDS] = odd
        whole = scores(public, private, allowed, units, texts)
        for unit in range(5):
            others = units != unit
            renumbered = np.unique(units[others], return_inverse=True)[1]
            without = scores(public, private[others], allowed, renumbered, np.delete(texts, unit))
            moved = np.abs(whole[allowed] - without[allowed])
            assert moved.max() <= 1.5 / B + 1e-12
            assert moved[~np.repeat(np.arange(3) == texts[unit], allowed.sum(1))].max(initial=0) == 0  # in one batch


def test_a_divisor_of_those_who_are_there_moves_scores_by_more():
    """The positive control: the last of a batch takes the whole mean along."""
    public, private = np.zeros((1, WORDS)), np.array([[9.0, -9.0, 0, 0, 0, 0]])
    there = scores(public, private, np.ones((1, WORDS), bool), np.array([0]), np.array([0]), divisor=1.0)
    assert np.abs(there - public).max() == pytest.approx(1.5)  # four times 1.5 / B


class ToyModel:
    """A model of three words whose logits look at all that came before, and at the record in its context."""

    def __init__(self, seed: int):
        self.seed = seed

    def logits(self, record: int, before: tuple[int, ...]) -> np.ndarray:
        """Of the next word; record 0 is none."""
        return np.random.default_rng([self.seed, record, *(word + 1 for word in before)]).normal(0, 3, 3)


def chances(
    model: ToyModel, members: list[int], *, clip: float, divisor: float, count: int, noise: float
) -> np.ndarray:
    """The probability of every text of ``count`` words, as the code draws it; kept words follow from public logits."""
    temperature = noise * 1.5 / B
    result = np.ones(3**count)
    for number, text in enumerate(itertools.product(range(3), repeat=count)):
        for step, word in enumerate(text):
            public = torch.as_tensor(model.logits(0, text[:step]))[None]
            private = np.array([model.logits(r, text[:step]) for r in members]).reshape(-1, 3)
            allowed = kept(public, 2, 0.5).numpy()
            places = np.arange(len(members)), np.zeros(len(members), int)
            score = scores(public.numpy(), private, allowed, *places, clip, divisor)
            result[number] *= float((torch.as_tensor(score) / temperature).softmax(-1)[0, word])
    assert result.sum() == pytest.approx(1)
    return result


def largest_excess(clip: float, realised: bool) -> float:
    """How far the delta of any toy is above the bound for its noise multiplier, over all its texts and epsilons."""
    count, noise, excess = 3, 1.2, -1.0
    points, deltas = profile(2 / noise, count)
    for seed in range(12):
        model, others = ToyModel(seed), [1, 2][: seed % 3]
        p, q = (
            chances(
                model,
                members,
                clip=clip,
                divisor=max(len(members), 1) if realised else B,
                count=count,
                noise=noise,
            )
            for members in ([*others, 3], others)
        )
        for epsilon in np.linspace(0, 6, 25):
            s = math.exp(epsilon)
            limit = np.interp(s, [0.0, *points], [1.0, *deltas])
            for one, other in ((p, q), (q, p)):
                excess = max(excess, float(np.maximum(0, one - s * other).sum() - limit))
    return excess


def test_every_text_of_a_toy_model_keeps_the_bound_with_a_record_and_without():
    assert largest_excess(1.5, realised=False) <= 1e-12


@pytest.mark.parametrize("fault", ["clip off", "divisor of the realised batch"])
def test_the_same_comparison_finds_a_fault(fault):
    assert largest_excess(math.inf if fault == "clip off" else 1.5, realised=fault != "clip off") > 0.01


def test_kept_words_are_public_and_hold_the_likeliest_of_the_mixed_scores():
    """With a margin of 2 C, and no more units than expected."""
    for seed in range(30):
        public, private, _, units, texts = batch(seed, scale=8.0)
        everything = np.ones_like(public, bool)
        few = kept(torch.as_tensor(public), 2, 2 * 1.5).numpy()
        whole = scores(public, private, everything, units, texts)
        for text in range(3):
            assert few[text][np.argsort(-whole[text])[:2]].all()
    assert few.sum() < few.size
    assert kept(torch.as_tensor(public), 2, 0.0).sum(1).tolist() == [2, 2, 2]
    public[0, 0] = -np.inf  # forbidden
    assert not kept(torch.as_tensor(public), 0, 0.0)[0, 0] and not kept(torch.as_tensor(public), 5, 99.0)[0, 0]


def test_tokens_are_drawn_in_proportion():
    score = torch.tensor([[0.0, 1.0, -math.inf, 2.0]], dtype=torch.float64)
    grid = (np.arange(100_000) + 0.5) / 100_000
    drawn = draw(score.expand(len(grid), 4), 0.5, grid).numpy()
    weights = np.exp(np.array([0.0, 2.0, -np.inf, 4.0]))
    assert np.bincount(drawn, minlength=4) / len(grid) == pytest.approx(weights / weights.sum(), abs=2e-5)
    assert draw(score, 0.5, np.array([1 - 2.0**-53])).item() == 3


def test_uniform_numbers_follow_from_seed_text_and_step_or_from_nothing():
    texts = np.arange(2000)
    seeded = uniforms(7, texts, 0)
    assert kstest(seeded, "uniform").pvalue > 1e-4 and seeded.min() >= 0 and seeded.max() < 1
    assert np.array_equal(seeded[5:9], uniforms(7, texts[5:9], 0))  # whichever texts are asked for with it
    assert not np.isin(uniforms(7, texts, 1), seeded).any() and not np.isin(uniforms(8, texts, 0), seeded).any()
    free = uniforms(None, texts, 0)
    assert kstest(free, "uniform").pvalue > 1e-4 and not np.array_equal(free, uniforms(None, texts, 0))


def test_the_clip_is_what_the_noise_multiplier_leaves():
    assert clip_bound(noise_multiplier=4.0, temperature=0.8, expected_batch=10.0) == pytest.approx(2.0)
    assert clip_bound(noise_multiplier=None, temperature=0.8, expected_batch=10.0) == math.inf
