"""Private evolution of digits: floor, epsilon 1, epsilon 8, no noise and real, and beside it DPSDA's DrawText.

`nearest renders` is what bounds the arms: for each of 500 real digits the nearest picture that the simulator can draw.

Each of `--seeds` seeds splits the 5,000 digits of MNIST afresh into 4,000 that vote and 1,000 that judge, and makes
every arm anew, with its own noise. Judges are the nearest picture, logistic regression, and Frechet distances in two
spaces: that of the votes, and a network trained on random renders alone, which had no vote (in the 40 directions in
which real digits differ most, at up to 500 pictures a side). Beside each mean stands half of its 95% interval.

DPSDA cannot be installed here, so its algorithm is written down below, after its code of 2025: simulator, look-ahead,
threshold, draw, and degrees of its MNIST example. It gets the same digits, fonts, N, epsilon and space of votes, and
`ours, 4 votes` has as many votes as it. Time is that of the processor for making an arm. The last line is one JSON
object of ratios.

    python benchmarks/images.py [--seeds 3] [--first-seed 0] [--arms floor eps1 eps8 ...]
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.stats import t as student

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.data import sources
from lib.data.images import parquet
from lib.data.images.decoding import Shape
from lib.evaluation.fidelity.frechet_mmd import frechet_distance
from lib.evaluation.images.classifiers import logistic, nearest_neighbour
from lib.evaluation.images.space import Renders
from lib.generation.images.digits import Digits
from lib.methods.private_evolution.evolution import Evolution, Voters
from lib.methods.private_evolution.image_api import DRAWINGS, Rendered, image_modality
from lib.methods.private_evolution.nearest_neighbours import nearest
from lib.methods.private_evolution.settings import Settings
from lib.models.image_encoders import Pixels
from lib.privacy.accounting import Gaussian, calibrate, default_delta
from lib.stage.parameters import read_spec

ROOT = Path(__file__).resolve().parents[1]
SHAPE, SPACE, VOTERS, MOST = Shape(28, 28, "L", background=0), Pixels(1.0), 4000, 500
CELLS = [{"digit": f"{digit}"} for digit in range(10)]
GIVEN = {name: p.default for name, p in read_spec(ROOT / "notebooks" / "15_image_evolution.ipynb").items()}
EPS1 = GIVEN | {"target_epsilon": 1.0, "samples": 200}  # as params/images has it
PEER_VOTES = 4
FOUR = GIVEN | {"iterations": PEER_VOTES, "degrees": [0.5, 0.3, 0.18, 0.12]}


class Split:
    """Digits that vote and digits that judge."""

    def __init__(self, pictures: np.ndarray, digits: np.ndarray, seed: int):
        order = np.random.default_rng([seed, 71]).permutation(len(pictures))
        self.train, self.test = order[:VOTERS], order[VOTERS:]
        self.pictures, self.digits, self.seed = pictures, digits, seed


def evolved(split: Split, given: dict, noise: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and digits of an arm of 15_image_evolution, with labels in equal parts by declaration."""
    modality = image_modality(Rendered(Digits(SHAPE), "digit", split.seed), DRAWINGS, SPACE, SHAPE)
    voters = Voters(SPACE.encode(split.pictures[split.train]), split.digits[split.train])
    with tempfile.TemporaryDirectory() as folder:
        run = Evolution(
            modality,
            voters,
            cells=CELLS,
            shares=np.full(10, 0.1),
            catalogue=[],
            settings=Settings.of(given | {"seed": split.seed}, noise),
            folder=Path(folder),
        )
        made = run.result(run.run()[-1])
    return np.stack([modality.api.render(item) for item, _ in made]), np.array([int(cell["digit"]) for _, cell in made])


