"""The grammar: our own public templates (``prompts/pii/grammar``), for 11 fields and 9 styles of interaction.

A field has *scenarios*, each told by the person whom it is about and noted by somebody else, with details, lines of
forms, questions and answers, reviews and posts. A style has frames that put them together. Thousands of distinct texts
come from each pair of field and style, with one to three persons, mentioned once or often.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Annotated, NamedTuple, TypeVar

from pydantic import BaseModel, Field, ValidationError

from lib.common.errors import DoppelError, nearest
from lib.generation.prompt_parts import STRICT, Text, Texts
from lib.pii.classes import classes
from lib.pii.slots import Brackets, parse
from lib.pii.values import Values
from lib.pii.writing import phrases
from lib.pii.writing.phrases import Phrase, Writer
from lib.stage import strict_yaml

FOLDER = Path("prompts/pii/grammar")
OF_FIELD = ("reviews", "posts", "details", "form")  # lists that each field has of its own
SCENARIO = ("subject", "told", "noted")  # what a scenario has
ALONE = {"review": "reviews", "post": "posts"}  # styles that take a whole text from a list, and no scenario

Shape = TypeVar("Shape", bound=BaseModel)


class _Scenario(BaseModel):
    model_config = STRICT
    subject: Text
    told: Texts
    noted: Texts


class _Field(BaseModel):
    model_config = STRICT
    title: Text
    scenarios: dict[str, _Scenario]
    details: Texts
    form: Texts
    asks: list[Annotated[list[Text], Field(min_length=2, max_length=2)]]
    reviews: Texts
    posts: Texts
    asides: Texts


class _Styles(BaseModel):
    model_config = STRICT
    styles: dict[str, Texts]
    lists: dict[str, Texts]


class SlotText(NamedTuple):
    """A text with slots.

    Attributes:
        text: of it; it has no faults (`lib.pii.slots.parse`).
        template: what it was made from: field and scenario, ``bank/chargeback``, or the review or post. Texts of two
            templates share at most details, questions and lines of forms of their field, and the frames of a style.
    """

    text: str
    template: str


class Grammar:
    """The checked grammar.

    Args:
        fields: the content of each field's file.
        styles: frames by style, and the lists that frames name.
        where: the folder, for refusals.

    Raises:
        DoppelError: ``pii.phrase``, ``pii.grammar_list`` or ``pii.grammar_slot`` for a phrase that cannot be written.
    """

    def __init__(self, fields: Mapping[str, _Field], styles: _Styles, where: str):
        self.fields, self.styles = tuple(fields), tuple(styles.styles)
        self._frames = {name: _read(frames, f"{where}/styles.yaml: {name}") for name, frames in styles.styles.items()}
        shared = {name: _read(texts, f"{where}/styles.yaml: {name}") for name, texts in styles.lists.items()}
        self._lists: dict[str, dict[str, Sequence[Phrase]]] = {}
        self._pairs: dict[str, list[tuple[Phrase, Phrase]]] = {}
        self._scenarios: dict[str, dict[str, dict[str, Sequence[Phrase]]]] = {}
        for name, field in fields.items():
            at = f"{where}/fields/{name}.yaml"
            own = {of: _read(getattr(field, of), f"{at}: {of}") for of in (*OF_FIELD, "asides")}
            self._lists[name] = shared | own | {"asides": [*shared.get("asides", []), *own["asides"]]}
            self._pairs[name] = [tuple(_read(pair, f"{at}: asks")) for pair in field.asks]
            self._scenarios[name] = {
                scenario: {of: _read(_listed(getattr(given, of)), f"{at}: {scenario}") for of in SCENARIO}
                for scenario, given in field.scenarios.items()
            }
            self._check_references(name, at)

    def write(self, field: str, style: str, rng: Random, values: Values, *, aside: bool = False) -> SlotText:
        """Write a text.

        Args:
            field: one of `fields`.
            style: one of `styles`.
            rng: draws it.
            values: of the record, which say who is a man or a woman, and what an article stands before.
            aside: put in a hard negative: what looks like personal data and is not.

        Raises:
            DoppelError: an unknown field or style; the remedy names the nearest one.
        """
        for kind, name, known in (("field", field, self.fields), ("style", style, self.styles)):
            if name not in known:
                raise unknown(kind, name, known)
        lists = dict(self._lists[field])
        lists["aside"] = lists["asides"] if aside else [()]
        if style in ALONE:
            number = rng.randrange(len(lists[ALONE[style]]))
            lists[ALONE[style]] = [lists[ALONE[style]][number]]
            template = f"{field}/{style}-{number + 1}"
        else:
            scenario = rng.choice(list(self._scenarios[field]))
            lists |= self._scenarios[field][scenario]
            template = f"{field}/{scenario}"
        frame = rng.choice(self._frames[style])
        return SlotText(Writer(lists, self._pairs[field], rng, values).write(frame), template)

    def asides(self, field: str) -> Sequence[Phrase]:
        """The hard negatives that a text of a field may have."""
        return self._lists[field]["asides"]

    def templates(self) -> list[str]:
        """All templates, in order."""
        return [
            *(f"{field}/{scenario}" for field, scenarios in self._scenarios.items() for scenario in scenarios),
            *(
                f"{field}/{style}-{number + 1}"
                for field in self.fields
                for style, of in ALONE.items()
                for number in range(len(self._lists[field][of]))
            ),
        ]

    def _check_references(self, field: str, where: str) -> None:
        """Refuse a list that no file has."""
        scenarios = self._scenarios[field].values()
        known = {*self._lists[field], *SCENARIO, "asks", "aside", "question", "answer"}
        every = [
            *(phrase for frames in self._frames.values() for phrase in frames),
            *(phrase for texts in self._lists[field].values() for phrase in texts),
            *(phrase for pair in self._pairs[field] for phrase in pair),
            *(phrase for scenario in scenarios for texts in scenario.values() for phrase in texts),
        ]
        for name in sorted({name for phrase in every for name in phrases.references(phrase)} - known):
            raise DoppelError(
                "pii.grammar_list",
                f"no list is called {name!r}",
                name=name,
                remedy=nearest(name, known),
                where=where,
            )


def load(folder: Path = FOLDER) -> Grammar:
    """Read and check a grammar.

    Args:
        folder: with ``styles.yaml`` and ``fields/NAME.yaml``.

    Raises:
        DoppelError: a file is missing or not as it should be.
    """
    shown = folder.as_posix()
    styles = checked(_Styles, folder / "styles.yaml")
    paths = sorted((folder / "fields").glob("*.yaml"))
    if not paths:
        raise DoppelError("pii.grammar_fields", "no field has a file", remedy="add one", where=f"{shown}/fields")
    return Grammar({path.stem: checked(_Field, path) for path in paths}, styles, shown)


def files(folder: Path = FOLDER) -> list[Path]:
    """The files that `load` reads."""
    return [folder / "styles.yaml", *sorted((folder / "fields").glob("*.yaml"))]


def unknown(kind: str, name: str, known: Sequence[str]) -> DoppelError:
    """The refusal of a field or style that the grammar does not have.

    Args:
        kind: ``field`` or ``style``.
        name: that was asked for.
        known: all of them.
    """
    return DoppelError(
        "pii.unknown_in_grammar",
        f"no {kind} is called {name!r}",
        name=f"{kind}s",
        value=name,
        remedy=f"{nearest(name, known)}; there are {', '.join(known)}",
    )


def _listed(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _read(texts: Sequence[str], where: str) -> list[Phrase]:
    """Phrases, whose slots are all classes."""
    for text in texts:
        for fault in parse(text, classes(), Brackets()).faults:
            raise DoppelError(
                "pii.grammar_slot",
                f"{text[fault.start : fault.end]!r} is no slot",
                value=fault.kind,
                remedy="name a class of lib/pii/classes.csv",
                where=where,
            )
    return [phrases.read(text, where) for text in texts]


def checked(shape: type[Shape], path: Path) -> Shape:
    """The content of a YAML file with keys and types as they should be.

    Args:
        shape: that it has.
        path: of the file.

    Raises:
        DoppelError: ``pii.file_shape`` where its keys or types are others, or it cannot be read.
    """
    shown = path.as_posix()
    try:
        return shape.model_validate(strict_yaml.read(path, shown))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = ".".join(map(str, first["loc"])) or "the file"
        raise DoppelError("pii.file_shape", f"{name}: {first['msg']}", name=name, where=shown) from None
