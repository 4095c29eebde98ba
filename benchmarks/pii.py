"""Values for texts with slots: drawn when a slot asks for them, against all classes drawn for each text.

A text has `--slots` slots of random classes, each of one of two persons. The sides, in one process and in turn:

    lazy    `lib.pii.values.Values.value` for the slots of a text alone
    all     the 56 classes of one person for each text, as a generator does that fills a table of values first

The last line is one JSON object: seconds of all over lazy (median of the rounds), and texts a second of lazy.

    python benchmarks/pii.py [--texts 1000] [--slots 4] [--locale en_US] [--rounds 3] [--seed 0]
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rounds import in_turn, ratio

from lib.pii.classes import classes
from lib.pii.values import Values

REFERENCE = date(2026, 1, 31)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--texts", type=int, default=1000)
    arguments.add_argument(
        "--slots", type=int, default=4, help="of a text; ai4privacy's have 3 marked words on average"
    )
    arguments.add_argument("--locale", default="en_US")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    rng = Random(options.seed)
    slots = [
        [(rng.choice(list(classes())), rng.randint(1, 2)) for _ in range(options.slots)] for _ in range(options.texts)
    ]
    everything = [(name, 1) for name in classes()]

    def fill(asked: Callable[[int], list[tuple[str, int]]]) -> None:
        for i in range(options.texts):
            values = Values(options.seed + i, options.locale, REFERENCE)
            for name, person in asked(i):
                values.value(name, person)

    sides = {"lazy": lambda: fill(slots.__getitem__), "all": lambda: fill(lambda _: everything)}
    sides["lazy"]()  # loads what both need
    seconds = in_turn(sides, options.rounds)
    medians = {side: statistics.median(rounds) for side, rounds in seconds.items()}
    for side, median in medians.items():
        print(f"{side:<6}{median:>9.2f} s{options.texts / median:>9.0f} texts a second")
    over = ratio(seconds["all"], seconds["lazy"])
    print(json.dumps({"pii_all_over_lazy": over, "pii_texts_a_second": options.texts / medians["lazy"]}))


if __name__ == "__main__":
    main()
