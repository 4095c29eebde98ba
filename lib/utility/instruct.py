"""Downstream fine-tuning: a language model learns to say a record's label, and is asked about held-out real records.

It reads the text, a line break and the label's name, and says a value. That makes it a `Fit` as the other classifiers.
"""

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from lib.errors import DoppelError
from lib.per_sample import Example, by_length
from lib.utility import guesses
from lib.utility.classic import Fit
from lib.utility.lora import Adaptable, Adaptation

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
    tokenizer = model.tokenizer
    read = tokenizer(list(texts), truncation=True, max_length=max_tokens, split_special_tokens=True).input_ids
    question = tokenizer(f"\n{label}:", add_special_tokens=False).input_ids
    start = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    asked = [[*(start if ids[:1] != start else []), *ids, *question] for ids in read]
    file = iter(range(10**9))  # trainings are asked for in one order, so their number names them

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        shared, completions = answers(tokenizer, values)  # refused here, it is the result of a task, not of a notebook
        prompts, firsts = [[*ids, *shared] for ids in asked], torch.tensor([ids[0] for ids in completions])
        own = [Example(prompts[i], completions[c], unit) for unit, (i, c) in enumerate(zip(rows, codes, strict=True))]
        checkpoint = folder / f"{label}_{next(file)}.pt"
        with model.adapted(own, settings, seed=seed, checkpoint=checkpoint) as net:
            return _ask(net, [prompts[i] for i in tests], firsts, model.pad)

    return fit


def _ask(net: torch.nn.Module, prompts: Sequence[Sequence[int]], firsts: torch.Tensor, pad: int) -> np.ndarray:
    """Which of the answers' first tokens is the likeliest after each prompt."""
    device = next(net.parameters()).device
    split = guesses.splits(net, Example(prompts[0], [0], 0))
    said = np.empty(len(prompts), int)
    for part in by_length([1] * len(prompts), list(map(len, prompts)), TOKENS_AT_ONCE):
        ids = [torch.tensor(prompts[i], device=device) for i in part]
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=pad)  # causal: it is never seen
        rows, last = torch.arange(len(part)), torch.tensor([len(one) - 1 for one in ids])
        for at, logits in guesses.logits_at(net, padded, rows, last, split_head=split):
            said[part[at]] = logits[:, firsts].argmax(1).cpu().numpy()
    return said
