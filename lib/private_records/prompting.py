"""The prompts of ``prompts/private_records/model.yaml``, and the facts that they are filled with."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from lib.common.errors import DoppelError
from lib.generation.prompt_parts import STRICT, Text
from lib.generation.step_prompts import Step, unlike
from lib.generation.workflow import Call
from lib.pii.writing.grammar import checked
from lib.private_records.fields import fields
from lib.private_records.schema import Attribute, Event, Profile, Situation
from lib.private_records.task import Task

FILE = Path("prompts/private_records/model.yaml")
_WRITING = frozenset({"facts", "event", "share", "type", "context", "format", "slots", "day", "words"})
PLACES = {  # step -> what its request must have in braces, and what else it may have
    "profile": ({"facts", "titles", "count"}, {"day"}),
    "attribute": ({"event"}, set()),
    "record_type": ({"event", "kind"}, {"share"}),
    "context": ({"event", "type"}, {"share"}),
    "format": ({"type", "context"}, set()),
    "draft": ({"event", "type", "context", "format", "slots"}, _WRITING),
    "revise": ({"text", "type", "context", "slots"}, _WRITING),
    "judge": ({"first", "second"}, {"type", "context", "format"}),
    "annotate_profile": ({"text", "profile"}, set()),
    "annotate_events": ({"text", "event"}, set()),
    "group": ({"attributes"}, set()),
}
_OPEN = ("marital_status", "income_class", "native_language", "country", "citizenship", "ethnicity", "disability")
_PRONOUNS = {"female": "she, her", "male": "he, him"}


class _Step(Step):
    temperature: Annotated[float, Field(gt=0, le=5)]  # a step that is asked again gets another reply


class _File(BaseModel):
    model_config = STRICT
    system: Text
    no_type: Text
    no_format: Text
    steps: dict[str, _Step]


class Prompts:
    """A checked prompt file.

    Args:
        path: of the YAML file.

    Raises:
        DoppelError: ``pii.file_shape``, ``private_records.prompt_step`` or ``private_records.prompt_place``.
    """

    def __init__(self, path: Path = FILE):
        self._file = checked(_File, path)
        for name, wrong, remedy in unlike(self._file.steps, PLACES, str(FILE)):
            raise DoppelError(
                "private_records.prompt_step",
                f"steps: {name} is {wrong}",
                name=name,
                remedy=remedy,
                where=path.as_posix(),
            )
        for name, (needed, allowed) in PLACES.items():
            _check_places(name, self._file.steps[name].places, needed, allowed, path)

    def call(self, step: str, **told: str) -> Call:
        """A request.

        Args:
            step: a key of `PLACES`.
            **told: what stands in its places.
        """
        return self._file.steps[step].call(step, self._file.system, told)

    def situation(self, profile: Profile, situation: Situation) -> dict[str, str]:
        """The places of a request that tell of the situation, and of its event.

        Args:
            profile: of the person.
            situation: as far as it is known.
        """
        return {
            "event": listed_event(profile.events[situation.event]),
            "share": profile.attr_to_share,
            "type": situation.record_type or self._file.no_type,
            "context": situation.context,
            "format": situation.format or self._file.no_format,
        }


def facts(task: Task) -> dict[str, str]:
    """What a model is told of a person in plain words: nothing that has a slot.

    Args:
        task: of the record.
    """
    told = {name: task.known[name] for name in _OPEN if name in task.known}
    decade = int(task.known["age"]) // 10 * 10
    told |= {
        "pronouns": _PRONOUNS[task.known["sex"]],
        "age group": f"{decade}s" if decade > 10 else "under 20",
        "behaviour towards others": task.known["morality"],
    }
    return told


def listed(values: Mapping[str, str]) -> str:
    """Names and values, one a line.

    Args:
        values: name -> value; underscores are shown as blanks.
    """
    return "\n".join(f"- {name.replace('_', ' ')}: {value}" for name, value in values.items())


def listed_event(event: Event) -> str:
    """An event and its details, one a line; names stand as they are, so that one may be answered.

    Args:
        event: of the profile.
    """
    return "\n".join([event.title, *(f"- {name}: {value}" for name, value in event.attributes.items())])


def listed_attributes(attributes: Iterable[Attribute]) -> str:
    """Names and values of attributes, one a line; what stood in a slot is told by the slot's title alone.

    Args:
        attributes: of the text.
    """
    fields_by_slot = fields()

    def shown(one: Attribute) -> str:
        if not one.label:
            return one.value
        return fields_by_slot[one.label].title if one.label in fields_by_slot else one.label.lower()

    return "\n".join(f"- {one.name}: {shown(one)}" for one in attributes)


def listed_slots() -> str:
    """The slots of the person with what they stand for, one a line."""
    return "\n".join(f"[{slot}]: {field.title}" for slot, field in fields().items())


def _check_places(step: str, found: set[str], needed: Iterable[str], allowed: Iterable[str], path: Path) -> None:
    missing, unknown = set(needed) - found, found - set(needed) - set(allowed)
    if missing or unknown:
        name = min(missing or unknown)
        raise DoppelError(
            "private_records.prompt_place",
            f"steps: {step}: {'has no' if missing else 'nothing stands for'} {{{name}}}",
            name=name,
            value=step,
            remedy=f"see {FILE}",
            where=path.as_posix(),
        )
