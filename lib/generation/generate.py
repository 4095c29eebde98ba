"""One interface to every model that completes text, and records written by it: labels in, checked text out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from lib.common.errors import DoppelError, nearest
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.generation.engines.base import ChatModel, Completion, Engine, NotConvertible, Sampling
from lib.generation.engines.names import is_remote
from lib.generation.local_chat import LocalChat
from lib.generation.rejection import rejection
from lib.models import loading
from lib.models.prompt import Prompt

__all__ = ["Completion", "Draws", "Engine", "Sampling", "draw", "generate_records", "open_engine", "rejection"]

EngineName = Literal["auto", "transformers", "ctranslate2", "vllm"]


def open_engine(
    model: str,
    adapter: Path | None = None,
    *,
    engine: EngineName = "auto",
    device: loading.Device = "auto",
    dtype: loading.Dtype = "auto",
    batch_size: int = 64,
) -> Engine:
    """A model, with an adapter or without, ready to complete prompts.

    ``auto`` takes vllm on a GPU where it is installed; ctranslate2 on a CPU where it knows the architecture
    and bfloat16 was not asked for; else transformers. The engine's ``name`` says which one it is.
    ``batch_size`` bounds the sequences computed at once (vllm plans that itself).
    """
    known = ("auto", "transformers", "ctranslate2", "vllm")
    if engine not in known:
        raise DoppelError(f"unknown engine {engine!r}; {nearest(engine, known)}")
    if batch_size < 1:
        raise DoppelError(f"batch_size = {batch_size} must be at least 1")
    place = loading.resolve_device(device).type
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

    ``server`` and ``local`` are the settings of `lib.generation.endpoint.endpoint.Endpoint` and of `open_engine`; those of the
    other kind are not looked at. ``chat``: see `lib.generation.local_chat.LocalChat`.
    """
    if is_remote(model):
        from lib.generation.endpoint.endpoint import Endpoint

        return Endpoint(model, **server)
    return LocalChat(open_engine(model, **local), chat)


def _fitting(place: str, dtype: loading.Dtype) -> list[str]:
    """Engines for this machine, the fastest first; the last takes every model."""
    fast = "vllm" if place == "cuda" else "ctranslate2"
    usable = find_spec(fast) is not None and not (fast == "ctranslate2" and dtype == "bfloat16")
    return [fast, "transformers"] if usable else ["transformers"]


def _open(name: str, model: str, adapter: Path | None, place: str, dtype: loading.Dtype, batch_size: int) -> Engine:
    """Open one engine; each is imported only here, for none of the others needs its packages."""
    if name == "transformers":
        from lib.generation.engines.transformers_engine import TransformersEngine

        return TransformersEngine(model, adapter, device=place, dtype=dtype, batch_size=batch_size)
    if name == "vllm":
        if place != "cuda":
            raise DoppelError("engine vllm needs a GPU; use engine: auto")
        from lib.generation.engines.vllm_engine import VllmEngine

        return VllmEngine(model, adapter, dtype=dtype)
    if find_spec("ctranslate2") is None:
        raise DoppelError("engine ctranslate2 is not installed; pip install ctranslate2, or use engine: auto")
    from lib.generation.engines.ctranslate2_engine import CTranslate2Engine

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
    prompt: Prompt,
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
