"""Prompts as data: what a model is asked when it invents a text, and when it varies one that it invented before.

A prompt file (``prompts/*.yaml``) holds templates and lists to draw from. **No private text can enter a prompt**: the
functions here take labels, whose values are declared in public, and texts that a model wrote; `PrivateText` is refused.

In a template, ``{name}`` is a label of the corpus or a draw, made anew for each sample. ``{words}`` (a length) and
``{labels}`` (all labels of the corpus) may have no value: they stand in square brackets, ``[ in {words} words]``, and
what is in the brackets is left out with them (`lib.models.templates`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lib.common.errors import DoppelError, nearest
from lib.data.private_text import PrivateText
from lib.data.records import CATALOGUE
from lib.generation import reply_cleanup
from lib.generation.masking import mask
from lib.models import templates
from lib.stage import strict_yaml

Messages = tuple[tuple[str, str], ...]  # role (system, user, assistant) and content

OPTIONAL = ("words", "labels")  # placeholders that may have no value
_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)

Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[list[Text], Field(min_length=1)]


class ByLabel(BaseModel):
    """A draw whose list depends on the value of a label."""

    model_config = _STRICT
    by: str
    values: Annotated[dict[str, Texts], Field(min_length=1)]


class Shot(BaseModel):
    """A public example, written for the prompt file: a text, and the same in other words where it serves `rephrase`.

    It is shown to the samples that have its ``labels``; ``draws`` says what a request for it would have drawn.
    """

    model_config = _STRICT
    labels: dict[str, str] = {}
    draws: dict[str, str] = {}
    text: Text
    again: Text | None = None


class PromptFile(BaseModel):
    """A checked prompt file; see `load`. The methods give the messages of one request.

    All take the ``labels`` of the sample (name -> value), a generator for the draws of this sample, and ``words``, the
    length to ask for (None asks for none). ``text`` is a synthetic text, never a private one.
    """

    model_config = _STRICT
    about: Text  # what corpus this writes like
    labels: list[str] = []  # names of the labels that templates and draws use
    system: Text | None = None
    random_templates: Texts = Field(alias="random")
    rephrase_templates: Texts = Field(alias="rephrase")
    fill_templates: Texts = Field(alias="fill")
    blank: Text = "_"
    shots: list[Shot] = []
    draws: dict[str, Texts | ByLabel] = {}
    one_line: bool  # of a reply, keep the first line alone

    def random(self, labels: Mapping[str, str], rng: np.random.Generator, words: int | None) -> Messages:
        """A request for a new text (RANDOM_API)."""
        examples = [(shot, None, shot.text) for shot in self.shots]
        return self._messages(self.random_templates, examples, labels, rng, words)

    def rephrase(self, text: str, labels: Mapping[str, str], rng: np.random.Generator, words: int | None) -> Messages:
        """A request to say a text in other words (VARIATION_API)."""
        examples = [(shot, shot.text, shot.again) for shot in self.shots if shot.again is not None]
        return self._messages(self.rephrase_templates, examples, labels, rng, words, text)

    def fill(
        self, text: str, labels: Mapping[str, str], rng: np.random.Generator, words: int | None, mask_probability: float
    ) -> Messages:
        """A request to fill the blanks that each word became with ``mask_probability`` (VARIATION_API)."""

        def masked(one: str, draws: np.random.Generator) -> str:
            return mask(_public(one), mask_probability, draws, self.blank)

        examples = [(shot, masked(shot.text, np.random.default_rng(i)), shot.text) for i, shot in enumerate(self.shots)]
        return self._messages(self.fill_templates, examples, labels, rng, words, masked(text, rng))

    def clean(self, reply: str) -> str:
        """The text in a model's reply: without an opening line about itself, quotes around it, and more lines if one
        is asked for. May be empty."""
        return reply_cleanup.clean(reply, one_line=self.one_line)

    def unfilled(self, text: str) -> bool:
        """Whether a blank is left in a text: the model gave the riddle back."""
        return re.search(rf"(?<!\w){re.escape(self.blank)}(?!\w)", text) is not None

    def check_labels(self, domain: Mapping[str, Sequence[str] | str]) -> None:
        """Refuse a corpus that lacks a label, or has a value of one that a draw has no list for."""
        for label in self.labels:
            if label not in domain:
                hint = "; " + nearest(label, domain) if domain else "; the corpus has no labels: take prompts/generic.yaml"
                raise DoppelError(f"prompts: label {label!r} is none of the records{hint}")
        for name, draw in self._by_label():
            values = domain[draw.by]
            if values == CATALOGUE:
                raise DoppelError(f"draws: {name}: by: {draw.by}: values of a catalogue; list the draw plainly")
            if missing := [value for value in values if value not in draw.values]:
                hint = "; " + nearest(missing[0], draw.values)
                raise DoppelError(
                    f"draws: {name}: values: no list for {draw.by} = {missing[0]!r}{hint}; add a list for it"
                )

    def _messages(
        self,
        choices: Sequence[str],
        examples: Sequence[tuple[Shot, str | None, str]],
        labels: Mapping[str, str],
        rng: np.random.Generator,
        words: int | None,
        text: str | None = None,
    ) -> Messages:
        """The system message, the examples that share the sample's labels, each with its answer, and the request.

        What an example leaves open is drawn alike in every request: what many requests begin with is computed once.
        """
        labels = {name: _public(value) for name, value in labels.items()}
        template = str(rng.choice(choices))
        turns = [("system", self.system)] if self.system else []
        for number, (shot, before, answer) in enumerate(examples):
            if shot.labels.items() <= labels.items():
                length = None if words is None else len(answer.split())
                same = np.random.default_rng(number)
                turns.append(("user", self._ask(template, labels, same, length, before, shot.draws)))
                turns.append(("assistant", answer))
        return (*turns, ("user", self._ask(template, labels, rng, words, text, {})))

    def _ask(
        self,
        template: str,
        labels: Mapping[str, str],
        rng: np.random.Generator,
        words: int | None,
        text: str | None,
        fixed: Mapping[str, str],
    ) -> str:
        """The template with labels, draws (``fixed`` where it has one), length and text filled in."""
        used = templates.fields(template)
        values: dict[str, object] = {name: labels[name] for name in self.labels}
        for name in self.draws:
            if name in used:
                values[name] = fixed[name] if name in fixed else str(rng.choice(self._list(name, labels)))
        values["words"] = words
        values["labels"] = ", ".join(f"{name}: {value}" for name, value in labels.items()) or None
        if text is not None:
            values["text"] = _public(text)
        return templates.render(template, values)

    def _list(self, name: str, labels: Mapping[str, str]) -> list[str]:
        draw = self.draws[name]
        return draw.values[labels[draw.by]] if isinstance(draw, ByLabel) else draw

    def _by_label(self) -> Iterator[tuple[str, ByLabel]]:
        yield from ((name, draw) for name, draw in self.draws.items() if isinstance(draw, ByLabel))

    def _problems(self) -> Iterator[str]:
        """What a type cannot say: names that clash, placeholders that nothing fills."""
        for name in self.draws:
            if name in (*OPTIONAL, "text", *self.labels) or not name.isidentifier():
                yield f"draws: {name!r} is taken or is not one word; choose another name"
        for name, draw in self._by_label():
            if draw.by not in self.labels:
                yield f"draws: {name}: by: {draw.by!r} is no label of this file{_hint(draw.by, self.labels)}"
        for number, shot in enumerate(self.shots):
            for key, given, known in (("labels", shot.labels, self.labels), ("draws", shot.draws, self.draws)):
                for name in sorted(set(given) - set(known)):
                    yield f"shots[{number}]: {key}: {name!r} is none of this file{_hint(name, list(known))}"
        known = {*self.labels, *self.draws}
        for key, kind, needed in (
            ("random", self.random_templates, set()),
            ("rephrase", self.rephrase_templates, {"text"}),
            ("fill", self.fill_templates, {"text"}),
        ):
            for number, template in enumerate(kind):
                found = templates.problems(template, known=known | needed, optional=OPTIONAL, needed=needed)
                yield from (f"{key}[{number}]: {problem}" for problem in found)


def load(path: Path) -> PromptFile:
    """A prompt file, whole. Raises DoppelError with a line for every fault: file, key, value, and the nearest name.

    ``about`` and ``one_line`` are required, and so are the templates ``random``, ``rephrase`` and ``fill``; the rest is
    optional.
    """
    if not path.is_file():
        known = [str(one) for one in (path if path.is_dir() else path.parent).glob("*.yaml")]
        raise DoppelError(f"prompts: {path}: no such file{_hint(str(path), known)}")
    parsed = strict_yaml.read(path, str(path))
    try:
        made = PromptFile.model_validate(parsed)
    except ValidationError as error:
        raise DoppelError("\n".join(f"{path}: {fault}" for fault in _faults(error))) from None
    if problems := list(made._problems()):
        raise DoppelError("\n".join(f"{path}: {problem}" for problem in problems))
    return made


def _faults(error: ValidationError) -> Iterator[str]:
    """pydantic's faults in the words of the house: key, value, what is allowed."""
    for fault in error.errors():
        *_, key = place = fault["loc"] or ("the file",)
        where = ": ".join(str(part) for part in place if part not in ("ByLabel", "constrained-list"))
        if fault["type"] == "extra_forbidden":
            known = {field.alias or name for name, field in PromptFile.model_fields.items()}
            nested = {"draws": set(ByLabel.model_fields), "shots": set(Shot.model_fields)}
            yield f"{where}: unknown key; {nearest(str(key), nested.get(str(place[0]), known))}"
        elif fault["type"] == "missing":
            yield f"{where}: is missing; add it"
        else:
            yield f"{where} = {str(fault['input'])[:60]!r}: {fault['msg'].removeprefix('Input ')}"


def _public(text: object) -> str:
    """A text that may enter a prompt. Raises DoppelError for private text, and for what is no text."""
    if isinstance(text, PrivateText):
        raise DoppelError("private text may not enter a prompt; give labels and synthetic texts alone")
    if not isinstance(text, str):
        raise DoppelError(f"a prompt is made of strings, not of {type(text).__name__}")
    return text


def _hint(name: str, known: Sequence[str]) -> str:
    return "; " + nearest(name, known) if known else ""
