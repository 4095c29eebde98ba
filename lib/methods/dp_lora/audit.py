"""A DP-LoRA arm trained again on a canaried corpus, and what its model says of a canary.

The calls are those of notebooks 10 and 11, with the arm's own parameters. Unit, neighbours, sampler and mechanism are
those of `lib.methods.dp_lora.trainer`; the noise is calibrated again for the number of units that there are now.
*Evaluation only.*
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedTokenizerBase

from lib.audit.target import Arm, Bars, CanariedCorpus, MadeAgain
from lib.common.files import read_json, write_array
from lib.data import labels
from lib.data.records import Record
from lib.generation import generate
from lib.methods.dp_lora import gradient_attack
from lib.methods.dp_lora import trainer as dp_lora
from lib.methods.dp_lora.method import METHOD, sampling_probability
from lib.methods.method import noise_multiplier
from lib.models import loading
from lib.models.examples import encode_all
from lib.models.losses import held_out_losses
from lib.models.prompt import Prompt
from lib.privacy import mechanisms
from lib.privacy.ledger import Event, Ledger

RELEASED = "released.npy"
_START = ("model", "dtype", "lora", "seed", "prompt", "chat", "max_tokens", "max_grad_norm")  # what a first step sees


class Known(NamedTuple):
    """What is known of records before the first step: those that are asked about, and behind them the background.

    Clipped gradients, float16 (records, trainable weights), and their products (records, records); losses of those
    that are asked about, in nats a token.
    """

    gradients: torch.Tensor
    products: np.ndarray
    nats: np.ndarray


@dataclass(frozen=True)
class Retrained:
    """The model after training on the canaried corpus. It is never saved beyond the checkpoints of its stage."""

    model: PeftModel
    tokenizer: PreTrainedTokenizerBase
    template: Prompt
    max_tokens: int
    adapter: Path
    released: np.ndarray  # products of the known gradients with what each step handed the optimizer, (records, steps)
    known: Known

    def nats(self, records: Sequence[Record]) -> np.ndarray:
        """Loss of each record in nats a token, shape (n,)."""
        examples, _ = encode_all(records, self.tokenizer, self.template, max_tokens=self.max_tokens, unit="record")
        losses = held_out_losses(self.model, examples)
        return losses[:, 0] / losses[:, 1]

    def gradient_scores(self) -> np.ndarray:
        """`lib.methods.dp_lora.gradient_attack.scores` of the records that were asked about, shape (steps, n)."""
        return gradient_attack.scores(self.known.products, self.released)[:, : len(self.known.nats)]


def make_again(arm: Arm, corpus: CanariedCorpus, folder: Path, bars: Bars) -> MadeAgain:
    """Train an arm's adapter again on the canaried corpus and write its texts again.

    Args:
        arm: to be audited.
        corpus: the private records with canaries behind them.
        folder: of the checkpoints, from which a killed attempt goes on.
        bars: makes a progress bar.

    Returns:
        Scores ``loss``, ``loss against base`` (both (canaries and references,)) and ``gradients`` (steps, the same).

    Raises:
        DoppelError: the realised batches are no Poisson samples, so nothing can be said of a claim.
    """
    training, ledger = arm.parameters_of("model"), corpus.ledger(arm)
    asked = [canary.record for canary in corpus.planted.everyone]
    tick = bars(f"{arm.stage} steps", training["steps"])
    trained = retrain(
        arm,
        corpus.train,
        ledger,
        folder,
        lambda progress: tick(),
        asked=asked,
        background=corpus.background,
        known=corpus.shared,
    )
    nats = trained.nats(asked)
    scores = {
        "loss": -nats,
        "loss against base": trained.known.nats - nats,
        "gradients": trained.gradient_scores(),
    }
    count = corpus.texts or len(arm.texts)
    texts = write(arm, trained, corpus.folder, count, bars(f"{arm.stage} texts", count))
    return MadeAgain(scores, texts, ledger.statement(arm.stage, target_epsilon=training["target_epsilon"]))


def retrain(
    arm: Arm,
    train: Sequence[Record],
    ledger: Ledger,
    folder: Path,
    on_step: Callable[[dp_lora.Progress], None],
    *,
    asked: Sequence[Record] = (),
    background: Sequence[Record] = (),
    known: dict[tuple, Known] | None = None,
) -> Retrained:
    """Train the arm's adapter again on ``train``; its event is added to ``ledger``. Resumable from ``folder``.

    The gradients of ``asked`` and of ``background`` (records that are not in ``train``) before the first step, and the
    losses of the former there, are kept in `Retrained.known`; ``known`` hands them to the next arm that starts from
    the same model and adapters.
    Raises DoppelError for batches that are no Poisson samples: nothing could be said of a claim then.
    """
    given = arm.parameters_of("model")
    tokenizer, template = loading.load_tokenizer(given["model"]), Prompt(given["prompt"], given["chat"])
    examples, _ = encode_all(train, tokenizer, template, max_tokens=given["max_tokens"], unit=ledger.unit)
    probability = sampling_probability(ledger.units, given["expected_batch"])
    mechanism = METHOD.mechanism(given, units=ledger.units, delta=ledger.delta, others=ledger.mechanisms)
    names = dp_lora.Settings.__dataclass_fields__.keys() - {"noise_multiplier"}
    settings = dp_lora.Settings(noise_multiplier=noise_multiplier(mechanism), **{name: given[name] for name in names})
    net = _adapted(given)
    start = tuple(repr(given[name]) for name in _START)
    known = {} if known is None else known
    if start not in known:
        before, nats = _gradients(net, given, tokenizer, template, [*asked, *background])
        known[start] = Known(before, gradient_attack.products(before, before), nats[: len(asked)])
    trainer = dp_lora.Trainer(net, examples, settings, folder / "training.pt")
    seen = _products_file(folder / RELEASED, len(known[start].gradients), given["steps"])
    progress = trainer.run(on_step=on_step, on_gradient=partial(_keep, seen, known[start].gradients))
    check = mechanisms.check_sampler(
        progress.batch_sizes, progress.overlaps, units=ledger.units, sampling_probability=probability
    )
    check.require()
    private = given["target_epsilon"] is not None
    what = "audited again on canaries: DP-SGD on LoRA" if private else "audited again on canaries: without noise"
    ledger.events.append(Event(arm.stage, what, mechanism, given["privacy_seed"], checked=check.passed))
    net.save_pretrained(folder / "adapter")
    return Retrained(net.eval(), tokenizer, template, given["max_tokens"], folder / "adapter", seen, known[start])


def write(arm: Arm, trained: Retrained, corpus: Path, count: int, progress: Callable[[int], object]) -> list[str]:
    """``count`` texts of the audited model, drawn as the arm draws its own."""
    given = arm.parameters
    histogram, catalogue = (read_json(corpus / f"{name}.json") for name in ("label_histogram", "catalogue"))
    wanted = labels.draw(histogram, catalogue, count, np.random.default_rng(given["seed"]))
    engine = generate.open_engine(
        arm.parameters_of("model")["model"],
        trained.adapter,
        **{name: given[name] for name in ("engine", "device", "dtype", "batch_size")},
    )
    made, _ = generate.generate_records(
        engine,
        trained.template,
        wanted,
        generate.Sampling.of(given),
        max_attempts=given["max_attempts"],
        progress=progress,
    )
    return [record.text.reveal() for record in made]


def _gradients(
    net: PeftModel, given: dict, tokenizer: PreTrainedTokenizerBase, template: Prompt, asked: Sequence[Record]
) -> tuple[torch.Tensor, np.ndarray]:
    if not asked:
        width = sum(p.numel() for p in net.parameters() if p.requires_grad)
        return torch.zeros(0, width, dtype=torch.float16), np.zeros(0)
    examples, _ = encode_all(asked, tokenizer, template, max_tokens=given["max_tokens"], unit="record")
    return gradient_attack.of_examples(net, examples, max_grad_norm=given["max_grad_norm"])


def _products_file(file: Path, records: int, steps: int) -> np.memmap:
    """Kept beside the checkpoint: an attempt that goes on from one does not see the steps before it again."""
    if not file.exists():
        write_array(file, np.zeros((records, steps)))
    return np.load(file, mmap_mode="r+")


def _keep(seen: np.memmap, known: torch.Tensor, step: int, released: Sequence[torch.Tensor]) -> None:
    whole = torch.cat([one.flatten().float().cpu() for one in released])
    seen[:, step] = gradient_attack.products(known, whole[None])[:, 0]
    seen.flush()  # before the step's checkpoint


def _adapted(given: dict) -> PeftModel:
    """The frozen model with fresh adapters, drawn from the arm's seed."""
    base = loading.load(given["model"], device=given["device"], dtype=given["dtype"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(given["seed"])
        net = get_peft_model(base, LoraConfig(**{"task_type": "CAUSAL_LM", **given["lora"]}))
    if given["gradient_checkpointing"]:
        base.activation_checkpointing_enable()
        base.enable_input_require_grads()
    return net
