"""Downstream fine-tuning: a language model learns to say a record's label, and is asked about held-out real records.

It reads the text, a line break and the label's name, and says a value. That makes it a `Fit` as the other classifiers.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import takewhile
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.evaluation.comparison_sets import HELD_OUT, Sets
from lib.evaluation.utility import token_logits
from lib.evaluation.utility.linear_classifiers import Fit
from lib.evaluation.utility.lora_adaptation import Adaptable, Adaptation
from lib.evaluation.utility.next_token import as_examples, first_token
from lib.evaluation.utility.tstr import SCORES
from lib.models.examples import Example, by_length

TOKENS_AT_ONCE = 2048  # of prompts that are answered together


def answers(tokenizer: PreTrainedTokenizerBase, values: Sequence[str]) -> tuple[list[int], list[list[int]]]:
    """Token ids that all values begin with, and what follows them for each value; the first of these tells them apart.

    Raises DoppelError where it does not: such a label cannot be read off one token.
    """
    read = [tokenizer(f" {value}", add_special_tokens=False).input_ids for value in values]
    together = takewhile(lambda tokens: len(set(tokens)) == 1, zip(*read, strict=False)) if len(read) > 1 else ()
    shared = [tokens[0] for tokens in together]
    rest = [ids[len(shared) :] for ids in read]
    firsts = [ids[0] if ids else None for ids in rest]
    if None in firsts or len(set(firsts)) < len(firsts):
        raise DoppelError(
            f"{len(values)} values of the label begin with {len(set(firsts))} different tokens, so one token cannot "
            "tell them apart; give the label shorter or numbered values"
        )
    return shared, rest


def prompts(
    texts: Sequence[str], label: str, values: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> list[list[int]]:
    """Each text, at most ``max_tokens`` of it, the question, and what all values begin with."""
    shared, _ = answers(tokenizer, values)
    question = tokenizer(f"\n{label}:", add_special_tokens=False).input_ids
    read = tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True).input_ids
    return [[first_token(tokenizer), *ids[:max_tokens], *question, *shared] for ids in read]


def instructed(
    texts: Sequence[str],
    label: str,
    values: Sequence[str],
    model: Adaptable,
    settings: Adaptation,
    *,
    max_tokens: int,
    folder: Path,
) -> Fit:
    """The classifier; ``max_tokens`` of a text are read. ``folder`` keeps trainings that a killed run had finished."""
    file = iter(range(10**9))  # trainings are asked for in one order, so their number names them

    @cache
    def read() -> tuple[list[list[int]], list[list[int]]]:
        return prompts(texts, label, values, model.tokenizer, max_tokens), answers(model.tokenizer, values)[1]

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        asked, completions = read()  # refused here, it is the result of a task, not of a notebook
        own = [Example(asked[i], completions[c], unit) for unit, (i, c) in enumerate(zip(rows, codes, strict=True))]
        checkpoint = folder / f"{label}_{next(file)}.pt"
        with model.adapted(own, settings, seed=seed, checkpoint=checkpoint) as net:
            firsts = torch.tensor([ids[0] for ids in completions], device=net.device)
            return _ask(net, [asked[i] for i in tests], firsts, model.pad)

    return fit


def vectors(sets: Sets, label: str | None, model: Adaptable, max_tokens: int) -> np.ndarray:
    """Embeddings of the texts by the model's frozen layers, (texts, width); 0 for those of no training or test.

    Each text is read once, the question for ``label`` after it, and the trainings of `lib.evaluation.utility.next_token` and of
    this task read no more of it.
    """

    def encode(texts: list[str]) -> np.ndarray:
        examples, asked = as_examples(texts, model.tokenizer, max_tokens), None
        if label is not None:
            with suppress(DoppelError):  # its values begin alike: the task will say so
                asked = prompts(texts, label, sets.codes(label)[1], model.tokenizer, max_tokens)
        return model.vectors(examples, asked)

    return sets.encoded(encode)


def untrained(sets: Sets, label: str, model: Adaptable, max_tokens: int) -> dict[str, float]:
    """Accuracy and macro-F1 of the model as it is, on the held-out records; none where one token tells no label."""
    codes, values = sets.codes(label)
    rows = sets.rows[HELD_OUT]
    try:
        asked = prompts([sets.texts[i] for i in rows], label, values, model.tokenizer, max_tokens)
    except DoppelError:  # which the task says of every arm
        return {}
    net = model.plain()
    firsts = torch.tensor([ids[0] for ids in answers(model.tokenizer, values)[1]], device=net.device)
    said = _ask(net, asked, firsts, model.pad)
    return {name: score(said, codes[rows]) for name, score in SCORES.items()}


def _ask(net: torch.nn.Module, prompts: Sequence[Sequence[int]], firsts: torch.Tensor, pad: int) -> np.ndarray:
    """Which of the answers' first tokens is the likeliest after each prompt."""
    device = next(net.parameters()).device
    split = token_logits.splits(net, Example(prompts[0], [0], 0))
    said = np.empty(len(prompts), int)
    for part in by_length([1] * len(prompts), list(map(len, prompts)), TOKENS_AT_ONCE):
        ids = [torch.tensor(prompts[i], device=device) for i in part]
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=pad)  # causal: it is never seen
        rows, last = torch.arange(len(part)), torch.tensor([len(one) - 1 for one in ids])
        for at, logits in token_logits.logits_at(net, padded, rows, last, split_head=split):
            said[part[at]] = logits[:, firsts].argmax(1).cpu().numpy()
    return said
