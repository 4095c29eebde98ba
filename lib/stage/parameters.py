"""Strict parameters: what a notebook's parameters cell declares, and values checked against it.

The cell is read, never run: one annotated literal a line, and a comment that may open with a range:

    target_epsilon: float | None = 8.0  # (0, 1e6] null trains without privacy
    samples: int = 300  # [1, inf) records to write
"""

import ast
import io
import math
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from lib.common.errors import DoppelError, Faults, nearest
from lib.stage.notebook_file import parameters_cell

RESERVED = ("run", "stage")  # every notebook has them; the runner sets them, a parameter file may not

_TYPES = {"int": int, "float": float, "bool": bool, "str": str, "list": list, "dict": dict, "Literal": Literal}
_ANNOTATION = (ast.Name, ast.Subscript, ast.Tuple, ast.BinOp, ast.BitOr, ast.Constant, ast.Load)  # parts of a type
_RANGE = re.compile(r"(?P<left>[\[(])\s*(?P<low>[^,\s]+)\s*,\s*(?P<high>[^\s\])]+)\s*(?P<right>[\])])\s*(?P<help>.*)")
_SECRET_NAME = re.compile(r"(^|[_.])(key|token|password|passwd|secret)$", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"\bsk-[\w-]{16,}|\bhf_\w{16,}|\b(AKIA|ASIA)[0-9A-Z]{16}|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}"
    r"|\bxox[abprs]-[\w-]{10,}|\bAIza[\w-]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]+:[^/\s:@]+@"
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of a parameters cell.

    Attributes:
        name: of the parameter.
        annotation: its type, as written.
        default: its literal.
        help: the comment behind it, without the range.
        low: bound of every number in the value.
        high: likewise.
        brackets: of the range; a round one excludes its bound.
    """

    name: str
    annotation: str
    default: object
    help: str = ""
    low: float = -math.inf
    high: float = math.inf
    brackets: str = "()"

    @property
    def range(self) -> str:
        """The range as the comment has it: ``(0, 1]``."""
        return f"{self.brackets[0]}{self.low:g}, {self.high:g}{self.brackets[1]}"

    def holds(self, number: float) -> bool:
        """Whether a number lies in the range.

        Args:
            number: a finite one.
        """
        above = number >= self.low if self.brackets[0] == "[" else number > self.low
        below = number <= self.high if self.brackets[1] == "]" else number < self.high
        return above and below


def read_spec(notebook: Path) -> dict[str, Parameter]:
    """The parameters that a notebook declares, in their order.

    Args:
        notebook: its file.

    Raises:
        DoppelError: a line of the parameters cell is no annotated literal of a known type; it names the line.
    """
    source = parameters_cell(notebook)
    shown = f"{notebook.parent.name}/{notebook.name}: the parameters cell"
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise DoppelError(
            "stage.cell_not_python", str(error.msg), value=error.lineno, where=f"{shown}, line {error.lineno}"
        ) from None
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    spec: dict[str, Parameter] = {}
    for line in statements:
        where = f"{shown}, line {line.lineno}"
        parameter = _parameter(line, comments.get(line.end_lineno, ""), where)
        if parameter.name in spec:
            raise DoppelError(
                "stage.declared_twice",
                f"{parameter.name} is declared twice",
                name=parameter.name,
                remedy="keep one",
                where=where,
            )
        spec[parameter.name] = parameter
    check(spec, {name: p.default for name, p in spec.items()}, shown)
    return spec


def _parameter(line: ast.stmt, comment: str, where: str) -> Parameter:
    if not (isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None):
        raise DoppelError(
            "stage.cell_line",
            "each line is NAME: TYPE = LITERAL, as steps: int = 10",
            remedy="move other code below",
            where=where,
        )
    annotation = ast.unparse(line.annotation)
    try:
        default = ast.literal_eval(line.value)
    except ValueError:
        raise DoppelError(
            "stage.no_literal",
            f"{line.target.id} must be a literal",
            name=line.target.id,
            remedy="compute derived values below",
            where=where,
        ) from None
    for part in ast.walk(line.annotation):
        if not isinstance(part, _ANNOTATION) or (isinstance(part, ast.Name) and part.id not in _TYPES):
            raise DoppelError(
                "stage.unknown_type",
                f"type {annotation} is not supported",
                name=line.target.id,
                value=annotation,
                remedy=f"use {', '.join(_TYPES)}, None and |",
                where=where,
            )
    plain = Parameter(line.target.id, annotation, default, comment)
    if (bounded := _RANGE.match(comment)) is None:
        return plain
    try:
        low, high = float(bounded["low"]), float(bounded["high"])
    except ValueError:  # brackets and a comma, but prose
        return plain
    return replace(plain, help=bounded["help"], low=low, high=high, brackets=bounded["left"] + bounded["right"])


def check(spec: Mapping[str, Parameter], values: Mapping[str, object], where: str) -> dict[str, object]:
    """The resolved values of parameters.

    Args:
        spec: what a notebook declares.
        values: given ones, by name.
        where: the file or command that they are from, as refusals name it.

    Returns:
        The defaults of ``spec`` with ``values`` over them; an int is widened where a float is declared.

    Raises:
        DoppelError: every fault at once: an unknown key, a wrong type, a number that is not finite or out of its
            range, a value that looks like a secret (which is not shown).
    """
    resolved, faults = {name: parameter.default for name, parameter in spec.items()}, Faults()
    for name, value in values.items():
        with faults:
            if secret := _secret(value, str(name)):
                raise DoppelError(
                    "stage.secret",
                    f"{secret} looks like a secret",
                    name=secret,
                    remedy="keys come from the environment, not from parameters",
                )
            if name not in spec:
                raise DoppelError(
                    "stage.unknown_parameter",
                    f"unknown parameter {name!r}",
                    name=str(name),
                    remedy=nearest(str(name), set(spec) - set(RESERVED)),
                )
            resolved[name] = _fit(spec[name], value)
    faults.raise_any(where)
    return resolved


def _fit(parameter: Parameter, value: object) -> object:
    """The value in its declared type. Raises DoppelError that says what is allowed."""
    name = parameter.name
    shown = f"{name} = {str(value)[:80]!r}" if isinstance(value, str) else f"{name} = {value!r:.80}"
    try:
        fitted = _validator(parameter.annotation).validate_python(value, strict=True)
    except ValidationError:
        in_quotes = ", with text in quotes: '1'" if _fits_in_quotes(parameter.annotation, value) else ""
        raise DoppelError(
            "stage.wrong_type",
            f"{shown} is {type(value).__name__}",
            name=name,
            value=value,
            remedy=f"must be {parameter.annotation}{in_quotes}",
        ) from None
    for number in _numbers(fitted):
        if isinstance(number, float) and not math.isfinite(number):
            raise DoppelError("stage.not_finite", shown, name=name, value=value, remedy="must be a finite number")
        if not parameter.holds(number):
            raise DoppelError(
                "stage.out_of_range", shown, name=name, value=value, remedy=f"must be in {parameter.range}"
            )
    return fitted


@cache
def _validator(annotation: str) -> TypeAdapter:
    # the names in it were checked against _TYPES: nothing but these can be reached
    return TypeAdapter(eval(annotation, {"__builtins__": {}, **_TYPES}))


def _fits_in_quotes(annotation: str, value: object) -> bool:
    """Whether a value is of its type once its numbers, true and false are written as text: [1, 2] as ['1', '2']."""
    try:
        _validator(annotation).validate_python(_quoted(value), strict=True)
    except ValidationError:
        return False
    return True


def _quoted(value: object) -> object:
    if isinstance(value, dict):
        return {_quoted(key): _quoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return list(map(_quoted, value))
    return value if value is None else str(value)


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _numbers(item)


def _secret(value: object, name: str) -> str | None:
    """The name of the first entry that looks like a password or a key, or None."""
    if isinstance(value, dict):
        return next(filter(None, (_secret(v, f"{name}.{k}") for k, v in value.items())), None)
    if isinstance(value, list):
        return next(filter(None, (_secret(v, f"{name}[{i}]") for i, v in enumerate(value))), None)
    if not isinstance(value, str):
        return None
    words = re.findall(r"[A-Za-z0-9]{32,}", value)
    named = len(value) >= 8 and _SECRET_NAME.search(name)
    return name if named or _SECRET_VALUE.search(value) or any(map(_random, words)) else None


def _random(word: str) -> bool:
    """Whether a long word of mixed case and digits is too varied for a name: over 4.2 bits a character.

    A hexadecimal hash has at most 4, so a commit or a checksum passes.
    """
    mixed = all(any(map(kind, word)) for kind in (str.isupper, str.islower, str.isdigit))
    shares = [word.count(character) / len(word) for character in set(word)]
    return mixed and -sum(share * math.log2(share) for share in shares) > 4.2
