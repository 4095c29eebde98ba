"""Whether a revision takes the place of the text before it."""

import math
from dataclasses import dataclass
from typing import Literal

Rule = Literal["threshold", "metropolis"]


@dataclass(frozen=True)
class Acceptance:
    """The rule of a stage.

    **Proposal.** A revision that the author writes from the text so far. Its probability is not known, so neither rule
    corrects for it, and neither draws from a distribution that could be stated: they choose.

    **Threshold** (Privasis, arXiv 2602.03183): accept where .5 J + .5 N > .5. J is 1 where the judge prefers the
    revision, else 0; N = max(0, gain), the gain in Vendi score of the sample when the revision takes the place of the
    text. So a preferred revision needs a gain above 0, and one that is not preferred a gain above 1.

    **Metropolis.** The score of a text is .5 J + .5 V, where J is 1 for the one that the judge prefers and 0 for the
    other, and V the Vendi score of the sample with it. Accept with probability min(1, exp((new - old) / temperature)):
    the Metropolis rule for a target in proportion to exp(score / temperature), if the proposal were symmetric.

    Without the diversity term, and where there is no record yet to be compared with (in the first block), N and V are
    left out: the threshold rule then accepts what the judge prefers.

    Attributes:
        rule: which of the two.
        diversity: whether N and V count.
        temperature: of the Metropolis rule, above 0: the smaller, the fewer revisions with a lower score are accepted.
    """

    rule: Rule = "threshold"
    diversity: bool = True
    temperature: float = 0.25

    def probability(self, preferred: bool, gain: float | None) -> float:
        """How likely the revision is accepted, in [0, 1]; 0 or 1 by the threshold rule.

        Args:
            preferred: by the judge.
            gain: in Vendi score over the text before; None: there is nothing to compare with.
        """
        novelty = gain if self.diversity else None
        if self.rule == "threshold":
            return float(preferred if novelty is None else 0.5 * preferred + 0.5 * max(0.0, novelty) > 0.5)
        change = (0.5 if preferred else -0.5) + 0.5 * (novelty or 0.0)
        return math.exp(min(0.0, change / self.temperature))
