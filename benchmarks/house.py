"""How large lib is and how well its public functions are documented: counted from the source, nothing is imported.

    python benchmarks/house.py             # all of lib
    python benchmarks/house.py lib/models  # one package, and which parameters its docstrings do not name

Its last line is one JSON object of the figures.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def docstring_lines(tree: ast.Module) -> int:
    """Lines that docstrings take."""
    found = 0
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            found += node.body[0].end_lineno - node.body[0].lineno + 1
    return found


def lines(path: Path) -> dict[str, int]:
    """Lines of code, of docstrings and of comments alone in a file; empty lines count as none of them."""
    text = path.read_text("utf-8")
    written = [line.strip() for line in text.splitlines() if line.strip()]
    docstrings, comments = docstring_lines(ast.parse(text)), sum(line.startswith("#") for line in written)
    blank = sum(
        not line.strip()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, DOCUMENTED) and (ast.get_docstring(node, clean=False)) is not None
        for line in text.splitlines()[node.body[0].lineno - 1 : node.body[0].end_lineno]
    )
    return {
        "code": len(written) - docstrings + blank - comments,
        "docstrings": docstrings - blank,
        "comments": comments,
    }


def public_functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef, str]]:
    """Public functions and methods with their docstring; the constructor's parameters may stand in its class's."""
    for node in tree.body:
        if isinstance(node, FUNCTIONS) and not node.name.startswith("_"):
            yield node.name, node, ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            own = ast.get_docstring(node) or ""
            for method in node.body:
                if isinstance(method, FUNCTIONS) and (not method.name.startswith("_") or method.name == "__init__"):
                    text = ast.get_docstring(method) or ""
                    yield f"{node.name}.{method.name}", method, text + (own if method.name == "__init__" else "")


def parameters(function: ast.FunctionDef) -> list[str]:
    """Names of a function's parameters, ``self`` and ``cls`` aside."""
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    names += [one.arg for one in (given.vararg, given.kwarg) if one is not None]
    return [name for name in names if name not in ("self", "cls")]


def unnamed(path: Path) -> Iterator[tuple[str, str, bool]]:
    """Function, parameter, and whether the docstring names it, in code marks or as ``name:`` in an Args block."""
    for function, node, text in public_functions(ast.parse(path.read_text("utf-8"))):
        for name in parameters(node):
            yield (
                function,
                name,
                bool(re.search(rf"``\*?\*?{name}``|^\s*\*?\*?{name}( \(.*\))?:|[ ,]{name}:", text, re.M)),
            )


def main(arguments: list[str]) -> None:
    folder = ROOT / (arguments[0] if arguments else "lib")
    total = {"code": 0, "docstrings": 0, "comments": 0}
    named, missing = 0, []
    for path in sorted(folder.rglob("*.py")):
        for kind, count in lines(path).items():
            total[kind] += count
        for function, name, told in unnamed(path):
            named += told
            missing += [] if told else [f"{path.relative_to(ROOT)}: {function}: {name}"]
    figures = {f"{kind} lines": count for kind, count in total.items()}
    if not arguments:
        tests = [lines(path) for path in (ROOT / "tests").rglob("*.py")]
        figures["test lines"] = sum(sum(one.values()) for one in tests)
    figures["parameters of public functions"] = named + len(missing)
    figures["named in docstrings"] = round(named / max(1, named + len(missing)), 3)
    if arguments:
        print("\n".join(missing))
    for name, value in figures.items():
        print(f"{name:<32}{value:>10,}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
