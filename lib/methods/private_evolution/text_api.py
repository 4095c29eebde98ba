"""RANDOM_API and VARIATION_API: what private evolution asks of a model. Labels and synthetic texts are all it sees."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from lib.generation.engines.base import ChatModel, Completion, Request, Sampling
from lib.generation.generate import Draws, draw, open_chat
from lib.generation.prompt_file import PromptFile, load
from lib.generation.rejection import rejection

Labels = Mapping[str, str]
Progress = Callable[[int], object]

_STEP = 16  # limits are multiples of it, so that requests of like length share a batch
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*(?=\s|$)")


@dataclass(frozen=True)
class Writing:
    """How texts are asked for, and which are taken.

    Attributes:
        sampling: temperature, top_p and so on; its seed is the one of all draws.
        max_new_tokens: longest reply of RANDOM_API, and the cap for variations.
        variation: ``rephrase`` (in a drawn tone) or ``fill`` (the blanks of the masked parent).
        mask_probability: p of ``fill``: each word becomes a blank with it.
        word_var_scale: standard deviation of the adaptive length, in words: a variation is asked to have
            max(min_words, the parent's words + N(0, word_var_scale)); 0 asks for no length (Xie et al. 2024).
        min_words: shortest length that is asked for.
        max_token_word_scale: tokens allowed for a word of that length.
        unfinished: a reply cut at its limit is drawn again (``redraw``), or cut back to its last whole
            sentence (``trim``), for models that never learned to stop.
        max_attempts: rounds in which a rejected reply is drawn again.
    """

    sampling: Sampling
    max_new_tokens: int
    variation: Literal["rephrase", "fill"] = "rephrase"
    mask_probability: float = 0.5
    word_var_scale: float = 0.0
    min_words: int = 25
    max_token_word_scale: float = 1.2
    unfinished: Literal["redraw", "trim"] = "redraw"
    max_attempts: int = 5


class Api:
    """The two APIs over one model and one prompt file.

    Every sample has a generator of its own, made of the seed, the ``stream`` of the call, the round and its
    position: keyword, writer and tone are drawn for each sample, and again for each redraw, whatever the others do.
    """

    def __init__(self, model: ChatModel, prompts: PromptFile, writing: Writing):
        self.model, self.prompts, self.writing = model, prompts, writing
        self._examples = {_plain(text) for shot in prompts.shots for text in (shot.text, shot.again) if text}

    def random(self, labels: Sequence[Labels], *stream: int, progress: Progress = lambda accepted: None) -> Draws:
        """A new text for each label set. Raises DoppelError when the model gave none at all."""

        def request(position: int, rng: np.random.Generator) -> Request:
            return Request(self.prompts.random(labels[position], rng, None), self.writing.max_new_tokens)

        return self._draw(request, [None] * len(labels), stream, progress).require()

    def vary(
        self, parents: Sequence[str], labels: Sequence[Labels], *stream: int, progress: Progress = lambda accepted: None
    ) -> Draws:
        """A variation of each parent (a synthetic text), with the parent's labels; never the parent itself."""

        def request(position: int, rng: np.random.Generator) -> Request:
            parent = parents[position]
            words, limit = self.length(parent, rng)
            if self.writing.variation == "rephrase":
                messages = self.prompts.rephrase(parent, labels[position], rng, words)
            else:
                messages = self.prompts.fill(parent, labels[position], rng, words, self.writing.mask_probability)
            return Request(messages, limit)

        return self._draw(request, parents, stream, progress)

    def length(self, parent: str, rng: np.random.Generator) -> tuple[int | None, int]:
        """Words to ask for (None: do not say), and the most tokens a variation may have."""
        writing = self.writing
        if not writing.word_var_scale:
            return None, writing.max_new_tokens
        words = max(writing.min_words, round(len(parent.split()) + rng.normal(0, writing.word_var_scale)))
        tokens = -(-words * writing.max_token_word_scale // _STEP) * _STEP
        return words, min(int(tokens), writing.max_new_tokens)

    def _draw(
        self,
        request: Callable[[int, np.random.Generator], Request],
        parents: Sequence[str | None],
        stream: tuple[int, ...],
        progress: Progress,
    ) -> Draws:
        writing = self.writing
        asked: dict[int, Request] = {}

        def ask(positions: Sequence[int], attempt: int) -> Iterator[tuple[int, Completion]]:
            for position in positions:
                rng = np.random.default_rng([writing.sampling.seed, *stream, attempt, position])
                asked[position] = request(position, rng)
            drawn = replace(writing.sampling, seed=writing.sampling.seed_for(*stream, attempt))
            for number, reply in self.model.reply([asked[position] for position in positions], drawn):
                yield number, self._cleaned(reply)

        def check(position: int, reply: Completion) -> str | None:
            if reply.ended and parents[position] is not None and _plain(reply.text) == _plain(parents[position]):
                return "copy of its parent"
            if _plain(reply.text) in self._examples:
                return "copy of an example"
            if parents[position] is not None and self.prompts.unfilled(reply.text):
                return "blanks left"
            return rejection(reply, asked[position].messages[-1][1], ())

        return draw(ask, check, len(parents), max_attempts=writing.max_attempts, progress=progress)

    def _cleaned(self, reply: Completion) -> Completion:
        """The text in a reply; with ``trim``, a cut one up to its last whole sentence."""
        text, ended = reply.text, reply.ended
        if not ended and self.writing.unfinished == "trim":
            ends = [match.end() for match in _SENTENCE_END.finditer(text)]
            text, ended = (text[: ends[-1]], True) if ends else (text, False)
        return replace(reply, text=self.prompts.clean(text), ended=ended)


def open_api(parameters: Mapping[str, object]) -> Api:
    """The APIs that the parameters of notebook 03 describe."""
    given = parameters
    server = {name: given[name] for name in ("base_url", "key_variable", "concurrency", "prices")}
    local = {name: given[name] for name in ("engine", "device", "dtype", "batch_size")}
    writer = open_chat(given["model"], chat=given["chat"], server=server, local=local)
    settings = {name: given[name] for name in Writing.__dataclass_fields__ if name != "sampling"}
    return Api(writer, load(Path(given["prompts"])), Writing(Sampling.of(given), **settings))


def _plain(text: str) -> str:
    """Letters and digits in lower case: texts that differ in nothing else are the same."""
    return "".join(character for character in text.casefold() if character.isalnum())
