"""Toy records whose words tell their label, and the sets made of them."""

import numpy as np

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.evaluation import comparison_sets
from lib.evaluation.utility import linear_classifiers, tstr

GOOD, BAD, FILL = ["great", "love", "fine"], ["bad", "broke", "poor"], ["case", "cable", "phone", "sound", "menu"]


def records(count: int, seed: int, *, noise: float = 0.0, label: str = "mood", only: str | None = None) -> list[Record]:
    """Sentences whose words tell their label; a share ``noise`` of the labels is drawn anew."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        value = only or ("good", "bad")[number % 2]
        words = [*rng.choice(GOOD if value == "good" else BAD, 2), *rng.choice(FILL, 4)]
        said = str(rng.choice(["good", "bad"])) if rng.random() < noise else value
        made.append(Record(f"{seed}-{number}", PrivateText(" ".join(map(str, words))), {label: said}))
    return made


def matched(**arms) -> comparison_sets.Sets:
    return comparison_sets.matched_sets(arms, records(200, 1), records(80, 2), most=1000, evaluate=60, seed=0)


def moved(compared: comparison_sets.Sets, fit=None, **options):
    chosen = {"seeds": 3, "draws": 30, "seed": 0, **options}
    return tstr.transfer(compared, "mood", fit or linear_classifiers.tfidf(compared.texts), **chosen)
