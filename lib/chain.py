"""Pre-flight and plan: every parameter file against its notebook, every edge, and what has to run.

Nothing here starts a kernel or imports a model library.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from lib import params, signature, strict_yaml, track
from lib.errors import DoppelError, nearest
from lib.preflight_checks import CHECKS, WITH_CORPUS, affordable
from lib.stage import NAME, ROOT


@dataclass(frozen=True, slots=True)
class Node:
    """A stage before it runs: its id, its notebook's stem, resolved parameters, and what it is made from."""

    id: str
    notebook: str
    parameters: dict[str, object]
    made: dict

    @property
    def inputs(self) -> list[str]:
        """Ids of the stages that it reads."""
        return list(dict(self.parameters.get("inputs", {})).values())


@dataclass(frozen=True, slots=True)
class Graph:
    """The stages of a preset in an order in which they can run."""

    preset: str
    run: str
    nodes: dict[str, Node]

    @property
    def folder(self) -> Path:
        return ROOT / "results" / self.run

    def find(self, name: str, option: str) -> list[str]:
        """Ids that a stage id or a notebook's name (all its variants) stands for. Raises DoppelError."""
        found = [id for id, node in self.nodes.items() if name in (id, node.notebook)]
        if not found:
            known = {*self.nodes, *(node.notebook for node in self.nodes.values())}
            raise DoppelError(f"{option} {name}: no such stage in params/{self.preset}{nearest(name, known)}")
        return found

    def needed(self, names: Iterable[str]) -> list[str]:
        """The stages and all that they read, directly or not, in running order."""
        wanted = set(names)
        for node in reversed(self.nodes.values()):
            wanted |= set(node.inputs) if node.id in wanted else set()
        return [id for id in self.nodes if id in wanted]

    def check_budget(self, names: Iterable[str]) -> None:
        """Refuse what cannot be spent. Slower than the rest: for stages that will run.

        That is a target which the corpus' own releases exceed, and a run after which the corpus' budget, of all
        runs together, would be exceeded.
        """
        faults, names = _Faults(), names if isinstance(names, Mapping) else list(names)
        for id in names:
            node = self.nodes[id]
            corpus = node.parameters.get("inputs", {}).get("corpus")
            if node.parameters.get("target_epsilon") is not None and corpus is not None:
                with faults:
                    affordable(node.parameters, self.nodes[corpus].parameters, self.folder / corpus)
        if not faults.found:
            from lib.privacy.budget_plan import refusals  # its accountant is slow to import

            faults.found += refusals(self, names)
        if faults.found:
            raise DoppelError("\n".join(faults.found))

    def plan(self, names: Iterable[str], force: Sequence[str] = ()) -> dict[str, str]:
        """Stages that have to run, in order, with the reason; one that waits for another is looked at in its turn."""
        steps: dict[str, str] = {}
        for id in self.needed(names):
            node = self.nodes[id]
            reason = "forced" if id in force else signature.why_stale(self.folder, id, node.made, node.inputs)
            if reason is None and (waiting := [name for name in node.inputs if name in steps]):
                reason = f"if {', '.join(waiting)} makes something new"
            if reason is not None:
                steps[id] = reason
        return steps


def preflight(preset: str, run: str, overrides: Sequence[str] = ()) -> Graph:
    """The checked graph of ``params/PRESET``. ``overrides`` are ``STAGE.KEY=VALUE``.

    Raises one DoppelError with every fault of every file: unknown preset, notebook, parameter or
    stage (with the nearest name), wrong types and ranges, broken edges, cycles.
    """
    if not NAME.fullmatch(run):
        raise DoppelError(f"--run {run!r}; use letters, digits, '_', '-' and '.' only")
    files = _files(preset)
    faults = _Faults()
    changes = _overrides(overrides, list(files), preset, faults)
    specs = _specs(files, faults)
    nodes: dict[str, Node] = {}
    for id, path in files.items():
        if spec := specs.get(id.partition(".")[0]):
            with faults:
                values = _load(path, faults)
                set_here = changes.get(id, {})
                default = spec["inputs"].default if "inputs" in spec else {}
                _check_edges(path, set_here.get("inputs", values.get("inputs", default)), files, faults)
                nodes[id] = _node(id, path, spec, values | {"run": run, "stage": id}, set_here)
    for id, node in nodes.items():
        corpus = nodes.get(str(node.parameters.get("inputs", {}).get("corpus")))
        if node.notebook in WITH_CORPUS and corpus is not None:
            with faults, _naming(files[id]):
                WITH_CORPUS[node.notebook](node.parameters, corpus.parameters)
    if faults.found:
        raise DoppelError("\n".join(faults.found))
    try:
        order = list(TopologicalSorter({id: node.inputs for id, node in nodes.items()}).static_order())
    except CycleError as error:
        raise DoppelError(f"params/{preset}: inputs go round: {' -> '.join(error.args[1])}; break the circle") from None
    return Graph(preset, run, {id: nodes[id] for id in order})


