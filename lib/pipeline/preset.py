"""A preset as it is written: its files by stage, what their notebooks declare, and what ``--set`` changes."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lib.common.errors import DoppelError, Faults, nearest
from lib.stage import parameters, strict_yaml
from lib.stage.stage import NAME

Spec = dict[str, parameters.Parameter]


@dataclass(frozen=True, slots=True)
class Given:
    """A stage's parameters before they are checked, and where they are from (a file, as refusals name it)."""

    where: str
    values: dict[str, object]


@dataclass(frozen=True, slots=True)
class Preset:
    """The stages of a preset by id, of faulty files too, and what their notebooks declare (nothing of a faulty one)."""

    name: str
    origin: str  # where its stages are listed, as refusals name it
    ids: list[str]
    specs: dict[str, Spec]
    stages: dict[str, Given] = field(default_factory=dict)  # of files that could be read

    def spec(self, id: str) -> Spec:
        return self.specs.get(id.partition(".")[0], {})

    def defaults(self, id: str) -> dict[str, object]:
        return {name: parameter.default for name, parameter in self.spec(id).items()}

    def without(self, names: Container[str]) -> "Preset":
        """The preset without some stages; those that read one no longer do."""
        stages = {}
        for id, given in self.stages.items():
            inputs = (self.defaults(id) | given.values).get("inputs")
            if isinstance(inputs, dict) and any(upstream in names for upstream in inputs.values()):
                kept = {name: upstream for name, upstream in inputs.items() if upstream not in names}
                given = Given(given.where, given.values | {"inputs": kept})
            if id not in names:
                stages[id] = given
        return replace(self, ids=[id for id in self.ids if id not in names], stages=stages)

    def changes(
        self, options: Sequence[str], faults: Faults, fixed: Mapping[str, Iterable[str]] | None = None
    ) -> dict[str, dict[str, object]]:
        """Values of ``--set`` by stage id and parameter; a notebook's name sets all its variants.

        ``fixed`` are parameters that may not be set, by stage: those that a grid sets, and ids tell.
        """
        found: dict[str, dict[str, object]] = {}
        for option in options:
            left, equals, text = option.partition("=")
            name, dot, key = left.rpartition(".")
            with faults:
                if not (equals and dot):
                    raise DoppelError(f"--set {left}: write STAGE.KEY=VALUE, as 11_generate.base.samples=10")
                ids = [id for id in self.ids if name in (id, id.partition(".")[0])]
                if not ids:
                    known = {*self.ids, *(id.partition(".")[0] for id in self.ids)}
                    raise DoppelError(f"--set {left}: no stage {name!r} in {self.origin}; {nearest(name, known)}")
                if fixed and any(key in fixed[id] for id in ids):
                    raise DoppelError(f"--set {left}: the grid sets it; change {self.origin}")
                value = strict_yaml.parse(text, f"--set {left}")
                for id in ids:
                    found.setdefault(id, {})[key] = value
        return found


def read(name: str, root: Path, faults: Faults) -> Preset:
    """The files of ``params/NAME``, each fault collected. Raises DoppelError where there is no such preset."""
    folder = root / "params" / name
    presets = sorted(path.name for path in (root / "params").glob("*") if any(path.glob("*.yaml")))
    if name not in presets:
        raise DoppelError(f"no preset {name!r}; presets: {', '.join(presets)}")
    if wrong := sorted(folder.glob("*.yml")):
        raise DoppelError(f"{_shown(wrong[0], root)} would be passed over; rename it to {wrong[0].stem}.yaml")
    files = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    preset = Preset(name, f"params/{name}", list(files), _specs(files, root, faults))
    for id, path in files.items():
        if preset.spec(id):
            with faults:
                preset.stages[id] = Given(_shown(path, root), _load(path, root, faults))
    return preset


def _specs(files: Mapping[str, Path], root: Path, faults: Faults) -> dict[str, Spec]:
    """What the notebooks of the files declare, by notebook."""
    specs: dict[str, Spec] = {}
    for id, path in files.items():
        notebook = id.partition(".")[0]
        source = root / "notebooks" / f"{notebook}.ipynb"
        with faults:
            if not source.is_file() or not NAME.fullmatch(id):
                known = [book.stem for book in source.parent.glob("*.ipynb")]
                raise DoppelError(f"{_shown(path, root)}: no notebook {notebook!r}; {nearest(notebook, known)}")
            if notebook not in specs:
                specs[notebook] = {}  # a fault is told once, not for every variant
                spec = parameters.read_spec(source)
                if missing := [name for name in parameters.RESERVED if name not in spec]:
                    raise DoppelError(f"{_shown(source, root)}: its parameters cell must declare {missing[0]}: str")
                specs[notebook] = spec
    return specs


def _load(path: Path, root: Path, faults: Faults) -> dict[str, object]:
    values = strict_yaml.read(path, _shown(path, root)) or {}
    if not isinstance(values, dict):
        raise DoppelError(f"{_shown(path, root)}: holds {type(values).__name__}; write one KEY: VALUE a line")
    for name in parameters.RESERVED:
        if values.pop(name, None) is not None:
            faults.add(
                DoppelError(f"{_shown(path, root)}: {name} comes from --run and from the file's name; remove it")
            )
    return values


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
