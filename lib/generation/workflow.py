"""Many conversations with one model side by side. A conversation is a generator: it yields what it asks, and is sent
the reply. So a method is written as if it had the model to itself, while a local model answers whole batches and an
endpoint as many requests at a time as its ``concurrency`` allows.
"""

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from lib.common.errors import DoppelError
from lib.data.hash_order import rank
from lib.generation.engines.base import ChatModel, Completion, Request, Sampling
from lib.generation.reasoning import without_reasoning
from lib.generation.refusals import is_refusal

T = TypeVar("T")

FAILED = "the server failed"  # reason of a call that no further try could answer
ENOUGH = 8  # requests of a round that tell a server that is down from requests that fail by themselves


@dataclass(frozen=True)
class Call:
    """What a conversation asks.

    Attributes:
        step: its name: ``draft``; calls are counted by it.
        messages: pairs of role (system, user, assistant) and content.
        max_new_tokens: longest reply in tokens.
        temperature: at least 0.
    """

    step: str
    messages: tuple[tuple[str, str], ...]
    max_new_tokens: int
    temperature: float


Steps = Generator[Call, Completion, T]  # a conversation, or a part of one (``yield from``), that comes to a T


class Unusable(Exception):
    """A reply that cannot be used, and is asked for again.

    Args:
        reason: in two or three words without any text of the reply: ``not JSON``.
    """

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class GaveUp(Exception):
    """A conversation that ended without a result: no try of a step had a reply that could be used.

    Args:
        step: its name.
        reasons: one for each try.
    """

    def __init__(self, step: str, reasons: tuple[str, ...]):
        super().__init__(f"{step}: {', '.join(reasons)}")
        self.step, self.reasons = step, reasons


def ask(call: Call, read: Callable[[str], T], tries: int) -> Steps[T]:
    """Ask until a reply can be used.

    Args:
        call: what is asked, in the same words and with other random draws each time.
        read: takes the answer, without reasoning and blanks at its ends, never empty; raises `Unusable` where it is
            not what was asked for.
        tries: at least 1.

    Returns:
        What ``read`` returned.

    Raises:
        GaveUp: no reply could be used.
    """
    reasons = []
    for _ in range(tries):
        try:
            return read(answer((yield call)))
        except Unusable as unusable:
            reasons.append(unusable.reason)
    raise GaveUp(call.step, tuple(reasons))


def answer(completion: Completion) -> str:
    """The text of a reply that is whole.

    Args:
        completion: the reply; what a model thought before its answer is taken off.

    Raises:
        Unusable: a refusal, a reply that was cut off, or an empty one.
    """
    told = without_reasoning(completion)
    text = told.text.strip()
    if told.refused or is_refusal(text):
        raise Unusable("refusal")
    if not told.ended:
        raise Unusable("truncated")
    if not text:
        raise Unusable("empty")
    return text


@dataclass(frozen=True)
class Outcome:
    """What conversations came to.

    Attributes:
        results: id -> result.
        failures: id -> why there is none.
        calls: how many calls each step had, further tries included.
    """

    results: dict[str, object]
    failures: dict[str, GaveUp]
    calls: Counter[str]


def run(conversations: Mapping[str, Steps[T]], model: ChatModel | None, sampling: Sampling) -> Outcome:
    """Hold conversations side by side, round by round: in each, every one that goes on asks one thing.

    The draws of an endpoint depend on the seed, the id and the number of the call within its conversation, so neither
    on the other conversations nor on how many requests are in flight. A local model draws for a whole round, so there
    the same ``conversations`` give the same results.

    Args:
        conversations: id -> generator.
        model: answers; None where no conversation asks anything.
        sampling: how tokens are drawn; the temperature is that of each call.

    Raises:
        DoppelError: the model cannot be asked at all, or every request of a round of `ENOUGH` or more failed.
    """
    outcome = Outcome({}, {}, Counter())
    asked: dict[str, Call] = {}
    number: Counter[str] = Counter()

    def go_on(id: str, reply: Completion | None) -> None:
        """Let a conversation take a reply and ask its next."""
        asked.pop(id, None)
        try:
            asked[id] = conversations[id].send(reply)
        except StopIteration as end:
            outcome.results[id] = end.value
        except GaveUp as failure:
            outcome.failures[id] = failure

    for id in conversations:
        go_on(id, None)
    turn = 0
    while asked:
        calls = dict(asked)
        replies: dict[str, Completion] = {}
        failed: dict[str, str] = {}
        for temperature in sorted({call.temperature for call in calls.values()}):
            ids = [id for id, call in calls.items() if call.temperature == temperature]
            requests = [
                Request(calls[id].messages, calls[id].max_new_tokens, _stream(sampling.seed, id, number[id]))
                for id in ids
            ]
            drawn = replace(sampling, temperature=temperature, seed=sampling.seed_for(turn) if _local(model) else 0)
            faults: dict[int, str] = {}
            replies |= {ids[position]: reply for position, reply in model.reply(requests, drawn, faults)}
            failed |= {ids[position]: fault for position, fault in faults.items()}
        if len(failed) == len(calls) >= ENOUGH:
            raise DoppelError(
                "generation.all_failed",
                f"all {len(failed)} requests failed; the first: {failed[min(failed)]}",
                value=len(failed),
                remedy="check the server, then run again: what was answered is kept",
            )
        for id, call in calls.items():
            outcome.calls[call.step] += 1
            number[id] += 1
            if id in failed:
                conversations[id].close()
                del asked[id]
                outcome.failures[id] = GaveUp(call.step, (FAILED,))
            else:
                go_on(id, replies[id])
        turn += 1
    return outcome


def _stream(seed: int, id: str, number: int) -> int:
    """What tells a request's draws from those of others; never 0, which stands for none."""
    return rank(seed, f"workflow.{number}", id) % (2**31 - 1) + 1


def _local(model: ChatModel) -> bool:
    """Whether the draws are those of a batch, which an engine seeds as a whole."""
    from lib.generation.local_chat import LocalChat

    return isinstance(model, LocalChat)
