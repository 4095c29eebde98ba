"""The sizes of a language model, read from its config.json alone. Light: it does not import torch."""

import json
from dataclasses import dataclass
from pathlib import Path

from lib.common.errors import DoppelError
from lib.common.paths import DATA

HEAD_CHUNK = 512  # completion tokens whose logits are held at once: 512 x 50k vocabulary x 4 bytes = 100 MB
# Models whose layers are like Llama's: attention and a gated MLP without biases that matter here, RMSNorm before each.
_LIKE_LLAMA = ("llama", "mistral", "qwen2", "qwen3", "smollm3", "gemma", "gemma2", "gemma3_text")
# The published config.json of models of presets, which may not be here yet.
_LLAMA_8B = {
    "model_type": "llama", "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "tie_word_embeddings": False,
}  # fmt: skip
_SMOLLM = {
    "model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "tie_word_embeddings": True,
}  # fmt: skip
PUBLISHED = {
    "hub:meta-llama/Llama-3.1-8B": _LLAMA_8B,
    "hub:meta-llama/Meta-Llama-3-8B": _LLAMA_8B,
    "bundled:smollm2-135m-instruct": _SMOLLM,
}


@dataclass(frozen=True)
class Architecture:
    """Sizes of a decoder.

    Attributes:
        vocabulary: tokens of its vocabulary.
        hidden: width of the residual stream.
        layers: number of layers.
        heads: of the attention.
        key_value_heads: heads of keys and values, at most ``heads``.
        head_size: width of a head.
        intermediate: width of the MLP.
        gated: whether the MLP has a gate (three matrices, RMSNorm) or not (two, and learned positions, as GPT-2).
        tied: whether the output head is the embedding.
        positions: of a learned embedding of positions; 0 where there is none.
    """

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    key_value_heads: int
    head_size: int
    intermediate: int
    gated: bool
    tied: bool
    positions: int = 0

    @property
    def linear(self) -> dict[str, tuple[int, int]]:
        """The linear layers of the first decoder layer: name -> (features in, features out)."""
        inner, outer = self.heads * self.head_size, self.key_value_heads * self.head_size
        if not self.gated:
            return {
                "transformer.h.0.attn.c_attn": (self.hidden, 3 * self.hidden),
                "transformer.h.0.attn.c_proj": (self.hidden, self.hidden),
                "transformer.h.0.mlp.c_fc": (self.hidden, self.intermediate),
                "transformer.h.0.mlp.c_proj": (self.intermediate, self.hidden),
            }
        attention, mlp = "model.layers.0.self_attn", "model.layers.0.mlp"
        return {
            f"{attention}.q_proj": (self.hidden, inner),
            f"{attention}.k_proj": (self.hidden, outer),
            f"{attention}.v_proj": (self.hidden, outer),
            f"{attention}.o_proj": (inner, self.hidden),
            f"{mlp}.gate_proj": (self.hidden, self.intermediate),
            f"{mlp}.up_proj": (self.hidden, self.intermediate),
            f"{mlp}.down_proj": (self.intermediate, self.hidden),
        }

    @property
    def in_layers(self) -> int:
        """Weights of the linear layers of all decoder layers; biases are left out."""
        return self.layers * sum(fan_in * fan_out for fan_in, fan_out in self.linear.values())

    @property
    def others(self) -> int:
        """Weights of embeddings, output head and norms."""
        heads = (1 if self.tied else 2) * self.vocabulary
        return (heads + self.positions + 2 * self.layers + 1) * self.hidden


def of_config(config: dict) -> Architecture | None:
    """The sizes that a model's config.json names.

    Args:
        config: its content.

    Returns:
        The sizes; None for a kind of model whose layers are not known here, as one with experts.
    """
    kind = config.get("model_type")
    if kind == "gpt2":
        hidden, heads = config.get("n_embd", 768), config.get("n_head", 12)
        return Architecture(
            vocabulary=config.get("vocab_size", 50257), hidden=hidden, layers=config.get("n_layer", 12), heads=heads,
            key_value_heads=heads, head_size=hidden // heads, intermediate=config.get("n_inner") or 4 * hidden,
            gated=False, tied=True, positions=config.get("n_positions", 1024),
        )  # fmt: skip
    if kind not in _LIKE_LLAMA:
        return None
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    return Architecture(
        vocabulary=config["vocab_size"], hidden=hidden, layers=config["num_hidden_layers"], heads=heads,
        key_value_heads=config.get("num_key_value_heads") or heads, head_size=config.get("head_dim") or hidden // heads,
        intermediate=config["intermediate_size"], gated=True,
        tied=config.get("tie_word_embeddings", kind.startswith("gemma")),
    )  # fmt: skip


def read(name: str, root: Path = DATA) -> Architecture | None:
    """The sizes of a model, without a look at the network.

    Args:
        name: as `lib.models.loading.locate` takes it.
        root: the data folder, with the bundled models that are there already.

    Returns:
        The sizes; None where the model's config.json is not on this machine and not in `PUBLISHED`, or its kind is not
        known.
    """
    try:
        return of_config(_config(name, root) or {})
    except KeyError:
        return of_config(PUBLISHED.get(name, {}))


def _config(name: str, root: Path) -> dict | None:
    """What a model's config.json holds, or of `PUBLISHED` its entry; None where there is neither."""
    kind, _, rest = name.partition(":")
    if kind == "hub":
        from huggingface_hub import try_to_load_from_cache  # a third of a second, for models of the hub alone

        file = Path(str(try_to_load_from_cache(rest, "config.json")))
    else:
        file = (root / "models" / rest if kind == "bundled" else Path(name)) / "config.json"
    try:
        config = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        config = None
    return config if isinstance(config, dict) else PUBLISHED.get(name)


def check_splits(name: str) -> None:
    """Refuse to split the weights of a model over processes whose layers are not known to be like Llama's.

    Args:
        name: as `read` takes it. Where the model's config.json is not on this machine, nothing is refused.

    Raises:
        DoppelError: its layers are of another kind.
    """
    config = _config(name, DATA)
    if config is not None and config.get("model_type") not in _LIKE_LLAMA:
        raise DoppelError(
            "models.not_split",
            f"the weights of a model of type {config.get('model_type')!r} cannot be split over processes",
            name="model",
            value=name,
            remedy=f"set split_weights: false, or use a model of {', '.join(_LIKE_LLAMA)}",
        )
