"""The parts of a prompt file: its draws and examples, and the candidates that a prompt shows."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from lib.generation.rejection import plain

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)

Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[list[Text], Field(min_length=1)]


class Shown(NamedTuple):
    """Candidates that the prompt of a variation shows, never private texts.

    Attributes:
        good: texts as they are wanted, for {good}.
        bad: texts as they are not wanted, for {bad}.
    """

    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()


NONE_SHOWN = Shown()


class ByLabel(BaseModel):
    """A draw whose list depends on a label: ``by`` is the label's name, ``values`` maps its values to lists."""

    model_config = STRICT
    by: str
    values: Annotated[dict[str, Texts], Field(min_length=1)]


class Shot(BaseModel):
    """A public example, written for the prompt file.

    Attributes:
        labels: the example is shown to samples that have these labels.
        draws: what a request for this example would have drawn.
        text: the example's text.
        again: the text in other words; without it the example is not used for `PromptFile.rephrase`.
    """

    model_config = STRICT
    labels: dict[str, str] = {}
    draws: dict[str, str] = {}
    text: Text
    again: Text | None = None


def examples(shots: Sequence[Shot]) -> set[str]:
    """The texts of examples, as `lib.generation.rejection.plain` has them: a text that is one of them is no new one."""
    return {plain(text) for shot in shots for text in (shot.text, shot.again) if text}
