"""Texts of 11_generate written again, for an audit: by another adapter or direction, drawn as the arm drew its own."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from lib.common.files import read_json
from lib.data import labels
from lib.generation import generate
from lib.generation.engines.base import Engine
from lib.models.prompt import Prompt


def texts(
    engine: Engine,
    template: Prompt,
    given: Mapping[str, object],
    corpus: Path,
    count: int,
    progress: Callable[[int], object],
    moved: Callable[[Sequence[Mapping[str, str]]], Sequence[int]] | None = None,
) -> list[str]:
    """Write texts.

    Args:
        engine: the model.
        template: its prompt.
        given: parameters of 11_generate, of the arm.
        corpus: folder of the corpus stage, with its label histogram and catalogue.
        count: texts to ask for, at least 1.
        progress: called with the number of texts newly accepted.
        moved: for an engine with ``steering``, label sets -> the direction of each.

    Returns:
        The texts, at most ``count``.

    Raises:
        DoppelError: no completion was accepted.
    """
    histogram, catalogue = (read_json(corpus / f"{name}.json") for name in ("label_histogram", "catalogue"))
    wanted = labels.draw(histogram, catalogue, count, np.random.default_rng(given["seed"]))
    sampling = generate.Sampling.of(given)
    made, _ = generate.generate_records(
        engine,
        template,
        wanted,
        sampling,
        without_label=template.unlabelled(given["prompt_without_label"]) if sampling.guidance else None,
        moved=None if moved is None else moved(wanted),
        max_attempts=given["max_attempts"],
        progress=progress,
    )
    return [record.text.reveal() for record in made]
