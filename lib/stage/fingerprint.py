"""What a finished stage was made from, and whether it has to be made again.

A stage is made from its resolved parameters, its notebook's code, the lib modules that this code imports
(transitively) and the outputs of its inputs. All are compared by content: a fresh checkout, a copy of the results or
an edited sentence of markdown runs nothing again. ``done.json`` keeps them, so the reason can be reported.

Of lib only what can change a result counts: not pictures, tracking, provenance, redaction, locks and progress bars,
nor what the stage did not open: an engine, the loader of a source, a detector, or a function that an entry names by
``module:function``.

**A stage that drew noise is kept when code changed.** Its noise was charged to the corpus, and noise that is drawn
again is charged again. So it is reported as made by an older version, and made again only when a parameter or an input
changed, when an output is gone, or on ``--force``.
"""

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from lib.common.errors import Reason
from lib.common.files import read_json, sha256
from lib.stage import notebook_file
from lib.stage.parameters import read_spec

DONE = "done.json"
CHECKPOINTS = "checkpoints"  # folder of a stage's resumable work, which is no output
# Parameters that say where things go, who shares the work and how a server is reached, not what is made. An error's
# remedy names them, and work that was paid for must not be lost by following it.
NOT_COUNTED = (
    "run", "stage", "tracking", "workers", "processes", "split_weights",
    "key_variable", "concurrency", "timeout", "max_retries", "length_parameter", "send_seed", "max_cost",
)  # fmt: skip
# What the stages downstream do not read, or what differs between two runs that made the same; the runner writes on in
# some of it after the stage is done.
NOT_COMPARED = ("notebook.ipynb", "log.txt", "provenance.json", "metrics.jsonl", "figures", "wandb")

# Modules, or whole packages, that cannot change what a stage writes: how it is shown, watched, refused and compared.
HARMLESS = (
    "lib.plots",
    "lib.common.lock",
    "lib.common.network",
    "lib.common.progress",
    "lib.common.system",
    "lib.stage.fingerprint",
    "lib.stage.notebook_file",
    "lib.stage.provenance",
    "lib.stage.redaction",
    "lib.stage.tracking",
)
# Packages whose modules count only where they were used.
OPENED = ("lib.data.sources.", "lib.generation.engines.", "lib.generation.endpoint.", "lib.pii.detectors.")
CODE = (
    "stage.parameters_renewed",
    "stage.notebook_changed",
    "stage.lib_changed",
    "stage.edited",
)  # reasons for which noise is not drawn again

_NAMED = re.compile(r"([a-z_]\w*(?:\.[a-z_]\w*)*):[a-z_]\w*")  # module:function
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def text_hash(text: str) -> str:
    """sha256 of a ``text`` in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def made_from(root: Path, notebook: str, parameters: Mapping[str, object]) -> dict:
    """What a stage is made from, its inputs aside.

    Args:
        root: the project's folder.
        notebook: its stem.
        parameters: of the stage, resolved.

    Returns:
        ``parameters`` that count, ``defaults`` that the notebook declares, the hash of the ``notebook``'s code, the
        hashes of lib ``modules`` by name, and which of these are ``optional``: they count only where they are opened.
    """
    path = root / "notebooks" / f"{notebook}.ipynb"
    cells, spec = notebook_file.code(path), read_spec(path)
    files, always = modules(root, cells), modules(root, cells, named=False)
    counted = {name: _counted(name, value) for name, value in parameters.items() if name not in NOT_COUNTED}
    return {
        "parameters": json.loads(json.dumps(counted)),  # as done.json gives them back
        "defaults": json.loads(json.dumps({name: parameter.default for name, parameter in spec.items()})),
        "notebook": text_hash("\n\n".join(map(_meaning, cells))),
        "modules": _hashes(files),
        "optional": [name for name in files if name not in always or name.startswith(OPENED)],
    }


def _counted(name: str, value: object) -> object:
    """A parameter's value. Of several servers of one model the first counts, whose the stored replies are."""
    return value[0] if name == "base_url" and isinstance(value, list) and value else value


def changed_since(root: Path, done: Mapping, source: str, *, within: Iterable[str]) -> list[str]:
    """The modules that a finished stage was made of, and that some code runs in another version today.

    Args:
        root: the project's folder.
        done: of the stage, as `read_done` has it.
        source: Python code; what it imports is compared.
        within: the modules, or whole packages, that are compared.

    Returns:
        Their names, sorted.
    """
    was, now = done["made_from"]["modules"], _hashes(modules(root, [source], named=False))
    return [name for name in now if name in was and was[name] != now[name] and _within(name, within)]