def floor(split: Split, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random renders."""
    digits, rng = Digits(SHAPE), np.random.default_rng([split.seed, 72])
    codes = np.arange(count) % 10
    return np.stack([digits.render(digits.random(f"{code}", rng)) for code in codes]), codes


def nearest_renders(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """What the simulator can draw at best: the render nearest to each of as many real pictures, without privacy.

    The nearest of 500 random renders, and of twelve variations in each of eight rounds.
    """
    digits, rng, made, codes = Digits(SHAPE), np.random.default_rng([split.seed, 73]), [], []
    for code in range(10):
        own = split.train[split.digits[split.train] == code][: GIVEN["samples"] // 10]
        pool = [digits.random(f"{code}", rng) for _ in range(500)]
        drawn = SPACE.encode(np.stack([digits.render(one) for one in pool]))
        for vector in SPACE.encode(split.pictures[own]):
            best = pool[np.square(drawn - vector).sum(axis=1).argmin()]
            for degree in (0.25, 0.18, 0.12, 0.1, 0.08, 0.06, 0.05, 0.04):
                near = [best, *(digits.vary(best, degree, rng) for _ in range(12))]
                seen = SPACE.encode(np.stack([digits.render(one) for one in near]))
                best = near[np.square(seen - vector).sum(axis=1).argmin()]
            made.append(digits.render(best))
            codes.append(code)
    return np.stack(made), np.array(codes)


class DrawText:
    """DPSDA's simulator (Lin et al. 2025): degrees are those of its MNIST example, one for each of its four votes."""

    FONT, SIZE, ROTATION, STROKE = (0.8, 0.4, 0.2, 0.0), (5, 4, 3, 2), (9, 7, 5, 3), (1, 1, 0, 0)
    RANGES = ((10, 29), (-30, 30), (0, 2))  # of size, rotation and stroke

    def __init__(self, seed: int):
        self.fonts, self.rng = [*Digits(SHAPE).fonts.values()], np.random.default_rng(seed)

    def random(self, digit: int) -> tuple:
        """A picture's parameters: digit, font, size, rotation, stroke."""
        numbers = (int(self.rng.integers(low, high + 1)) for low, high in self.RANGES)
        return digit, int(self.rng.integers(len(self.fonts))), *numbers

    def vary(self, one: tuple, vote: int) -> tuple:
        """A variation by the degrees of a vote."""
        font = int(self.rng.integers(len(self.fonts))) if self.rng.random() < self.FONT[vote] else one[1]
        reaches = (self.SIZE[vote], self.ROTATION[vote], self.STROKE[vote])
        numbers = (
            int(np.clip(value + self.rng.integers(-reach, reach + 1), *span))
            for value, reach, span in zip(one[2:], reaches, self.RANGES, strict=True)
        )
        return one[0], font, *numbers

    def render(self, one: tuple) -> np.ndarray:
        """White text in the middle of a black picture, then turned."""
        digit, font, size, rotation, stroke = one
        image = Image.new("L", (SHAPE.width, SHAPE.height))
        face, draw = ImageFont.truetype(str(self.fonts[font]), size), ImageDraw.Draw(image)
        _, _, right, bottom = draw.textbbox((0, 0), f"{digit}", face, stroke_width=stroke)
        corner = ((SHAPE.width - right) / 2, (SHAPE.height - bottom) / 2)
        draw.text(corner, f"{digit}", 255, face, stroke_width=stroke)
        return np.asarray(image.rotate(rotation))


def peer(split: Split, samples: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """An arm of DPSDA, with the settings of its MNIST example: a candidate is embedded as the mean of 8 variations, the
    noisy votes less 1 are shares of a draw with replacement, and one variation of each drawn picture comes next."""
    api, each = DrawText(split.seed), samples // 10
    vectors = SPACE.encode(split.pictures[split.train])
    own = [vectors[split.digits[split.train] == digit] for digit in range(10)]
    candidates = [[api.random(digit) for _ in range(each)] for digit in range(10)]
    for vote in range(PEER_VOTES):
        for digit, of_digit in enumerate(candidates):
            looked = [SPACE.encode(np.stack([api.render(api.vary(one, vote)) for one in of_digit])) for _ in range(8)]
            seen = np.mean(looked, axis=0, dtype=np.float32)
            votes = np.bincount(nearest(own[digit], seen, 1)[:, 0], minlength=each)
            above = np.maximum(votes + api.rng.normal(0, noise, each) - 1.0, 0)
            shares = above / above.sum() if above.sum() else None
            candidates[digit] = [api.vary(of_digit[i], vote) for i in api.rng.choice(each, each, p=shares)]
    made = [one for of_digit in candidates for one in of_digit]
    return np.stack([api.render(one) for one in made]), np.array([one[0] for one in made])


def judged(split: Split, made: tuple[np.ndarray, np.ndarray], judge: Renders) -> dict[str, float]:
    """Accuracies on the held-out digits, and Frechet distances to them."""
    pictures, codes = made
    pool = np.concatenate([pictures, split.pictures[split.test]])
    rows, tests = np.arange(len(codes)), len(codes) + np.arange(len(split.test))
    truth = split.digits[split.test]
    scores = {
        name: float((fit(pool)(rows, codes, tests, 0) == truth).mean())
        for name, fit in (("nearest", nearest_neighbour), ("logistic", logistic))
    }
    n = min(MOST, len(pictures), len(split.test))
    some = np.random.default_rng(split.seed).permutation(len(pictures))[:n]
    for name, space in (("votes", SPACE), ("judge", judge)):
        real = space.encode(split.pictures[split.test])
        centre = real.mean(axis=0)
        directions = np.linalg.svd(real - centre, full_matrices=False)[2][:40].T  # n is above the dimensions
        made_there, real_there = ((side - centre) @ directions for side in (space.encode(pictures[some]), real[:n]))
        scores[f"Frechet, {name}"] = frechet_distance(real_there, made_there)
    return scores


def noise(epsilon: float, votes: int) -> float:
    """The noise multiplier at which so many votes spend epsilon."""
    delta = default_delta(VOTERS)
    return calibrate(lambda sigma: Gaussian(sigma, count=votes), target_epsilon=epsilon, delta=delta)


ARMS: dict[str, Callable[[Split], tuple[np.ndarray, np.ndarray]]] = {
    "floor": lambda split: floor(split, GIVEN["samples"]),
    "eps1": lambda split: evolved(split, EPS1, noise(1.0, EPS1["iterations"])),
    "eps8": lambda split: evolved(split, GIVEN, noise(8.0, GIVEN["iterations"])),
    "ours, 4 votes": lambda split: evolved(split, FOUR, noise(8.0, PEER_VOTES)),
    "DrawText": lambda split: peer(split, GIVEN["samples"], noise(8.0, PEER_VOTES)),
    "no noise": lambda split: evolved(split, GIVEN, None),
    "nearest renders": nearest_renders,
    "real": lambda split: tuple(side[split.train[: GIVEN["samples"]]] for side in (split.pictures, split.digits)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0, help="other seeds are other splits and other noise")
    parser.add_argument("--arms", nargs="+", default=[*ARMS])
    options = parser.parse_args()
    records = sources.load("mnist-5k").records
    pictures, digits = parquet.pixels(records), np.array([int(record.labels["digit"]) for record in records])
    found: dict[str, list[dict[str, float]]] = {arm: [] for arm in options.arms}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        split, judge = Split(pictures, digits, seed), Renders(SHAPE, seed)
        for arm in options.arms:
            began = time.process_time()
            pair = ARMS[arm](split)
            seconds = time.process_time() - began
            found[arm].append(judged(split, pair, judge) | {"seconds": seconds})
        print(f"seed {seed} done", file=sys.stderr, flush=True)
    votes, samples, fewer = GIVEN["iterations"], GIVEN["samples"], EPS1["samples"]
    print(f"{VOTERS:,} voters, {votes} votes, {samples} pictures, {fewer} at epsilon 1\n")
    means = {arm: {name: [row[name] for row in rows] for name in rows[0]} for arm, rows in found.items()}
    width = max(map(len, means))
    names = [*next(iter(means.values()))]
    print(" " * width + "".join(f"{name:>20}" for name in names))
    for arm, values in means.items():
        print(f"{arm:<{width}}" + "".join(f"{shown(values[name]):>20}" for name in names))
    if {"eps8", "real"} <= means.keys():  # on one split each, so a hard split makes neither look worse
        for name in ("nearest", "logistic"):
            apart = np.subtract(means["real"][name], means["eps8"][name])
            print(f"real less eps8, split by split, {name}: {shown(list(apart))}")
    print(json.dumps(ratios(means)))


def shown(values: list[float]) -> str:
    """A mean, and half of its 95% interval."""
    if len(values) < 2:
        return f"{values[0]:.3f}"
    reach = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{np.mean(values):.3f} ± {reach:.3f}"


def ratios(means: dict[str, dict[str, list[float]]]) -> dict[str, float]:
    """Ours over the others."""
    both = {
        "images_accuracy_over_peer": ("ours, 4 votes", "DrawText", "nearest"),
        "images_time_over_peer": ("ours, 4 votes", "DrawText", "seconds"),
        "images_frechet_over_floor": ("eps8", "floor", "Frechet, votes"),
        "images_judge_over_floor": ("eps8", "floor", "Frechet, judge"),
    }
    return {
        name: float(np.mean(means[ours][what]) / np.mean(means[other][what]))
        for name, (ours, other, what) in both.items()
        if ours in means and other in means
    }


if __name__ == "__main__":
    main()
