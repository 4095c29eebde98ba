"""Every refusal of lib has a code, and tests/golden/messages.txt lists all sentences.

``python -m pytest tests/repository/test_messages.py --update-golden`` writes the file again.
"""

import ast
from functools import cache
from pathlib import Path

import pytest
from support.project import ROOT

GOLDEN = ROOT / "tests" / "golden" / "messages.txt"
BY_CODE = ("DoppelError", "Reason")  # whose first argument is a code, and whose second the sentence


@cache
def trees() -> dict[Path, ast.Module]:
    """The code of lib by file."""
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "lib").rglob("*.py"))}


def classes() -> set[str]:
    """`BY_CODE`, and what derives from it."""
    defined = [node for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {node.name: {base.id for base in node.bases if isinstance(base, ast.Name)} for node in defined}
    names: set[str] = set()
    derived = set(BY_CODE)
    while derived - names:
        names |= derived
        derived = {name for name, above in bases.items() if above & names}
    return names - {"SeveralErrors"}


@cache
def calls() -> list[tuple[Path, ast.Call]]:
    """Every place where a refusal is made, by file."""
    names = classes()
    return [
        (path, node)
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if path.name != "errors.py"
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in names
        and node.args
    ]


def spelled(node: ast.expr | None) -> str:
    """A sentence as it stands in the code: values in braces."""
    match node:
        case None:
            return ""
        case ast.Constant(value):
            return str(value)
        case ast.JoinedStr(values):
            return "".join(spelled(value) for value in values)
        case ast.FormattedValue(value):
            return "{" + ast.unparse(value) + "}"
        case ast.BinOp(left, ast.Add(), right):
            return spelled(left) + spelled(right)
        case _:
            return "{" + ast.unparse(node) + "}"


def messages() -> str:
    lines = set()
    for _, call in calls():
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        sentence = call.args[1] if len(call.args) > 1 else keywords.get("sentence")
        remedy = spelled(keywords.get("remedy"))
        if isinstance(call.args[0], ast.Constant):
            lines.add(f"{call.args[0].value}: {spelled(sentence)}" + (f"; {remedy}" if remedy else ""))
    return "\n".join(sorted(lines)) + "\n"


def test_every_refusal_has_a_code() -> None:
    without = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path, call in calls()
        if not (isinstance(call.args[0], ast.Constant) and is_code(call.args[0].value)) and not passed_on(call)
    ]
    assert without == []


def is_code(text: object) -> bool:
    room, dot, fault = str(text).partition(".")
    return bool(dot) and (ROOT / "lib" / room).is_dir() and fault.replace("_", "").isalnum() and fault.islower()


def passed_on(call: ast.Call) -> bool:
    """A code that another refusal had."""
    return isinstance(call.args[0], ast.Attribute) and call.args[0].attr == "code"


def test_the_golden_file_has_every_sentence(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(messages())
    assert GOLDEN.read_text() == messages(), "run pytest with --update-golden, and read the difference"


def test_no_code_reads_a_message() -> None:
    """No ``in str(error)`` and the like on what was caught."""
    found = []
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and node.name:
                found += [
                    f"{path.relative_to(ROOT)}:{inner.lineno}"
                    for inner in ast.walk(node)
                    if isinstance(inner, ast.Compare)
                    and any(isinstance(op, ast.In | ast.NotIn) for op in inner.ops)
                    and f"str({node.name})" in ast.unparse(inner)
                ]
    assert found == []
