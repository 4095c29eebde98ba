"""A preset as it is written: its files by stage, what their notebooks declare, and what ``--set`` changes."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lib.common import system
from lib.common.errors import DoppelError, Faults, nearest
from lib.stage import parameters, strict_yaml
from lib.stage.notebook_roles import notebook_of, stands_for
from lib.stage.stage import NAME

Spec = dict[str, parameters.Parameter]


@dataclass(frozen=True, slots=True)
class Given:
    """A stage's parameters before they are checked.

    Attributes:
        where: the file that they are from, as refusals name it.
        values: by name.
    """

    where: str
    values: dict[str, object]


@dataclass(frozen=True, slots=True)
class Preset:
    """The stages of a preset by id, of faulty files too, and what their notebooks declare.

    Attributes:
        name: of its folder in params/.
        origin: where its stages are listed, as refusals name it.
        ids: of its stages.
        specs: what their notebooks declare, by notebook; nothing of a faulty one.
        stages: by id, of files that could be read.
    """

    name: str
    origin: str
    ids: list[str]
    specs: dict[str, Spec]
    stages: dict[str, Given] = field(default_factory=dict)

    def spec(self, id: str) -> Spec:
        """What the notebook of the stage ``id`` declares."""
        return self.specs.get(notebook_of(id), {})

    def defaults(self, id: str) -> dict[str, object]:
        """The defaults of the notebook of the stage ``id``."""
        return {name: parameter.default for name, parameter in self.spec(id).items()}

    def without(self, names: Container[str]) -> "Preset":
        """The preset without the stages of these ``names``; those that read one no longer do."""
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

        Args:
            options: ``STAGE.KEY=VALUE`` each.
            faults: takes what is wrong with them.
            fixed: by stage, parameters that may not be set: those that a grid sets, and that ids spell.
        """
        found: dict[str, dict[str, object]] = {}
        for option in options:
            left, equals, text = option.partition("=")
            name, dot, key = left.rpartition(".")
            with faults:
                if not (equals and dot):
                    raise DoppelError(
                        "pipeline.set_form",
                        f"--set {left}: not STAGE.KEY=VALUE",
                        name="--set",
                        value=left,
                        remedy="write STAGE.KEY=VALUE, as 11_generate.base.samples=10",
                    )
                ids = [id for id in self.ids if stands_for(name, id)]
                if not ids:
                    known = {*self.ids, *map(notebook_of, self.ids)}
                    raise DoppelError(
                        "pipeline.set_unknown_stage",
                        f"--set {left}: no stage {name!r} in {self.origin}",
                        name="--set",
                        value=name,
                        remedy=nearest(name, known),
                    )
                if fixed and any(key in fixed[id] for id in ids):
                    raise DoppelError(
                        "pipeline.set_by_grid",
                        f"--set {left}: the grid sets it",
                        name="--set",
                        value=left,
                        remedy=f"change {self.origin}",
                    )
                value = strict_yaml.parse(text, f"--set {left}")
                for id in ids:
                    found.setdefault(id, {})[key] = value
        return found


def read(name: str, root: Path, faults: Faults) -> Preset:
    """Read the files of a preset.

    Args:
        name: of its folder in params/.
        root: the project's folder.
        faults: takes what is wrong with each file.

    Raises:
        DoppelError: there is no such preset, its folder cannot be read, or a file's ending would leave it out.
    """
    folder = root / "params" / name
    presets = sorted(path.name for path in (root / "params").glob("*") if any(path.glob("*.yaml")))
    if name not in presets:
        with system.refusals():  # a folder that may not be read looks like an empty one
            for there in filter(Path.exists, (folder.parent, folder)):
                list(there.iterdir())
        raise DoppelError(
            "pipeline.unknown_preset", f"no preset {name!r}", name=name, remedy=f"presets: {', '.join(presets)}"
        )
    if wrong := sorted(folder.glob("*.yml")):
        raise DoppelError(
            "pipeline.yml",
            f"{_shown(wrong[0], root)} would be left out",
            name=wrong[0].name,
            remedy=f"rename it to {wrong[0].stem}.yaml",
        )
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
        notebook = notebook_of(id)
        source = root / "notebooks" / f"{notebook}.ipynb"
        with faults:
            if not source.is_file() or not NAME.fullmatch(id):
                known = [book.stem for book in source.parent.glob("*.ipynb")]
                raise DoppelError(
                    "pipeline.unknown_notebook",
                    f"no notebook {notebook!r}",
                    name=notebook,
                    remedy=nearest(notebook, known),
                    where=_shown(path, root),
                )
            if notebook not in specs:
                specs[notebook] = {}  # a fault is told once, not for every variant
                spec = parameters.read_spec(source)
                if missing := [name for name in parameters.RESERVED if name not in spec]:
                    raise DoppelError(
                        "pipeline.no_reserved_parameter",
                        f"its parameters cell must declare {missing[0]}: str",
                        name=missing[0],
                        where=_shown(source, root),
                    )
                specs[notebook] = spec
    return specs


def _load(path: Path, root: Path, faults: Faults) -> dict[str, object]:
    values = strict_yaml.read(path, _shown(path, root)) or {}
    if not isinstance(values, dict):
        raise DoppelError(
            "pipeline.no_mapping",
            f"holds {type(values).__name__}",
            name=path.name,
            remedy="write one KEY: VALUE a line",
            where=_shown(path, root),
        )
    for name in parameters.RESERVED:
        if values.pop(name, None) is not None:
            faults.add(
                DoppelError(
                    "pipeline.reserved_parameter",
                    f"{name} comes from --run and from the file's name",
                    name=name,
                    remedy="remove it",
                    where=_shown(path, root),
                )
            )
    return values


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
