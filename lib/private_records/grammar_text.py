"""How the grammar writes a text: what it tells, in which order, in which layout and in whose voice."""

from collections.abc import Sequence
from itertools import cycle
from random import Random

from lib.pii.slots import parse
from lib.pii.writing.phrases import Listed, Phrase, Writer, references
from lib.private_records.fields import slots
from lib.private_records.list_shapes import PLAIN_FACTS, Layout, PublicLists, phrase
from lib.private_records.schema import Profile, Situation
from lib.private_records.task import Task
from lib.private_records.voices import MARKS, START, tell

PLAIN = Layout(i=["{opening} {body} {ask}"], you=["{opening} {body} {ask}"], they=["{opening} {body} {ask}"])
DETAILS = 3  # sentences beside the event's own in a first version; each revision tells two more
ROWS = 4  # lines of a form in a first version that are not attributes of the event; each revision has one more
CONNECTED = 0.15  # share of sentences that begin with a connecting word
PARAGRAPH = 0.35  # share of sentences from the second of a paragraph on that end it
LOWERED = ("After", "All", "An", "As", "At", "By", "During", "For", "From", "In", "It", "On", "Over", "The", "There",
           "This", "What", "When", "With", "Within")  # words that may stand behind a connecting one  # fmt: skip
_MARKED = {mark: [(f"{{{mark}}}",)] for mark in MARKS}  # left for `tell`


def plain_facts(lists: PublicLists, profile: Profile) -> dict[str, str]:
    """What is known of a person, has no slot and may be told in plain words: name -> value.

    Args:
        lists: of phrases.
        profile: of the person.
    """
    names = (*PLAIN_FACTS, *lists.phrases.profile)
    return {name: profile.attributes[name] for name in names if name in profile.attributes}


