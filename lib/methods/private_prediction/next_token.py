"""One token: the model's public logits plus the clipped mean of what the private records of a batch change in them.

InvisibleInk (Vinod, Pillutla & Thakurta 2025, arXiv:2507.02974), after Amin et al. 2024 (arXiv:2407.12108). For a text
that is being written, let g(v) be the logit of the next token v in a context without any private record, and f_r(v)
that in the context that shows record r of the text's batch. The token is drawn in proportion to exp(m(v) / tau),
over a set of kept tokens, with

    m(v) = g(v) + (1 / B) sum over units u of clip(sum over records r of u of (f_r(v) - g(v) - c_r)),

where clip cuts each entry to [-C, C]. This is the exponential mechanism with scores m.

Unit: one record, or one user with all records in one batch. Neighbours: add or remove one unit. Sampler: none, every
unit of the batch takes part in each of its tokens. **Sensitivity**: a unit that is added or removed changes each m(v)
by at most C / B (L-infinity), because

- its term is cut to [-C, C] whatever its texts say (what is not a number counts as 0);
- the divisor B is a fixed number, the *expected* size of a batch. A mean over those who are there would change for all
  of them when one leaves, and in a batch of one by C;
- f_r follows from its own record and from tokens that were released; so does c_r, the mean of f_r - g over the kept
  tokens, weighted by their public probabilities. (A constant that is added to all scores changes no probability. Taken
  off before clipping, it leaves the clip to what the record says about *which* token comes.)
- g and the kept tokens look at no private record: see `kept`.

In units of C / B, the temperature is tau B / C: the ``noise_multiplier`` of `lib.privacy.exponential.Exponential`,
whose ``count`` is the largest number of tokens of a text. What was released before decides about contexts and kept
tokens alone, which are choices that the proof there allows.

**Numerically**: a unit's clipped term is rounded towards zero to multiples of C x `GRID`; sums of such multiples are
exact, in any order. So one unit changes the sum by its own term, provided that it changes no other unit's logits
(`lib.methods.private_prediction.side_by_side`). Differences, exponentials and the distribution function have double
precision: the probability of a token is right to about V 2^-53 for V kept tokens, some 1e-11 in a text of hundreds of
tokens, and uniform numbers have 53 bits. As all rounding of floating-point arithmetic, that is outside the proof.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from lib.models.draws import invert
from lib.privacy.mechanisms import random_words

GRID = 2.0**-32  # of the clip; the sum of 2^20 units is exact in double precision
TOKENS = 3  # the stream of tokens under an integer privacy_seed


def clip_bound(*, noise_multiplier: float | None, temperature: float, expected_batch: float) -> float:
    """C: the most that one unit's term may be, in nats, at a noise multiplier.

    Args:
        noise_multiplier: temperature over what one unit can change a score, above 0; None for no privacy.
        temperature: tau, above 0.
        expected_batch: B, units of a batch on average, at least 1.

    Returns:
        tau B / ``noise_multiplier``; infinity, which clips nothing, for no privacy.
    """
    return math.inf if noise_multiplier is None else temperature * expected_batch / noise_multiplier


def kept(public: torch.Tensor, top_k: int, margin: float) -> torch.Tensor:
    """The tokens that may be drawn: the likeliest k of the public context, and those that come near them.

    It costs no privacy, because it looks at the public logits and at public numbers alone: which tokens are kept is the
    same whichever unit is added or removed. The likeliest k of the *mixed* scores would not be.

    The paper's margin is 2 C / B, the most that one unit moves two scores against each other. With 2 C every token that
    is among the likeliest k of the mixed scores is kept, unless more units than expected are there.

    Args:
        public: logits of the public contexts, shape (texts, vocabulary); -inf for a token that is forbidden.
        top_k: k, at least 1; 0 keeps all that are not forbidden.
        margin: in nats, at least 0.

    Returns:
        bool, shape (texts, vocabulary).
    """
    if top_k == 0 or top_k >= public.shape[-1]:
        return public > -torch.inf
    least = public.topk(top_k).values[:, -1:]
    return (public >= least - margin) & (public > -torch.inf)


def mixed(
    public: torch.Tensor,
    private: torch.Tensor,
    *,
    allowed: torch.Tensor,
    units: torch.Tensor,
    texts: torch.Tensor,
    clip: float,
    divisor: float | torch.Tensor,
) -> torch.Tensor:
    """The scores m of all texts. They are PRIVATE: draw from them (`draw`), never show or write them.

    Unit, neighbours and sensitivity (``clip`` / ``divisor`` for each score) are those of the module.

    Args:
        public: logits of the public contexts, shape (texts, V); finite where ``allowed``.
        private: logits of the private contexts, shape (rows, V); rows may be 0.
        allowed: the tokens that are kept, bool, shape (texts, V).
        units: number of the unit that each row belongs to, int, shape (rows,).
        texts: number of the text to whose batch each unit belongs, int, shape (units,).
        clip: C, above 0; infinity for no privacy.
        divisor: B, a fixed number above 0. (A tensor (texts, 1) is for the fault that audits plant.)

    Returns:
        The scores, float64, shape (texts, V); -inf where a token is not kept.
    """
    public = public.double().where(allowed, -torch.inf)
    if not len(private):
        return public
    of_text = texts[units]
    own, keep = public[of_text], allowed[of_text]
    difference = (private.double() - own).where(keep, 0.0)
    centre = (own.softmax(-1) * difference).sum(-1, keepdim=True)
    difference = (difference - centre).where(keep, 0.0)
    of_unit = torch.zeros((len(texts), public.shape[-1]), dtype=torch.float64, device=public.device)
    of_unit = of_unit.index_add(0, units, difference).nan_to_num(nan=0.0).clamp(-clip, clip)
    none = torch.zeros_like(public)
    if math.isinf(clip):
        return public + none.index_add(0, texts, of_unit) / divisor
    steps = none.index_add(0, texts, (of_unit / (clip * GRID)).trunc())
    return public + steps * (clip * GRID) / divisor


def draw(scores: torch.Tensor, temperature: float, uniforms: np.ndarray) -> torch.Tensor:
    """One token for each text, by the exponential mechanism.

    Args:
        scores: as `mixed` returns them, shape (texts, V).
        temperature: tau, above 0.
        uniforms: a number in [0, 1) for each text, shape (texts,).

    Returns:
        The tokens' columns, int, shape (texts,).
    """
    chances = (scores / temperature).softmax(-1)
    return invert(chances, torch.as_tensor(uniforms, device=scores.device))


def uniforms(privacy_seed: int | None, texts: np.ndarray, step: int) -> np.ndarray:
    """The numbers that decide the draws of a token.

    Args:
        privacy_seed: None: the operating system draws them, and nobody can draw them again. An integer makes each
            follow from the seed, its text and the step, and the result not fit for release.
        texts: number of each text, int, shape (texts,).
        step: tokens that the texts have so far, at least 0.

    Returns:
        Independent numbers, multiples of 2^-53 in [0, 1), shape (texts,).
    """
    if privacy_seed is None:
        words = random_words(None)(len(texts))
    else:
        words = np.array([random_words(privacy_seed, TOKENS, int(text), step)(1)[0] for text in texts], np.uint64)
    return (words >> np.uint64(11)) * 2.0**-53
