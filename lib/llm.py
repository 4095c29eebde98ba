"""One interface to every model that completes text, and records written by it: labels in, checked text out."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from lib import models
from lib.chat import LocalChat
from lib.engines.base import ChatModel, Completion, Engine, NotConvertible, Sampling
from lib.engines.names import is_remote
from lib.errors import DoppelError, nearest
from lib.private import PrivateText
from lib.records import Record
from lib.refusals import is_refusal

__all__ = ["Completion", "Draws", "Engine", "Sampling", "draw", "generate_records", "open_engine", "rejection"]

EngineName = Literal["auto", "transformers", "ctranslate2", "vllm"]

_MARKUP = re.compile(r"<\|[^|<>\s]{1,40}\|>|</?s>|\[/?INST\]|<(start|end)_of_turn>")
_STUTTER = re.compile(r"(.{1,12}?)\1{15,}", re.DOTALL)  # the same few characters sixteen times in a row


def open_engine(
    model: str,
    adapter: Path | None = None,
    *,
    engine: EngineName = "auto",
    device: models.Device = "auto",
    dtype: models.Dtype = "auto",
    batch_size: int = 64,
) -> Engine:
    """A model, with an adapter or without, ready to complete prompts.

    ``auto`` takes vllm on a GPU where it is installed; ctranslate2 on a CPU where it knows the architecture
    and bfloat16 was not asked for; else transformers. The engine's ``name`` says which one it is.
    ``batch_size`` bounds the sequences computed at once (vllm plans that itself).
    """
    known = ("auto", "transformers", "ctranslate2", "vllm")
    if engine not in known:
        raise DoppelError(f"unknown engine {engine!r}{nearest(engine, known)}")
    if batch_size < 1:
        raise DoppelError(f"batch_size = {batch_size} must be at least 1")
    place = models.resolve_device(device).type
    *better, last = _fitting(place, dtype) if engine == "auto" else [engine]
    for name in better:
        try:
            return _open(name, model, adapter, place, dtype, batch_size)
        except NotConvertible:
            continue
    return _open(last, model, adapter, place, dtype, batch_size)


def open_chat(
    model: str, *, chat: bool | None = None, server: Mapping[str, object], local: Mapping[str, object]
) -> ChatModel:
    """A model that answers messages: behind an endpoint (``openai:MODEL``, ``azure:DEPLOYMENT``), or on this machine.

    ``server`` and ``local`` are the settings of `lib.engines.endpoint.Endpoint` and of `open_engine`; those of the
    other kind are not looked at. ``chat``: see `lib.chat.LocalChat`.
    """
    if is_remote(model):
        from lib.engines.endpoint import Endpoint

        return Endpoint(model, **server)
    return LocalChat(open_engine(model, **local), chat)


def _fitting(place: str, dtype: models.Dtype) -> list[str]:
    """Engines for this machine, the fastest first; the last takes every model."""
    fast = "vllm" if place == "cuda" else "ctranslate2"
    usable = find_spec(fast) is not None and not (fast == "ctranslate2" and dtype == "bfloat16")
    return [fast, "transformers"] if usable else ["transformers"]


def _open(name: str, model: str, adapter: Path | None, place: str, dtype: models.Dtype, batch_size: int) -> Engine:
    """Open one engine; each is imported only here, for none of the others needs its packages."""
    if name == "transformers":
        from lib.engines.plain import TransformersEngine

        return TransformersEngine(model, adapter, device=place, dtype=dtype, batch_size=batch_size)
    if name == "vllm":
        if place != "cuda":
            raise DoppelError("engine vllm needs a GPU; use engine: auto")
        from lib.engines.vllm import VllmEngine

        return VllmEngine(model, adapter, dtype=dtype)
    if find_spec("ctranslate2") is None:
        raise DoppelError("engine ctranslate2 is not installed; pip install ctranslate2, or use engine: auto")
    from lib.engines.ct2 import CTranslate2Engine

    return CTranslate2Engine(model, adapter, dtype=dtype, batch_size=batch_size)


@dataclass(frozen=True)
class Draws:
    """What `draw` got. ``rejected`` counts completions by reason; one position may have several."""

    texts: dict[int, str]  # by position, of those that were accepted
    requested: int
    rejected: Counter[str]
    tokens: int  # drawn in all, those of rejected completions counted

    @property
    def reasons(self) -> str:
        return ", ".join(f"{count} {reason}" for reason, count in self.rejected.most_common()) or "none"

    def __str__(self) -> str:
        return f"{len(self.texts)} of {self.requested} texts; rejected: {self.reasons}"

    def require(self) -> "Draws":
        """Itself. Raises DoppelError when nothing at all was accepted."""
        if self.requested and not self.texts:
            raise DoppelError(
                f"none of {self.rejected.total()} completions was accepted ({self.reasons}); raise max_new_tokens if "
                "they are truncated, else change the prompt or take a better model"
            )
        return self


def draw(
    ask: Callable[[Sequence[int], int], Iterator[tuple[int, Completion]]],
    check: Callable[[int, Completion], str | None],
    count: int,
    *,
    max_attempts: int,
    progress: Callable[[int], object] = lambda accepted: None,
) -> Draws:
    """Completions for positions 0 .. count-1; what ``check`` gives a reason against is drawn again.

    Args:
        ask: completions of some positions in round 0, 1, ..; yields (number among those positions, completion).
        check: why the completion of a position is refused, or None.
        max_attempts: rounds; what is missing after them is missing in the result.
        progress: called with the number of positions newly accepted.
    """
    texts: dict[int, str] = {}
    rejected: Counter[str] = Counter()
    tokens = 0
    for attempt in range(max_attempts):
        missing = [position for position in range(count) if position not in texts]
        if not missing:
            break
        for number, completion in ask(missing, attempt):
            tokens += completion.tokens
            if reason := check(missing[number], completion):
                rejected[reason] += 1
            else:
                texts[missing[number]] = completion.text.strip()
                progress(1)
    return Draws(texts, count, rejected, tokens)


def generate_records(
    engine: Engine,
    prompt: models.Prompt,
    labels: Sequence[Mapping[str, str]],
    sampling: Sampling,
    *,
    max_attempts: int = 5,
    progress: Callable[[int], object] = lambda accepted: None,
) -> tuple[list[Record], Draws]:
    """One record for each label set: the completion alone, ended at EOS, checked by `rejection`.

    A rejected completion is drawn again with the same labels (see `draw`). The checks look at the completion
    alone, so they cost no privacy. Raises DoppelError when no completion was accepted, and when a prompt does
    not leave room for one.
    """
    prompts = [prompt.build(engine.tokenizer, one) for one in labels]
    _check_room(prompts, engine, sampling)

    def ask(positions: Sequence[int], attempt: int) -> Iterator[tuple[int, Completion]]:
        return engine.complete(
            [prompts[position] for position in positions], replace(sampling, seed=sampling.seed_for(attempt))
        )

    def check(position: int, completion: Completion) -> str | None:
        return rejection(completion, prompt.text(labels[position]), engine.tokenizer.all_special_tokens)

    made = draw(ask, check, len(labels), max_attempts=max_attempts, progress=progress).require()
    records = [
        Record(f"synthetic-{position:06d}", PrivateText(text), dict(labels[position]))
        for position, text in sorted(made.texts.items())
    ]
    return records, made


def _check_room(prompts: Sequence[Sequence[int]], engine: Engine, sampling: Sampling) -> None:
    longest = max(map(len, prompts), default=0)
    if longest + sampling.max_new_tokens > engine.tokenizer.model_max_length:
        raise DoppelError(
            f"the longest prompt has {longest} tokens; with max_new_tokens = {sampling.max_new_tokens} that exceeds "
            f"the model's {engine.tokenizer.model_max_length}; shorten the template or lower max_new_tokens"
        )


def rejection(completion: Completion, prompt_text: str, special_tokens: Sequence[str]) -> str | None:
    """Why a completion is not a record, or None when it is one."""
    text = completion.text.strip()
    if completion.refused or is_refusal(text):
        return "refusal"
    if not completion.ended:
        return "truncated"
    if not text:
        return "empty"
    if _MARKUP.search(text) or any(token in text for token in special_tokens):
        return "markup"
    if "\ufffd" in text:  # bytes that are no UTF-8
        return "broken characters"
    if not any(character.isalpha() for character in text):
        return "no letters"
    prompt = _words(prompt_text)
    if prompt.count(" ") >= 2 and prompt in _words(text):  # one or two words may come back by chance
        return "echo of the prompt"
    return "repetitive" if _repetitive(text) else None


def _words(text: str) -> str:
    """The text in lower case with single spaces."""
    return " ".join(text.casefold().split())


def _repetitive(text: str) -> bool:
    """Whether a text is stuck: the same few characters 16 times in a row, the same word 6 times in a row, or,
    of 12 three-word sequences or more, less than half are different."""
    words = text.casefold().split()
    threes = list(zip(words, words[1:], words[2:], strict=False))
    if len(threes) >= 12 and len(set(threes)) < len(threes) / 2:
        return True
    same_in_a_row = any(len(set(words[i : i + 6])) == 1 for i in range(len(words) - 5))
    return same_in_a_row or _STUTTER.search(text) is not None
