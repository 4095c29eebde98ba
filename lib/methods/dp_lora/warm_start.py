"""A public warm start: before DP-SGD, the adapters learn from texts of an arm that never saw a private record.

The floor's texts, which a model wrote from labels alone, say what the prompt and its labels mean, and cost no epsilon:
they are computed from a public model and the noisy label counts, which the arm's ledger holds already. So training on
them, with an ordinary optimizer, is post-processing of what is released anyway. (Federated models with DP gain from a
start on public or synthetic text: Xu et al. 2023, arXiv:2305.18465; Wu et al. 2024, arXiv:2404.04360.)

`read` refuses the texts of any other arm. They would not be free: their events would have to be counted in this arm.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from torch import nn
from transformers import PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.data import records
from lib.data.records import Record
from lib.methods.dp_lora import contrast
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models.prompt import Prompt
from lib.privacy import ledger as ledgers


def read(warm: Path, corpus: Path) -> list[Record]:
    """The texts of an arm, if no event but those of its corpus stage has touched them.

    Args:
        warm: folder of the arm's stage, finished.
        corpus: folder of the corpus stage that both arms come from.

    Returns:
        The arm's synthetic records.

    Raises:
        DoppelError: the arm comes from another corpus, or its ledger has an event that the corpus' has not.
    """
    counted = ledgers.read(corpus).events
    for event in ledgers.inherit([corpus, warm]).events:
        if event not in counted:
            raise DoppelError(
                "methods.warm_start_saw_records",
                f"inputs: warm: {warm.name} has seen private records ({event.stage}: {event.what})",
                name="warm",
                value=warm.name,
                remedy="name a stage of 11_generate without the input model, which writes from labels alone",
                where=warm.name,
            )
    return records.read(warm / "synthetic.jsonl")


def train(
    model: nn.Module,
    texts: Sequence[Record],
    tokenizer: PreTrainedTokenizerBase,
    prompt: Prompt,
    cells: Sequence[Mapping[str, str]],
    given: Mapping[str, object],
    file: Path,
    on_step: Callable[[object], object] = lambda progress: None,
) -> None:
    """Train adapters on public texts, with AdamW, no clipping, no noise, and a rate that falls to zero.

    Args:
        model: with its adapters; they are changed in place.
        texts: what `read` returned.
        tokenizer: the model's own.
        prompt: that of the training with privacy.
        cells: the combinations of labels of the declared domain, for ``contrast``.
        given: parameters of 10_finetune_dp_lora: ``warm_steps``, ``warm_batch`` (all texts where there are fewer) and
            ``warm_learning_rate`` are those of this training; ``contrast``, ``max_tokens``, ``weight_decay``,
            ``tokens_per_micro_batch``, ``checkpoint_every`` and ``seed`` are shared with the one with privacy.
        file: the checkpoint; a training that was killed goes on from it, one that is complete is read.
        on_step: called after each step.
    """
    shared = ("contrast", "weight_decay", "tokens_per_micro_batch", "checkpoint_every", "seed")
    examples, _ = contrast.encode(
        texts, tokenizer, prompt, cells,
        unit="record", **{name: given[name] for name in ("max_tokens", "contrast", "seed")},
    )  # fmt: skip
    settings = Settings(
        noise_multiplier=None,
        steps=given["warm_steps"],
        expected_batch=min(given["warm_batch"], len(examples)),
        learning_rate=given["warm_learning_rate"],
        schedule="linear",
        privacy_seed=given["seed"],  # the texts are public, and so may be which of them a step reads
        **{name: given[name] for name in shared},
    )
    Trainer(model, examples, settings, file).run(on_step=on_step)
