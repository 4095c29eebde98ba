"""Private evolution on a plane: texts are points, a variation is a small step, so everything can be checked."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lib.generation.engines.base import Completion, Request, Sampling, Usage
from lib.generation.prompt_file import PromptFile
from lib.methods.private_evolution.evolution import Evolution, Voters
from lib.methods.private_evolution.modality import text_modality
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.text_api import Api, Writing

CELLS = [{"side": "left"}, {"side": "right"}]
PROMPTS = """
about: points of a plane
labels: [side]
one_line: true
random: ["Name a {colour} point on the {side}."]
rephrase: ["In a {colour} way: {text}"]
fill: ["Fill: {text}"]
draws: {colour: [red, green, blue, black, white, grey, pink, brown]}
"""
POINT = re.compile(r"at (-?[\d.]+) and (-?[\d.]+)")
VOTERS = Voters(
    np.random.default_rng(0).normal([3, 3], 0.5, (400, 2)).astype(np.float32), np.repeat([0, 1], [100, 300])
)


class Plane:
    """A chat model that answers with points: anywhere for RANDOM_API, near the parent for VARIATION_API."""

    name = "plane"

    def __init__(self) -> None:
        self.usage = Usage()
        self.asked: list[list[Request]] = []
        self.scripted: list[Completion] = []  # given first
        self.die_at: int | None = None  # the call of `reply` that is killed

    def reply(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        self.asked.append(list(requests))
        if len(self.asked) == self.die_at:
            raise KeyboardInterrupt
        for number, request in reversed(list(enumerate(requests))):
            if self.scripted:
                yield number, self.scripted.pop(0)
                continue
            rng = np.random.default_rng([sampling.seed, number])
            parent = POINT.search(request.messages[-1][1])
            x, y = (np.array(parent.groups(), float) + rng.normal(0, 0.3, 2)) if parent else rng.uniform(-5, 5, 2)
            yield number, Completion(f"at {x:.4f} and {y:.4f}", 4, True)


def embed(texts: Sequence[str]) -> np.ndarray:
    """The points that texts name, (texts, 2)."""
    return np.array([POINT.search(text).groups() for text in texts], dtype=np.float32)


class Eyes:
    """The encoder of texts that a function embeds; without one, that of points."""

    fingerprint = "eyes"

    def __init__(self, function=embed) -> None:
        self.encode = function


def on_plane(
    prompts: PromptFile, folder: Path, model: Plane | None = None, voters: Voters = VOTERS, **changes: object
) -> Evolution:
    """An evolution of 3 iterations and 8 samples, a quarter of them left, with other settings where they are given."""
    settings = {"iterations": 3, "samples": 8, "noise_multiplier": 1.0, "privacy_seed": 1} | changes
    return Evolution(
        text_modality(Api(model or Plane(), prompts, Writing(Sampling(seed=5), max_new_tokens=16)), Eyes()),
        voters,
        cells=CELLS,
        shares=np.array([0.25, 0.75]),
        catalogue=[],
        settings=Settings(**settings),
        folder=folder,
    )
