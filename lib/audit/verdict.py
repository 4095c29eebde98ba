"""The verdicts of an audit. Light: whoever checks a pack or writes a report imports it; `lib.audit.finding` decides."""

from enum import StrEnum


class Verdict(StrEnum):
    """What an audit says about a claim; `lib.audit.finding.Finding.verdict` and the function beside it decide it."""

    VIOLATED = "violated"
    CONSISTENT = "consistent"
    INCONCLUSIVE = "inconclusive"
    FAILED = "audit failed: no verdict"


WORST_FIRST = (Verdict.VIOLATED, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.CONSISTENT)
