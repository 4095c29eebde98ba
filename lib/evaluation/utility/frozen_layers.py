"""Run the frozen lower layers of a model once for each text, however often the layers above are trained.

Where only upper layers learn, the output of the lower ones for a text is the same in every training on every set.
`split_decoder` and `split_encoder` replace the lower layers by `CachedLayers`.
"""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel

from lib.models.examples import by_length

PAD = -1  # fills the rows of shorter texts; no token has this id, so a row shows where its text ends
TOKENS_AT_ONCE = 1024  # of texts that the lower layers read together
MAX_BYTES = 2**31  # of cached states; texts beyond it are computed each time
PROBE = 12  # tokens on which the split model is compared with the whole one


class CachedLayers(nn.Module):
    """Takes the place of a model's embedding: maps token ids (rows, tokens) to hidden states (rows, tokens, width).

    States are kept by text. The lower layers are not registered as a submodule, so they are neither trained nor saved;
    copies of a model share one cache.

    Args:
        lower: the layers to run, called with ids (rows, tokens) and a mask that is 0 where a row is padded; the ids
            there are any token. Returns hidden states.

    Attributes:
        computed: texts that went through the lower layers so far.
    """

    def __init__(self, lower: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]):
        super().__init__()
        self._lower = lower
        self._kept: dict[bytes, torch.Tensor] = {}
        self.computed = 0
        self._bytes = 0

    def __deepcopy__(self, memo: dict) -> "CachedLayers":
        return self

    @torch.no_grad()
    def forward(self, input_ids: torch.Tensor, **positions_and_types: object) -> torch.Tensor:
        """Hidden states of ``input_ids``, padded with `PAD`; 0 where padded.

        ``positions_and_types`` are ignored: what encoders pass there follows from the ids, or is the default.
        """
        texts = [row[row != PAD] for row in input_ids.cpu()]
        keys = [text.numpy().tobytes() for text in texts]
        states = self._states(dict(zip(keys, texts, strict=True)), input_ids.device)
        padded = nn.utils.rnn.pad_sequence([states[key] for key in keys], batch_first=True)
        return nn.functional.pad(padded, (0, 0, 0, input_ids.shape[1] - padded.shape[1]))

    def prefix_means(self, texts: Sequence[Sequence[int]], lengths: Sequence[int], device: torch.device) -> np.ndarray:
        """Embeddings of prefixes: mean hidden states, float32 (texts, width). Caches each text and each prefix.

        For causal layers alone, where the states of a prefix do not depend on what follows. The mean leaves out the
        first token of longer prefixes: attention rests on it, so its state is large, and similar in all texts (Xiao et
        al. 2023, arXiv:2309.17453).

        Args:
            texts: token ids of each text.
            lengths: tokens of each text that are its prefix.
            device: where the lower layers are.
        """
        means: list[torch.Tensor] = [torch.empty(0)] * len(texts)
        for group in by_length([1] * len(texts), [len(ids) for ids in texts], TOKENS_AT_ONCE):
            rows = [torch.tensor(texts[i]) for i in group]
            states = self(nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD).to(device))
            for i, row, own in zip(group, rows, states, strict=True):
                text, prefix = (row[:length].numpy().tobytes() for length in (len(row), lengths[i]))
                if text in self._kept:  # a view of it takes no memory
                    self._kept.setdefault(prefix, self._kept[text][: lengths[i]])
                means[i] = own[min(1, lengths[i] - 1) : lengths[i]].float().mean(0).cpu()
        return torch.stack(means).numpy()

    def _states(self, texts: dict[bytes, torch.Tensor], device: torch.device) -> dict[bytes, torch.Tensor]:
        new = [key for key in texts if key not in self._kept]
        states = {key: self._kept[key] for key in texts if key in self._kept}
        for group in by_length([1] * len(new), [len(texts[key]) for key in new], TOKENS_AT_ONCE):
            ids = nn.utils.rnn.pad_sequence([texts[new[i]] for i in group], batch_first=True, padding_value=PAD)
            ids = ids.to(device)
            for i, own in zip(group, self._lower(ids.clamp(min=0), (ids != PAD).long()), strict=True):
                states[new[i]] = own[: len(texts[new[i]])].clone()
        self.computed += len(new)
        for key in new:
            self._bytes += states[key].nbytes
            if self._bytes <= MAX_BYTES:
                self._kept[key] = states[key]
        return states