def _hashes(files: Mapping[str, Path]) -> dict[str, str]:
    return {name: text_hash(_meaning(path.read_text("utf-8"))) for name, path in files.items()}


def opened(made: Mapping) -> dict:
    """What a stage that has run was made from: without the optional modules that this process did not import.

    Args:
        made: of `made_from`.
    """
    unused = {name for name in made["optional"] if name not in sys.modules}
    modules = {name: digest for name, digest in made["modules"].items() if name not in unused}
    return {"parameters": made["parameters"], "notebook": made["notebook"], "modules": modules}


def signature(made: Mapping) -> str:
    """One hash of `made_from`: equal when, and only when, parameters, notebook and modules are.

    Optional modules are left out: a stage that was paid for and killed goes on although somebody edited an engine. The
    order of parameters does not count; the order inside one does (a prompt may follow it).

    Args:
        made: of `made_from`.
    """
    always = {name: digest for name, digest in made["modules"].items() if name not in made["optional"]}
    parts = [sorted(_spelled(part).items()) for part in (made["parameters"], always)]
    return text_hash(json.dumps([made["notebook"], *parts]))


def work_key(made: Mapping, inputs: Mapping[str, str]) -> str:
    """The name that resumable work is kept under.

    Args:
        made: of `made_from`.
        inputs: digests of the inputs, by stage id.
    """
    return text_hash(signature(made) + repr(sorted(inputs.items())))[:16]


def _spelled(values: Mapping) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in values.items()}


@cache  # a module is looked at for every stage that imports it
def _meaning(source: str) -> str:
    """The code without comments, layout and docstrings: none of them reruns a stage."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a cell with a line magic counts as it stands
        return source
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree)


def modules(root: Path, sources: Iterable[str], *, named: bool = True) -> dict[str, Path]:
    """The modules of lib that count, which some sources import, however indirectly or late (inside a function).

    Args:
        root: the project's folder.
        sources: Python code.
        named: also follow functions that an entry names by ``module:function``.

    Returns:
        Their files by name; those of `HARMLESS` are left out, with what they alone import.
    """
    found: dict[str, Path] = {}
    looked_at: set[str] = set()
    waiting = [name for source in sources for name in _imports(source, "", named)]
    while waiting:
        name = waiting.pop()
        if name in looked_at or _within(name, HARMLESS):
            continue
        looked_at.add(name)
        path = root.joinpath(*name.split("."))
        package = path.is_dir()
        path = path / "__init__.py" if package else path.with_suffix(".py")
        if not path.is_file():  # `from lib.x import function`
            continue
        found[name] = path
        waiting += [name.rpartition(".")[0]] if "." in name else []  # its package runs first
        waiting += _imports(path.read_text("utf-8"), name if package else name.rpartition(".")[0], named)
    return dict(sorted(found.items()))


def _within(name: str, packages: Iterable[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@cache
def _imports(source: str, package: str, named: bool) -> tuple[str, ...]:
    """Names under ``lib`` that a source imports; ``package`` resolves what is written relative to it."""
    lines = ["" if line.startswith(("%", "!")) else line for line in source.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:  # not Python: the kernel will say so
        return ()
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif named and isinstance(node, ast.Constant) and (match := _NAMED.fullmatch(str(node.value))):
            names += [match[1], f"{package}.{match[1]}"]  # whether there is such a file, the caller finds out
    return tuple(name for name in names if name.split(".")[0] == "lib")


def outputs(folder: Path) -> dict[str, dict]:
    """Size in bytes and sha256 of every file that a stage's ``folder`` holds, hidden files and checkpoints aside."""
    files = sorted(f for f in folder.rglob("*") if f.is_file())
    names = {f.relative_to(folder).as_posix(): f for f in files}
    kept = {name: f for name, f in names.items() if not name.startswith((".", f"{CHECKPOINTS}/")) and name != DONE}
    return {name: {"bytes": f.stat().st_size, "sha256": sha256(f)} for name, f in kept.items()}


def digest(files: Mapping[str, dict]) -> str:
    """One hash of the ``files`` (see `outputs`) that other stages read: two runs that made the same have the same."""
    compared = {name: f["sha256"] for name, f in files.items() if name.split("/")[0] not in NOT_COMPARED}
    return text_hash(json.dumps(compared, sort_keys=True))


def read_done(folder: Path) -> dict | None:
    """The done.json in a stage's ``folder``, or None while there is no whole one."""
    try:
        done = read_json(folder / DONE)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return done if isinstance(done, dict) and "digest" in done else None


