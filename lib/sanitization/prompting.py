"""The prompts of ``prompts/sanitization/model.yaml``."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel

from lib.common.errors import DoppelError
from lib.generation.prompt_parts import STRICT, Text
from lib.generation.step_prompts import Step, unlike
from lib.generation.workflow import Call
from lib.pii.writing.grammar import checked
from lib.private_records.schema import Attribute

FILE = Path("prompts/sanitization/model.yaml")
PLACES = {  # step -> what its request must have in braces
    "annotate": {"text"},
    "rank": {"attributes"},
    "passages": {"name", "value", "text"},
    "strategy": {"name", "value", "text"},
    "abstract": {"name", "value", "how", "keep", "text"},
    "drop": {"name", "value", "keep", "text"},
    "instruction": {"abstract", "drop", "keep"},
}


class _File(BaseModel):
    model_config = STRICT
    system: Text
    nothing: Text
    steps: dict[str, Step]


class Prompts:
    """A checked prompt file.

    Args:
        path: of the YAML file.

    Raises:
        DoppelError: ``pii.file_shape``, ``sanitization.prompt_step`` or ``sanitization.prompt_place``.
    """

    def __init__(self, path: Path = FILE):
        self._file = checked(_File, path)
        for name, wrong, remedy in unlike(self._file.steps, PLACES, str(FILE)):
            raise DoppelError(
                "sanitization.prompt_step",
                f"steps: {name} is {wrong}",
                name=name,
                remedy=remedy,
                where=path.as_posix(),
            )
        for name, needed in PLACES.items():
            if wrong := self._file.steps[name].places ^ needed:
                place = min(wrong)
                raise DoppelError(
                    "sanitization.prompt_place",
                    f"steps: {name}: {'has no' if place in needed else 'nothing stands for'} {{{place}}}",
                    name=place,
                    value=name,
                    remedy=f"see {FILE}",
                    where=path.as_posix(),
                )

    @property
    def nothing(self) -> str:
        """What stands for {keep} where nothing is kept."""
        return self._file.nothing

    def characters(self, step: str) -> int:
        """Length of a step's request before anything is filled in, system message included; in characters.

        Args:
            step: a key of `PLACES`.
        """
        return len(self._file.system) + len(self._file.steps[step].ask)

    def call(self, step: str, **told: str) -> Call:
        """A request.

        Args:
            step: a key of `PLACES`.
            **told: what stands in its places.
        """
        return self._file.steps[step].call(step, self._file.system, told)


def listed(attributes: Iterable[Attribute]) -> str:
    """Names and values, one a line.

    Args:
        attributes: of a record.
    """
    return "\n".join(f"- {one.name}: {one.value}" for one in attributes)
