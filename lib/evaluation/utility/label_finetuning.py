"""Downstream fine-tuning: a language model learns to name a record's label, and is tested on held-out real records.

Its prompt is the text, a line break and the label's name; its completion is the label's value. This makes it a `Fit`
like the other classifiers.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import count, takewhile
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
from lib.evaluation.utility.tstr import scores
from lib.models.examples import Example, by_length

TOKENS_AT_ONCE = 2048  # of prompts that are answered together


def answer_tokens(tokenizer: PreTrainedTokenizerBase, values: Sequence[str]) -> tuple[list[int], list[list[int]]]:
    """Token ids of a label's values, split where they begin to differ.

    Args:
        tokenizer: of the language model.
        values: the label's values.

    Returns:
        The ids that all values begin with, and for each value the ids that follow. The first of these is different for
        every value, so one token decides which value the model predicts.

    Raises:
        DoppelError: one token cannot tell the values apart.
    """
    read = [tokenizer(f" {value}", add_special_tokens=False).input_ids for value in values]
    together = takewhile(lambda tokens: len(set(tokens)) == 1, zip(*read, strict=False)) if len(read) > 1 else ()
    shared = [tokens[0] for tokens in together]
    rest = [ids[len(shared) :] for ids in read]
    firsts = [ids[0] if ids else None for ids in rest]
    if None in firsts or len(set(firsts)) < len(firsts):
        raise DoppelError(
            "evaluation.values_begin_alike",
            f"{len(values)} values of the label begin with {len(set(firsts))} different tokens, so one token cannot "
            "tell them apart",
            value=len(set(firsts)),
            remedy="give the label shorter or numbered values",
        )
    return shared, rest


def prompts(
    texts: Sequence[str], label: str, values: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> list[list[int]]:
    """Token ids of prompts: the text, the label's name, and what all of its values begin with.

    Args:
        texts: the texts.
        label: the label's name.
        values: the label's values.
        tokenizer: of the language model.
        max_tokens: tokens of a text that are read.

    Raises:
        DoppelError: one token cannot tell the values apart.
    """
    shared, _ = answer_tokens(tokenizer, values)
    question = tokenizer(f"\n{label}:", add_special_tokens=False).input_ids
    read = tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True).input_ids
    return [[first_token(tokenizer), *ids[:max_tokens], *question, *shared] for ids in read]


def language_model(
    texts: Sequence[str],
    label: str,
    values: Sequence[str],
    model: Adaptable,
    settings: Adaptation,
    *,
    max_tokens: int,
    folder: Path,
) -> Fit:
    """A classifier that adapts a language model to name the label.

    Args:
        texts: the pool.
        label: the label's name.
        values: the label's values, in the order of their codes.
        model: the language model.
        settings: of each training.
        max_tokens: tokens of a text that are read.
        folder: checkpoints, so that an interrupted run does not repeat finished trainings.

    Returns:
        The classifier. It raises DoppelError where one token cannot tell the values apart.
    """
    number = count()  # trainings always come in the same order, so their number names their checkpoint

    @cache
    def read() -> tuple[list[list[int]], list[int]]:
        _, rest = answer_tokens(model.tokenizer, values)
        return prompts(texts, label, values, model.tokenizer, max_tokens), [ids[0] for ids in rest]

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        asked, firsts = read()  # a refusal here makes this task undefined, and does not stop the notebook
        # the token that decides and none behind it, so frozen layers read the prompt alone: once for all trainings
        own = [Example(asked[i], [firsts[c]], unit) for unit, (i, c) in enumerate(zip(rows, codes, strict=True))]
        checkpoint = folder / f"{label}_{next(number)}.pt"
        with model.adapted(own, settings, seed=seed, checkpoint=checkpoint) as net:
            return _answers(net, [asked[i] for i in tests], torch.tensor(firsts, device=net.device), model.pad)

    return fit


def vectors(sets: Sets, label: str | None, model: Adaptable, max_tokens: int) -> np.ndarray:
    """Embeddings of the texts by the model's frozen layers, (texts, width); 0 for texts in no training or test.

    Each text is read once, followed by the question for its label; the trainings of `lib.evaluation.utility.next_token`
    and of this task then read no more of it.

    Args:
        sets: the pool.
        label: the label that will be asked for; None if there is none.
        model: the language model, with frozen layers.
        max_tokens: tokens of a text that are read.

    Raises:
        DoppelError: the model has no frozen layers.
    """

    def encode(texts: list[str]) -> np.ndarray:
        examples, asked = as_examples(texts, model.tokenizer, max_tokens), None
        if label is not None:
            with suppress(DoppelError):  # one token cannot tell its values apart: the task will report it
                asked = prompts(texts, label, sets.codes(label)[1], model.tokenizer, max_tokens)
        return model.vectors(examples, asked)

    return sets.encoded(encode)


def untrained(sets: Sets, label: str, model: Adaptable, max_tokens: int) -> dict[str, float]:
    """Accuracy and macro-F1 of the model without an adapter; empty where one token cannot tell the values apart.

    Args:
        sets: whose held-out records are asked about.
        label: the label's name.
        model: the language model.
        max_tokens: tokens of a text that are read.
    """
    codes, values = sets.codes(label)
    rows = sets.rows[HELD_OUT]
    try:
        asked = prompts([sets.texts[i] for i in rows], label, values, model.tokenizer, max_tokens)
    except DoppelError:  # the task reports it for every arm
        return {}
    net = model.plain()
    firsts = torch.tensor([ids[0] for ids in answer_tokens(model.tokenizer, values)[1]], device=net.device)
    predicted = _answers(net, asked, firsts, model.pad)
    return {metric: score(predicted, codes[rows]) for metric, score in scores().items()}


def _answers(net: torch.nn.Module, prompts: Sequence[Sequence[int]], firsts: torch.Tensor, pad: int) -> np.ndarray:
    """For each prompt, which of the tokens ``firsts`` (values,) is the most probable next one; codes (prompts,)."""
    device = next(net.parameters()).device
    split = token_logits.splits(net, Example(prompts[0], [0], 0))
    codes = np.empty(len(prompts), int)
    for group in by_length([1] * len(prompts), list(map(len, prompts)), TOKENS_AT_ONCE):
        ids = [torch.tensor(prompts[i], device=device) for i in group]
        # causal attention never sees the padding
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=pad)
        rows, last = torch.arange(len(group)), torch.tensor([len(prompt) - 1 for prompt in ids])
        for at, logits in token_logits.logits_at(net, padded, rows, last, split_head=split):
            codes[group[at]] = logits[:, firsts].argmax(1).cpu().numpy()
    return codes
