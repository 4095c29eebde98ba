"""Open a model that completes text, and draw records from it: labels in, checked text out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from lib.common.errors import DoppelError
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.generation.engines.base import ChatModel, Completion, Engine, NotConvertible, Sampling
from lib.generation.engines.names import check_engine, is_remote
from lib.generation.engines.registry import fitting, open_entry
from lib.generation.local_chat import LocalChat
from lib.generation.reasoning import may_reason, without_reasoning
from lib.generation.rejection import rejection
from lib.generation.reply_cleanup import first_line
from lib.models import loading
from lib.models.hidden_states import Directions
from lib.models.prompt import Prompt

__all__ = ["Completion", "Draws", "Engine", "Sampling", "draw", "generate_records", "open_engine", "rejection"]
T = TypeVar("T")


def open_engine(
    model: str,
    adapter: Path | None = None,
    *,
    engine: str = "auto",
    device: loading.Device = "auto",
    dtype: loading.Dtype = "auto",
    batch_size: int = 64,
    guidance: float = 0.0,
) -> Engine:
    """Load a model, ready to complete prompts.

    Args:
        model: name of the model, see `lib.models.loading.locate`.
        adapter: folder of a LoRA adapter for the model, or None.
        engine: a name in `lib.generation.engines.registry`, or ``auto``: vllm on a GPU where it is installed,
            ctranslate2 on a CPU where it supports the architecture and ``dtype`` is not bfloat16, else transformers,
            which alone does guided decoding.
        device: "auto" (a GPU where there is one), "cpu" or "cuda".
        dtype: "auto", "float32" or "bfloat16".
        batch_size: most sequences that are computed at once, at least 1; vllm plans its batches itself.
        guidance: the largest that the engine will be asked for, see `lib.generation.engines.base.Sampling`.

    Returns:
        The engine; its ``name`` says which engine it is.

    Raises:
        DoppelError: the engine is unknown or cannot be opened here, or a parameter is out of its range.
    """
    check_engine(engine, guidance)
    if batch_size < 1:
        raise DoppelError(
            "generation.batch_size_out_of_range",
            f"batch_size = {batch_size} must be at least 1",
            name="batch_size",
            value=batch_size,
        )
    place = loading.resolve_device(device).type
    *first_choices, last_choice = fitting(place, dtype, guidance) if engine == "auto" else [engine]
    for name in first_choices:
        try:
            return open_entry(name, model, adapter, device=place, dtype=dtype, batch_size=batch_size)
        except NotConvertible:
            continue
    return open_entry(last_choice, model, adapter, device=place, dtype=dtype, batch_size=batch_size)


SERVER = (  # parameters that say how an endpoint is reached
    "base_url", "key_variable", "concurrency", "timeout", "max_retries", "length_parameter", "send_seed", "prices",
    "max_cost",
)  # fmt: skip
_LOCAL = ("engine", "device", "dtype", "batch_size")  # and how a model on this machine is run


def open_writer(
    model: str, adapter: Path | None, parameters: Mapping[str, object], *, steering: Directions | None = None
) -> Engine:
    """The engine of a stage that completes prompts: vLLM servers where it names them, else a model on this machine.

    Args:
        model: as `open_engine` takes it, and so is ``adapter``.
        adapter: folder of a LoRA adapter for the model, or None.
        parameters: of the stage.
        steering: what moves the model's hidden states while it writes; only for a model on this machine.

    Raises:
        DoppelError: as `open_engine`, or `lib.generation.endpoint.served.ServedEngine` for servers.
    """
    if parameters["served_model"] is None:
        local = {name: parameters[name] for name in _LOCAL} | ({} if steering is None else {"engine": "transformers"})
        engine = open_engine(model, adapter, guidance=parameters["guidance"], **local)
        if steering is not None:
            engine.steering = steering
        return engine
    from lib.generation.endpoint.served import SERVER as ASKED
    from lib.generation.endpoint.served import ServedEngine

    asked = {name: parameters[name] for name in ASKED}
    return ServedEngine(model, adapter, served=parameters["served_model"], base_url=parameters["base_url"], **asked)


def chat_settings(parameters: Mapping[str, object]) -> dict[str, object]:
    """What `open_chat` is told beside the model.

    Args:
        parameters: of a stage; those of an older one may lack some of `SERVER`.
    """
    server = {name: parameters[name] for name in SERVER if name in parameters}
    return {"chat": parameters["chat"], "server": server, "local": {name: parameters[name] for name in _LOCAL}}


def open_chat(
    model: str, *, chat: bool | None = None, server: Mapping[str, object], local: Mapping[str, object]
) -> ChatModel:
    """Open a model that answers messages.

    Args:
        model: ``openai:MODEL``, ``azure:DEPLOYMENT`` or ``bedrock:ID`` for a model behind an endpoint, else a model on
            this machine.
        chat: use the tokenizer's chat template; see `lib.generation.local_chat.LocalChat`. Ignored for endpoints.
        server: settings of `lib.generation.endpoint.endpoint.Endpoint`; ignored for a local model.
        local: settings of `open_engine`; ignored for a model behind an endpoint.
    """
    if is_remote(model):
        from lib.generation.endpoint.endpoint import Endpoint

        return Endpoint(model, **server)
    return LocalChat(open_engine(model, **local), chat)


@dataclass(frozen=True)
class Draws(Generic[T]):
    """What was drawn: texts by `draw`, or items of another kind by an API of private evolution.

    Attributes:
        items: the accepted texts or other items, by position.
        requested: number of positions that were asked for.
        rejected: number of rejected completions by reason; a position may have several.
        tokens: tokens drawn in all, those of rejected completions included.
        first_lines: number of accepted texts that are the first line of a longer completion.
    """

    items: dict[int, T]
    requested: int
    rejected: Counter[str]
    tokens: int
    first_lines: int = 0

    @property
    def reasons(self) -> str:
        """The reasons for rejection with their counts, the most frequent first."""
        return ", ".join(f"{count} {reason}" for reason, count in self.rejected.most_common()) or "none"

    def __str__(self) -> str:
        lines = f"; {self.first_lines} are the first line of a longer completion" if self.first_lines else ""
        return f"{len(self.items)} of {self.requested} texts{lines}; rejected: {self.reasons}"

    def records(self, labels: Sequence[Mapping[str, str]]) -> list[Record]:
        """The accepted texts as records, in the order of their positions.

        Args:
            labels: label name -> value, for each position.
        """
        return [
            Record(f"synthetic-{position:06d}", PrivateText(text), dict(labels[position]))
            for position, text in sorted(self.items.items())
        ]

    def require(self) -> "Draws[T]":
        """Itself.

        Raises:
            DoppelError: texts were asked for and none was accepted.
        """
        if self.requested and not self.items:
            raise DoppelError(
                "generation.nothing_accepted",
                f"none of {self.rejected.total()} completions was accepted ({self.reasons})",
                value=self.rejected.total(),
                remedy="raise max_new_tokens if they are truncated, else change the prompt or use a better model",
            )
        return self


def draw(
    ask: Callable[[Sequence[int], int], Iterator[tuple[int, Completion]]],
    check: Callable[[int, Completion], str | None],
    count: int,
    *,
    max_attempts: int,
    clean: Callable[[Completion], Completion] = lambda completion: completion,
    progress: Callable[[int], object] = lambda accepted: None,
) -> Draws[str]:
    """Draw a completion for each position, and draw those again that are rejected.

    Args:
        ask: called with the positions that are missing and the number of the round, from 0; yields
            (index among those positions, completion).
        check: called with a position and its completion; returns why it is rejected, or None.
        count: number of positions.
        max_attempts: number of rounds; positions still missing after them are missing in the result.
        clean: called with each completion before ``check`` is; returns what is kept of it.
        progress: called with the number of positions newly accepted.
    """
    texts: dict[int, str] = {}
    rejected: Counter[str] = Counter()
    tokens = first_lines = 0
    for attempt in range(max_attempts):
        missing = [position for position in range(count) if position not in texts]
        if not missing:
            break
        for index, drawn in ask(missing, attempt):
            completion = clean(drawn)
            tokens += completion.tokens
            if reason := check(missing[index], completion):
                rejected[reason] += 1
            else:
                texts[missing[index]] = completion.text.strip()
                first_lines += completion.first_line_only
                progress(1)
    return Draws(texts, count, rejected, tokens, first_lines)


def generate_records(
    engine: Engine,
    prompt: Prompt,
    labels: Sequence[Mapping[str, str]],
    sampling: Sampling,
    *,
    without_label: Prompt | None = None,
    moved: Sequence[int] | None = None,
    max_attempts: int = 5,
    progress: Callable[[int], object] = lambda accepted: None,
) -> tuple[list[Record], Draws]:
    """Write a record for each label set; rejected completions are drawn again with the same labels.

    The checks read the completion alone, so they cost no privacy. Nor does guidance: it mixes what one model says of
    two prompts, neither of which holds private text.

    Args:
        engine: the model.
        prompt: template that is filled with labels. Of what a chat model writes, its reasoning is taken off.
        labels: label name -> value, for each record.
        sampling: how tokens are drawn; each round of redraws has a seed derived from it. With ``one_line`` a record is
            the first line of its completion.
        without_label: the prompt for no label in particular; needed where ``sampling.guidance`` is above 0.
        moved: the direction of each record, for an engine with ``steering``.
        max_attempts: rounds of drawing, see `draw`.
        progress: called with the number of records newly accepted.

    Returns:
        The records in the order of ``labels``, without those that stayed missing, and the counts.

    Raises:
        DoppelError: no completion was accepted, a prompt leaves no room for a completion, or the engine cannot do what
            ``sampling`` asks.
    """
    prompts, beside = [prompt.build(engine.tokenizer, one) for one in labels], {} if moved is None else {"moved": moved}
    if sampling.guidance:
        beside["without_label"] = [without_label.build(engine.tokenizer, {})] * len(prompts)
    _check_room([*prompts, *beside.get("without_label", [])], engine, sampling)
    # the line breaks of a model that reasons first come before its answer: it is stopped by none of them
    reasons = prompt.chat and may_reason(str(engine.tokenizer.chat_template))
    stopping = sampling.one_line and not reasons

    def ask(positions: Sequence[int], attempt: int) -> Iterator[tuple[int, Completion]]:
        drawn = replace(sampling, seed=sampling.seed_for(attempt), one_line=stopping)
        given = {name: [ids[position] for position in positions] for name, ids in beside.items()}
        return engine.complete([prompts[position] for position in positions], drawn, **given)

    def check(position: int, completion: Completion) -> str | None:
        return rejection(completion, prompt.text(labels[position]), engine.tokenizer.all_special_tokens)

    def clean(completion: Completion) -> Completion:
        answer = without_reasoning(completion) if prompt.chat else completion  # plain text may have tags of its own
        return first_line(answer) if sampling.one_line else answer

    draws = draw(ask, check, len(labels), max_attempts=max_attempts, clean=clean, progress=progress).require()
    return draws.records(labels), draws


def _check_room(prompts: Sequence[Sequence[int]], engine: Engine, sampling: Sampling) -> None:
    """Refuse prompts that leave no room for ``max_new_tokens`` in the model's context."""
    longest, context = max(map(len, prompts), default=0), engine.tokenizer.model_max_length
    if longest + sampling.max_new_tokens > context:
        raise DoppelError(
            "generation.prompt_too_long",
            f"the longest prompt has {longest} tokens; with max_new_tokens = {sampling.max_new_tokens} that exceeds "
            f"the model's {context}",
            name="max_new_tokens",
            value=sampling.max_new_tokens,
            remedy="shorten the template or lower max_new_tokens",
        )
