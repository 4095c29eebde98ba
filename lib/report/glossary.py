"""What the report calls things besides metrics, and what they mean: verdicts, marks and words in a sentence or two."""

from collections.abc import Mapping

from lib.audit.verdict import Verdict
from lib.evaluation.registry import Word

ARROWS = {"higher": "↑", "lower": "↓", "match": "→"}  # which way is better

VERDICTS: Mapping[Verdict, str] = {
    Verdict.VIOLATED: "The attack proved a larger epsilon than the arm claims: the claim is wrong.",
    Verdict.CONSISTENT: "What the attack found does not contradict the claim. It is no proof of it.",
    Verdict.INCONCLUSIVE: "The attack could not have shown much: nothing is said for or against.",
    Verdict.FAILED: "The attack missed a leak that was planted: what it says of the arm is worth nothing.",
}

ARROW = Word("Arrows", "↑ higher is better, ↓ lower is better, → best as in real text: more or less of it is worse.")
SCORES = (
    Word("Floor", "The same metric for a model that never saw the private records. Being there is worth nothing."),
    Word("Ceiling", "The same metric for other real records, at the same number. Nothing can be expected beyond it."),
    Word(
        "The bar",
        "Left tick: the floor. Right tick: the ceiling. The dot is the arm, the line its 95% interval. A green dot "
        "cannot be told from the ceiling; an arrow points to what lies outside the picture.",
    ),
    ARROW,
    Word("Position", "0 at the floor, 1 at the ceiling; tables sort by it where it is drawn."),
    Word(
        "Not placed",
        "Floor and ceiling do not differ at this number of records, so the metric cannot rank anything here.",
    ),
    Word("Better", "Said of two arms only where the difference shows in every view: encoders, sample sizes and seeds."),
)

ATTACKS = (
    Word(
        "Shown at least",
        "A lower bound on epsilon that the attack proved, at 95%. 0 proves nothing by itself, so beside it stands "
        "what an ideal attack would have shown with as many canaries.",
    ),
    Word(
        "Copies",
        "What the synthetic text shares with train, beside what it shares with as many held-out records, which it "
        "cannot have from memory. Only the excess over held-out speaks of memory.",
    ),
)

PRIVACY = (
    Word(
        "Epsilon (ε)",
        "The promise: with one unit more or less in the private records, no outcome becomes more than e^ε times as "
        "likely, but for a chance of delta. Smaller protects more.",
    ),
    Word("Delta (δ)", "The chance that the promise does not cover. It is kept below 1/n."),
    Word("Unit", "What is protected: one record, or all that one user wrote. Facts that many share may be learned."),
    Word("Spent", "Everything that touched the private records, composed by one accountant. Never above the target."),
    Word("Not private", "There is no promise for this arm: it shows what privacy costs, and stays where the data is."),
)
