"""YAML without its traps: what reads as one thing and means another is refused with the spelling to use."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from lib.common.errors import DoppelError

_TAG = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_REAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")


def read(path: Path, shown: str) -> object:
    """The value of a YAML file, as `parse` gives it; ``shown`` is the file as refusals name it."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise DoppelError(f"{shown}: not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise DoppelError(f"{shown}: cannot be read ({error.strerror}); name a file that you may read") from None
    return parse(text, shown)


def parse(text: str, where: str) -> object:
    """The value of one YAML document (None when empty); every trap in it is named in one error.

    ``where`` (a file or an option) opens every line of the error. Refused: numbers that YAML takes
    for text (``1e-4``), yes/no/on/off, unquoted dates, octal, hexadecimal and sexagesimal numbers,
    ``1_000``, ``.nan`` and ``.inf``, ``None``, duplicate keys, and tags that would build objects.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if problems := list(_problems(node)):
            raise DoppelError("\n".join(f"{where}, {problem}" for problem in problems))
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:  # the snippet that YAML would print stays out: it may hold a key
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DoppelError(f"{where}, line {line}: not YAML ({error.problem}); check quotes and indentation") from None
    except (yaml.YAMLError, RecursionError):
        raise DoppelError(f"{where}: not YAML; remove unprintable characters and aliases of themselves") from None


def _problems(node: yaml.Node, name: str = "the value") -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                yield f"line {key.start_mark.line + 1}: a key is a list or a mapping; a key is one word"
                continue
            yield from _problems(key, "a key")
            if key.value in seen:
                yield f"line {key.start_mark.line + 1}: {key.value!r} appears twice; keep one"
            seen.add(key.value)
            yield from _problems(value, key.value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _problems(item, name)
    elif node.style is None and (remedy := _trap(node.tag.removeprefix(_TAG), node.value)):
        yield f"line {node.start_mark.line + 1}: {name}: {node.value}: {remedy}"


def _trap(tag: str, value: str) -> str | None:
    """What to write instead of a plain (unquoted) scalar that misleads, or None when it does not."""
    quoted = f"put it in quotes if it is text, '{value}'"
    if tag == "bool" and value.lower() not in ("true", "false"):
        return f"YAML reads this as true or false; write true or false, or {quoted}"
    if tag == "timestamp":
        return f"YAML reads this as a date; {quoted}"
    if (tag == "int" and not _WHOLE.fullmatch(value)) or re.fullmatch(r"0[oO][0-7]+", value):
        return f"readers differ on which number this is; write its decimal digits alone, or {quoted}"
    if tag in ("float", "str"):
        plain = value.replace("_", "").lower()
        if plain.lstrip("+-.") in ("nan", "inf", "infinity"):
            return f"must be a finite number; write one, or null for none, or {quoted}"
        if tag == "float" and ":" in value:
            return f"YAML reads this in base 60; {quoted}"
        if _REAL.fullmatch(plain) and (tag == "str" or "_" in value):
            return f"YAML does not read this as the number it looks like; write {_spelled(plain)}, or {quoted}"
    if tag == "str" and value in ("None", "none"):
        return f"YAML reads this as text; write null for none, or {quoted}"
    return None


def _spelled(number: str) -> str:
    """A number as YAML reads it: a point in the mantissa and a sign in the exponent, 1e-4 -> 1.0e-4."""
    mantissa, _, exponent = number.partition("e")
    if not exponent:
        return mantissa
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{exponent if exponent[0] in '+-' else f'+{exponent}'}"