def split_decoder(model: PreTrainedModel, first: int) -> CachedLayers | None:
    """Replace a language model's embedding and its layers below ``first`` by `CachedLayers`.

    This works for a decoder that is an embedding, ``layers`` of one attention type and a ``norm``, with nothing else
    in between; whether it does is checked by comparing the output before and after.

    Args:
        model: changed in place; left as it was where it cannot be split.
        first: number of the first layer that is trained; 1 to the number of layers less 1.

    Returns:
        The cache, or None where the model cannot be split.
    """
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
    layers, children = getattr(decoder, "layers", None), dict(decoder.named_children() if decoder is not None else ())
    attention_types = set(getattr(model.config, "layer_types", None) or [])  # looked up by a layer's number
    if not _divides(layers, first) or "norm" not in children or len(attention_types) > 1:
        return None
    lower = _variant(decoder, layers=layers[:first], norm=nn.Identity())
    cache = CachedLayers(lambda ids, mask: lower.eval()(input_ids=ids, use_cache=False).last_hidden_state)
    embedding = next(name for name, child in children.items() if child is model.get_input_embeddings())
    return _replace(model, [(decoder, "layers", layers[first:]), (decoder, embedding, cache)], cache)


def split_encoder(model: PreTrainedModel, first: int) -> CachedLayers | None:
    """`split_decoder` for an encoder of the BERT family, which has ``embeddings`` and an ``encoder`` of ``layer``.

    Args:
        model: changed in place; left as it was where it cannot be split.
        first: number of the first layer that is trained; 1 to the number of layers less 1.

    Returns:
        The cache, or None where the model cannot be split.
    """
    stack = getattr(model, "encoder", None)
    layers = getattr(stack, "layer", None)
    if not _divides(layers, first) or not hasattr(model, "embeddings"):
        return None
    lower = _variant(model, encoder=_variant(stack, layer=layers[:first]), pooler=None)
    cache = CachedLayers(lambda ids, mask: lower.eval()(input_ids=ids, attention_mask=mask).last_hidden_state)
    return _replace(model, [(stack, "layer", layers[first:]), (model, "embeddings", cache)], cache)


def _divides(layers: object, first: int) -> bool:
    return isinstance(layers, nn.ModuleList) and 0 < first < len(layers)


def _variant(module: nn.Module, **replacements: nn.Module | None) -> nn.Module:
    """A shallow copy of the module, weights shared, with some of its submodules replaced."""
    variant = copy.copy(module)
    variant._modules = {**module._modules, **replacements}
    return variant


def _replace(
    model: PreTrainedModel, replacements: Sequence[tuple[nn.Module, str, nn.Module]], cache: CachedLayers
) -> CachedLayers | None:
    """Replace submodules (owner, name, replacement); undo it where the model's output on a probe changes."""
    probe = torch.arange(1, PROBE + 1, device=model.device)[None]
    before, originals = _output(model, probe), [getattr(owner, name) for owner, name, _ in replacements]
    for owner, name, replacement in replacements:
        setattr(owner, name, replacement)
    tolerance = 1e-4 if before.dtype == torch.float32 else 0.03
    if torch.allclose(_output(model, probe), before, rtol=tolerance, atol=tolerance):
        return cache
    for (owner, name, _), original in zip(replacements, originals, strict=True):
        setattr(owner, name, original)
    return None


@torch.no_grad()
def _output(model: PreTrainedModel, ids: torch.Tensor) -> torch.Tensor:
    """Logits of a language model, last hidden states of an encoder."""
    return model(input_ids=ids, attention_mask=torch.ones_like(ids))[0]
