"""What canaries that went through a mechanism say about its claimed epsilon, and the verdict on an arm.

A bound says nothing by itself: a small one may be all that so many canaries can show. So beside every bound stands its
ceiling, the bound of an ideal attack on the very mechanism that is claimed (`lib.audit.ideal_attack`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.audit.canary_run import Access, CanaryRun, Fault
from lib.audit.conformance import Check
from lib.audit.ideal_attack import plan
from lib.audit.trade_off import RateBound, lower_bound
from lib.audit.verdict import WORST_FIRST, Verdict
from lib.common.errors import DoppelError

NUMBERS = (200, 1_000, 10_000, 100_000)  # of canaries, to show how a bound grows with them
MIN_CEILING_SHARE = 0.5  # of the claim: where even an ideal attack shows less, the audit says nothing about the claim


@dataclass(frozen=True)
class Finding:
    """What the canaries of one access showed. All figures are epsilons at the arm's delta.

    Attributes:
        access: what was attacked.
        canaries: m, how many went through.
        bound: what was shown, with the rates that it rests on.
        ceiling: what an ideal attack with as many canaries would show on this mechanism.
        claim: the epsilon of the access alone.
        checks: of the mechanism that ran.
    """

    access: Access
    canaries: int
    bound: RateBound
    ceiling: float
    claim: float
    checks: Sequence[Check]

    @property
    def verdict(self) -> Verdict:
        """*violated* where the bound is above the claim, or a check refuses the mechanism that ran.

        Else *inconclusive* where the ceiling is below `MIN_CEILING_SHARE` of the claim: with so few canaries even an
        ideal attack shows too little. Else *consistent*: the audit could have contradicted the claim, and did not.
        This is no proof of it.
        """
        if self.bound.epsilon > self.claim or not all(check.passed for check in self.checks):
            return Verdict.VIOLATED
        return Verdict.INCONCLUSIVE if self.ceiling < MIN_CEILING_SHARE * self.claim else Verdict.CONSISTENT

    def row(self) -> dict[str, str | int | float]:
        """The finding as a row of a table, with the names of the checks that refuse."""
        refused = [check.what for check in self.checks if not check.passed]
        return {
            "access": self.access.what,
            "canaries": self.canaries,
            "false positives": self.bound.false_positives,
            "false negatives": self.bound.false_negatives,
            "bound": self.bound.epsilon,
            "ceiling": self.ceiling,
            "claim": self.claim,
            "refused": ", ".join(refused),
            "verdict": str(self.verdict),
        }


def judge(access: Access, run: CanaryRun, *, beta: float = 0.05) -> Finding:
    """Bound the epsilon of an access by what its canaries showed.

    Args:
        access: what was attacked.
        run: the canaries that went through its mechanism.
        beta: the highest chance that the bound is above the true epsilon, in (0, 1). A correct mechanism reads
            *violated* with at most this chance, and some `lib.audit.conformance.FALSE_ALARM` for each check.
    """
    canaries, ideal = len(run.scores), plan(access.mechanism)
    bound = lower_bound(
        run.scores,
        run.included,
        thresholds=ideal.thresholds,
        mechanism=access.mechanism,
        delta=access.delta,
        beta=beta,
    )
    ceiling = ideal.ceiling(canaries, delta=access.delta, beta=beta)
    return Finding(access, canaries, bound, ceiling, access.claim, run.checks)


def judge_growing(access: Access, run: CanaryRun, *, beta: float = 0.05) -> list[Finding]:
    """What fewer canaries of a run would have shown, and all of them: each by itself at the level ``beta``.

    Args:
        access: as in `judge`.
        run: as in `judge`.
        beta: as in `judge`.

    Returns:
        A finding for each of `NUMBERS` below the number of canaries, and for all.
    """
    whole = len(run.scores)
    return [judge(access, run.first(number), beta=beta) for number in (*(n for n in NUMBERS if n < whole), whole)]


def verdict(findings: Sequence[Finding], controls: Mapping[Fault, Verdict], *, same_code: bool = True) -> Verdict:
    """The verdict on an arm.

    Args:
        findings: of its accesses, at least one.
        controls: what the audit of the same mechanisms reads with a fault planted.
        same_code: whether the code that was attacked made the arm (`lib.methods.attacks.changed_code`).

    Returns:
        *violated* where any finding is. Else *failed* where a control does not read *violated*: an attack that misses
        a planted fault proves nothing by finding nothing. Else *inconclusive* where any finding is, or where other
        code made the arm: what this code does well, that code may have done badly. Else *consistent*.

    Raises:
        DoppelError: there are no findings, or no controls.
    """
    if not findings:
        raise DoppelError(
            "audit.findings_missing", "no finding: no verdict without at least one", name="findings", value=0
        )
    if not controls:
        raise DoppelError(
            "audit.controls_missing", "no control: no verdict without at least one", name="controls", value=0
        )
    verdicts = {finding.verdict for finding in findings}
    if set(controls.values()) != {Verdict.VIOLATED}:
        verdicts.add(Verdict.FAILED)
    if not same_code:
        verdicts.add(Verdict.INCONCLUSIVE)
    return next(v for v in WORST_FIRST if v in verdicts)
