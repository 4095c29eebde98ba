"""How much memory a training takes, from config.json and the parameters alone: before anything is loaded.

Pure arithmetic on the public sizes of model and settings; nothing private is looked at, and torch is not imported.
What autograd keeps of a layer is counted as transformers' Llama and GPT-2 compute it. The libraries themselves take
0.5 to 1 GB more. `benchmarks/memory.py` compares estimates with measured peaks.

On a CPU the process may hold more than it uses: its allocator does not fill every gap that freed tensors leave between
those that stay. With glibc up to as much again as the activations was measured, so an estimate names that as well.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lib.methods.dp_lora.settings import PROBED, rounded, rows_of
from lib.models import architecture
from lib.models.architecture import HEAD_CHUNK, Architecture

if TYPE_CHECKING:
    from lib.models.examples import Example

FOUR_BITS = 0.5 + 1 / 64 + 4 / (64 * 256)  # bytes a weight: NF4 with doubly quantized scales (Dettmers et al. 2023)


@dataclass(frozen=True)
class Estimate:
    """Bytes of one process at the peak of a training, libraries aside.

    Attributes:
        weights: the frozen model, as it is loaded; where it is split, a part of it, and what is gathered.
        adapters: what learns, with AdamW's state and the sums of a step.
        activations: what the backward pass needs of a micro-batch, with the output head's scores.
        per_sample: gradients of single rows; 0 without privacy.
        dtype: number type of the frozen weights.
        card: whether it is that of a graphics card.
    """

    weights: float
    adapters: float
    activations: float
    per_sample: float
    dtype: str
    card: bool

    @property
    def total(self) -> float:
        """Bytes in all: the gradients of single rows fill up what the activations leave free."""
        return self.weights + self.adapters + max(self.activations, self.per_sample)

    def __str__(self) -> str:
        parts = {"weights": self.weights, "adapters and optimizer": self.adapters, "activations": self.activations}
        parts |= {"gradients of single rows": self.per_sample} if self.per_sample else {}
        told = ", ".join(f"{name} {size / 1e9:.2f}" for name, size in parts.items())
        held = "" if self.card else f", up to {(self.total + self.activations) / 1e9:.1f} where freed memory is held,"
        return f"{self.total / 1e9:.1f} GB{held} in {self.dtype} ({told})"


def estimate(
    parameters: Mapping[str, object], model: Architecture, *, width: int, records: int = 1, card: bool = False
) -> Estimate:
    """The memory that 10_finetune_dp_lora takes in each process, at its peak.

    Args:
        parameters: of the stage.
        model: sizes of its model.
        width: tokens of the longest example, prompt included; at least 2.
        records: of a unit, at most; at least 1. A unit is never split.
        card: whether it runs on a graphics card, where ``dtype: auto`` is bfloat16 and attention keeps no scores.

    Returns:
        The estimate.
    """
    dtype = {"auto": "bfloat16" if card else "float32"}.get(parameters["dtype"], parameters["dtype"])
    number = 4 if dtype == "float32" else 2
    in_layers = FOUR_BITS if dtype == "4bit" else number
    weights = model.in_layers * in_layers + model.others * number
    if dtype == "4bit":  # a matrix is made whole while it multiplies
        weights += number * max(fan_in * fan_out for fan_in, fan_out in model.linear.values())
    if parameters["split_weights"]:  # parts of all; embeddings and head whole; a layer at work, and the next on its way
        weights = weights / parameters["processes"] + number * (model.others + 2 * model.in_layers / model.layers)
    private = parameters["target_epsilon"] is not None
    matrices, frozen = of_adapters(parameters, model)
    # itself, two moments, gradient, the copy that an evaluation keeps; and int64 sums, or a running mean in float64
    each = 4 * 5 + 8 * private + 8 * (parameters["average_from"] is not None)
    width = rounded(width - 1) if private else width - 1
    shapes = [(_rows(parameters, width, records, private), width)]
    if private and (number == 2 or parameters["processes"] > 1):
        limit = parameters["tokens_per_micro_batch"] // 8
        shapes += [(_rows(parameters, wide, 1, private), wide) for wide in PROBED if wide <= limit]
    return Estimate(
        weights=weights,
        adapters=matrices * each + 4 * frozen,
        activations=max(_activations(parameters, model, *shape, number, card) for shape in shapes),
        per_sample=max(rows for rows, _ in shapes) * matrices * 4 * private,
        dtype=dtype,
        card=card,
    )


def of_examples(parameters: Mapping[str, object], examples: Sequence["Example"], *, card: bool) -> str:
    """The memory that a training on these examples takes, in words. *Evaluation only* where they are private.

    Args:
        parameters: of 10_finetune_dp_lora.
        examples: at least one.
        card: as `estimate` takes it.
    """
    model = architecture.read(str(parameters["model"]))
    if model is None:
        return "not known for this kind of model"
    most = max(Counter(example.unit for example in examples).values())
    return str(estimate(parameters, model, width=max(map(len, examples)), records=most, card=card))


def expected_width(parameters: Mapping[str, object]) -> int:
    """Tokens of the longest example, as far as they are known before there is a tokenizer.

    Args:
        parameters: of 10_finetune_dp_lora.

    Returns:
        ``max_tokens`` and a guess at the prompt: a token for three characters, and 40 of a chat template.
    """
    return parameters["max_tokens"] + len(str(parameters["prompt"])) // 3 + (40 if parameters["chat"] else 1)


def _targets(parameters: Mapping, model: Architecture) -> dict[str, tuple[int, int]]:
    wanted = parameters["lora"].get("target_modules", ("q_proj", "v_proj", "c_attn"))
    if wanted == "all-linear":
        return model.linear
    if isinstance(wanted, str):
        return {name: size for name, size in model.linear.items() if re.fullmatch(wanted, name)}
    return {name: size for name, size in model.linear.items() if name.endswith(tuple(f".{end}" for end in wanted))}


def of_adapters(parameters: Mapping[str, object], model: Architecture) -> tuple[int, int]:
    """Weights of the adapters.

    Args:
        parameters: of 10_finetune_dp_lora.
        model: sizes of its model.

    Returns:
        How many learn, and how many stay as drawn.
    """
    rank, sizes = parameters["lora"].get("r", 8), _targets(parameters, model).values()
    first, second = (model.layers * rank * sum(size[side] for size in sizes) for side in (0, 1))
    return (second, first) if parameters["frozen_a"] else (first + second, 0)


def _rows(parameters: Mapping, width: int, records: int, private: bool) -> int:
    """Rows of a micro-batch of this width; a unit's own, where it has more."""
    tokens, contrast = parameters["tokens_per_micro_batch"], parameters["contrast"]
    own = records * (2 if contrast else 1)
    if not private:
        return max(own, tokens // width)
    return max(own, rows_of(width, tokens, parameters["expected_batch"], contrast))


def kept(
    parameters: Mapping[str, object], model: Architecture, rows: int, width: int, number: int, *, card: bool
) -> float:
    """Bytes that autograd keeps of a micro-batch for the backward pass.

    Args:
        parameters: of 10_finetune_dp_lora.
        model: sizes of its model.
        rows: of the micro-batch.
        width: of it, in tokens.
        number: bytes of a number in which the frozen layers compute, 2 or 4.
        card: as `estimate` takes it.

    Returns:
        The bytes, without weights.
    """
    lora, targets = parameters["lora"], _targets(parameters, model)
    inner = model.heads * model.head_size
    scores = 0 if card else model.heads * width
    layer = 2 * model.hidden * (4 if model.gated else number)  # inputs of the norms; RMSNorm computes in float32
    layer += 3 * inner * number + inner * number * card  # queries, keys, values; a fused kernel keeps its output
    layer += scores * (4 if number == 4 else 6)  # a softmax in float32, and its rounded copy
    layer += (3 if model.gated else 4) * model.intermediate * number
    if number == 2:  # each adapter gets its input in float32
        inputs = [size[0] for size in targets.values()]
    else:  # queries, keys and values share one, and so do gate and up
        inputs = list({(name.split(".")[-2], size[0]): size[0] for name, size in targets.items()}.values())
    layer += 4 * (sum(inputs) * (not parameters["frozen_a"]) + lora.get("r", 8) * len(targets))
    if lora.get("lora_dropout"):  # what is left of each adapter's input, and the mask
        layer += 5 * sum(size[0] for size in targets.values())
    whole = layer * model.layers
    if parameters["gradient_checkpointing"]:
        whole = model.layers * model.hidden * number
    return rows * width * (whole + model.hidden * (4 + number))  # the last norm, and the gradient behind the head


def _activations(parameters: Mapping, model: Architecture, rows: int, width: int, number: int, card: bool) -> float:
    """What autograd keeps, and what is made on top of it where that is most: in a layer, or in the output head."""
    tokens = rows * width
    backward = tokens * max(3 * model.intermediate * number, 2 * (0 if card else model.heads * width) * 4)
    if parameters["gradient_checkpointing"]:  # a layer is computed again, as if there were no other
        one = replace(model, layers=1)
        backward += kept({**parameters, "gradient_checkpointing": False}, one, rows, width, number, card=card)
    chunk = math.ceil(tokens / math.ceil(tokens / HEAD_CHUNK))
    head = chunk * model.vocabulary * 4 * (2 if chunk == tokens else 3) + tokens * model.hidden * number
    return kept(parameters, model, rows, width, number, card=card) + max(backward, head)
