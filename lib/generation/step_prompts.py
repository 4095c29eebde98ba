"""A prompt of a conversation that has several: its temperature, its longest reply, and the request with its places."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field

from lib.common.errors import nearest
from lib.generation.prompt_parts import STRICT, Text
from lib.generation.workflow import Call

_PLACE = re.compile(r"{([a-z]+)}")


class Step(BaseModel):
    """A step of a prompt file.

    Attributes:
        temperature: 0 takes the likeliest words.
        max_new_tokens: longest reply.
        ask: the request; words in braces are places that are filled in.
    """

    model_config = STRICT
    temperature: Annotated[float, Field(ge=0, le=5)]
    max_new_tokens: Annotated[int, Field(ge=1)]
    ask: Text

    @property
    def places(self) -> set[str]:
        """The words in braces."""
        return set(_PLACE.findall(self.ask))

    def call(self, name: str, system: str, told: Mapping[str, str]) -> Call:
        """A request.

        Args:
            name: of the step.
            system: the system message.
            told: what stands in its places; a place without it stays as it is.
        """
        asked = _PLACE.sub(lambda match: told.get(match[1], match[0]), self.ask)
        return Call(name, (("system", system), ("user", asked)), self.max_new_tokens, self.temperature)


class Unlike(NamedTuple):
    """A step that a prompt file has too many or too few.

    Attributes:
        name: of the step.
        wrong: ``missing`` or ``no step``.
        remedy: for a refusal.
    """

    name: str
    wrong: str
    remedy: str


def unlike(steps: Collection[str], known: Collection[str], example: str) -> Iterator[Unlike]:
    """The steps in which a prompt file differs from what it must have.

    Args:
        steps: that it has.
        known: that it must have.
        example: a file that is right.
    """
    for name in steps:
        if name not in known:
            yield Unlike(name, "no step", nearest(name, known))
    for name in known:
        if name not in steps:
            yield Unlike(name, "missing", f"see {example}")
