"""Published studies of images: what their example and their paper differ in. Pre-flight tells it before anything runs.

The figures are those of DPSDA's examples (microsoft/DPSDA, July 2026), of Lin et al. 2024 (arXiv:2305.15560) for models
and of Lin et al. 2025 (arXiv:2502.05505) for simulators. A preset has target epsilons; the noise follows from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Study:
    """What is published.

    Attributes:
        differ: where example and paper differ, or that they do not, in a sentence.
        noise: sigma over sensitivity that the example draws; None where it draws what its epsilon asks for.
        votes: T of the example.
        delta: of the example; None: 1/(n ln n).
        epsilon: of the example.
    """

    differ: str
    noise: float | None
    votes: int
    delta: float | None
    epsilon: float


STUDIES: Mapping[str, Study] = {  # by preset
    "cifar10-pe1": Study(
        "the example draws noise of 5 sqrt 2 in 20 votes, which is epsilon 2.59 (arm example); the paper's FID of 7.9 "
        "at epsilon 0.67 is 10 sqrt 2 in 7 votes (arm paper)",
        5 * 2**0.5, 20, 1e-5, 2.59,
    ),
    "camelyon17-pe1": Study(
        "the example draws noise of 2 sqrt 2 in 29 votes, epsilon 9.92, with 10 steps of the sampler in the first 18 "
        "votes and 40 in the rest; here all votes have 40 steps and the same shares of them",
        2 * 2**0.5, 29, 3e-6, 9.92,
    ),
    "cat-pe1": Study(
        "the example draws noise of 2 in 17 votes, which is epsilon 7.89; the paper's 6.62 is that of 13 votes (arm "
        "paper)",
        2.0, 17, 1e-3, 7.89,
    ),
    "mnist-simpe": Study("the example has epsilon 10 alone; the paper has 1 too", None, 4, None, 10.0),
    "celeba-avatar": Study("the example has epsilon 10 alone; the paper has 1 too", None, 7, None, 10.0),
    "celeba-digiface": Study("the example has epsilon 10 alone; the paper has 1 too", None, 6, None, 10.0),
}  # fmt: skip
