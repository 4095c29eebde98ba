"""The public lists that private records are written from: events, kinds of text, layouts, contexts and phrases.

All are ours and about nobody: ``prompts/private_records``. A model is told titles of events alone; the grammar
(`lib.private_records.grammar_author`) writes with all of them.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pydantic import RootModel

from lib.common.errors import DoppelError
from lib.pii.writing.grammar import checked
from lib.private_records.list_checks import check
from lib.private_records.list_shapes import (
    Contexts,
    Formats,
    KindsOfText,
    LifeField,
    Phrases,
    PublicLists,
    TypeEntry,
)

FOLDER = Path("prompts/private_records")


def files(folder: Path = FOLDER) -> list[Path]:
    """The files that `load` reads.

    Args:
        folder: of the lists.
    """
    names = ("record_types.yaml", "formats.yaml", "contexts.yaml", "phrases.yaml")
    return [*(folder / name for name in names), *sorted((folder / "events").glob("*.yaml"))]


@cache
def load(folder: Path = FOLDER) -> PublicLists:
    """Read and check the lists, once.

    Args:
        folder: with ``events/FIELD.yaml``, ``record_types.yaml``, ``formats.yaml``, ``contexts.yaml`` and
            ``phrases.yaml``.

    Raises:
        DoppelError: ``pii.file_shape`` for a file of another shape; ``pii.phrase`` for a phrase that cannot be read;
            ``private_records.list_slot``, ``private_records.list_name`` or ``private_records.list_twice`` for a slot,
            a name of a list, an attribute or a layout that is not known, or a title that two entries have.
    """
    types_at, formats_at, contexts_at, phrases_at, *events_at = files(folder)
    lives = {path.stem: checked(LifeField, path) for path in events_at}
    formats = checked(Formats, formats_at)
    kinds = [
        TypeEntry(kind.name, formal, field, kind.voice, tuple(kind.aims), tuple(kind.layouts))
        for field, types in checked(RootModel[dict[str, KindsOfText]], types_at).root.items()
        for formal, group in ((True, types.formal), (False, types.informal))
        for kind in group
    ]
    lists = PublicLists(
        lives,
        _by_name((event.title, (name, event)) for name, life in lives.items() for event in life.events),
        _by_name((kind.name, kind) for kind in kinds),
        _by_name((name, layout) for layout, names in formats.formats.items() for name in names),
        formats.layouts,
        _by_name((context.text, context) for context in checked(Contexts, contexts_at).contexts),
        checked(Phrases, phrases_at),
    )
    check(lists)
    return lists


def _by_name(pairs: Iterable[tuple[str, object]]) -> dict:
    named: dict[str, object] = {}
    for name, entry in pairs:
        if name in named:
            raise DoppelError(
                "private_records.list_twice", f"{name!r} stands twice in the lists", name=name, remedy="keep one"
            )
        named[name] = entry
    return named
