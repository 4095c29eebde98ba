"""From the parameters of a stage to a noisy mean direction for each combination of labels.

Unit, neighbours, sampler and sensitivity are those of `lib.methods.steering.total`: one Gaussian release. What it is
computed with is public: the model, and texts that this model writes from labels alone. The noisy sums are written to
the disk before they are used. A run that was killed reads them again, so no noise is drawn twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lib.common.errors import DoppelError
from lib.common.files import read_json, write_array
from lib.data import labels
from lib.data.records import Record
from lib.generation import generate
from lib.generation.engines.transformers_engine import TransformersEngine
from lib.methods.steering.states import Public, Reader
from lib.methods.steering.total import Total, averaged
from lib.models.examples import Example, encode_all
from lib.models.hidden_states import Directions
from lib.models.prompt import Prompt

NOISY = "noisy-{}.npy"  # among the checkpoints: the sums with noise of this multiplier
FILE = "directions.npy"  # of the stage: a direction for each combination of labels, and last one for none in particular
MODEL = "model.json"  # of the stage: the model, its prompt, and the layers


@dataclass(frozen=True)
class Asked:
    """A model, and how it is asked for texts.

    Attributes:
        engine: that writes by the model.
        template: its prompt.
        sampling: how it writes public texts.
        max_tokens: the most tokens of a record that are read, EOS counted.
        unit: of the guarantee, ``record`` or ``user``.
    """

    engine: TransformersEngine
    template: Prompt
    sampling: generate.Sampling
    max_tokens: int
    unit: str

    @classmethod
    def open(cls, parameters: Mapping[str, object], unit: str) -> "Asked":
        """Load the model.

        Args:
            parameters: of 10_steer.
            unit: of the guarantee.
        """
        machine = {name: parameters[name] for name in ("device", "dtype", "batch_size")}
        engine = TransformersEngine(str(parameters["model"]), **machine)
        engine.steering = Directions((), torch.zeros(1, 0, 0))  # moves nothing: texts are drawn as steered ones will be
        template = Prompt(str(parameters["prompt"]), parameters["chat"])
        sampling = generate.Sampling.of(dict(parameters) | {"max_new_tokens": parameters["max_tokens"]})
        return cls(engine, template, sampling, parameters["max_tokens"], unit)

    def reader(self, layers: Sequence[int] | None, tokens: int, labels: Sequence[Mapping[str, str]]) -> Reader:
        """What reads texts by the model.

        Args:
            layers: as `lib.methods.steering.states.Reader.open` takes them, and so is ``tokens``.
            tokens: the most of a batch.
            labels: label sets that texts may have; the longest prompt and ``max_tokens`` say how long a text can be.
        """
        longest = max(len(self.template.build(self.engine.tokenizer, one)) for one in labels)
        return Reader.open(self.engine.model, layers, tokens, longest + self.max_tokens)

    def examples(self, records: Sequence[Record]) -> list[Example]:
        """The records as token ids behind the prompt, in their order."""
        given = {"max_tokens": self.max_tokens, "unit": self.unit}
        return encode_all(records, self.engine.tokenizer, self.template, **given)[0]

    def public_texts(
        self,
        cells: Sequence[Mapping[str, str]],
        catalogue: Sequence[Mapping[str, str]],
        each: int,
        seed: int,
        progress: Callable[[int], object] = lambda done: None,
    ) -> list[Record]:
        """Texts that the model writes by itself.

        Args:
            cells: labels of each cell, name -> value.
            catalogue: rows of the public catalogue; may be empty.
            each: texts of each cell, at least 1.
            seed: draws rows of the catalogue.
            progress: called with the number of texts newly written.
        """
        draw = np.random.default_rng(seed)
        alone = ({"cells": [cell], "noisy_counts": [1]} for cell in cells)
        wanted = [one for histogram in alone for one in labels.draw(histogram, catalogue, each, draw)]
        how = {"moved": [0] * len(wanted), "progress": progress}
        return generate.generate_records(self.engine, self.template, wanted, self.sampling, **how)[0]


def summed(
    reader: Reader,
    public: Public,
    examples: Sequence[Example],
    rows: np.ndarray,
    clip: float | None,
    progress: Callable[[int], object] = lambda done: None,
) -> Total:
    """The clipped sums of private records. Private.

    Args:
        reader: of the model.
        public: what is taken off.
        examples: the records; their ``unit`` says who they are of.
        rows: number of each record's cell, int, shape (records,).
        clip: as `lib.methods.steering.total.Total` takes it.
        progress: called with the number of records newly read.
    """
    total = Total(len(public.means), public.means[0].size, clip)
    units = np.array([example.unit for example in examples], int)
    shares = 1 / np.bincount(units)[units] if len(units) else np.zeros(0)
    for group, states in reader.read(examples):
        total.add(public.vectors(states, rows[group]), rows[group], shares[group])
        progress(len(group))
    return total


def released(total: Total, noise_multiplier: float | None, privacy_seed: int | None, folder: Path) -> np.ndarray:
    """The noisy sums: drawn, or read where this run has drawn them before it was killed.

    Args:
        total: of the private records.
        noise_multiplier: as `lib.methods.steering.total.Total.noisy` takes it, and so is ``privacy_seed``.
        privacy_seed: of the noise.
        folder: of the checkpoints.

    Returns:
        float64, shape (cells, layers x width).
    """
    file = folder / NOISY.format(noise_multiplier)
    if not file.is_file():
        write_array(file, total.noisy(noise_multiplier, privacy_seed))
    return np.load(file)


def directions(
    noisy: np.ndarray, public: Public, histogram: Mapping, clip: float, noise_multiplier: float | None
) -> np.ndarray:
    """What to add to the model's states: post-processing of noisy sums and noisy counts.

    Args:
        noisy: the sums, shape (cells, layers x width).
        public: what they are relative to.
        histogram: of 00_process_data, with ``noisy_counts``.
        clip: of the sums.
        noise_multiplier: of the sums; None for no noise.

    Returns:
        float32, shape (cells + 1, layers, width): of each cell, and of all of them by their noisy shares.
    """
    counts = np.asarray(histogram["noisy_counts"])
    means = averaged(noisy, counts, (noise_multiplier or 0.0) * clip)
    return public.directions(np.vstack([means, labels.probabilities(counts) @ means]))


def read(stage: Path, strength: float) -> Directions:
    """The directions that a finished stage of 10_steer wrote.

    Args:
        stage: its folder.
        strength: factor of all of them.
    """
    return Directions(read_json(stage / MODEL)["layers"], torch.from_numpy(np.load(stage / FILE))).times(strength)


def numbers(wanted: Sequence[Mapping[str, str]], cells: Sequence[Mapping[str, str]]) -> list[int]:
    """The direction of each label set: that of its cell.

    Args:
        wanted: label name -> value; may have labels of the catalogue too.
        cells: labels of each cell.

    Raises:
        DoppelError: a label set is of no cell.
    """
    try:
        return labels.numbers_of(wanted, cells).tolist()
    except KeyError:
        raise DoppelError(
            "methods.no_direction", "a label set is of no cell of the label histogram", name="labels"
        ) from None
