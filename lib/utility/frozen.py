"""The frozen lower layers of a language model, run once for each text, however often the layers above are trained.

Adapters on the upper layers leave the lower ones as they are, so what these give for a text is the same in every
training of every set. `split_off` puts `Remembered` in their place.
"""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel

from lib.per_sample import by_length

PAD = -1  # fills the rows of shorter texts; no token's number, so a row tells where its text ends
TOKENS_AT_ONCE = 1024  # of texts that the lower layers read together
MOST_BYTES = 2**31  # of kept states; what comes after is computed each time
PROBE = 12  # tokens that decide whether a model can be split


class Remembered(nn.Module):
    """Stands where the token embedding was: hidden states (rows, tokens, width) of ids (rows, tokens), kept by text.

    ``lower`` gives them for ids that are padded with any token. It is kept outside of the module, whose parameters are
    trained and saved.
    """

    def __init__(self, lower: Callable[[torch.Tensor], torch.Tensor]):
        super().__init__()
        self._lower = lower
        self._kept: dict[bytes, torch.Tensor] = {}
        self.computed = 0  # texts that went through the lower layers
        self._bytes = 0

    @torch.no_grad()
    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        texts = [row[row != PAD] for row in ids.cpu()]
        names = [text.numpy().tobytes() for text in texts]
        states = self._states(dict(zip(names, texts, strict=True)), ids.device)
        padded = nn.utils.rnn.pad_sequence([states[name] for name in names], batch_first=True)
        return nn.functional.pad(padded, (0, 0, 0, ids.shape[1] - padded.shape[1]))

    def _states(self, texts: dict[bytes, torch.Tensor], device: torch.device) -> dict[bytes, torch.Tensor]:
        new = [name for name in texts if name not in self._kept]
        found = {name: self._kept[name] for name in texts if name in self._kept}
        for part in by_length([1] * len(new), [len(texts[name]) for name in new], TOKENS_AT_ONCE):
            ids = nn.utils.rnn.pad_sequence([texts[new[i]] for i in part], batch_first=True).to(device)
            for i, states in zip(part, self._lower(ids), strict=True):
                found[new[i]] = states[: len(texts[new[i]])].clone()
        self.computed += len(new)
        for name in new:
            self._bytes += found[name].nbytes
            if self._bytes <= MOST_BYTES:
                self._kept[name] = found[name]
        return found


def split_off(model: PreTrainedModel, first: int) -> Remembered | None:
    """Put `Remembered` in the place of ``model``'s embedding and its layers below ``first``; None if it cannot be.

    It can where a decoder is an embedding, ``layers`` of one kind and a ``norm``, and nothing else that counts: the
    model gives the same logits before and after, or is left as it was.
    """
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
    layers = getattr(decoder, "layers", None)
    kinds = set(getattr(model.config, "layer_types", None) or [])  # attention's, told by a layer's number
    if not isinstance(layers, nn.ModuleList) or not hasattr(decoder, "norm") or len(kinds) > 1:
        return None
    if not 0 < first < len(layers):
        return None
    lower = copy.copy(decoder)  # shares weights and hooks, with its own list of parts
    lower._modules = {**decoder._modules, "layers": layers[:first], "norm": nn.Identity()}
    remembered = Remembered(lambda ids: lower.eval()(input_ids=ids, use_cache=False).last_hidden_state)
    embedding, probe = model.get_input_embeddings(), torch.arange(1, PROBE + 1, device=model.device)[None]
    before = _logits(model, probe)
    decoder.layers = layers[first:]
    model.set_input_embeddings(remembered)
    slack = 1e-4 if before.dtype == torch.float32 else 0.03
    if torch.allclose(_logits(model, probe), before, rtol=slack, atol=slack):
        return remembered
    decoder.layers = layers
    model.set_input_embeddings(embedding)
    return None


def mean_states(remembered: Remembered, texts: Sequence[Sequence[int]], device: torch.device) -> np.ndarray:
    """The mean over its tokens of what the lower layers give for each text, float32 (texts, width): an embedding.

    The first token is left out where there are more: attention rests on it, so its state is large, and alike in all
    texts (Xiao et al. 2023, arXiv:2309.17453).
    """
    means: list[torch.Tensor] = [torch.empty(0)] * len(texts)
    for part in by_length([1] * len(texts), [len(ids) for ids in texts], TOKENS_AT_ONCE):
        ids = [torch.tensor(texts[i], device=device) for i in part]
        states = remembered(nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=PAD))
        for i, own in zip(part, states, strict=True):
            length = len(texts[i])
            means[i] = own[min(1, length - 1) : length].float().mean(0).cpu()
    return torch.stack(means).numpy()


@torch.no_grad()
def _logits(model: PreTrainedModel, ids: torch.Tensor) -> torch.Tensor:
    return model(input_ids=ids, use_cache=False).logits
