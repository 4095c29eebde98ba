"""A grid file: which preset a sweep runs, over which values of which parameters.

    preset: quick
    grid: {target_epsilon: [1.0, 8.0], seed: [0, 1]}
    stages: [10_finetune_dp_lora, 12_aug_pe] # they take the values, and what reads them is copied with them
    without: [20_canary_privacy] # stages that are left out

A value is a number or a word, which ids spell (eps1, seed0, cosine), or has a name of its own:
``model: {small: hub:openai-community/gpt2, large: hub:openai-community/gpt2-large}``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lib.common.errors import DoppelError, Faults, nearest
from lib.stage import parameters, strict_yaml
from lib.stage.notebook_roles import notebook_of, stands_for

KEYS = ("preset", "grid", "stages", "without")
TAGS = {"target_epsilon": "eps"}  # how ids call a parameter; others by their own name

_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid file as read.

    Attributes:
        path: of the file, as refusals name it.
        name: its stem.
        preset: that is swept.
        axes: by parameter, its values by the label that stands in ids.
        stages: ids or notebooks that take the values.
        without: ids or notebooks that are left out.
    """

    path: str
    name: str
    preset: str
    axes: dict[str, dict[str, object]]
    stages: list[str]
    without: list[str]

    def takes(self, id: str) -> bool:
        """Whether `stages` names the stage ``id``, by its id or its notebook."""
        return any(stands_for(name, id) for name in self.stages)

    def keeps(self, id: str) -> bool:
        """Whether `without` does not name the stage ``id``."""
        return not any(stands_for(name, id) for name in self.without)

    def check(
        self, ids: Iterable[str], specs: Mapping[str, Mapping[str, parameters.Parameter]], notebooks: Iterable[str]
    ) -> None:
        """Refuse, all at once, names that the preset does not know and values that do not fit their parameters.

        Args:
            ids: of the preset's stages.
            specs: what its notebooks declare.
            notebooks: all that there are.
        """
        faults = Faults()
        every = {*ids, *notebooks}  # so that a grid may leave out a notebook that its preset does not run yet
        for name in [name for name in self.without if name not in every]:
            faults.add(
                DoppelError(
                    "pipeline.grid_without_unknown",
                    f"without: {name}: no such stage or notebook",
                    name=name,
                    remedy=nearest(name, every),
                )
            )
        kept = [id for id in ids if self.keeps(id)]
        offered = {*kept, *map(notebook_of, kept)}
        for name in [name for name in self.stages if name not in offered]:
            faults.add(
                DoppelError(
                    "pipeline.grid_stage_unknown",
                    f"stages: {name}: no such stage in params/{self.preset}",
                    name=name,
                    remedy=nearest(name, offered),
                )
            )
        chosen = {notebook_of(id): specs.get(notebook_of(id), {}) for id in kept if self.takes(id)}
        if chosen and all(chosen.values()):  # else a fault is told already
            self._check_values(chosen, faults)
        faults.raise_any(self.path)

    def _check_values(self, chosen: Mapping[str, Mapping[str, parameters.Parameter]], faults: Faults) -> None:
        """The axes against the parameters of the notebooks that take them."""
        free = {name for spec in chosen.values() for name in spec} - {*parameters.RESERVED, "inputs"}
        for parameter, values in self.axes.items():
            if parameter not in free:
                faults.add(
                    DoppelError(
                        "pipeline.grid_parameter_unknown",
                        f"grid: {parameter}: no parameter of {', '.join(chosen)} that can be swept",
                        name=parameter,
                        remedy=nearest(parameter, free),
                    )
                )
            for spec in (spec for spec in chosen.values() if parameter in free & set(spec)):
                for value in values.values():
                    with faults:
                        parameters.check(spec, {parameter: value}, "grid")


