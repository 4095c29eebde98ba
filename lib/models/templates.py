"""Templates with named placeholders, and parts in square brackets that are left out when a value is missing.

``"Write a {tone} review[ in about {words} words]."``: without a value for ``words``, the bracket goes with it. A
literal brace or square bracket is written twice.
"""

import re
import string
from collections.abc import Collection, Iterator, Mapping

from lib.common.errors import DoppelError, nearest

_SPAN = re.compile(r"(?<!\[)\[(?!\[)(?P<inside>[^\[\]]*)\]|\[\[|\]\]|[^\[\]]+|(?P<stray>[\[\]])")


def fields(template: str) -> set[str]:
    """Names of the placeholders, in brackets or not."""
    return {field for part, _ in _parts(template) for field in _fields(part)}


def label_fields(template: str) -> set[str]:
    """Names of the labels in the prompt of a model that is fine-tuned or drawn from: a template without brackets.

    Raises DoppelError for a template that is not one.
    """
    if not template.strip():
        raise DoppelError("the prompt template is empty; say what to write, with a {label} where it belongs")
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise DoppelError(f"prompt template {template!r}: {error}; write a literal brace twice") from None
    if any(spec or conversion for _, _, spec, conversion in parts):
        raise DoppelError(f"prompt template {template!r}: a placeholder is a label's name alone, as {{rating}}")
    names = {field for _, field, _, _ in parts if field is not None}
    if "text" in names:
        raise DoppelError("prompt template: {text} is the record itself; a prompt is built from labels alone")
    return names


def check_labels(template: str, labels: Collection[str]) -> None:
    """Refuse a prompt, as `label_fields` takes it, that names what is none of the labels."""
    for field in sorted(label_fields(template) - set(labels)):
        hint = "; " + nearest(field, labels) if labels else "; the records have no labels"
        raise DoppelError(f"prompt template: {{{field}}} is not a label{hint}")


def render(template: str, values: Mapping[str, object]) -> str:
    """The template filled in; a bracket goes when one of its values is None."""
    kept = (part for part, _ in _parts(template) if all(values[field] is not None for field in _fields(part)))
    return "".join(part.format_map(values) for part in kept)


def problems(
    template: str, *, known: Collection[str], optional: Collection[str], needed: Collection[str]
) -> Iterator[str]:
    """What is wrong with a template.

    Args:
        known: placeholders that always have a value. optional: those that may have none, and so stand in brackets.
        needed: those of ``known`` that must be there.
    """
    shown = repr(template[:60])
    try:
        parts = _parts(template)
        pieces = [piece for part, _ in parts for piece in string.Formatter().parse(part)]
    except ValueError as error:
        yield f"{shown}: {error}; write a literal brace or bracket twice"
        return
    if any(spec or conversion for _, _, spec, conversion in pieces):
        yield f"{shown}: a placeholder is a name alone, as {{tone}}"
    for part, bracketed in parts:
        for field in sorted(_fields(part)):
            if field in optional and not bracketed:
                yield f"{shown}: {{{field}}} may have no value; put the words that go with it in [ ]"
            elif field not in known and field not in optional:
                yield f"{shown}: {{{field}}} is no label or draw; {nearest(field, {*known, *optional})}"
        if bracketed and not _fields(part) & set(optional):
            yield f"{shown}: [{part}] would never be left out; write a literal bracket twice"
    for field in sorted(set(needed) - {field for part, bracketed in parts if not bracketed for field in _fields(part)}):
        yield f"{shown}: has no {{{field}}}; put it where the text stands"


def _parts(template: str) -> list[tuple[str, bool]]:
    """The template cut at its square brackets: format strings, and whether each may be left out."""
    parts = []
    for span in _SPAN.finditer(template):
        if span["stray"]:
            raise ValueError("a square bracket without its other half")
        bracketed = span["inside"] is not None
        parts.append((span["inside"] if bracketed else span[0].replace("[[", "[").replace("]]", "]"), bracketed))
    return parts


def _fields(part: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(part) if field is not None}
