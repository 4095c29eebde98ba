"""What every engine is given and gives back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lib.common.errors import DoppelError

if TYPE_CHECKING:  # pre-flight reads this file, and must not wait for transformers
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn; engines apply it in this order: penalty, n-grams, temperature, top_k, top_p.

    Attributes:
        temperature: 0 takes the likeliest token, 1 the model's own distribution.
        top_p: keep the likeliest tokens that together reach this probability, in (0, 1].
        top_k: keep this many likeliest tokens; 0 keeps the whole vocabulary.
        max_new_tokens: longest completion, its EOS counted.
        min_new_tokens: tokens before which no EOS is drawn.
        repetition_penalty: logits of the tokens in the completion so far (not in the prompt) are divided by
            it where positive and multiplied by it where negative (Keskar et al. 2019); 1 is none.
        no_repeat_ngram_size: no run of so many tokens comes twice in a completion; 0 lets them.
        seed: same seed, prompts, engine and number of cores: same completions.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    max_new_tokens: int = 64
    min_new_tokens: int = 0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        bounds = {
            "temperature": (self.temperature >= 0, "at least 0"),
            "top_p": (0 < self.top_p <= 1, "in (0, 1]"),
            "top_k": (self.top_k >= 0, "at least 0 (0: the whole vocabulary)"),
            "max_new_tokens": (self.max_new_tokens >= 1, "at least 1"),
            "min_new_tokens": (0 <= self.min_new_tokens <= self.max_new_tokens, "in [0, max_new_tokens]"),
            "repetition_penalty": (self.repetition_penalty > 0, "above 0 (1: none)"),
            "no_repeat_ngram_size": (self.no_repeat_ngram_size >= 0, "at least 0 (0: none)"),
            "seed": (self.seed >= 0, "at least 0"),
        }
        for name, (fits, bound) in bounds.items():
            if not fits:
                raise DoppelError(f"{name} = {getattr(self, name)!r} must be {bound}")

    @classmethod
    def of(cls, parameters: Mapping[str, object]) -> Sampling:
        """From a notebook's parameters: those that have the names of its own; others are neutral."""
        return cls(**{name: parameters[name] for name in cls.__dataclass_fields__ if name in parameters})

    def seed_for(self, *stream: int) -> int:
        """A seed of 32 bits for one stream of draws, unrelated to those of other streams and other seeds."""
        return int(np.random.SeedSequence((self.seed, *stream)).generate_state(1)[0])


@dataclass(frozen=True)
class Completion:
    """What a model wrote after a prompt. ``text`` keeps special tokens but the EOS that ended it, if one did."""

    text: str
    tokens: int  # drawn, its EOS counted
    ended: bool  # at an EOS; otherwise cut at max_new_tokens
    refused: bool = False  # by the provider itself: its refusal field or its content filter


@dataclass(frozen=True)
class Request:
    """What a chat model is asked: messages of (role, content), and the longest reply in tokens."""

    messages: tuple[tuple[str, str], ...]
    max_new_tokens: int


@dataclass
class Usage:
    """What the replies of a model have cost so far."""

    requests: int = 0  # answered by the model
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: int = 0  # answered from the cache, nothing paid
    retries: int = 0
    cost: float = 0.0  # in the currency of the prices


class NotConvertible(DoppelError):
    """An engine has no counterpart of the model's architecture; another engine may."""


class Engine(Protocol):
    """A loaded model that completes prompts."""

    name: str
    tokenizer: PreTrainedTokenizerBase

    def complete(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, limits: Sequence[int] | None = None
    ) -> Iterator[tuple[int, Completion]]:
        """Complete prompts of token ids; yields (position of the prompt, completion) as they get done.

        ``limits`` gives each prompt its own longest completion, in place of ``sampling.max_new_tokens``.
        """
        ...


class ChatModel(Protocol):
    """A model that answers messages, on this machine or behind an endpoint."""

    name: str
    usage: Usage

    def reply(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        """Answer requests; yields (position of the request, reply) as they get done.

        Equal requests get different draws. ``sampling.max_new_tokens`` is not looked at: each request has its own.
        """
        ...


def completion(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], ends: Sequence[int], limit: int) -> Completion:
    """A completion from token ids: those after the first end token are padding, those after ``limit`` not wanted."""
    ids = ids[:limit]
    length = next((i for i, id in enumerate(ids) if id in ends), None)
    ended = length is not None
    kept = list(ids[:length])
    text = tokenizer.decode(kept, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return Completion(text, len(kept) + ended, ended)


def batches(prompts: Sequence[Sequence[int]], limits: Sequence[int], size: int, multiple: int = 1) -> list[list[int]]:
    """Positions of the prompts in batches of like limit and length, at most ``size`` each and as even as can be.

    Their number is a multiple of ``multiple`` where there are prompts enough, so that as many workers
    finish together.
    """
    order = sorted(range(len(prompts)), key=lambda position: (limits[position], len(prompts[position])))
    count = -(-len(order) // (size * multiple)) * multiple
    cuts = np.linspace(0, len(order), min(count, len(order)) + 1).round().astype(int)
    return [order[a:b] for a, b in pairwise(cuts)]
