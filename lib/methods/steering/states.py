"""What a text does to a model's hidden states, and what public texts do.

A text's state is the mean of what leaves a layer, over the positions from which its tokens are predicted: those at
which `lib.models.hidden_states.Directions` moves it later, when the model writes.

A matrix product adds up its terms in an order that depends on its shape, and another order rounds differently. If other
records set the shapes, one unit more would change what is computed of others, and the clipped sum by more than the
clip. So a text's own length alone sets the shape of its batch, in positions and in rows; free rows are filled up. What
remains is that a row might depend on the contents of the others or on its place: `Reader.open` measures that on made-up
tokens, goes on in float32 where bfloat16 fails, and refuses a machine on which float32 fails too.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from lib.common.errors import DoppelError
from lib.methods.dp_lora.settings import rounded
from lib.models import hidden_states
from lib.models.examples import Example

PROBED = (16, 64, 256, 1024)  # positions of the made-up texts that are measured, up to the longest text there can be


@dataclass(frozen=True)
class Reader:
    """A model that texts are read by.

    Attributes:
        model: in eval mode.
        layers: numbers of the layers whose states are read, at least one.
        tokens: the most of a batch, padding counted; a longer text is a batch by itself.
        longest: the most tokens of a text and its prompt, from public settings; at least 2.
    """

    model: PreTrainedModel
    layers: Sequence[int]
    tokens: int
    longest: int

    @classmethod
    def open(cls, model: PreTrainedModel, layers: Sequence[int] | None, tokens: int, longest: int) -> "Reader":
        """A reader whose texts do not move each other's states.

        Args:
            model: in eval mode; in bfloat16 it becomes float32 where rows depend on each other.
            layers: as `lib.models.hidden_states.chosen_layers` takes them.
            tokens: the most of a batch.
            longest: the most tokens of a text and its prompt.

        Raises:
            DoppelError: there are no such layers, or rows depend on each other in float32 too.
        """
        reader = cls(model, hidden_states.chosen_layers(model, layers), tokens, longest)
        if model.dtype == torch.bfloat16 and not reader.rows_are_independent():
            model.float()
            print("bfloat16 would let one record move what is computed of others on this machine: float32 is used")
        if model.dtype == torch.float32 and not reader.rows_are_independent():
            raise DoppelError(
                "methods.rows_depend",
                "what is computed of a text depends on the texts beside it, so the clip would not hold",
                name="tokens_at_once",
                value=tokens,
                remedy="set tokens_at_once: 1, so that each text is read by itself",
            )
        return reader

    def read(self, examples: Sequence[Example]) -> Iterator[tuple[list[int], np.ndarray]]:
        """The states of texts, batch by batch. Private where the texts are.

        Args:
            examples: any number.

        Yields:
            Indices of the examples of a batch, k of them, and their states, float32, shape (k, layers, width).
        """
        by_width: dict[int, list[int]] = {}
        for index, example in enumerate(examples):
            by_width.setdefault(self._width(example), []).append(index)
        for width, members in sorted(by_width.items()):
            rows = self._rows(width)
            for start in range(0, len(members), rows):
                group = members[start : start + rows]
                yield group, self._states([examples[i] for i in group], width)

    def rows_are_independent(self) -> bool:
        """Whether a text's states have the same bits whoever shares its batch, and at whatever row.

        Measured on made-up tokens, so it says nothing about records. It is a measurement at these shapes, no proof for
        others.
        """
        draws, vocabulary = torch.Generator().manual_seed(0), self.model.get_input_embeddings().num_embeddings

        def made_up(length: int) -> Example:
            ids = torch.randint(vocabulary, (length,), generator=draws).tolist()
            return Example(ids[: length // 2], ids[length // 2 :], 0)

        for length in {*(length for length in PROBED if length < self.longest), self.longest}:
            probe = made_up(length)
            width = self._width(probe)
            others = [made_up(length) for _ in range(self._rows(width) - 1)]
            alone, beside = self._states([probe], width)[0], self._states([*others, probe], width)[-1]
            if not np.array_equal(alone, beside):
                return False
        return True

    def _width(self, example: Example) -> int:
        """Positions of a batch with this example: its own length, rounded up; nothing is predicted from its last."""
        needed, most = len(example) - 1, getattr(self.model.config, "max_position_embeddings", None)
        return max(needed, min(rounded(needed), most or math.inf))

    def _rows(self, width: int) -> int:
        return max(1, self.tokens // width)

    def _states(self, examples: Sequence[Example], width: int) -> np.ndarray:
        ids = torch.zeros((self._rows(width), width), dtype=torch.long)
        weights = torch.zeros(ids.shape)
        for row, example in enumerate(examples):
            read = [*example.prompt, *example.completion][:-1]
            ids[row, : len(read)] = torch.tensor(read)
            weights[row, len(example.prompt) - 1 : len(read)] = 1 / len(example.completion)
        device = self.model.device
        means = hidden_states.means(self.model, ids.to(device), weights.to(device), self.layers)
        return means[: len(examples)].cpu().numpy()


@dataclass(frozen=True)
class Public:
    """What texts that the model wrote by itself, from labels alone, do to its states. Not private.

    Attributes:
        means: mean states of each combination of labels, float64, shape (rows, layers, width).
        spread: of each layer, the median distance of a text's state from the mean of its labels, (layers,); above 0.
    """

    means: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(
        cls,
        reader: Reader,
        examples: Sequence[Example],
        rows: np.ndarray,
        count: int,
        progress: Callable[[int], object] = lambda done: None,
    ) -> "Public":
        """Read public texts.

        Args:
            reader: of the model.
            examples: the texts, at least one.
            rows: number of each text's labels, int, shape (texts,).
            count: combinations of labels; one without a text gets the mean of all texts.
            progress: called with the number of texts newly read.
        """
        states = np.zeros((len(examples), len(reader.layers), reader.model.config.hidden_size))
        for group, read in reader.read(examples):
            states[group] = read
            progress(len(group))
        means = np.stack(
            [states[rows == row].mean(0) if (rows == row).any() else states.mean(0) for row in range(count)]
        )
        distances = np.median(np.linalg.norm(states - means[rows], axis=2), axis=0)
        return cls(means, np.where(distances > 0, distances, 1.0))

    def vectors(self, states: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """How far texts are from public ones of their labels; the norm of a usual public text's vector is 1.

        Args:
            states: of k texts, shape (k, layers, width).
            rows: number of each text's labels, shape (k,).

        Returns:
            float64, shape (k, layers x width).
        """
        return ((states - self.means[rows]) / self._scale()).reshape(len(states), -1)

    def directions(self, vectors: np.ndarray) -> np.ndarray:
        """The reverse of `vectors`: what to add to states.

        Args:
            vectors: shape (k, layers x width).

        Returns:
            float32, shape (k, layers, width).
        """
        return (vectors.reshape(-1, *self.means.shape[1:]) * self._scale()).astype(np.float32)

    def _scale(self) -> np.ndarray:
        """So that all layers together count as much as one."""
        return self.spread[:, None] * math.sqrt(len(self.spread))
