"""RANDOM_API and VARIATION_API: what private evolution asks of a model, which sees only labels and synthetic texts.

The names are those of Lin et al. 2024; prompts and adaptive lengths follow Aug-PE (Xie et al. 2024).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from lib.data.tokenize import count, whole_sentences
from lib.generation.engines.base import ChatModel, Completion, Engine, Request, Sampling, Usage
from lib.generation.generate import Draws, chat_settings, draw, open_chat
from lib.generation.local_chat import LocalChat
from lib.generation.prompt_file import PromptFile, load
from lib.generation.prompt_parts import NONE_SHOWN, Shown, examples
from lib.generation.reasoning import without_reasoning
from lib.generation.rejection import plain, rejection
from lib.methods.private_evolution.modality import Modality, text_modality
from lib.models import encoders

Labels = Mapping[str, str]
Progress = Callable[[int], object]

_STEP = 16  # limits of tokens are multiples of this, so that requests of similar length share a batch


@dataclass(frozen=True)
class Writing:
    """How texts are asked for, and which replies are accepted.

    Attributes:
        sampling: how tokens are drawn; all other draws of the APIs use its seed too.
        max_new_tokens: the most tokens of a reply, at least 1.
        variation: ``rephrase`` asks for the text in other words, ``fill`` masks words and asks to fill in the blanks.
        mask_probability: with ``fill``, the probability of each word to become a blank, in (0, 1].
        word_var_scale: standard deviation of the adaptive length, in words, at least 0. A variation is asked to have
            max(min_words, words of its parent + N(0, word_var_scale)) words; 0 asks for no length (Xie et al. 2024).
            Words are counted by `lib.data.tokenize.count`: in scripts without spaces, characters.
        min_words: shortest adaptive length in words, at least 1.
        max_token_word_scale: tokens allowed for each word of the adaptive length, above 0.
        unfinished: what happens to a reply that was cut at its limit: ``redraw`` draws it again, ``trim`` cuts it back
            to its last whole sentence, for models that never learned to stop.
        max_attempts: rounds of drawing, at least 1; in each, the texts that are still missing are asked for.
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
    """The two APIs, with one model and one prompt file.

    Every sample has a generator of its own, made from the seed, the ``stream`` of the call, the round, and its
    position. So keyword, writer and tone are drawn for each sample, and again for each redraw, independently of the
    other samples.

    Args:
        model: answers the requests.
        prompts: the prompt file; replies that repeat one of its examples are rejected.
        writing: how texts are asked for.
    """

    fingerprint = "texts"  # they are kept as they are, so what wrote them may change when a run is resumed

    def __init__(self, model: ChatModel, prompts: PromptFile, writing: Writing):
        self.model, self.prompts, self.writing = model, prompts, writing
        self._examples = examples(prompts.shots)

    @property
    def usage(self) -> Usage:
        """What the model was asked for so far, and what it cost."""
        return self.model.usage

    def random(self, labels: Sequence[Labels], *stream: int, progress: Progress = lambda accepted: None) -> Draws[str]:
        """RANDOM_API: a new text for each label set.

        Args:
            labels: label sets, name -> value.
            stream: numbers that name the call; calls with other numbers draw independently.
            progress: called with the number of texts newly accepted.

        Returns:
            The accepted texts by position in ``labels``, maybe none, and what they cost.
        """

        def request(position: int, rng: np.random.Generator) -> Request:
            return Request(self.prompts.random(labels[position], rng, None), self.writing.max_new_tokens)

        return self._draw(request, [None] * len(labels), stream, progress)

    def vary(
        self,
        parents: Sequence[str],
        labels: Sequence[Labels],
        *stream: int,
        degree: None = None,
        shown: Sequence[Shown] | None = None,
        progress: Progress = lambda accepted: None,
    ) -> Draws[str]:
        """VARIATION_API: a variation of each parent, never the parent itself.

        Args:
            parents: synthetic texts, never private ones.
            labels: label set of each parent, name -> value.
            stream: numbers that name the call; calls with other numbers draw independently.
            degree: not used: how far a text may change stands in the prompt.
            shown: candidates that each one's prompt shows; None: none. A reply that repeats one of them is rejected.
            progress: called with the number of texts newly accepted.

        Returns:
            The accepted texts by position in ``parents``, maybe none, and what they cost.
        """

        def request(position: int, rng: np.random.Generator) -> Request:
            parent = parents[position]
            words, limit = self.length(parent, rng)
            texts = shown[position] if shown else NONE_SHOWN
            if self.writing.variation == "rephrase":
                messages = self.prompts.rephrase(parent, labels[position], rng, words, texts)
            else:
                share = self.writing.mask_probability
                messages = self.prompts.fill(parent, labels[position], rng, words, share, texts)
            return Request(messages, limit)

        repeated = [{*map(plain, (*one.good, *one.bad))} for one in shown] if shown else None
        return self._draw(request, parents, stream, progress, repeated)

    def length(self, parent: str, rng: np.random.Generator) -> tuple[int | None, int]:
        """The adaptive length of a variation.

        Args:
            parent: the text to be varied.
            rng: the sample's generator.

        Returns:
            The number of words to ask for, or None to ask for none; and the most tokens of the reply.
        """
        writing = self.writing
        if not writing.word_var_scale:
            return None, writing.max_new_tokens
        words = max(writing.min_words, round(count(parent) + rng.normal(0, writing.word_var_scale)))
        tokens = -(-words * writing.max_token_word_scale // _STEP) * _STEP
        return words, min(int(tokens), writing.max_new_tokens)

    def _draw(
        self,
        request: Callable[[int, np.random.Generator], Request],
        parents: Sequence[str | None],
        stream: tuple[int, ...],
        progress: Progress,
        shown: Sequence[set[str]] | None = None,
    ) -> Draws[str]:
        writing = self.writing
        asked: dict[int, Request] = {}

        def ask(positions: Sequence[int], attempt: int) -> Iterator[tuple[int, Completion]]:
            for position in positions:
                rng = np.random.default_rng([writing.sampling.seed, *stream, attempt, position])
                asked[position] = request(position, rng)
            drawn = replace(writing.sampling, seed=writing.sampling.seed_for(*stream, attempt))
            return self.model.reply([asked[position] for position in positions], drawn)

        def check(position: int, reply: Completion) -> str | None:
            if reply.ended and parents[position] is not None and plain(reply.text) == plain(parents[position]):
                return "copy of its parent"
            if plain(reply.text) in self._examples or (shown and plain(reply.text) in shown[position]):
                return "copy of an example"
            if parents[position] is not None and self.prompts.unfilled(reply.text):
                return "blanks left"
            return rejection(reply, asked[position].messages[-1][1], ())

        attempts = writing.max_attempts
        return draw(ask, check, len(parents), max_attempts=attempts, clean=self._cleaned, progress=progress)

    def _cleaned(self, reply: Completion) -> Completion:
        """The answer in a reply, cleaned; with ``trim``, a cut one is shortened to its last whole sentence."""
        reply = without_reasoning(reply)
        text, ended = reply.text, reply.ended
        if not ended and self.writing.unfinished == "trim":
            whole = whole_sentences(text)
            text, ended = (whole, True) if whole else (text, False)
        return replace(reply, text=self.prompts.clean(text), ended=ended)


def on_engine(engine: Engine, parameters: Mapping[str, object]) -> Api:
    """The APIs of a local model that is open already, to invent texts with.

    Args:
        engine: the model.
        parameters: of 11_generate, resolved, with ``prompts``, the path of a prompt file. Whether a reply ends at its
            first line break is said there, not by ``one_line``.

    Raises:
        DoppelError: the prompt file cannot be used, or there is no chat template for ``chat``.
    """
    sampling = replace(Sampling.of(parameters), one_line=False)
    writing = Writing(sampling, parameters["max_new_tokens"], max_attempts=parameters["max_attempts"])
    return Api(LocalChat(engine, parameters["chat"]), load(Path(parameters["prompts"])), writing)


def open_api(parameters: Mapping[str, object]) -> Api:
    """Open a model and a prompt file as the parameters of a stage name them.

    Args:
        parameters: of 12_aug_pe, resolved.

    Raises:
        DoppelError: the model, its engine or endpoint, or the prompt file cannot be used.
    """
    model = open_chat(parameters["model"], **chat_settings(parameters))
    settings = {name: parameters[name] for name in Writing.__dataclass_fields__ if name != "sampling"}
    return Api(model, load(Path(parameters["prompts"])), Writing(Sampling.of(parameters), **settings))


def open_texts(parameters: Mapping[str, object]) -> Modality[str]:
    """Open what a stage evolves texts with: `open_api`, and the encoder of the votes.

    Args:
        parameters: of 12_aug_pe, resolved.

    Raises:
        DoppelError: as `open_api`, or the encoder cannot be used.
    """
    encoder = encoders.open_encoder(parameters["encoder"], device=parameters["device"], dtype="float32")
    return text_modality(open_api(parameters), encoder)
