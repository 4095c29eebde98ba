"""YAML without its traps: what reads as one thing and means another is refused with the spelling to use."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from lib.common.errors import DoppelError, Faults

_TAG = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_REAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")


def read(path: Path, shown: str) -> object:
    """The value of a YAML file, as `parse` gives it.

    Args:
        path: of the file.
        shown: the file as refusals name it.

    Raises:
        DoppelError: it cannot be read, or `parse` refuses it.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise DoppelError("stage.yaml_not_utf8", "not UTF-8", remedy="save it as UTF-8", where=shown) from None
    except OSError as error:
        raise DoppelError(
            "stage.yaml_unreadable",
            f"cannot be read ({error.strerror})",
            remedy="name a file that you may read",
            where=shown,
        ) from None
    return parse(text, shown)


def parse(text: str, where: str) -> object:
    """The value of one YAML document; None when it is empty.

    Args:
        text: the document.
        where: the file or option that it is from, as refusals name it.

    Raises:
        DoppelError: every trap at once: numbers that YAML takes for text (``1e-4``), yes/no/on/off, unquoted dates,
            octal, hexadecimal and sexagesimal numbers, ``1_000``, ``.nan`` and ``.inf``, ``None``, duplicate keys, and
            tags that would build objects; or the text is not YAML.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        faults = Faults()
        for fault in _problems(node, where):
            faults.add(fault)
        faults.raise_any()
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:  # the snippet that YAML would print stays out: it may hold a key
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DoppelError(
            "stage.not_yaml",
            f"not YAML ({error.problem})",
            remedy="check quotes and indentation",
            where=f"{where}, line {line}",
        ) from None
    except (yaml.YAMLError, RecursionError):
        raise DoppelError(
            "stage.not_yaml",
            "not YAML",
            remedy="remove unprintable characters and aliases of themselves",
            where=where,
        ) from None


def _problems(node: yaml.Node, where: str, name: str = "the value") -> Iterator[DoppelError]:
    line = f"{where}, line {node.start_mark.line + 1}"
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                place = f"{where}, line {key.start_mark.line + 1}"
                remedy = "a key is one word"
                yield DoppelError("stage.yaml_key", "a key is a list or a mapping", remedy=remedy, where=place)
                continue
            yield from _problems(key, where, "a key")
            if key.value in seen:
                yield DoppelError(
                    "stage.yaml_key_twice",
                    f"{key.value!r} appears twice",
                    name=key.value,
                    remedy="keep one",
                    where=f"{where}, line {key.start_mark.line + 1}",
                )
            seen.add(key.value)
            yield from _problems(value, where, key.value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _problems(item, where, name)
    elif node.style is None and (trap := _trap(node.tag.removeprefix(_TAG), node.value)):
        misread, remedy = trap
        sentence = f"{name}: {node.value}: {misread}"
        yield DoppelError("stage.yaml_trap", sentence, name=name, value=node.value, remedy=remedy, where=line)


def _trap(tag: str, value: str) -> tuple[str, str] | None:
    """How a plain (unquoted) scalar misleads, and what to write instead; None when it does not."""
    quoted = f"put it in quotes if it is text, '{value}'"
    if tag == "bool" and value.lower() not in ("true", "false"):
        return "YAML reads this as true or false", f"write true or false, or {quoted}"
    if tag == "timestamp":
        return "YAML reads this as a date", quoted
    if (tag == "int" and not _WHOLE.fullmatch(value)) or re.fullmatch(r"0[oO][0-7]+", value):
        return "readers differ on which number this is", f"write its decimal digits alone, or {quoted}"
    if tag in ("float", "str"):
        plain = value.replace("_", "").lower()
        if plain.lstrip("+-.") in ("nan", "inf", "infinity"):
            return "must be a finite number", f"write one, or null for none, or {quoted}"
        if tag == "float" and ":" in value:
            return "YAML reads this in base 60", quoted
        if _REAL.fullmatch(plain) and (tag == "str" or "_" in value):
            return "YAML does not read this as the number it looks like", f"write {_spelled(plain)}, or {quoted}"
    if tag == "str" and value in ("None", "none"):
        return "YAML reads this as text", f"write null for none, or {quoted}"
    return None


def _spelled(number: str) -> str:
    """A number as YAML reads it: a point in the mantissa and a sign in the exponent, 1e-4 -> 1.0e-4."""
    mantissa, _, exponent = number.partition("e")
    if not exponent:
        return mantissa
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{exponent if exponent[0] in '+-' else f'+{exponent}'}"