def read(name: str, root: Path) -> Grid:
    """Read a grid file.

    Args:
        name: of the file in ``sweeps/``, or its path.
        root: the project's folder.

    Raises:
        DoppelError: there is no such file, or all that is wrong in it.
    """
    folder = root / "sweeps"
    path = (Path(name) if name.endswith(".yaml") else folder / f"{name}.yaml").resolve()
    if not path.is_file():
        known = [file.stem for file in folder.glob("*.yaml")]
        raise DoppelError(
            "pipeline.unknown_grid", f"no grid file {name!r} in sweeps/", name=name, remedy=nearest(name, known)
        )
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    given = strict_yaml.read(path, shown)
    axes: dict[str, dict[str, object]] = {}
    faults = Faults()
    for fault in _misshapen(given):
        faults.add(fault)
    for parameter, values in given["grid"].items() if not faults.found else ():
        with faults:
            axes[parameter] = _labelled(parameter, values)
    faults.raise_any(shown)
    return Grid(shown, path.stem, given["preset"], axes, given["stages"], given.get("without") or [])


def _misshapen(given: object) -> Iterator[DoppelError]:
    """What is wrong before names and values are looked at."""
    if not isinstance(given, dict):
        remedy = f"write {', '.join(KEYS)}, one KEY: VALUE a line"
        yield DoppelError("pipeline.grid_no_mapping", f"holds {type(given).__name__}", remedy=remedy)
        return
    for key in [key for key in given if key not in KEYS]:
        remedy = nearest(str(key), KEYS)
        yield DoppelError("pipeline.grid_unknown_key", f"unknown key {key!r}", name=str(key), remedy=remedy)
    if not isinstance(given.get("preset"), str):
        yield DoppelError("pipeline.grid_preset", "preset: must be the name of a folder in params/", name="preset")
    if not (isinstance(given.get("grid"), dict) and given["grid"]):
        sentence = "grid: must be PARAMETER: [VALUE, ...], as target_epsilon: [1.0, 8.0]"
        yield DoppelError("pipeline.grid_grid", sentence, name="grid")
    if not (_listed(given.get("stages")) and given["stages"]):
        sentence = "stages: must list the stages or notebooks that take the values, as [10_finetune_dp_lora]"
        yield DoppelError("pipeline.grid_stages", sentence, name="stages")
    if not _listed(given.get("without") or []):
        sentence = "without: must list stages or notebooks, as [20_canary_privacy]"
        yield DoppelError("pipeline.grid_without", sentence, name="without")


def _listed(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _labelled(parameter: str, values: object) -> dict[str, object]:
    """The values of an axis by their labels: ``[1.0, 8.0]`` of target_epsilon are eps1 and eps8."""
    if isinstance(values, list):
        pairs = [(_label(parameter, value), value) for value in values]
    elif isinstance(values, dict):
        pairs = [(str(label), value) for label, value in values.items()]
    else:
        raise DoppelError(
            "pipeline.grid_values",
            f"grid: {parameter}: must be a list of values, or NAME: VALUE with a name for each",
            name=parameter,
        )
    if not pairs:
        raise DoppelError(
            "pipeline.grid_empty", f"grid: {parameter}: has no value", name=parameter, remedy="give one, or remove it"
        )
    labels = [label for label, _ in pairs]
    for label, value in pairs:
        if not _LABEL.fullmatch(label):
            shown = f"{value!r:.80} makes no name for a folder"
            raise DoppelError(
                "pipeline.grid_label",
                f"grid: {parameter}: {shown}",
                name=parameter,
                remedy="write NAME: VALUE for each value",
            )
        if labels.count(label) > 1:
            raise DoppelError(
                "pipeline.grid_label_twice",
                f"grid: {parameter}: {label} is there twice",
                name=parameter,
                value=label,
                remedy="keep one",
            )
    return dict(pairs)


def _label(parameter: str, value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return TAGS.get(parameter, parameter) + str(value).removesuffix(".0")
    return value if isinstance(value, str) else ""
