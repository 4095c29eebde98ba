"""The frozen lower layers of a model, run once for each text, however often the layers above are trained.

Where only upper layers learn, what the lower ones give for a text is the same in every training of every set.
`split_decoder` and `split_encoder` put `Remembered` in their place.
"""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel

from lib.models.examples import by_length

PAD = -1  # fills the rows of shorter texts; no token's number, so a row tells where its text ends
TOKENS_AT_ONCE = 1024  # of texts that the lower layers read together
MOST_BYTES = 2**31  # of kept states; what comes after is computed each time
PROBE = 12  # tokens that decide whether a model can be split


class Remembered(nn.Module):
    """Stands where the embedding was: hidden states (rows, tokens, width) of ids (rows, tokens), kept by text.

    ``lower(ids, mask)`` gives them for ids that are padded with any token, where the mask (rows, tokens) is 0. It is no
    part of the module, whose parameters are trained and saved; copies of a model share what is remembered.
    """

    def __init__(self, lower: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]):
        super().__init__()
        self._lower = lower
        self._kept: dict[bytes, torch.Tensor] = {}
        self.computed = 0  # texts that went through the lower layers
        self._bytes = 0

    def __deepcopy__(self, memo: dict) -> "Remembered":
        return self

    @torch.no_grad()
    def forward(self, input_ids: torch.Tensor, **positions_and_types: object) -> torch.Tensor:
        """What encoders pass besides the ids follows from them, or is its default."""
        texts = [row[row != PAD] for row in input_ids.cpu()]
        names = [text.numpy().tobytes() for text in texts]
        states = self._states(dict(zip(names, texts, strict=True)), input_ids.device)
        padded = nn.utils.rnn.pad_sequence([states[name] for name in names], batch_first=True)
        return nn.functional.pad(padded, (0, 0, 0, input_ids.shape[1] - padded.shape[1]))

    def beginnings(self, texts: Sequence[Sequence[int]], lengths: Sequence[int], device: torch.device) -> np.ndarray:
        """Read texts, and keep the first ``lengths`` tokens of each as a text of its own, too.

        For causal layers alone, which give a beginning the same whatever follows. Returns the mean states of the
        beginnings, float32 (texts, width): an embedding. Their first token is left out where there are more: attention
        rests on it, so its state is large, and alike in all texts (Xiao et al. 2023, arXiv:2309.17453).
        """
        means: list[torch.Tensor] = [torch.empty(0)] * len(texts)
        for part in by_length([1] * len(texts), [len(ids) for ids in texts], TOKENS_AT_ONCE):
            rows = [torch.tensor(texts[i]) for i in part]
            states = self(nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD).to(device))
            for i, row, own in zip(part, rows, states, strict=True):
                whole, short = (row[:length].numpy().tobytes() for length in (len(row), lengths[i]))
                if whole in self._kept:  # a view of it takes no memory
                    self._kept.setdefault(short, self._kept[whole][: lengths[i]])
                means[i] = own[min(1, lengths[i] - 1) : lengths[i]].float().mean(0).cpu()
        return torch.stack(means).numpy()

    def _states(self, texts: dict[bytes, torch.Tensor], device: torch.device) -> dict[bytes, torch.Tensor]:
        new = [name for name in texts if name not in self._kept]
        found = {name: self._kept[name] for name in texts if name in self._kept}
        for part in by_length([1] * len(new), [len(texts[name]) for name in new], TOKENS_AT_ONCE):
            ids = nn.utils.rnn.pad_sequence([texts[new[i]] for i in part], batch_first=True, padding_value=PAD)
            ids = ids.to(device)
            for i, states in zip(part, self._lower(ids.clamp(min=0), (ids != PAD).long()), strict=True):
                found[new[i]] = states[: len(texts[new[i]])].clone()
        self.computed += len(new)
        for name in new:
            self._bytes += found[name].nbytes
            if self._bytes <= MOST_BYTES:
                self._kept[name] = found[name]
        return found


def split_decoder(model: PreTrainedModel, first: int) -> Remembered | None:
    """Put `Remembered` in the place of a language model's embedding and its layers below ``first``.

    That goes where a decoder is an embedding, ``layers`` of one kind, a ``norm``, and nothing else that counts: the
    model must give the same before and after. Else it is left as it was, and the answer is None.
    """
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
    layers, names = getattr(decoder, "layers", None), dict(decoder.named_children() if decoder is not None else ())
    kinds = set(getattr(model.config, "layer_types", None) or [])  # attention's, told by a layer's number
    if not _divides(layers, first) or "norm" not in names or len(kinds) > 1:
        return None
    lower = _variant(decoder, layers=layers[:first], norm=nn.Identity())
    remembered = Remembered(lambda ids, mask: lower.eval()(input_ids=ids, use_cache=False).last_hidden_state)
    embedding = next(name for name, part in names.items() if part is model.get_input_embeddings())
    return _replace(model, [(decoder, "layers", layers[first:]), (decoder, embedding, remembered)], remembered)


def split_encoder(model: PreTrainedModel, first: int) -> Remembered | None:
    """The same for an encoder of the BERT family: ``embeddings``, and ``layer`` in its ``encoder``."""
    stack = getattr(model, "encoder", None)
    layers = getattr(stack, "layer", None)
    if not _divides(layers, first) or not hasattr(model, "embeddings"):
        return None
    lower = _variant(model, encoder=_variant(stack, layer=layers[:first]), pooler=None)
    remembered = Remembered(lambda ids, mask: lower.eval()(input_ids=ids, attention_mask=mask).last_hidden_state)
    return _replace(model, [(stack, "layer", layers[first:]), (model, "embeddings", remembered)], remembered)


def _divides(layers: object, first: int) -> bool:
    return isinstance(layers, nn.ModuleList) and 0 < first < len(layers)


def _variant(module: nn.Module, **parts: nn.Module | None) -> nn.Module:
    """The same module, weights shared, with other ``parts`` in places of its own."""
    made = copy.copy(module)
    made._modules = {**module._modules, **parts}
    return made


def _replace(
    model: PreTrainedModel, parts: Sequence[tuple[nn.Module, str, nn.Module]], remembered: Remembered
) -> Remembered | None:
    """Set parts (owner, name, new part) and keep them where the model gives the same on a probe."""
    probe = torch.arange(1, PROBE + 1, device=model.device)[None]
    before, old = _output(model, probe), [getattr(owner, name) for owner, name, _ in parts]
    for owner, name, part in parts:
        setattr(owner, name, part)
    slack = 1e-4 if before.dtype == torch.float32 else 0.03
    if torch.allclose(_output(model, probe), before, rtol=slack, atol=slack):
        return remembered
    for (owner, name, _), part in zip(parts, old, strict=True):
        setattr(owner, name, part)
    return None


@torch.no_grad()
def _output(model: PreTrainedModel, ids: torch.Tensor) -> torch.Tensor:
    """Logits of a language model, the last hidden states of an encoder."""
    return model(input_ids=ids, attention_mask=torch.ones_like(ids))[0]
