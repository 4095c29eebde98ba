"""States of a private corpus, read once for each model and kept on the disk: arms of other budgets begin with them.

A record's state depends on nothing but the record, its prompt and the model (`lib.methods.steering.states`), so states
that were kept are to the bit those that would be read again. They reveal much about their records, and are kept as
`lib.models.encoders.embed_private` keeps its vectors: for the owner alone, in shards that a killed run goes on with.

Another machine rounds otherwise. The L2 sensitivity of `lib.methods.steering.total` compares a corpus with one that has
a unit more, both read alike; if one were taken from the disk as another machine read it, all units would differ a
little. So states are found again only where they would be read alike: by the same kind of processor or card, with as
many threads and the same PyTorch.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lib.data.private_text import PrivateText
from lib.methods.steering.states import Reader
from lib.models.encoders import CACHE, Encoder, Progress, embed_private
from lib.models.examples import Example
from lib.models.loading import fingerprint

AT_ONCE = 4096  # states that are taken from the disk at once


@dataclass(frozen=True)
class KeptReader(Reader):
    """A reader that finds on the disk what was read before.

    Attributes:
        name: of the model, as `lib.models.loading.locate` takes it.
        progress: called with the number of examples newly read; with all at once where they were kept.
        cache: the folder that states are kept in.
    """

    name: str
    progress: Callable[[int], object] = lambda done: None
    cache: Path = CACHE

    def read(self, examples: Sequence[Example]) -> Iterator[tuple[list[int], np.ndarray]]:
        """The states of private texts, as `Reader.read` yields them, in the order of the examples."""
        if not examples:
            return
        states = _States(Reader(self.model, self.layers, self.tokens, self.longest), self.name)
        found = embed_private(states, [_spelled(example) for example in examples], self.cache, self.progress)
        for start in range(0, len(examples), AT_ONCE):
            group = list(range(start, min(start + AT_ONCE, len(examples))))
            yield group, np.array(found[group]).reshape(len(group), len(self.layers), -1)


class _States(Encoder):
    """A reader as an encoder of examples that are spelled out."""

    def __init__(self, reader: Reader, name: str):
        self.reader = reader
        decides = [list(reader.layers), reader.tokens, str(reader.model.dtype), fingerprint(name), *machine(reader)]
        content, width = f"states {decides}", len(reader.layers) * reader.model.config.hidden_size
        super().__init__(hashlib.sha256(content.encode()).hexdigest(), width, batch_size=1)

    def encode(self, texts: Sequence[str | PrivateText], progress: Progress = lambda texts_done: None) -> np.ndarray:
        """As `Encoder.encode` does, in the batches of the reader."""
        spelled = (text.reveal() if isinstance(text, PrivateText) else text for text in texts)
        examples = [Example(*json.loads(one), unit=0) for one in spelled]
        vectors = np.empty((len(examples), self.width), np.float32)
        for group, states in self.reader.read(examples):
            vectors[group] = states.reshape(len(group), -1)
            progress(len(group))
        return vectors

    def _encode_batch(self, texts: list[str]) -> np.ndarray:
        return self.encode(texts)


def machine(reader: Reader) -> list[str]:
    """What decides how the reader's machine rounds."""
    device = reader.model.device
    processor = torch.cuda.get_device_name(device) if device.type == "cuda" else torch.backends.cpu.get_cpu_capability()
    return [device.type, processor, str(torch.get_num_threads()), torch.__version__]


def _spelled(example: Example) -> PrivateText:
    """Its token ids: what its states depend on."""
    return PrivateText(json.dumps([list(example.prompt), list(example.completion)]))
