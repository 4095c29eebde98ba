"""A public warm start: before DP-SGD, the adapters learn from texts that cost no epsilon, with an ordinary optimizer.

They say what the prompt and its labels mean. Where they may come from, and why they are free, is said in
`lib.methods.dp_lora.public_texts`. (Federated models with DP gain from a start on public or synthetic text: Xu et al.
2023, arXiv:2305.18465; Wu et al. 2024, arXiv:2404.04360.)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn
from transformers import PreTrainedTokenizerBase

from lib.data.records import Record
from lib.methods.dp_lora import contrast
from lib.methods.dp_lora.alone import ALONE, Alone
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models import templates
from lib.models.examples import Example, encode_all
from lib.models.prompt import Prompt


def train(
    model: nn.Module,
    texts: Sequence[Record],
    tokenizer: PreTrainedTokenizerBase,
    prompt: Prompt,
    cells: Sequence[Mapping[str, str]],
    given: Mapping[str, object],
    file: Path,
    on_step: Callable[[object], object] = lambda progress: None,
    ranks: Alone = ALONE,
) -> None:
    """Train adapters on public texts, with AdamW, no clipping, no noise, and a rate that falls to zero.

    Args:
        model: with its adapters; they are changed in place.
        texts: public ones, at least one. A text that lacks a label of the prompt is learned behind the prompt without
            labels, and without contrast.
        tokenizer: the model's own.
        prompt: that of the training with privacy.
        cells: the combinations of labels of the declared domain, for ``contrast``.
        given: parameters of 10_finetune_dp_lora: ``warm_steps``, ``warm_batch`` (all texts where there are fewer) and
            ``warm_learning_rate`` are those of this training; ``contrast``, ``max_tokens``, ``weight_decay``,
            ``tokens_per_micro_batch``, ``checkpoint_every`` and ``seed`` are shared with the one with privacy.
        file: the checkpoint; a training that was killed goes on from it, one that is complete is read.
        on_step: called after each step.
        ranks: the processes that share the work.
    """
    shared = ("contrast", "weight_decay", "tokens_per_micro_batch", "checkpoint_every", "seed")
    examples = _encode(texts, tokenizer, prompt, cells, given)
    settings = Settings(
        noise_multiplier=None,
        steps=given["warm_steps"],
        expected_batch=min(given["warm_batch"], len(examples)),
        learning_rate=given["warm_learning_rate"],
        schedule="linear",
        privacy_seed=given["seed"],  # the texts are public, and so may be which of them a step reads
        **{name: given[name] for name in shared},
    )
    Trainer(model, examples, settings, file, ranks).run(on_step=on_step)


def _encode(
    texts: Sequence[Record],
    tokenizer: PreTrainedTokenizerBase,
    prompt: Prompt,
    cells: Sequence[Mapping[str, str]],
    given: Mapping[str, object],
) -> list[Example]:
    needed = templates.label_fields(prompt.template)
    labelled = [text for text in texts if needed <= text.labels.keys()]
    others = [text for text in texts if not needed <= text.labels.keys()]
    shared = {"max_tokens": given["max_tokens"], "unit": "record"}
    weight = {name: given[name] for name in ("contrast", "seed")}
    examples = contrast.encode(labelled, tokenizer, prompt, cells, **shared, **weight)[0] if labelled else []
    examples += encode_all(others, tokenizer, prompt.unlabelled(), **shared)[0] if others else []
    return [replace(example, unit=number) for number, example in enumerate(examples)]
