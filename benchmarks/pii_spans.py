"""Fills and aligns texts with slots, checks every one of them, and says how many a second.

The texts are made of public templates whose slots stand at random places, with values that are hard to count: emoji,
combining marks, other scripts, brackets, values within values. Three sides are timed, each by itself:

    parse and fill   `lib.pii.slots.parse` and `lib.pii.spans.fill`
    check            `lib.pii.spans.problems`, and unfilling compared with the slot text
    align            `lib.pii.alignment.align` and back, with small tokenizers of several families

The checker's own controls run last: it must see spans whose ends are off by one, and those that count an emoji in
UTF-16.
The last line is one JSON object.

    python benchmarks/pii_spans.py [--texts 100000] [--aligned 20000] [--seed 0]
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT))

from support.pii_tokenizers import TOKENIZERS  # noqa: E402
from support.pii_toys import CLASSES, VALUES  # noqa: E402

from lib.pii.alignment import Counts, align, count, spans_of  # noqa: E402
from lib.pii.slots import Slot, parse  # noqa: E402
from lib.pii.spans import Filled, fill, problems, unfill  # noqa: E402

WORDS = (
    "please", "write", "to", "me", "at", "once", "about", "the", "order", "that", "never", "came", "[sic]", "and", "🙂",
    "thanks", ",", ".", "\n", "month", "of", "July", "in", "Alexandria", "東京", "で", "e\u0301", "café", "—", "(call",
    "me)", "[1]", "\u00a0", "\r\n", "מכתב",
)  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--texts", type=int, default=100_000, help="to fill and check")
    arguments.add_argument("--aligned", type=int, default=20_000, help="of them, to align with each tokenizer")
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    rng = np.random.default_rng(options.seed)
    texts = [slotted(rng) for _ in range(options.texts)]
    draws = rng.integers(0, 2**31, options.texts)

    start = time.perf_counter()
    filled = [fill(parse(text, CLASSES), Values(int(draw))) for text, draw in zip(texts, draws, strict=True)]
    filling = time.perf_counter() - start

    start = time.perf_counter()
    kinds = Counter(problem.kind for one in filled for problem in problems(one, CLASSES))
    returned = sum(unfill(one) == text for one, text in zip(filled, texts, strict=True))
    checking = time.perf_counter() - start
    spans = sum(len(one.spans) for one in filled)
    right = sum(one.text[span.start : span.end] == span.value for one in filled for span in one.spans)
    print(f"{len(texts):,} texts, {spans:,} spans: filled {len(texts) / filling:,.0f} a second, ", end="")
    print(f"checked {len(texts) / checking:,.0f} a second")
    print(f"text[start:end] is the value {right:,} times of {spans:,}; problems: {dict(kinds) or 'none'}; ", end="")
    print(f"unfilling gives the text back {returned:,} times of {len(texts):,}\n")

    some = filled[: options.aligned]
    print(f"{'tokenizer':<36}{'a second':>10}{'tokens':>12}{'straddle':>10}{'changed':>9}{'lost':>7}{'identity':>14}")
    rates, exact = [], []
    for name, make in TOKENIZERS.items():
        rate, counts, same, clean = aligned(some, make())
        rates.append(rate)
        exact.append(same / max(clean, 1))
        print(f"{name:<36}{rate:>10,.0f}{counts.tokens:>12,}{counts.straddling:>10,}{counts.changed:>9,}", end="")
        print(f"{counts.lost:>7,}{f'{same:,} of {clean:,}':>18}")
    print("identity: texts without a straddling token whose spans come back as they were\n")

    off = [Filled(one.text, tuple(span._replace(end=span.end - 1) for span in one.spans)) for one in filled[:1000]]
    wide = [in_utf16(one) for one in filled[:1000]]
    seen = {
        "off by one": (sum(bool(problems(one, CLASSES)) for one in off), sum(bool(one.spans) for one in off)),
        "an emoji in UTF-16": (
            sum(bool(problems(one, CLASSES)) for one in wide),
            sum(one != before for one, before in zip(wide, filled, strict=False)),
        ),
    }
    print("controls, seen of made: " + ", ".join(f"{name} {a:,} of {b:,}" for name, (a, b) in seen.items()))
    result = {
        "pii_filled_a_second": len(texts) / filling,
        "pii_filled_and_aligned_a_second": 1 / (filling / len(texts) + 1 / min(rates)),
        "pii_right_spans": right / max(spans, 1),
        "pii_problems": sum(kinds.values()),
        "pii_unfilled": returned / len(texts),
        "pii_tokenizers_identity": min(exact),
    }
    print(json.dumps(result))


class Values:
    """Values of one text: the same for a class and person at every call."""

    def __init__(self, draw: int):
        self.draw = draw

    def __call__(self, name: str, person: int) -> str:
        choices = VALUES[name]
        return choices[(self.draw + 7 * person) % len(choices)]


def slotted(rng: np.random.Generator) -> str:
    """A text of 5 to 40 words, of which about one in six is a slot; a slot may touch what is beside it."""
    words = [WORDS[place] for place in rng.integers(len(WORDS), size=rng.integers(5, 40))]
    for place in np.flatnonzero(rng.random(len(words)) < 1 / 6):
        words[place] = str(Slot(CLASSES[rng.integers(len(CLASSES))], int(rng.integers(1, 4))))
    gaps = rng.choice([" ", " ", " ", ""], size=len(words))
    text = "".join(word + gap for word, gap in zip(words, gaps, strict=True))
    return text if not parse(text, CLASSES).faults else " ".join(words)  # [1]( and the like


def aligned(texts: list[Filled], tokenizer: object) -> tuple[float, Counts, int, int]:
    """Texts a second; counts; of the texts where nothing straddles, how many spans came back; how many those are."""
    start = time.perf_counter()
    pairs = [(one, align(one, tokenizer)) for one in texts]
    seconds = time.perf_counter() - start
    same = clean = 0
    for one, tokens in pairs:
        if not tokens.straddling:
            clean += 1
            same += [span[:3] for span in spans_of(one.text, tokens.offsets, tokens.tags)] == [s[:3] for s in one.spans]
    return len(texts) / seconds, count(pairs), same, clean


def in_utf16(filled: Filled) -> Filled:
    """Spans as a program has them whose strings are UTF-16."""

    def units(place: int) -> int:
        return len(filled.text[:place].encode("utf-16-le")) // 2

    return Filled(filled.text, tuple(s._replace(start=units(s.start), end=units(s.end)) for s in filled.spans))


if __name__ == "__main__":
    main()