class GrammarText:
    """One version of a record's text.

    What it tells follows from the record: a later version tells all that an earlier one tells, and more. Words, order
    and frame are drawn for each.

    Args:
        lists: of phrases.
        task: of the record.
        profile: of the person.
        situation: of the text, with a context of the lists.
        version: 0 for a draft, the round for a revision.
    """

    def __init__(self, lists: PublicLists, task: Task, profile: Profile, situation: Situation, version: int):
        event = profile.events[situation.event]
        field, self._event = lists.events[event.title]
        self._lists, self._life, self._version = lists, lists.fields[field], version
        self._context = lists.contexts[situation.context]
        self._style = "formal" if self._context.formal else "informal"
        self._layout = lists.layouts[lists.formats[situation.format]] if situation.format else PLAIN
        self._facts = plain_facts(lists, profile)
        self._told, self._share = event.attributes, profile.attr_to_share
        self._task, self._rng = task, task.rng(f"text.{version}")
        values = {name: [(value,)] for name, value in {**self._facts, **event.attributes}.items()}
        given = {
            "title": event.title,
            "record_type": situation.record_type.capitalize() or "Text",
            "office": task.rng("office").choice(self._life.offices),
        }
        shared = lists.phrases.lists
        styled = {name: shared[f"{self._style}_{name}"] for name in ("greeting", "closing", "subject", "other")}
        self._phrases = {name: [phrase(text) for text in texts] for name, texts in {**shared, **styled}.items()}
        self._phrases |= _MARKED | values | {name: [(text,)] for name, text in given.items()}
        self._phrases["speaker"] = [("[FIRSTNAME_3]" if self._context.voice == "they" else "[FIRSTNAME]",)]
        self._fix("greeting", "closing", "subject", "other", "bullet", "initials")

    def write(self) -> str:
        """The slot text."""
        frame = phrase(self._rng.choice(getattr(self._layout, self._context.voice)))
        ends = [phrase(self._rng.choice(texts)) for texts in (self._context.opening, self._context.ask)]
        self._phrases |= {name: [(START, *end)] for name, end in zip(("opening", "ask"), ends, strict=True)}
        sentences = self._sentences({name for part in (frame, *ends) for name in _slot_names(part)})
        self._phrases["body"] = [self._body(sentences, frame)]
        rows = self._rows() if {"rows", "cells"} & set(references(frame)) else []
        self._phrases["rows"] = [("\n".join(rows),)]
        self._phrases["cells"] = [("\n".join(row.replace(": ", " | ", 1) for row in rows),)]
        text = self._writer().write(frame)
        names = ("[FIRSTNAME] [LASTNAME]", f"the {self._life.client}", "[LASTNAME]")
        called = names if self._context.formal else ("[FIRSTNAME]",)
        return tell(text, self._context.voice, self._task.known["sex"], called, self._rng)

    def _sentences(self, elsewhere: set[str]) -> list[Phrase]:
        """What is told, in order: the event's own sentences, with the others before, between and behind them.

        Slots that stand ``elsewhere`` in the text are not told again.
        """
        plan = self._task.rng("plan")
        story = [phrase(text) for text in self._event.text]
        spare = [place for place, told in enumerate(story) if self._share not in references(told)]
        dropped = plan.choice(spare) if spare else 0  # drawn for all versions, so that they share what follows
        if self._version == 0 and len(story) > 2 and spare:
            del story[dropped]
        between, around, last = self._extras(plan)
        around = [one for one in around if not _slot_names(one) & elsewhere]
        told = list(story)
        for extra in between:
            told.insert(self._rng.randint(1, len(told)), extra)
        before = self._rng.randint(0, len(around)) if self._rng.random() < 0.5 else 0
        told = [*around[:before], *told, *around[before:], *last]
        words = self._lists.phrases.connectives[self._style]
        connecting = self._rng.sample(words, len(words))
        return [self._connected(sentence, connecting) if number else sentence for number, sentence in enumerate(told)]

    def _extras(self, plan: Random) -> tuple[list[Phrase], list[Phrase], list[Phrase]]:
        """Sentences beside the event's own: those that stand between them, before or behind them, and last."""
        shared, formal = self._lists.phrases, self._context.formal
        kinds = {
            "details": (self._life.details, shared.details),  # those of the field come first
            "slots": (shared.slot_facts if formal else shared.informal_slot_facts,),
            "facts": (shared.facts if formal else shared.informal_facts,),
            "mood": (self._life.outcomes if formal else self._life.feelings,),
        }
        known = {*self._told, *self._facts, *MARKS}
        queues = {
            name: [
                read
                for texts in lists
                for read in map(phrase, plan.sample(texts, len(texts)))
                if known.issuperset(references(read))
            ]
            for name, lists in kinds.items()
        }
        order = ["slots", *plan.sample(["details", "details", "mood", "facts"], 4)]
        wanted, seen = DETAILS + 2 * self._version, set()
        chosen: list[tuple[str, Phrase]] = []
        for name in cycle(order):
            if len(chosen) == wanted or not any(queues.values()):
                break
            while queues[name]:
                read = queues[name].pop(0)
                subject = {*references(read)} - set(MARKS) | _slot_names(read)
                if not subject & seen:
                    seen |= subject
                    chosen.append((name, read))
                    break
        inner, around, last = (
            [read for name, read in chosen if name in names] for names in (("details",), ("slots", "facts"), ("mood",))
        )
        return self._rng.sample(inner, len(inner)), self._rng.sample(around, len(around)), last

    def _body(self, sentences: Sequence[Phrase], frame: Phrase) -> Phrase:
        """The sentences in lines or paragraphs."""
        writer = self._writer()
        told = [START + writer.write(sentence) for sentence in sentences]
        if self._layout.line:
            return ("\n".join(self._lines(told, writer)),)
        split = any("\n\n" in part for part in frame if isinstance(part, str))
        pieces, length = [], 0
        for number, sentence in enumerate(told):
            length += 1
            ends = split and length > 1 and number < len(told) - 1 and self._rng.random() < PARAGRAPH
            pieces += [sentence, "\n\n" if ends else " "]
            length = 0 if ends else length
        return ("".join(pieces[:-1]),)

    def _lines(self, told: Sequence[str], writer: Writer) -> list[str]:
        minutes, day, lines = self._rng.randint(6 * 60, 18 * 60), 1, []
        for number, sentence in enumerate(told):
            minutes, day = minutes + self._rng.randint(1, 40), day + self._rng.randint(1, 9) * (number > 0)
            counted = {
                "told": sentence,
                "clock": f"{minutes // 60:02}:{minutes % 60:02}",
                "day": f"Day {day}",
                "number": str(number + 1),
            }
            forms = self._layout.first if number == 0 and self._layout.first else self._layout.line
            form = phrase(self._rng.choice(forms))
            lines.append(
                writer.write(tuple(counted.get(part.name, part) if isinstance(part, Listed) else part for part in form))
            )
        self._phrases["clock"] = [(f"{minutes // 60 + 1:02}:{minutes % 60:02}",)]
        return lines

    def _rows(self) -> list[str]:
        """Lines of a form: who the person is, and what is known of the event."""
        plan, shared, writer = self._task.rng("rows"), self._lists.phrases, self._writer()
        known = {*self._facts, *self._told, *MARKS}
        texts = [
            text
            for text in (*shared.rows, *self._life.rows, *shared.fact_rows)
            if known.issuperset(references(phrase(text)))
        ]
        order, seen, kept = plan.sample(range(1, len(texts)), len(texts) - 1), set(), set()
        for place in (0, *order):
            names = _slot_names(phrase(texts[place])) or {texts[place]}
            if len(kept) < ROWS + self._version and not names & seen:
                seen |= names
                kept.add(place)
        attributes = [f"{name.replace('_', ' ').capitalize()}: {value}" for name, value in self._told.items()]
        return [*(writer.write(phrase(texts[place])) for place in sorted(kept)), *attributes]

    def _connected(self, sentence: Phrase, words: list[str]) -> Phrase:
        """The sentence, at times behind the next of the connecting words."""
        first = sentence[0]
        if words and self._rng.random() < CONNECTED:
            word = words.pop()
            if isinstance(first, Listed) and first.name in MARKS:
                return (word, *sentence)
            if isinstance(first, str) and first.split()[0] in LOWERED:
                return (word + first[0].lower() + first[1:], *sentence[1:])
        return sentence

    def _fix(self, *names: str) -> None:
        """Draw phrases that read alike wherever they stand in the text."""
        writer = self._writer()
        self._phrases |= {name: [(writer.write((Listed(name),)),)] for name in names}

    def _writer(self) -> Writer:
        return Writer(self._phrases, [], self._rng, self._task)  # a task has the values that articles go with


def _slot_names(read: Phrase) -> set[str]:
    """The slots of a phrase, but for those of names."""
    found = parse("".join(map(str, read)), slots()).slots
    return {slot.name for slot in found} - {"FIRSTNAME", "LASTNAME"}
