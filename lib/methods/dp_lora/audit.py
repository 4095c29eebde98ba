"""Trains a DP-LoRA arm again on a corpus with text canaries, and attacks the model and its gradients.

The calls are those of notebooks 10 and 11, with the arm's own parameters. Unit, neighbours, sampler and mechanism are
those of `lib.methods.dp_lora.trainer`; the noise is calibrated again, because with canaries there are more units.
*Evaluation only.*
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from peft import PeftModel
from transformers import PreTrainedTokenizerBase

from lib.audit.target import Arm, Bars, CanariedCorpus, MadeAgain
from lib.common.files import read_json, write_array
from lib.data import records
from lib.data.records import Record
from lib.generation import generate
from lib.methods.dp_lora import contrast, gradient_attack, launch, trainer, warm_start
from lib.methods.dp_lora.method import METHOD, WARM_TEXTS, sampling_probability
from lib.methods.dp_lora.settings import Settings
from lib.methods.method import noise_multiplier
from lib.methods.prompting import written_again
from lib.models import loading
from lib.models.examples import Example, encode_all
from lib.models.losses import held_out_losses
from lib.models.prompt import Prompt
from lib.privacy import mechanisms
from lib.privacy.ledger import Event, Ledger

RELEASED = "released.npy"  # beside the checkpoint: products of the known gradients with the released ones
_START = (  # with the texts of a warm start they fix the first gradients
    "model", "dtype", "lora", "frozen_a", "seed", "prompt", "chat", "max_tokens", "max_grad_norm", "contrast",
    "warm_steps", "warm_batch", "warm_learning_rate",
)  # fmt: skip


class Known(NamedTuple):
    """What an attacker knows before the first step about k records: those asked about, then the background.

    Attributes:
        gradients: their clipped gradients, float16, shape (k, trainable weights).
        products: scalar products of these gradients, float64, shape (k, k).
        nats: losses of the records asked about, in nats per completion token, shape (asked,).
    """

    gradients: torch.Tensor
    products: np.ndarray
    nats: np.ndarray


@dataclass(frozen=True)
class Retrained:
    """An arm's model after training on the corpus with canaries. It is kept only in the checkpoints of its stage.

    Attributes:
        model: in eval mode, with the trained adapter.
        tokenizer: the model's own.
        template: the prompt of the arm.
        max_tokens: the most tokens of a completion.
        adapter: folder of the saved adapter.
        released: scalar products of the known gradients with what each step handed the optimizer, shape (k, steps).
        known: what was known before the first step.
    """

    model: PeftModel
    tokenizer: PreTrainedTokenizerBase
    template: Prompt
    max_tokens: int
    adapter: Path
    released: np.ndarray
    known: Known

    def nats(self, records: Sequence[Record]) -> np.ndarray:
        """Losses of the model.

        Args:
            records: n records, at least one.

        Returns:
            The mean loss of each record's completion in nats per token, shape (n,).
        """
        examples, _ = encode_all(records, self.tokenizer, self.template, max_tokens=self.max_tokens, unit="record")
        losses = held_out_losses(self.model, examples)
        return losses[:, 0] / losses[:, 1]

    def gradient_scores(self) -> np.ndarray:
        """Scores of the records asked about, shape (steps, asked); see `lib.methods.dp_lora.gradient_attack.scores`."""
        return gradient_attack.scores(self.known.products, self.released)[:, : len(self.known.nats)]


def make_again(arm: Arm, corpus: CanariedCorpus, folder: Path, bars: Bars) -> MadeAgain:
    """Train an arm's adapter again on the corpus with canaries, and write its texts again.

    Args:
        arm: the arm to be audited.
        corpus: the private records with canaries behind them.
        folder: of the checkpoints; a killed run goes on from there.
        bars: makes a progress bar.

    Returns:
        Scores of all canaries, references included, (c,): ``loss`` (less the loss, in nats a token) and ``loss against
        base`` (how far the training lowered it); and ``gradients``, (steps, c). No scores where nothing is asked.

    Raises:
        DoppelError: the realised batches are not Poisson samples, or the target epsilon cannot be reached with this
            many units.
    """
    training, ledger = arm.parameters_of("model"), corpus.ledger(arm)
    asked = [canary.record for canary in corpus.planted.everyone]
    trained = retrain(
        arm,
        corpus.train,
        ledger,
        folder,
        bars,
        asked=asked,
        background=corpus.background,
        shared=corpus.shared,
        cells=read_json(corpus.folder / "label_histogram.json")["cells"],
    )
    scores = {}
    if asked:
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
    bars: Bars,
    *,
    asked: Sequence[Record] = (),
    background: Sequence[Record] = (),
    shared: dict[tuple, Known] | None = None,
    cells: Sequence[Mapping[str, str]] = (),
) -> Retrained:
    """Train an arm's adapter again.

    Args:
        arm: the arm; its parameters are used.
        train: records to train on, canaries included. Private.
        ledger: of the corpus; the training's event is added to it.
        folder: of the checkpoint; a killed run goes on from there.
        bars: makes progress bars, of the canaries' gradients and of the steps.
        asked: records whose gradients and losses before the first step are kept in `Retrained.known`.
        background: records that are not in ``train``; their gradients are kept too.
        shared: starting point -> what was computed before the first step; filled here. Give the same dict for the next
            arm, so that an arm with the same starting point does not compute it again.
        cells: the combinations of labels of the declared domain, which an arm with contrast needs.

    Returns:
        The trained model, in eval mode.

    Raises:
        DoppelError: the realised batches are not Poisson samples, so a claim of epsilon cannot be judged; or the target
            epsilon cannot be reached.
    """
    given = METHOD.as_before | dict(arm.parameters_of("model"))
    tokenizer, template = loading.load_tokenizer(given["model"]), Prompt(given["prompt"], given["chat"])
    encoded = partial(
        contrast.encode, tokenizer=tokenizer, prompt=template, cells=cells,
        **{name: given[name] for name in ("max_tokens", "contrast", "seed")},
    )  # fmt: skip
    probability = sampling_probability(ledger.units, given["expected_batch"])
    mechanism = METHOD.mechanism(given, units=ledger.units, delta=ledger.delta, others=ledger.mechanisms)
    names = Settings.__dataclass_fields__.keys() - {"noise_multiplier"}
    settings = Settings(noise_multiplier=noise_multiplier(mechanism), **{name: given[name] for name in names})
    # with whole weights, which give the same result: the texts are written by a whole model too
    team, net = launch.start({"processes": 1} | given | {"split_weights": False})
    texts = _warm_texts(arm, given)
    if texts:
        warm_start.train(net, texts, tokenizer, template, cells, given, folder / "warm.pt", ranks=team)
    start = (*(repr(given[name]) for name in _START), records.digest(texts))
    shared = {} if shared is None else shared
    if start not in shared:
        known_records = [*asked, *background]
        known_examples = encoded(known_records, unit="record")[0] if known_records else []
        before, nats = _gradients(net, given, known_examples, partial(bars, f"{arm.stage} canaries"))
        shared[start] = Known(before, gradient_attack.products(before, before), nats[: len(asked)])
    known = shared[start]
    training = trainer.Trainer(net, encoded(train, unit=ledger.unit)[0], settings, folder / "training.pt", team)
    seen = _products_file(folder / RELEASED, len(known.gradients), given["steps"])
    tick = bars(f"{arm.stage} steps", given["steps"])
    progress = training.run(on_step=lambda progress: tick(1), on_gradient=partial(_keep, seen, known.gradients))
    team.close()
    check = mechanisms.check_sampler(
        progress.batch_sizes, progress.overlaps, units=ledger.units, sampling_probability=probability
    )
    check.require()
    private = given["target_epsilon"] is not None
    what = "audited again on canaries: DP-SGD on LoRA" if private else "audited again on canaries: without noise"
    ledger.events.append(Event(arm.stage, what, mechanism, given["privacy_seed"], checked=check.passed))
    loading.make_folder(folder / "adapter", net.save_pretrained)
    return Retrained(net.eval(), tokenizer, template, given["max_tokens"], folder / "adapter", seen, known)


def write(arm: Arm, trained: Retrained, corpus: Path, count: int, progress: Callable[[int], object]) -> list[str]:
    """Write texts with the audited model, drawn as the arm draws its own.

    Args:
        arm: the arm; its parameters are used.
        trained: its model.
        corpus: folder of the corpus stage, with its label histogram and catalogue.
        count: texts to ask for, at least 1.
        progress: called with the number of texts newly accepted.

    Returns:
        The texts, at most ``count``.

    Raises:
        DoppelError: no completion was accepted.
    """
    given = arm.parameters
    engine = generate.open_engine(
        arm.parameters_of("model")["model"],
        trained.adapter,
        guidance=given["guidance"],
        **{name: given[name] for name in ("engine", "device", "dtype", "batch_size")},
    )
    return written_again.texts(engine, trained.template, given, corpus, count, progress)


def _gradients(
    net: PeftModel, given: dict, examples: Sequence[Example], bar: Callable[[int], Callable[[int], object]]
) -> tuple[torch.Tensor, np.ndarray]:
    """`lib.methods.dp_lora.gradient_attack.of_examples`; empty arrays where there are no examples."""
    if not examples:
        width = sum(p.numel() for p in net.parameters() if p.requires_grad)
        return torch.zeros(0, width, dtype=torch.float16), np.zeros(0)
    how = {"max_grad_norm": given["max_grad_norm"], "contrast": given["contrast"], "progress": bar(len(examples))}
    return gradient_attack.of_examples(net, examples, **how)


def _products_file(file: Path, records: int, steps: int) -> np.memmap:
    """An array on the disk, (records, steps), filled step by step: a resumed run does not see earlier steps again."""
    if not file.exists():
        write_array(file, np.zeros((records, steps)))
    return np.load(file, mmap_mode="r+")


def _keep(seen: np.memmap, known: torch.Tensor, step: int, released: Sequence[torch.Tensor]) -> None:
    whole = torch.cat([gradient.flatten().float().cpu() for gradient in released])
    seen[:, step] = gradient_attack.products(known, whole[None])[:, 0]
    seen.flush()  # before the step's checkpoint


def _warm_texts(arm: Arm, given: Mapping) -> list[Record]:
    """The public texts that the arm's training learned first, if any."""
    if not given["warm_steps"]:
        return []
    warm = f"{given['inputs'].get('warm')}/synthetic.jsonl"
    return records.read(arm.folder.parent / (f"{arm.inputs['model']}/{WARM_TEXTS}" if given["warm_source"] else warm))
