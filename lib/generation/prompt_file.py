"""Prompt files: what a model is asked when it invents a text, and when it varies a text that it invented before.

A prompt file (``prompts/*.yaml``) holds templates and lists to draw from. **No private text can enter a prompt**: the
functions here take labels, whose possible values are public, and texts that a model wrote; `PrivateText` is refused.

In a template, ``{name}`` is a label of the corpus or a draw, which is made again for each sample. A draw with the name
of a label that the corpus has is not made: the label is said, so that one file can serve a corpus with topics and one
without (`lib.models.topics`). ``{words}`` (a length), ``{labels}`` (all labels of the corpus), and in variations
``{good}`` and ``{bad}`` (candidates that are shown as wanted and as unwanted) may have no value. They stand in square
brackets, ``[ in {words} words]``, and the brackets are left out where there is no value (`lib.models.templates`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from lib.common.errors import DoppelError, Faults, nearest
from lib.data.private_text import PrivateText
from lib.data.records import CATALOGUE
from lib.data.tokenize import count, has_unspaced
from lib.generation import prompt_checks, reply_cleanup
from lib.generation.masking import mask
from lib.generation.prompt_parts import NONE_SHOWN, STRICT, ByLabel, Shot, Shown, Text, Texts
from lib.models import templates
from lib.stage import strict_yaml

Messages = tuple[tuple[str, str], ...]  # role (system, user, assistant) and content


class PromptFile(BaseModel):
    """A checked prompt file; see `load`. Each of the methods `random`, `rephrase` and `fill` builds one request.

    Attributes:
        about: the kind of corpus that the prompts imitate.
        labels: names of the labels that templates and draws use.
        system: system message, or None.
        random_templates: templates for a new text (key ``random``); one is drawn for each request.
        rephrase_templates: templates for a text in other words (key ``rephrase``), with {text}.
        fill_templates: templates for filling in blanks (key ``fill``), with {text}.
        blank: what stands for a masked word.
        shots: public examples.
        draws: placeholder -> list to draw from, or a list for each value of a label.
        one_line: keep only the first line of a reply.
    """

    model_config = STRICT
    about: Text
    labels: list[str] = []
    system: Text | None = None
    random_templates: Texts = Field(alias="random")
    rephrase_templates: Texts = Field(alias="rephrase")
    fill_templates: Texts = Field(alias="fill")
    blank: Text = "_"
    shots: list[Shot] = []
    draws: dict[str, Texts | ByLabel] = {}
    one_line: bool

    def random(self, labels: Mapping[str, str], rng: np.random.Generator, words: int | None) -> Messages:
        """Messages that ask for a new text (RANDOM_API).

        Args:
            labels: label name -> value of the sample.
            rng: generator of this sample's draws.
            words: length to ask for, or None to ask for none.
        """
        examples = [(shot, None, shot.text) for shot in self.shots]
        return self._messages(self.random_templates, examples, labels, rng, words)

    def rephrase(
        self,
        text: str,
        labels: Mapping[str, str],
        rng: np.random.Generator,
        words: int | None,
        shown: Shown = NONE_SHOWN,
    ) -> Messages:
        """Messages that ask for a text in other words (VARIATION_API).

        Args:
            text: a synthetic text, never a private one.
            labels: label name -> value of the sample.
            rng: generator of this sample's draws.
            words: length to ask for, or None to ask for none.
            shown: candidates to show.

        Raises:
            DoppelError: ``text``, a text of ``shown`` or a label is private text or not a string.
        """
        examples = [(shot, shot.text, shot.again) for shot in self.shots if shot.again is not None]
        return self._messages(self.rephrase_templates, examples, labels, rng, words, text, shown)

    def fill(
        self,
        text: str,
        labels: Mapping[str, str],
        rng: np.random.Generator,
        words: int | None,
        mask_probability: float,
        shown: Shown = NONE_SHOWN,
    ) -> Messages:
        """Messages that ask to fill in the blanks of a masked text (VARIATION_API).

        Args:
            text: a synthetic text, never a private one; it is masked here.
            labels: label name -> value of the sample.
            rng: generator of this sample's draws.
            words: length to ask for, or None to ask for none.
            mask_probability: probability of each word to become a blank, in (0, 1].
            shown: candidates to show.

        Raises:
            DoppelError: ``text``, a text of ``shown`` or a label is private text or not a string, or the probability
                is out of its range.
        """

        def masked(unmasked: str, draws: np.random.Generator) -> str:
            return mask(_public(unmasked), mask_probability, draws, self.blank)

        examples = [(shot, masked(shot.text, np.random.default_rng(i)), shot.text) for i, shot in enumerate(self.shots)]
        return self._messages(self.fill_templates, examples, labels, rng, words, masked(text, rng), shown)

    def clean(self, reply: str) -> str:
        """The text in a model's ``reply``, see `lib.generation.reply_cleanup.clean`. May be empty."""
        return reply_cleanup.clean(reply, one_line=self.one_line)

    def unfilled(self, text: str) -> bool:
        """Whether ``text``, a reply of the model, still has a blank."""
        if has_unspaced(text):  # where words touch, so does a blank
            return self.blank in text
        return re.search(rf"(?<!\w){re.escape(self.blank)}(?!\w)", text) is not None

    def check_topic(self) -> None:
        """Check that every template for a new text says the topic of its sample.

        Raises:
            DoppelError: one does not.
        """
        for template in self.random_templates:
            templates.check_topic(templates.fields(template))

    def draws_by_label(self) -> Iterator[tuple[str, ByLabel]]:
        """Name and definition of the draws that depend on a label."""
        yield from ((name, draw) for name, draw in self.draws.items() if isinstance(draw, ByLabel))

    def check_labels(self, domain: Mapping[str, Sequence[str] | str]) -> None:
        """Check that the prompt file fits a corpus.

        Args:
            domain: label name -> its possible values, or `lib.data.records.CATALOGUE`, as the corpus declares them.

        Raises:
            DoppelError: the corpus lacks a label, or has a label value that a draw has no list for.
        """
        for label in self.labels:
            if label not in domain:
                raise DoppelError(
                    "generation.prompt_label_unknown",
                    f"label {label!r} is not a label of the records",
                    name=label,
                    where="prompts",
                    remedy=nearest(label, domain) if domain else "the corpus has no labels: use prompts/generic.yaml",
                )
        for name, draw in self.draws_by_label():
            values = domain[draw.by]
            if values == CATALOGUE:
                raise DoppelError(
                    "generation.draw_by_catalogue",
                    f"by: {draw.by}: the label's values are a catalogue, which cannot be listed",
                    name=draw.by,
                    where=f"draws: {name}",
                    remedy="give the draw a plain list",
                )
            if missing := [value for value in values if value not in draw.values]:
                raise DoppelError(
                    "generation.draw_value_missing",
                    f"values: no list for {draw.by} = {missing[0]!r}",
                    name=draw.by,
                    value=missing[0],
                    where=f"draws: {name}",
                    remedy=f"add a list for it; {nearest(missing[0], draw.values)}",
                )

    def _messages(
        self,
        choices: Sequence[str],
        examples: Sequence[tuple[Shot, str | None, str]],
        labels: Mapping[str, str],
        rng: np.random.Generator,
        words: int | None,
        text: str | None = None,
        shown: Shown = NONE_SHOWN,
    ) -> Messages:
        """The system message, the examples that share the sample's labels, each with its answer, and the request.

        ``examples`` are triples of shot, the text in its request, and the answer. Their draws depend on the shot's
        number alone, so that requests have a common prefix, which an engine computes once.
        """
        labels = {name: _public(value) for name, value in labels.items()}
        template = str(rng.choice(choices))
        turns = [("system", self.system)] if self.system else []
        for number, (shot, before, answer) in enumerate(examples):
            if shot.labels.items() <= labels.items():
                length = None if words is None else count(answer)
                shot_rng = np.random.default_rng(number)
                turns.append(("user", self._ask(template, labels, shot_rng, length, before, shot.draws, NONE_SHOWN)))
                turns.append(("assistant", answer))
        return (*turns, ("user", self._ask(template, labels, rng, words, text, {}, shown)))

    def _ask(
        self,
        template: str,
        labels: Mapping[str, str],
        rng: np.random.Generator,
        words: int | None,
        text: str | None,
        fixed: Mapping[str, str],
        shown: Shown,
    ) -> str:
        """The template with labels, draws (``fixed`` where it has a value), length, shown texts and text filled in."""
        used = templates.fields(template)
        values: dict[str, object] = {name: labels[name] for name in self.labels}
        for name in self.draws:
            if name in used:
                given = fixed.get(name, labels.get(name))
                values[name] = str(rng.choice(self._choices(name, labels))) if given is None else given
        values["words"] = words
        values["labels"] = ", ".join(f"{name}: {value}" for name, value in labels.items()) or None
        for name, texts in shown._asdict().items():
            values[name] = "\n".join(f"- {_public(one)}" for one in texts) or None
        if text is not None:
            values["text"] = _public(text)
        return templates.render(template, values)

    def _choices(self, name: str, labels: Mapping[str, str]) -> list[str]:
        """The list that a draw is made from, for a sample with these labels."""
        draw = self.draws[name]
        return draw.values[labels[draw.by]] if isinstance(draw, ByLabel) else draw


