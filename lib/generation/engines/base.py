"""The types that every engine and every chat model shares: what goes in, what comes out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lib.common.errors import DoppelError

if TYPE_CHECKING:  # pre-flight imports this file and must not wait for transformers
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn. Engines apply guidance, penalty, n-grams, temperature, top_k, top_p, in this order.

    Args:
        temperature: at least 0; 0 takes the likeliest token, 1 is the model's own distribution.
        top_p: in (0, 1]; keep the likeliest tokens that together reach this probability.
        top_k: keep this many of the likeliest tokens; 0 keeps the whole vocabulary.
        max_new_tokens: longest completion in tokens, at least 1; an EOS counts as a token.
        min_new_tokens: no EOS is drawn before this many tokens; in [0, max_new_tokens].
        repetition_penalty: logits of tokens that the completion (not the prompt) already has are divided by it
            where positive and multiplied by it where negative (Keskar et al. 2019); above 0, 1 is no penalty.
        no_repeat_ngram_size: no sequence of this many tokens occurs twice in a completion; 0 allows repeats.
        guidance: g >= 0; the logits are (1 + g) times those after the prompt less g times those after the prompt
            without its label (Sanchez et al., "Stay on topic with classifier-free guidance", ICML 2024, eq. 7 with
            gamma = 1 + g; a constant added to all logits changes nothing). 0: the prompt alone.
        one_line: a completion ends with its first token that has a line break; that is never its first token.
        seed: at least 0. The same seed, prompts, engine and number of cores give the same completions.

    Raises:
        DoppelError: a value is out of its range.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    max_new_tokens: int = 64
    min_new_tokens: int = 0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    guidance: float = 0.0
    one_line: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        bounds = {
            "temperature": (self.temperature >= 0, "at least 0"),
            "top_p": (0 < self.top_p <= 1, "in (0, 1]"),
            "top_k": (self.top_k >= 0, "at least 0 (0: the whole vocabulary)"),
            "max_new_tokens": (self.max_new_tokens >= 1, "at least 1"),
            "min_new_tokens": (0 <= self.min_new_tokens <= self.max_new_tokens, "in [0, max_new_tokens]"),
            "repetition_penalty": (self.repetition_penalty > 0, "above 0 (1: no penalty)"),
            "no_repeat_ngram_size": (self.no_repeat_ngram_size >= 0, "at least 0 (0: repeats are allowed)"),
            "guidance": (0 <= self.guidance < np.inf, "at least 0 (0: no guidance) and finite"),
            "seed": (self.seed >= 0, "at least 0"),
        }
        for name, (fits, bound) in bounds.items():
            if not fits:
                value = getattr(self, name)
                raise DoppelError(
                    "generation.sampling_out_of_range", f"{name} = {value!r} must be {bound}", name=name, value=value
                )

    @classmethod
    def of(cls, parameters: Mapping[str, object]) -> Sampling:
        """The sampling of a notebook.

        Args:
            parameters: the notebook's parameters. Those named like a field are taken; other fields keep their default.
        """
        return cls(**{name: parameters[name] for name in cls.__dataclass_fields__ if name in parameters})

    def seed_for(self, *stream: int) -> int:
        """A 32-bit seed for an independent stream of draws.

        Args:
            *stream: numbers that name the stream; a different ``stream`` or ``seed`` gives an unrelated seed.
        """
        return int(np.random.SeedSequence((self.seed, *stream)).generate_state(1)[0])


@dataclass(frozen=True)
class Completion:
    """What a model wrote after a prompt.

    Attributes:
        text: the text with its special tokens, but without the EOS that ended it.
        tokens: number of tokens drawn; a final EOS counts.
        ended: True when the model drew an EOS or, where it writes one line, a line break; False when the completion was
            cut at its limit.
        refused: True when the provider itself refused: by its refusal field or its content filter.
        first_line_only: True when what followed a line break was taken off.
    """

    text: str
    tokens: int
    ended: bool
    refused: bool = False
    first_line_only: bool = False


@dataclass(frozen=True)
class Request:
    """A request to a chat model.

    Attributes:
        messages: pairs of role (system, user, assistant) and content.
        max_new_tokens: longest reply in tokens.
        stream: tells the draws of an endpoint's reply from those of equal requests; 0: by the order of the requests.
            A local model draws for a batch, and does not read it.
    """

    messages: tuple[tuple[str, str], ...]
    max_new_tokens: int
    stream: int = 0


@dataclass
class Usage:
    """What a model's replies have cost so far.

    Attributes:
        requests: requests that the model answered.
        prompt_tokens: tokens of their prompts.
        completion_tokens: tokens of their replies.
        cached: requests that the cache answered, at no cost.
        retries: tries beyond the first of each request.
        unsure: replies taken as whole although their server did not say how they ended, nor how long they are.
        cost: price of all tokens, in the currency of the endpoint's ``prices``.
    """

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: int = 0
    retries: int = 0
    unsure: int = 0
    cost: float = 0.0


class NotConvertible(DoppelError):
    """An engine does not support the model's architecture; another engine may."""


