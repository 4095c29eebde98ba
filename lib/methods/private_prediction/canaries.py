"""Canaries for private prediction: dummy units, each alone in a batch, that go through the token's own code.

What runs is `lib.methods.private_prediction.next_token`: the differences, their clip, the sum of a user's records, the
divisor, the kept tokens and the draw, for all T tokens of a text. Only the language model is left out: logits are
given. The public context likes two tokens equally, and a canary raises one and lowers the other by far more than the
clip. So it changes the scores by as much as a unit can, and each batch holds one canary at most. No private record is
in it.

What is read of a canary is the text of its batch: how often the raised token came. From a batch that holds nobody it
comes with probability 1/2, from one with the canary with that of `lib.privacy.exponential.Exponential`.

That the model's logits of a record follow from this record is tested in tests/methods/private_prediction.
"""

import math
from collections.abc import Callable

import numpy as np
import torch

from lib.audit import conformance
from lib.audit.canary_run import Access, CanaryRun, Fault
from lib.methods.private_prediction.next_token import clip_bound, draw, kept, mixed, uniforms

WORLD = 20_000  # canaries of a run
RECORDS = 3  # of a user: their differences are summed before the clip
FAR = 100.0  # of a canary's push, over the clip
PROBED = 64  # units whose change of the scores is measured
WORDS = 16  # tokens of the vocabulary on which they are
ODDS = 3.0  # for one token of two, by which the temperature is measured


def send(
    access: Access,
    canaries: int,
    *,
    rng: np.random.Generator,
    fault: Fault | None = None,
    progress: Callable[[int], object] = lambda done: None,
    privacy_seed: int | None = None,
) -> CanaryRun:
    """Send canaries through the tokens of an access.

    Args:
        access: tokens by private prediction; its parameters have ``temperature``, ``expected_batch``, ``top_k`` and
            ``top_k_margin``.
        canaries: m, at least 4.
        rng: draws which are in, and the logits of probes.
        fault: planted in clip, divisor or draw, or None; `Fault.applies_to` the mechanism.
        progress: called with the number of canaries newly done.
        privacy_seed: None: tokens are drawn as for a release. An integer is for tests.

    Returns:
        Scores, and the checks of temperature, sensitivity and seeds.
    """
    scores, included = np.zeros(canaries), np.zeros(canaries, bool)
    marks: list[np.ndarray] = []
    likely = drawn = 0
    for number, members in enumerate(np.array_split(np.arange(canaries), -(-canaries // WORLD))):
        inside = rng.permutation(np.arange(len(members)) < len(members) // 2)
        included[members], raised = inside, np.zeros(len(members), int)
        for step in range(access.mechanism.count):
            seed = None if privacy_seed is None else privacy_seed + number
            numbers = uniforms(seed, np.arange(2 * len(members)), step)
            of_canaries, of_nobody = np.split(numbers, 2)
            raised += _tokens(access, fault, _pushed(access, fault, inside), of_canaries) == 0
            gap = torch.tensor([math.log(ODDS) * access.parameters["temperature"], 0.0], dtype=torch.float64)
            likely += int((_tokens(access, fault, gap.expand(len(members), 2), of_nobody) == 0).sum())
            drawn += len(members)
            marks.append(numbers[: conformance.MARK])
        scores[members] = access.mechanism.log_likelihood_ratio(raised)
        progress(len(members))
    checks = (
        conformance.chance(likely, drawn, ODDS / (1 + ODDS), "the temperature, by a token of known odds"),
        conformance.sensitivity(np.array([_change(access, fault, rng) for _ in range(PROBED)])),
        conformance.seeds(marks),
    )
    return CanaryRun(scores, included, checks)


def _pushed(access: Access, fault: Fault | None, inside: np.ndarray) -> torch.Tensor:
    """Scores of two tokens in the batch of each canary, float64, shape (m, 2)."""
    public = torch.zeros((len(inside), 2))
    push = FAR * _clip(access) * torch.tensor([1.0, -1.0])
    rows = RECORDS if access.unit == "user" else 1
    texts = np.flatnonzero(inside)
    return _scores(
        access, fault, public, push.expand(rows * len(texts), 2), np.repeat(np.arange(len(texts)), rows), texts
    )


def _scores(
    access: Access,
    fault: Fault | None,
    public: torch.Tensor,
    private: torch.Tensor,
    units: np.ndarray,
    texts: np.ndarray,
) -> torch.Tensor:
    """The scores that the access gives for these logits, with a fault where one is planted."""
    clip, divisor = _clip(access), access.parameters["expected_batch"]
    if fault is Fault.REALISED_DIVISOR:
        divisor = torch.as_tensor(np.bincount(texts, minlength=len(public)).clip(min=1))[:, None]
    margin = access.parameters["top_k_margin"] * 2 * clip / access.parameters["expected_batch"]
    return mixed(
        public,
        private,
        allowed=kept(public, access.parameters["top_k"], margin),
        units=torch.as_tensor(units),
        texts=torch.as_tensor(texts),
        clip=math.inf if fault is Fault.LARGE_CLIP else clip,
        divisor=divisor,
    )


def _tokens(access: Access, fault: Fault | None, scores: torch.Tensor, numbers: np.ndarray) -> np.ndarray:
    """The token that each text draws, int, shape (texts,)."""
    if fault is Fault.NO_NOISE:
        return scores.argmax(-1).numpy()
    halved = 0.5 if fault is Fault.HALVED_NOISE else 1.0
    return draw(scores, access.parameters["temperature"] * halved, numbers).numpy()


def _change(access: Access, fault: Fault | None, rng: np.random.Generator) -> float:
    """The most that one unit with random logits changes a score of a batch with others, over C / B."""
    users = access.unit == "user"
    public = torch.as_tensor(rng.normal(0, 3, (1, WORDS)))
    units = np.repeat(np.arange(4), RECORDS if users else 1)
    private = public + torch.as_tensor(rng.standard_cauchy((len(units), WORDS))) * _clip(access)
    with_all, without = (
        _scores(access, fault, public, private[units < count], units[units < count], np.zeros(count, int))
        for count in (4, 3)
    )
    finite = with_all > -math.inf
    changed = (with_all - without)[finite].abs().max()
    return float(changed * access.parameters["expected_batch"] / _clip(access))


def _clip(access: Access) -> float:
    return clip_bound(
        noise_multiplier=access.mechanism.noise_multiplier,
        temperature=access.parameters["temperature"],
        expected_batch=access.parameters["expected_batch"],
    )
