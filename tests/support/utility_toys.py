"""Toy records whose words give away their label, sets made of them, and transfer between those sets."""

import numpy as np

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.evaluation import comparison_sets
from lib.evaluation.estimate import BySet
from lib.evaluation.utility import linear_classifiers, tstr
from lib.evaluation.utility.linear_classifiers import Fit

GOOD, BAD, FILL = ["great", "love", "fine"], ["bad", "broke", "poor"], ["case", "cable", "phone", "sound", "menu"]


def records(count: int, seed: int, *, noise: float = 0.0, label: str = "mood", only: str | None = None) -> list[Record]:
    """Sentences whose words give away their label; a share ``noise`` of the labels is random."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        value = only or ("good", "bad")[number % 2]
        words = [*rng.choice(GOOD if value == "good" else BAD, 2), *rng.choice(FILL, 4)]
        labelled = str(rng.choice(["good", "bad"])) if rng.random() < noise else value
        made.append(Record(f"{seed}-{number}", PrivateText(" ".join(map(str, words))), {label: labelled}))
    return made


def matched(**arms: list[Record]) -> comparison_sets.Sets:
    """Matched sets of the arms and of real records of the same toy distribution; 60 held-out records judge."""
    return comparison_sets.matched_sets(arms, records(200, 1), records(80, 2), most=1000, evaluate=60, seed=0)


def transferred(compared: comparison_sets.Sets, fit: Fit | None = None, **options: object) -> dict[str, BySet]:
    """Transfer of the toy label, by TF-IDF where no ``fit`` is given; ``options`` as `tstr.transfer` takes them."""
    chosen = {"seeds": 3, "draws": 30, "seed": 0, **options}
    return tstr.transfer(compared, "mood", fit or linear_classifiers.tfidf(compared.texts), **chosen)