def why_stale(run: Path, stage: str, made: Mapping, inputs: Iterable[str]) -> Reason | None:
    """Why a stage's folder does not hold what the stage would make now, or None when it does.

    Args:
        run: the folder of all stages.
        stage: its id.
        made: what it would be made from, as `made_from` has it.
        inputs: ids of the stages that it reads.
    """
    done = read_done(run / stage)
    if done is None:
        return Reason("stage.not_done", "not done yet")
    was, now = done["made_from"], {name: (read_done(run / name) or {}).get("digest") for name in inputs}
    added = [name for name, value in made["parameters"].items() if _is_new_default(name, value, was, made)]
    removed = [name for name in was["parameters"] if name not in made["defaults"]]
    given = {name: value for name, value in made["parameters"].items() if name not in added + removed}
    passed_over = (*removed, *NOT_COUNTED)  # some of these were counted once
    if changed := _changed({name: v for name, v in was["parameters"].items() if name not in passed_over}, given):
        return Reason("stage.parameters_changed", f"parameters changed: {changed}")
    if changed := _changed(was["inputs"], now):
        return Reason("stage.input_changed", f"its input changed: {changed}")
    for name, file in was["files"].items():
        path = run.parents[1] / name
        if not (path.is_file() and file_facts(path, file) == file):
            return Reason("stage.file_changed", f"a file that it reads changed: {name}")
    for name, file in done["outputs"].items():
        path = run / stage / name
        if name.split("/")[0] not in NOT_COMPARED and not (path.is_file() and path.stat().st_size == file["bytes"]):
            return Reason("stage.output_missing", f"its output is missing or cut short: {name}")
    if note := done.get("edited"):
        return Reason("stage.edited", note)
    if added or removed:  # by a newer version of the notebook; nobody set them
        changes = [f"{how} {', '.join(names)}" for how, names in (("added", added), ("removed", removed)) if names]
        return Reason("stage.parameters_renewed", f"its notebook's parameters changed: {'; '.join(changes)}")
    if was["notebook"] != made["notebook"]:
        return Reason("stage.notebook_changed", "its notebook changed")
    unused = {name for name in made["optional"] if name not in was["modules"]}  # it would not open them today either
    now = {name: digest for name, digest in made["modules"].items() if name not in unused}
    if changed := _changed(was["modules"], now):
        return Reason("stage.lib_changed", f"lib changed: {changed}")
    return None


def _is_new_default(name: str, value: object, was: Mapping, made: Mapping) -> bool:
    return name not in was["parameters"] and name in made["defaults"] and value == made["defaults"][name]


def is_kept(folder: Path, reason: Reason) -> bool:
    """Whether a stage is kept although it is stale: code alone changed, and making it again would spend privacy again.

    That is so for a stage that drew noise, and for one that such a stage read: made again, it would change an input.

    Args:
        folder: of the stage.
        reason: of `why_stale`.
    """
    return reason.code in CODE and (drew_noise(folder) or _holds_noise(folder))


def _holds_noise(folder: Path) -> bool:
    """Whether a finished stage beside this one drew noise on what this one holds now."""
    digest = (read_done(folder) or {}).get("digest")
    for other in folder.parent.glob(f"*/{DONE}"):
        done = read_done(other.parent)
        if done is not None and done["made_from"]["inputs"].get(folder.name) == digest and drew_noise(other.parent):
            return True
    return False


def drew_noise(folder: Path) -> bool:
    """Whether a finished stage drew noise that was charged to its corpus, as its privacy.json says.

    Args:
        folder: of the stage.
    """
    try:
        events = read_json(folder / "privacy.json").get("events", ())
    except (OSError, ValueError):
        return False
    return any(event["stage"] == folder.name and event["mechanism"]["kind"] != "NonPrivate" for event in events)


def file_facts(path: Path, known: Mapping | None = None) -> dict:
    """Hash of a file outside the results, with its size and time.

    Args:
        path: of the file.
        known: what it was before; while size and time are as then, it is not read again.
    """
    stat = path.stat()
    facts = {"bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    if known and all(known[k] == v for k, v in facts.items()):
        return dict(known)
    content = sha256(path)
    # a touched file of equal content is the same file
    return dict(known) if known and known["sha256"] == content else facts | {"sha256": content}


def _changed(was: Mapping, now: Mapping) -> str:
    """Names of the entries that differ, at most four of them."""
    was, now = _spelled(was), _spelled(now)
    names = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
