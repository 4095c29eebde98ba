"""JSON in a model's reply: with remarks and fences around it, numbers for text, objects within objects."""

import json
import re
from collections.abc import Mapping

from lib.generation.workflow import Unusable

_FENCE = re.compile(r"```[A-Za-z0-9_-]*[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_OPENS = re.compile(r"[{\[]")
_BEGUN = {"{": re.compile(r'\s*"'), "[": re.compile(r'\s*["{\[]')}  # what tells JSON from a bracket in a remark
DEEPEST = 20  # brackets within brackets; what is deeper is no answer of ours
LONGEST = 200_000  # characters of a reply that are looked at


def read_object(text: str) -> dict[str, object]:
    """The one JSON object of a reply.

    Args:
        text: the answer, see `lib.generation.workflow.answer`. Words before and behind the object are dropped, as is a
            fence around it.

    Raises:
        Unusable: there is no whole object, an object has a key twice, or the first JSON value is a list.
    """
    found = _first(text)
    if not isinstance(found, dict):
        raise Unusable("a list in place of an object")
    return found


def read_list(text: str) -> list[object]:
    """The one JSON list of a reply; an object with a single list in it stands for that list.

    Args:
        text: as for `read_object`.

    Raises:
        Unusable: there is no whole list, or an object has a key twice.
    """
    found = _first(text)
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list)]
        if len(lists) != 1:
            raise Unusable("an object in place of a list")
        return lists[0]
    return found


def texts(values: Mapping[str, object]) -> dict[str, str]:
    """The values of an object as text: numbers are written out, lists joined by commas, inner objects flattened.

    Args:
        values: of `read_object`.

    Returns:
        key -> text, with white space at its ends taken off; without keys whose value is null or empty. A key of an
        inner object has the outer one before it, ``address_city``; where it is there already the first one stays.
    """
    flat: dict[str, str] = {}
    for key, value in values.items():
        name = "_".join(str(key).split())
        if isinstance(value, Mapping):
            inner = {f"{name}_{at}": text for at, text in texts(value).items()}
        else:
            inner = {name: _written(value)}
        for at, text in inner.items():
            if at and text:
                flat.setdefault(at, text)
    return flat


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        parts = [", ".join(texts(one).values()) if isinstance(one, Mapping) else _written(one) for one in value]
        return ", ".join(filter(None, parts))
    return str(value).strip()


def _first(text: str) -> dict | list:
    """The first whole JSON object or list of a text, the content of a fence before all else."""
    text = text[:LONGEST]
    fenced = _FENCE.search(text)
    for part in [fenced[1], text] if fenced else [text]:
        if (found := _decoded(part)) is not None:
            return found
    raise Unusable("not JSON")


def _decoded(text: str) -> dict | list | None:
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    for tried, opening in enumerate(_OPENS.finditer(text)):
        if tried == DEEPEST:
            break
        try:
            found, _ = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            if _BEGUN[opening[0]].match(text, opening.end()):
                raise Unusable("not JSON") from None  # it was cut off: what stands within it is no answer
            continue
        if isinstance(found, list) and not all(isinstance(one, dict | list | str) for one in found):
            continue  # a citation, [1], in the words before it
        if _deep(found) > DEEPEST:
            raise Unusable("nested too deeply")
        return found
    return None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unusable("a key twice")
    return found


def _deep(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_deep, inner), default=0)
