"""Next-token prediction: adapt a language model on a set; its perplexity and accuracy on held-out real text."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from lib.evaluation import registry
from lib.evaluation.comparison_sets import HELD_OUT, REAL, Sets
from lib.evaluation.estimate import BySet
from lib.evaluation.utility import token_logits
from lib.evaluation.utility.lora_adaptation import Adaptable, Adaptation
from lib.evaluation.utility.training_resamples import LEAST_SEEDS, each_over_trainings, training_rows
from lib.models.examples import Batch, Example, by_length

HEADLINE = registry.headline("next_token")
TOKENS_AT_ONCE = 2048  # of texts that are scored together


def first_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """The token that precedes every text: BOS of ``tokenizer``, or EOS where it has none."""
    return tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id


def as_examples(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> list[Example]:
    """Texts as examples to predict, without labels.

    Args:
        texts: the texts.
        tokenizer: of the language model.
        max_tokens: tokens of a text, EOS included, that are kept.
    """
    start, end = first_token(tokenizer), tokenizer.eos_token_id
    read = tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True).input_ids
    return [Example((start,), [*ids, end][:max_tokens], number) for number, ids in enumerate(read)]


@torch.no_grad()
def token_scores(model: nn.Module, examples: Sequence[Example], pad: int = 0) -> np.ndarray:
    """Summed loss in nats, correct first guesses, and tokens of each example, (examples, 3).

    Args:
        model: a causal language model.
        examples: whose completions are scored.
        pad: id that fills shorter rows.
    """
    device, split = next(model.parameters()).device, token_logits.splits(model, examples[0])
    scores = np.zeros((len(examples), 3))
    for group in by_length([1] * len(examples), [len(example) for example in examples], TOKENS_AT_ONCE):
        batch = Batch.of([examples[i] for i in group], pad, device)
        each = torch.ones(len(batch.rows), 3, dtype=torch.float64, device=device)
        for at, logits in token_logits.logits_at(model, batch.input_ids, batch.rows, batch.columns, split_head=split):
            each[at, 0] = nn.functional.cross_entropy(logits, batch.targets[at], reduction="none").double()
            each[at, 1] = (logits.argmax(1) == batch.targets[at]).double()
        sums = torch.zeros(len(group), 3, dtype=torch.float64)
        scores[group] = sums.index_add_(0, batch.rows.cpu(), each.cpu()).numpy()
    return scores


def perplexity(scores: np.ndarray) -> float:
    """exp of the mean loss in nats a token, from ``scores`` of `token_scores` (n, 3): at least 1, lower is better."""
    nats, _, tokens = scores.sum(0)
    return float(np.exp(nats / tokens))


def token_accuracy(scores: np.ndarray) -> float:
    """Share of tokens that are the model's first guess, from ``scores`` of `token_scores` (n, 3).

    In [0, 1], higher is better.
    """
    _, right, tokens = scores.sum(0)
    return float(right / tokens)


def untrained(sets: Sets, model: Adaptable, max_tokens: int) -> dict[str, float]:
    """Every metric of the family ``next_token`` for the model without an adapter: what training has to beat.

    Args:
        sets: whose held-out records are scored.
        model: the language model.
        max_tokens: tokens of a text that are read.
    """
    examples = as_examples([sets.texts[i] for i in sets.rows[HELD_OUT]], model.tokenizer, max_tokens)
    scores = token_scores(model.plain(), examples, model.pad)
    return {entry.name: entry.function()(scores) for entry in registry.family("next_token")}


def next_token(
    sets: Sets,
    model: Adaptable,
    settings: Adaptation,
    *,
    max_tokens: int,
    seeds: int,
    draws: int,
    seed: int,
    folder: Path,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, BySet]:
    """Every metric of the family ``next_token`` for each arm and for `REAL`, the ceiling.

    Real text enters: evaluation only.

    Args:
        sets: the arms, the real records and the held-out ones.
        model: the language model.
        settings: of each training.
        max_tokens: tokens of a text that are read.
        seeds: trainings on each set, at least 3.
        draws: draws of each interval.
        seed: of the training rows and the draws.
        folder: checkpoints, so that an interrupted run does not repeat finished trainings.
        progress: called after each of (arms + 1) x ``seeds`` trainings.
    """
    examples = as_examples(sets.texts, model.tokenizer, max_tokens)
    tests = [examples[i] for i in sets.rows[HELD_OUT]]
    entries = registry.family("next_token")
    measured: dict[str, BySet] = {entry.name: {} for entry in entries}
    for place, name in enumerate((*sets.arms, REAL)):
        scores = []
        for number, rows in enumerate(training_rows(sets.rows[name], seeds=seeds, seed=seed)):
            own = [Example(examples[i].prompt, examples[i].completion, unit) for unit, i in enumerate(rows)]
            with model.adapted(own, settings, seed=number, checkpoint=folder / f"next_{place}_{number}.pt") as net:
                scores.append(token_scores(net, tests, model.pad))
            progress()
        found = each_over_trainings(
            lambda outcome, rows: outcome[rows],
            [entry.function() for entry in entries],
            np.stack(scores),
            draws=draws,
            seed=seed,
            separate=LEAST_SEEDS,
        )
        for entry, one in zip(entries, found, strict=True):
            measured[entry.name][name] = one
    return measured