class _Faults:
    """Collects the refusals of several ``with`` blocks, so that all are told at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, DoppelError):
            self.found += str(error).splitlines()
        return isinstance(error, DoppelError)


def _files(preset: str) -> dict[str, Path]:
    """Parameter files of a preset by stage id."""
    folder = ROOT / "params" / preset
    presets = sorted(path.name for path in (ROOT / "params").glob("*") if any(path.glob("*.yaml")))
    if preset not in presets:
        raise DoppelError(f"no preset {preset!r}; presets: {', '.join(presets)}")
    if wrong := sorted(folder.glob("*.yml")):
        raise DoppelError(f"{_shown(wrong[0])} would be passed over; rename it to {wrong[0].stem}.yaml")
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def _overrides(options: Sequence[str], ids: list[str], preset: str, faults: _Faults) -> dict[str, dict[str, object]]:
    """Values of ``--set`` by stage id and parameter; a notebook's name sets all its variants."""
    changes: dict[str, dict[str, object]] = {}
    for option in options:
        left, equals, text = option.partition("=")
        name, dot, key = left.rpartition(".")
        with faults:
            if not (equals and dot):
                raise DoppelError(f"--set {left}: write STAGE.KEY=VALUE, as 02_generate.base.samples=10")
            found = [id for id in ids if name in (id, id.partition(".")[0])]
            if not found:
                known = {*ids, *(id.partition(".")[0] for id in ids)}
                raise DoppelError(f"--set {left}: no stage {name!r} in params/{preset}{nearest(name, known)}")
            value = strict_yaml.parse(text, f"--set {left}")
            for id in found:
                changes.setdefault(id, {})[key] = value
    return changes


def _specs(files: dict[str, Path], faults: _Faults) -> dict[str, dict[str, params.Parameter]]:
    """What the notebooks of the files declare, by notebook; one with a fault is left out."""
    specs = {}
    for id, path in files.items():
        notebook = id.partition(".")[0]
        source = ROOT / "notebooks" / f"{notebook}.ipynb"
        with faults:
            if not source.is_file() or not NAME.fullmatch(id):
                known = [book.stem for book in source.parent.glob("*.ipynb")]
                raise DoppelError(f"{_shown(path)}: no notebook {notebook!r}{nearest(notebook, known)}")
            if notebook not in specs:
                specs[notebook] = {}  # a fault is told once, not for every variant
                spec = params.read_spec(source)
                if missing := [name for name in params.RESERVED if name not in spec]:
                    raise DoppelError(f"{_shown(source)}: its parameters cell must declare {missing[0]}: str")
                specs[notebook] = spec
    return specs


def _load(path: Path, faults: _Faults) -> dict[str, object]:
    try:
        values = strict_yaml.parse(path.read_text("utf-8"), _shown(path)) or {}
    except UnicodeDecodeError:
        raise DoppelError(f"{_shown(path)}: not UTF-8; save it as UTF-8") from None
    if not isinstance(values, dict):
        raise DoppelError(f"{_shown(path)}: holds {type(values).__name__}; write one KEY: VALUE a line")
    for name in params.RESERVED:
        if values.pop(name, None) is not None:
            faults.found.append(f"{_shown(path)}: {name} comes from --run and from the file's name; remove it")
    return values


def _check_edges(path: Path, inputs: object, files: dict[str, Path], faults: _Faults) -> None:
    for name, upstream in inputs.items() if isinstance(inputs, dict) else ():
        if isinstance(upstream, str) and upstream not in files:  # another type is told with the other parameters
            where = f"{_shown(path)}: inputs: {name}: {upstream}"
            faults.found.append(f"{where}: no such stage in params/{path.parent.name}{nearest(upstream, files)}")


def _node(
    id: str, path: Path, spec: dict[str, params.Parameter], values: dict[str, object], changes: dict[str, object]
) -> Node:
    resolved = params.check(spec, values, _shown(path))
    if reserved := [name for name in params.RESERVED if name in changes]:
        raise DoppelError(f"--set {id}.{reserved[0]}: comes from --run and from the file's name; leave it out")
    changed = params.check(spec, changes, f"--set {id}")
    resolved |= {name: changed[name] for name in changes}
    track.mode(resolved)  # online without a key is refused now, not after a kernel has started
    notebook = id.partition(".")[0]
    if notebook in CHECKS:
        with _naming(path):
            CHECKS[notebook](resolved)
    return Node(id, notebook, resolved, signature.made_from(ROOT, notebook, resolved))


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Refusals name the parameter file."""
    try:
        yield
    except DoppelError as error:
        raise DoppelError("\n".join(f"{_shown(path)}: {line}" for line in str(error).splitlines())) from None


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
