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

from lib.common.errors import DoppelError, nearest
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
    """One line of a parameters cell. ``low`` and ``high`` bound every number in the value."""

    name: str
    annotation: str
    default: object
    help: str = ""
    low: float = -math.inf
    high: float = math.inf
    brackets: str = "()"  # a round bracket excludes its bound

    @property
    def range(self) -> str:
        return f"{self.brackets[0]}{self.low:g}, {self.high:g}{self.brackets[1]}"

    def holds(self, number: float) -> bool:
        """Whether a finite number lies in the range."""
        above = number >= self.low if self.brackets[0] == "[" else number > self.low
        below = number <= self.high if self.brackets[1] == "]" else number < self.high
        return above and below


def read_spec(notebook: Path) -> dict[str, Parameter]:
    """The parameters that a notebook declares, in their order. Raises DoppelError naming the line."""
    source = parameters_cell(notebook)
    shown = f"{notebook.parent.name}/{notebook.name}: the parameters cell"
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise DoppelError(f"{shown}, line {error.lineno}: {error.msg}") from None
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
            raise DoppelError(f"{where}: {parameter.name} is declared twice; keep one")
        spec[parameter.name] = parameter
    check(spec, {name: p.default for name, p in spec.items()}, shown)
    return spec


def _parameter(line: ast.stmt, comment: str, where: str) -> Parameter:
    if not (isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None):
        raise DoppelError(f"{where}: each line is NAME: TYPE = LITERAL, as steps: int = 10; move other code below")
    annotation = ast.unparse(line.annotation)
    try:
        default = ast.literal_eval(line.value)
    except ValueError:
        raise DoppelError(f"{where}: {line.target.id} must be a literal; compute derived values below") from None
    for part in ast.walk(line.annotation):
        if not isinstance(part, _ANNOTATION) or (isinstance(part, ast.Name) and part.id not in _TYPES):
            raise DoppelError(f"{where}: type {annotation} is not supported; use {', '.join(_TYPES)}, None and |")
    plain = Parameter(line.target.id, annotation, default, comment)
    if (bounded := _RANGE.match(comment)) is None:
        return plain
    try:
        low, high = float(bounded["low"]), float(bounded["high"])
    except ValueError:  # brackets and a comma, but prose
        return plain
    return replace(plain, help=bounded["help"], low=low, high=high, brackets=bounded["left"] + bounded["right"])


def check(spec: Mapping[str, Parameter], values: Mapping[str, object], where: str) -> dict[str, object]:
    """The defaults of ``spec`` with ``values`` over them, an int widened where a float is declared.

    Raises one DoppelError with a line for every fault: an unknown key, a wrong type, a number that
    is not finite or out of its range, a value that looks like a secret (which is not shown).
    """
    resolved = {name: parameter.default for name, parameter in spec.items()}
    problems = []
    for name, value in values.items():
        if secret := _secret(value, str(name)):
            problems.append(f"{secret} looks like a secret; keys come from the environment, not from parameters")
        elif name not in spec:
            problems.append(f"unknown parameter {name!r}; {nearest(str(name), set(spec) - set(RESERVED))}")
        else:
            try:
                resolved[name] = _fit(spec[name], value)
            except ValueError as error:
                problems.append(str(error))
    if problems:
        raise DoppelError("\n".join(f"{where}: {problem}" for problem in problems))
    return resolved


def _fit(parameter: Parameter, value: object) -> object:
    """The value in its declared type. Raises ValueError that says what is allowed."""
    shown = f"{parameter.name} = {str(value)[:80]!r}" if isinstance(value, str) else f"{parameter.name} = {value!r:.80}"
    try:
        fitted = _validator(parameter.annotation).validate_python(value, strict=True)
    except ValidationError:
        raise ValueError(f"{shown} is {type(value).__name__}; must be {parameter.annotation}") from None
    for number in _numbers(fitted):
        if isinstance(number, float) and not math.isfinite(number):
            raise ValueError(f"{shown}; must be a finite number")
        if not parameter.holds(number):
            raise ValueError(f"{shown}; must be in {parameter.range}")
    return fitted


@cache
def _validator(annotation: str) -> TypeAdapter:
    # the names in it were checked against _TYPES: nothing but these can be reached
    return TypeAdapter(eval(annotation, {"__builtins__": {}, **_TYPES}))


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