class Engine(Protocol):
    """A loaded model that completes prompts. ``name`` is its entry in `lib.generation.engines.registry`."""

    name: str
    tokenizer: PreTrainedTokenizerBase

    def complete(
        self,
        prompts: Sequence[Sequence[int]],
        sampling: Sampling,
        limits: Sequence[int] | None = None,
        *,
        without_label: Sequence[Sequence[int]] | None = None,
    ) -> Iterator[tuple[int, Completion]]:
        """Complete prompts.

        Args:
            prompts: token ids of each prompt.
            sampling: how tokens are drawn.
            limits: longest completion of each prompt in tokens; None gives all of them ``sampling.max_new_tokens``.
            without_label: token ids of each prompt without its label; read where ``sampling.guidance`` is above 0.

        Yields:
            (position of the prompt, completion), as completions are finished.

        Raises:
            DoppelError: the engine cannot do what ``sampling`` asks.
        """
        ...


class ChatModel(Protocol):
    """A model that answers messages, on this machine or behind an endpoint."""

    name: str
    usage: Usage

    def reply(
        self, requests: Sequence[Request], sampling: Sampling, failed: dict[int, str] | None = None
    ) -> Iterator[tuple[int, Completion]]:
        """Answer requests; equal requests get different draws.

        Args:
            requests: what is asked, each with its own limit.
            sampling: how tokens are drawn; its ``max_new_tokens`` is ignored.
            failed: where a request fails for good and others may not, its position and what happened are written here,
                and the others are answered. None: the first such request ends the call.

        Yields:
            (position of the request, reply), as replies are finished.

        Raises:
            DoppelError: a request failed and ``failed`` is None, or no request can be answered.
        """
        ...


def completion(
    tokenizer: PreTrainedTokenizerBase,
    ids: Sequence[int],
    ends: Collection[int],
    limit: int,
    breaks: Collection[int] = (),
) -> Completion:
    """A completion from token ids.

    Args:
        tokenizer: decodes the ids.
        ids: token ids that were drawn; those behind the first end token are padding.
        ends: ids of the end tokens.
        limit: ids beyond this many are dropped.
        breaks: ids of tokens that end the completion too, and stay part of its text.
    """
    ids = ids[:limit]
    end = next((position for position, token in enumerate(ids) if token in ends or token in breaks), None)
    ended = end is not None
    kept = list(ids[: end + (ids[end] in breaks)] if ended else ids)
    text = tokenizer.decode(kept, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return Completion(text, end + 1 if ended else len(ids), ended)


@lru_cache(maxsize=1)
def line_breaks(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Ids of all tokens whose text has a line break.

    Args:
        tokenizer: the model's own; 131 of SmolLM2's 49,152 tokens have one.
    """
    texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))], clean_up_tokenization_spaces=False)
    return frozenset(token for token, text in enumerate(texts) if "\n" in text or "\r" in text)


def batches(prompts: Sequence[Sequence[int]], limits: Sequence[int], size: int, multiple: int = 1) -> list[list[int]]:
    """Batches of prompts of similar limit and length, as equal in size as possible.

    Args:
        prompts: token ids of each prompt.
        limits: longest completion of each prompt in tokens.
        size: most prompts in a batch.
        multiple: the number of batches is a multiple of this where there are enough prompts, so that as many
            workers finish together.

    Returns:
        Positions of the prompts, a list for each batch.
    """
    order = sorted(range(len(prompts)), key=lambda position: (limits[position], len(prompts[position])))
    count = -(-len(order) // (size * multiple)) * multiple
    cuts = np.linspace(0, len(order), min(count, len(order)) + 1).round().astype(int)
    return [order[start:stop] for start, stop in pairwise(cuts)]
