"""Next-token prediction: a language model adapted on a set, its perplexity and accuracy on held-out real text."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from lib.evaluation.comparison_sets import HELD_OUT, REAL, Sets
from lib.evaluation.estimate import BySet
from lib.evaluation.metric import Direction
from lib.evaluation.utility import token_logits
from lib.evaluation.utility.lora_adaptation import Adaptable, Adaptation
from lib.evaluation.utility.training_resamples import LEAST_SEEDS, over_trainings, training_rows
from lib.models.examples import Batch, Example, by_length

METRICS: dict[str, Direction] = {"perplexity": "lower", "token_accuracy": "higher"}
HEADLINE = ("perplexity",)
TOKENS_AT_ONCE = 2048  # of texts that are scored together


def first_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """What a text stands after: the token that starts a document, or for want of one that which ends it."""
    return tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id


def as_examples(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> list[Example]:
    """Texts alone, without a label, up to the token that ends them."""
    start, end = first_token(tokenizer), tokenizer.eos_token_id
    read = tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True).input_ids
    return [Example((start,), [*ids, end][:max_tokens], number) for number, ids in enumerate(read)]


@torch.no_grad()
def token_scores(model: nn.Module, examples: Sequence[Example], pad: int = 0) -> np.ndarray:
    """Summed loss in nats, right guesses and tokens of each example, (examples, 3); ``pad`` fills shorter rows."""
    device, split = next(model.parameters()).device, token_logits.splits(model, examples[0])
    scores = np.zeros((len(examples), 3))
    for part in by_length([1] * len(examples), [len(e) for e in examples], TOKENS_AT_ONCE):
        batch = Batch.of([examples[i] for i in part], pad, device)
        each = torch.ones(len(batch.rows), 3, dtype=torch.float64, device=device)
        for at, logits in token_logits.logits_at(model, batch.input_ids, batch.rows, batch.columns, split_head=split):
            each[at, 0] = nn.functional.cross_entropy(logits, batch.targets[at], reduction="none").double()
            each[at, 1] = (logits.argmax(1) == batch.targets[at]).double()
        sums = torch.zeros(len(part), 3, dtype=torch.float64)
        scores[part] = sums.index_add_(0, batch.rows.cpu(), each.cpu()).numpy()
    return scores


def perplexity(scores: np.ndarray) -> float:
    """exp(mean nats a token) of `token_scores` (n, 3): at least 1, lower is better."""
    nats, _, tokens = scores.sum(0)
    return float(np.exp(nats / tokens))


def token_accuracy(scores: np.ndarray) -> float:
    """Share of tokens that are the model's first guess, of `token_scores` (n, 3); in [0, 1], higher is better."""
    _, right, tokens = scores.sum(0)
    return float(right / tokens)


def untrained(sets: Sets, model: Adaptable, max_tokens: int) -> dict[str, float]:
    """Every metric of `METRICS` of the model as it is, on the held-out records: what training has to beat."""
    examples = as_examples([sets.texts[i] for i in sets.rows[HELD_OUT]], model.tokenizer, max_tokens)
    scores = token_scores(model.plain(), examples, model.pad)
    return {"perplexity": perplexity(scores), "token_accuracy": token_accuracy(scores)}


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
    """Every metric of `METRICS`, by arm and for `REAL`. ``folder`` keeps trainings that a killed run had finished."""
    examples = as_examples(sets.texts, model.tokenizer, max_tokens)
    tests = [examples[i] for i in sets.rows[HELD_OUT]]
    found: dict[str, BySet] = {name: {} for name in METRICS}
    for place, name in enumerate((*sets.arms, REAL)):
        scores = []
        for number, rows in enumerate(training_rows(sets.rows[name], seeds=seeds, seed=seed)):
            own = [Example(examples[i].prompt, examples[i].completion, unit) for unit, i in enumerate(rows)]
            with model.adapted(own, settings, seed=number, checkpoint=folder / f"next_{place}_{number}.pt") as net:
                scores.append(token_scores(net, tests, model.pad))
            progress()
        for metric, statistic in (("perplexity", perplexity), ("token_accuracy", token_accuracy)):
            found[metric][name] = over_trainings(
                lambda one, rows, statistic=statistic: statistic(one[rows]),
                np.stack(scores),
                draws=draws,
                seed=seed,
                apart=LEAST_SEEDS,
            )
    return found
