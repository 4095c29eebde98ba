"""The rewriter that asks a language model: chunk by chunk, attribute after attribute (Privasis, arXiv 2602.03183).

A reply that still tells the value, grows, shrinks or loses what is kept is asked for again, and ends the record where
no try has a usable one. An empty reply is no deletion: where nothing is left the model says so.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from lib.generation.json_reply import read_list
from lib.generation.reply_cleanup import clean
from lib.generation.workflow import GaveUp, Steps, Unusable, ask
from lib.private_records.schema import Attribute, Place
from lib.sanitization.case import Case
from lib.sanitization.chunks import numbers_of, spanned
from lib.sanitization.leaks import Searched
from lib.sanitization.prompting import Prompts, listed
from lib.sanitization.rules import LEAK
from lib.sanitization.sanitize import Rewritten
from lib.sanitization.schema import Chunk, Edit, Strategy, edited
from lib.sanitization.told import joined

T = TypeVar("T")

NOTHING = "NOTHING"  # what a model answers where nothing of a chunk is left
MORE = 80  # characters by which any chunk may grow
LEAST = 0.4  # share of a chunk that is left where something is told less exactly
LONGEST = 600  # characters of a strategy or an instruction
_LABEL = re.compile(r"[*_#\s]*(?:rewritten )?passage:[*_\s]*", re.IGNORECASE)  # at the beginning of a reply
_BRACKETS = re.compile(r"\[[^\]\n]*\]|_{3,}|\*{3,}|█")


class Model:
    """Implements `lib.sanitization.sanitize.Rewriter`.

    Args:
        prompts: what the model is asked.
        tries: how often each step is asked, in the same words, until a reply can be used; at least 1.
        growth: longest rewritten chunk, as a multiple of the chunk, beside `MORE` characters; at least 1.
        passages: whether the model is asked for passages that tell a target in other words than its value.
    """

    def __init__(self, prompts: Prompts, tries: int, growth: float = 1.5, passages: bool = False):
        self._prompts, self._tries, self._growth, self._passages = prompts, tries, growth, passages

    def order(self, case: Case) -> Steps[list[str]]:
        """As the model ranks them; what it leaves out comes last, as the text tells it.

        Args:
            case: the record.
        """
        names = [one.name for one in case.original.attributes]
        told = {"attributes": listed(case.original.attributes)}
        return (yield from self._ask("rank", partial(_order, names), **told))

    def rewrite(self, case: Case) -> Steps[Rewritten]:
        """One strategy for each target, then each chunk that tells one, then a check of the whole.

        Args:
            case: the record with its targets and chunks.

        Raises:
            lib.generation.workflow.GaveUp: no try of a step could be used, or the whole still tells a target.
        """
        at, lost = yield from self._located(case)
        strategies = []
        for one in case.named(case.targets.names):
            strategies.append((yield from self._strategy(case, one, at[one.name])))
        targets = {one.name: one for one in case.named(case.targets.names)}
        edits: list[Edit] = []
        for chunk in spanned(case.chunks, [place for places in at.values() for place in places]):
            here = [s for s in strategies if any(_inside(place, chunk) for place in at[s.name])]
            before = case.original.text[chunk.start : chunk.end]
            text = before.strip()
            for strategy in here:
                text = yield from self._chunk(case, targets[strategy.name], strategy, text, at)
            if here:
                start = chunk.start + len(before) - len(before.lstrip())
                edits += _difference(case.original.text, start, start + len(before.strip()), text)
        if case.still_told(edited(case.original.text, edits), case.targets.names):
            raise GaveUp("rewrite", (LEAK,))
        return Rewritten(tuple(strategies), tuple(edits), at, lost)

    def instruction(self, case: Case, spoken: dict[str, tuple[str, ...]]) -> Steps[str]:
        """In the model's words, at a high temperature.

        Args:
            case: the record with its targets.
            spoken: what it names; "-" stands for a list of which nothing is said.
        """
        told = {key: ", ".join(spoken.get(key, ())).replace("_", " ") or "-" for key in ("abstract", "drop", "keep")}

        def read(reply: str) -> str:
            text = _short(reply)
            if case.still_told(text, case.targets.names):
                raise Unusable("a value in it")
            return text

        return (yield from self._ask("instruction", read, **told))

    def _located(self, case: Case) -> Steps[tuple[dict[str, tuple[Place, ...]], int]]:
        """Where the text tells each target, and how many passages the model named that are not there."""
        at = {name: case.at[name] for name in case.targets.names}
        lost = 0
        for one in case.named(case.targets.names if self._passages else ()):
            for start, end in case.chunks:
                part = case.original.text[start:end]
                told = {"name": one.name, "value": one.value, "text": part}
                named = yield from self._ask("passages", _passages, **told)
                found = [_found(part, passage) for passage in named]
                lost += sum(place is None for place in found)
                moved = [Place(start + place.start, start + place.end) for place in found if place is not None]
                at[one.name] = joined([*at[one.name], *moved])
        return at, lost

    def _strategy(self, case: Case, one: Attribute, places: Sequence[Place]) -> Steps[Strategy]:
        if one.name in case.targets.drop:
            return Strategy(one.name, "drop", "it is left out")
        text = case.original.text
        held = [case.chunks[number] for number in numbers_of(case.chunks, places)]
        shown = "\n...\n".join(text[chunk.start : chunk.end].strip() for chunk in held)
        how = yield from self._ask("strategy", _short, name=one.name, value=one.value, text=shown)
        return Strategy(one.name, "abstract", how)

    def _chunk(
        self, case: Case, one: Attribute, strategy: Strategy, text: str, at: dict[str, tuple[Place, ...]]
    ) -> Steps[str]:
        """A chunk without one target; as it is where another rewriting took the target along."""
        passages = dict.fromkeys(case.original.text[place.start : place.end] for place in at[one.name])
        if not any(passage in text for passage in passages) and not case.still_told(text, [one.name]):
            return text
        kept = [name for name in case.targets.keep if case.still_told(text, [name])]
        told = {"name": one.name, "value": "; ".join({one.value: None} | passages), "text": text}
        told["keep"] = ", ".join(kept_one.value for kept_one in case.named(kept)) or self._prompts.nothing
        told |= {"how": strategy.how} if strategy.action == "abstract" else {}

        def read(reply: str) -> str:
            new = _undressed(reply, text)
            if strategy.action == "drop" and new.strip(".\"'") == NOTHING:
                new = ""
            elif not new:
                raise Unusable("empty")
            if case.still_told(new, [one.name]):
                raise Unusable(LEAK)
            if len(new) > self._growth * len(text) + MORE:
                raise Unusable("too long")
            if strategy.action == "abstract" and len(new) < LEAST * len(text):
                raise Unusable("too short")
            if set(_BRACKETS.findall(new)) - set(_BRACKETS.findall(text)):
                raise Unusable("a placeholder")
            if len([name for name in kept if case.still_told(new, [name])]) < len(kept):
                raise Unusable("lost what is kept")
            return new

        return (yield from self._ask(strategy.action, read, **told))

    def _ask(self, step: str, read: Callable[[str], T], **told: str) -> Steps[T]:
        return (yield from ask(self._prompts.call(step, **told), read, self._tries))


def _undressed(reply: str, text: str) -> str:
    """A rewritten chunk without remarks around it; where the chunk itself begins like one, as it came."""
    if clean(text, one_line=False) != text or _LABEL.match(text):
        return reply.strip()
    label = _LABEL.match(reply)
    return clean(reply[label.end() if label else 0 :], one_line=False)


def _order(names: Sequence[str], reply: str) -> list[str]:
    """The names in a reply's order."""
    by_key = {_key(name): name for name in names}
    found = [by_key[_key(str(one))] for one in read_list(reply) if _key(str(one)) in by_key]
    ranked = list(dict.fromkeys(found))
    if 2 * len(ranked) < len(names):
        raise Unusable("other names")
    return [*ranked, *(name for name in names if name not in ranked)]


def _passages(reply: str) -> list[str]:
    return [one.strip() for one in map(str, read_list(reply)) if one.strip()]


def _found(text: str, passage: str) -> Place | None:
    """Where a passage stands, letter by letter, or else in other spelling; None where it does not."""
    start = text.find(passage)
    if start >= 0:
        return Place(start, start + len(passage))
    return next(iter(Searched(text).places(passage)), None)


def _short(reply: str) -> str:
    text = " ".join(clean(reply, one_line=False).split())
    if not text:
        raise Unusable("empty")
    if len(text) > LONGEST:
        raise Unusable("too long")
    return text


def _inside(place: Place, chunk: Chunk) -> bool:
    return place.start < chunk.end and chunk.start < place.end


def _difference(text: str, start: int, end: int, written: str) -> list[Edit]:
    """The edit that writes something in place of a piece, without what both begin and end with."""
    old = text[start:end]
    if old == written:
        return []
    least = min(len(old), len(written))
    head = next((at for at in range(least) if old[at] != written[at]), least)
    tail = next((at for at in range(least - head) if old[-1 - at] != written[-1 - at]), least - head)
    return [Edit(start + head, end - tail, written[head : len(written) - tail])]


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.partition(":")[0].casefold()).strip("_")