def load(path: Path) -> PromptFile:
    """Read and check a prompt file.

    Args:
        path: a YAML file with the keys ``about``, ``one_line``, ``random``, ``rephrase`` and ``fill``, and optionally
            those of the other attributes of `PromptFile`.

    Raises:
        DoppelError: the file is missing or faulty; all faults are reported, each with file, key and value.
    """
    if not path.is_file():
        files = (path if path.is_dir() else path.parent).glob("*.yaml")
        raise DoppelError(
            "generation.prompt_file_missing",
            "no such file",
            name="prompts",
            value=str(path),
            where=f"prompts: {path}",
            remedy=prompt_checks.nearest_if_any(str(path), [str(file) for file in files]),
        )
    parsed = strict_yaml.read(path, str(path))
    faults = Faults()
    try:
        prompt_file = PromptFile.model_validate(parsed)
    except ValidationError as error:
        for fault in prompt_checks.type_faults(error, _keys()):
            faults.add(fault)
    else:
        for fault in prompt_checks.problems(prompt_file):
            faults.add(fault)
    faults.raise_any(str(path))
    return prompt_file


def _keys() -> dict[str, set[str]]:
    """Keys that are allowed in a prompt file: at its top level (""), in a draw and in a shot."""
    top = {field.alias or name for name, field in PromptFile.model_fields.items()}
    return {"": top, "draws": set(ByLabel.model_fields), "shots": set(Shot.model_fields)}


def _public(text: object) -> str:
    """A text that may enter a prompt.

    Raises:
        DoppelError: it is private text, or not a string.
    """
    if isinstance(text, PrivateText):
        raise DoppelError(
            "generation.private_text_in_prompt",
            "private text may not enter a prompt",
            remedy="use only labels and synthetic texts",
        )
    if not isinstance(text, str):
        raise DoppelError(
            "generation.prompt_text_not_string",
            f"a prompt is made of strings, not of {type(text).__name__}",
            value=type(text).__name__,
        )
    return text
