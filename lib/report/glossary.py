"""The terms of the report besides metrics: verdicts, marks and words, each explained in a sentence or two."""

from collections.abc import Mapping

from lib.audit.verdict import Verdict
from lib.evaluation.registry import Word

ARROWS = {"higher": "↑", "lower": "↓", "match": "→"}  # which way is better

VERDICTS: Mapping[Verdict, str] = {
    Verdict.VIOLATED: "The mechanism that ran is not the one that was accounted for: it shows a larger epsilon, or its "
    "noise, clipping, batches or seeds are not as claimed.",
    Verdict.CONSISTENT: "The attack found nothing that contradicts the claim, and would have found planted faults. "
    "That does not prove the claim.",
    Verdict.INCONCLUSIVE: "With so few canaries even an ideal attack shows little, or the code that was attacked is "
    "newer than the arm. So it says nothing for or against the claim.",
    Verdict.FAILED: "The attack missed a fault that was planted to test it, so its results mean nothing.",
}

ARROW = Word(
    "Arrows", "↑ higher is better, ↓ lower is better, → as in real text is best: both more and less are worse."
)
SCORES = (
    Word(
        "Floor", "The same metric for a model that never saw the private records. At the floor, an arm gained nothing."
    ),
    Word("Ceiling", "The same metric for other real records, as many of them. No arm can be expected to do better."),
    Word(
        "The bar",
        "Left tick: the floor. Right tick: the ceiling. The dot is the arm, the line its 95% interval. A green dot "
        "cannot be distinguished from the ceiling; an arrow points to a value outside the picture.",
    ),
    ARROW,
    Word(
        "Words",
        "Runs of letters and digits. In Chinese, Japanese, Thai and other scripts without spaces between words, each "
        "character counts as one.",
    ),
    Word("Position", "0 at the floor, 1 at the ceiling. Tables with bars sort by it."),
    Word(
        "Not placed",
        "Floor and ceiling do not differ significantly at this number of records, so the metric cannot rank any arm.",
    ),
    Word(
        "Better",
        "One arm is called better than another only where the difference is significant in every view, that is with "
        "every encoder, sample size and seed that was tried.",
    ),
    Word(
        "No difference",
        "No difference was significant in every view. It does not prove that the two arms are equal.",
    ),
    Word(
        "Not compared",
        "The metric is not defined for one of the two arms, or was measured in too few views to call either better.",
    ),
)

ATTACKS = (
    Word(
        "Shown at least",
        "A lower bound on the true epsilon of the mechanism at 95% confidence, from dummy records that went through it "
        "without any private record. The ideal attack beside it says how much as many of them can show at most.",
    ),
    Word(
        "Copies",
        "What the synthetic text shares with the training records, beside what it shares with as many held-out "
        "records, which the model never saw. Only the excess over held-out is a sign of memorisation.",
    ),
)

PRIVACY = (
    Word(
        "Epsilon (ε)",
        "The guarantee: adding or removing one unit changes the probability of any outcome by at most a factor of e^ε, "
        "except with probability delta. Smaller is more private.",
    ),
    Word("Delta (δ)", "The probability that the guarantee does not cover. It is kept below 1/n."),
    Word(
        "Unit", "What is protected: one record, or all records of one user. What many units share may still be learned."
    ),
    Word(
        "Spent",
        "The epsilon of everything that touched the private records, composed by one accountant. It never exceeds the "
        "target.",
    ),
    Word(
        "Private prediction",
        "A model that was never trained wrote each text beside a batch of private records that no other text had. What "
        "a unit changes in the chances of a token is clipped, and the token is drawn at random.",
    ),
    Word(
        "Steering",
        "A model that was never trained wrote the texts while its inner states were moved by a mean of what private "
        "records do to them. Each unit's part of that mean is clipped, and it was released once, with noise.",
    ),
    Word(
        "Not private",
        "This arm has no guarantee. It shows what privacy costs, and must stay with whoever holds the records.",
    ),
)
