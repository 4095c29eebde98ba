"""What a model is asked for: a text of a field and a style, with the classes that it may use and a public example."""

from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from lib.common.errors import DoppelError
from lib.generation.prompt_parts import STRICT, Text
from lib.pii.classes import classes
from lib.pii.slots import parse
from lib.pii.writing.grammar import Grammar, checked
from lib.pii.writing.plan import Plan, Task

FILE = Path("prompts/pii/model.yaml")
MORE = 4  # classes beside those of the example
PLACES = ("field", "style", "classes", "example")  # what ``user`` has in braces


class _File(BaseModel):
    model_config = STRICT
    system: Text
    user: Text
    styles: dict[str, Text] = {}
    fields: dict[str, Text] = {}


class Asked(NamedTuple):
    """A request.

    Attributes:
        messages: pairs of role and content.
        classes: that the text may have.
        example: that was shown.
    """

    messages: tuple[tuple[str, str], ...]
    classes: frozenset[str]
    example: str


class Prompts:
    """The prompts of a file, with examples of the grammar.

    Args:
        path: of the file.
        grammar: writes the examples.

    Raises:
        DoppelError: ``pii.file_shape`` or ``pii.prompt_place``.
    """

    def __init__(self, path: Path, grammar: Grammar):
        self._file, self._grammar = _checked(path), grammar

    def request(self, plan: Plan, task: Task) -> Asked:
        """The request for the text of a task.

        The example is of another field and the same style, and of another record: its persons are not those of the
        task. The classes are those of a text of the task's own field and some more, drawn for each record.

        Args:
            plan: of the set.
            task: of the record.
        """
        rng = task.rng("prompt")
        values = plan.new_values(task)
        others = [field for field in self._grammar.fields if field != task.field]
        example = self._grammar.write(rng.choice(others), task.style, rng, values).text
        own = self._grammar.write(task.field, task.style, rng, values).text
        names = {slot.name for text in (example, own) for slot in parse(text, classes()).slots}
        names |= set(rng.sample(sorted(classes()), MORE))
        file = self._file
        content = file.user
        told = {
            "field": file.fields.get(task.field, task.field),
            "style": file.styles.get(task.style, f"a {task.style}"),
            "classes": ", ".join(f"[{name}]" for name in sorted(names)),
            "example": example,
        }
        for name, text in told.items():
            content = content.replace(f"{{{name}}}", text)
        return Asked((("system", file.system), ("user", content)), frozenset(names), example)


def _checked(path: Path) -> _File:
    file = checked(_File, path)
    for name in PLACES:
        if f"{{{name}}}" not in file.user:
            raise DoppelError(
                "pii.prompt_place",
                f"user: has no {{{name}}}",
                name=name,
                remedy="see prompts/pii/model.yaml",
                where=path.as_posix(),
            )
    return file
