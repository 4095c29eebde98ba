"""A sweep: the stages of a preset over a grid of parameters, as the stages of one run.

A stage that takes a value of the grid is copied for each of its points, and so is a stage that reads such a stage. A
copy takes every value of its point that its notebook declares, reads the copies at the same point, and has an id that
says the point: ``11_generate.eps1-seed0``. A stage that reads arms, and is none itself, lays them beside each other: it
is not copied, and reads all copies of its arms. Everything else, the corpus and an untrained floor, is there once.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from lib.common.errors import DoppelError, Faults
from lib.methods.registry import ARMS
from lib.pipeline.grid import TAGS, Grid
from lib.stage.notebook_roles import notebook_of, stands_for

Values = Mapping[str, object]
Point = dict[str, str]  # parameter -> label of its value

NO_PRIVACY = "target_epsilon"  # null in a preset makes another kind of arm, it is not another value: it stays
NAMES_AN_ARM = ("floor", "control")  # parameters that hold the local name of an input
NAMES_ARMS = ("release", "remade")  # parameters that hold several


@dataclass(frozen=True, slots=True)
class Copy:
    """A stage of a sweep: the stage of the preset that it comes from, its point of the grid, its parameters."""

    of: str
    point: Point
    values: dict[str, object]


def expand(grid: Grid, stages: Mapping[str, Values]) -> dict[str, Copy]:
    """The stages of a sweep by id, in running order.

    Args:
        grid: checked against the preset.
        stages: those of the preset that it keeps, in running order, with all their parameters. Stages that would have
            the same copies (the same arm at epsilon 1 and at epsilon 4) have them once.

    Raises:
        DoppelError: every fault at once: a value that nothing takes, copies that cannot be told apart, a stage that
            reads arms and would be copied.
    """
    expansion = _Expansion(grid, stages)
    for id, values in stages.items():
        for point in expansion.points(id):
            expansion.add(expansion.renamed(id, point), Copy(id, point, expansion.at(id, values, point)))
    expansion.faults.raise_any(grid.path)
    return expansion.copies


def record(grid: Grid, copies: Mapping[str, Copy]) -> dict:
    """For chain.json: the grid as read, and by id what each copy is a copy of, at which values.

    Args:
        grid: of the sweep.
        copies: of `expand`.
    """
    points = {
        id: {"of": copy.of, "point": {name: grid.axes[name][label] for name, label in copy.point.items()}}
        for id, copy in copies.items()
        if copy.point
    }
    return {"file": grid.path, "grid": grid.axes, "stages": grid.stages, "without": grid.without, "copies": points}


def reads_arms(id: str, values: Values) -> bool:
    """Whether a stage lays arms beside each other: audits, measures or compares them. One that selects is an arm.

    Args:
        id: of the stage.
        values: its parameters.
    """
    return notebook_of(id) not in ARMS and any(notebook_of(up) in ARMS for up in _inputs(values).values())


class _Expansion:
    """A sweep in the making. ``axes`` are the parameters that tell a stage's copies apart; none: it is not copied."""

    def __init__(self, grid: Grid, stages: Mapping[str, Values]):
        self.grid, self.faults = grid, Faults()
        self.axes: dict[str, list[str]] = {}
        self.copies: dict[str, Copy] = {}
        for id, values in stages.items():
            self.axes[id] = self._axes(id, values)
        for name in grid.axes:
            if not any(name in axes for axes in self.axes.values()):
                sentence = f"grid: {name}: null in every stage that would take it, and stays so"
                self.faults.add(DoppelError("pipeline.axis_of_no_stage", sentence, name=name))
        for name in grid.stages:
            if not any(self.axes[id] or reads_arms(id, stages[id]) for id in stages if stands_for(name, id)):
                sentence = f"stages: {name}: takes no parameter of the grid"
                self.faults.add(DoppelError("pipeline.stage_of_no_axis", sentence, name=name, remedy="remove it"))

    def _axes(self, id: str, values: Values) -> list[str]:
        """Those that a stage takes itself, and those of what it reads."""
        above = list(_inputs(values).values())
        if not reads_arms(id, values):
            read = {name for upstream in above for name in self.axes[upstream]}
            own = self._open(values) if self.grid.takes(id) else ()
            return [name for name in self.grid.axes if name in read or name in own]
        if self.grid.takes(id):
            sentence = f"stages: {id}: reads the copies of all arms, and is not copied itself"
            self.faults.add(DoppelError("pipeline.sweep_of_measure", sentence, name=id, remedy="remove it"))
        for upstream in above:
            if self.axes[upstream] and notebook_of(upstream) not in ARMS:
                sentence = f"{id} lays arms beside each other on one {upstream}, and the grid makes several"
                remedy = "leave it out (without)"
                self.faults.add(
                    DoppelError("pipeline.several_corpora", sentence, name=id, value=upstream, remedy=remedy)
                )
        return []

    def _open(self, values: Values) -> list[str]:
        """Parameters of the grid that a stage has, but for the target of an arm without privacy."""
        return [name for name in self.grid.axes if name in values and not (name == NO_PRIVACY and values[name] is None)]

    def points(self, id: str) -> Iterator[Point]:
        axes = self.axes[id]
        for labels in product(*(self.grid.axes[name] for name in axes)):
            yield dict(zip(axes, labels, strict=True))

    def add(self, id: str, copy: Copy) -> None:
        """One more stage, or one that is there already."""
        before = self.copies.setdefault(id, copy)
        if differ := [key for key in copy.values if before.values.get(key) != copy.values[key]]:
            sentence = f"copies of {before.of} and {copy.of} would both be {id}, and differ in {', '.join(differ)}"
            remedy = "leave one out (without), or rename its file"
            self.faults.add(DoppelError("pipeline.copies_of_one_name", sentence, name=id, remedy=remedy))

    def at(self, id: str, values: Values, point: Point) -> dict[str, object]:
        """A stage's parameters at a point."""
        made = values | {name: self.grid.axes[name][point[name]] for name in self._open(values) if name in point}
        if reads_arms(id, values):
            return made | self._all_copies(id, values)
        if "inputs" in values:
            at = {name: (up, {axis: point[axis] for axis in self.axes[up]}) for name, up in _inputs(values).items()}
            made["inputs"] = {name: self.renamed(*one) for name, one in at.items()}
        return made

    def _all_copies(self, id: str, values: Values) -> dict[str, object]:
        """Inputs of a stage that reads arms: every copy of each, under a local name that says its point.

        A parameter that names an arm which is copied names the first copy; a list of arms names all copies of each.
        """
        changed: dict[str, object] = {}
        inputs: dict[str, str] = {}
        copies: dict[str, list[str]] = {}  # local names of an arm's copies
        for local, upstream in _inputs(values).items():
            wide = {self._spelled(local, at): self.renamed(upstream, at) for at in self.points(upstream)}
            for name in wide:
                if inputs.get(name, wide[name]) != wide[name]:
                    sentence = f"{id}: inputs: {inputs[name]} and {wide[name]} would both be {name}"
                    remedy = f"rename {local}"
                    self.faults.add(DoppelError("pipeline.inputs_of_one_name", sentence, name=name, remedy=remedy))
            inputs |= wide
            changed |= {name: next(iter(wide)) for name in NAMES_AN_ARM if values.get(name) == local}
            copies[local] = list(wide)
        for parameter in values.keys() & set(NAMES_ARMS):  # a name that is none stays, and is refused with the others
            named = (copy for local in values[parameter] for copy in copies.get(local, [local]))
            changed[parameter] = list(dict.fromkeys(named))
        return changed | {"inputs": inputs}

    def renamed(self, id: str, point: Point) -> str:
        """The id of a stage's copy: ``11_generate.gpt2_eps8`` at epsilon 1 is ``11_generate.gpt2_eps1``."""
        notebook, _, variant = id.partition(".")
        return f"{notebook}.{self._spelled(variant, point)}" if point else id

    def _spelled(self, name: str, point: Point) -> str:
        """A name that says the point: what it says of a parameter is replaced, what it does not say is added."""
        for parameter, label in point.items():
            number = rf"{re.escape(TAGS.get(parameter, parameter))}\d+(?:\.\d+)?(?:e-?\d+)?"
            labels = map(re.escape, sorted(self.grid.axes[parameter], key=len, reverse=True))
            said = rf"(?<![^_-])(?:{'|'.join([number, *labels])})(?![^_-])"
            replaced, found = re.subn(said, label, name, count=1)
            name = replaced if found else "-".join(filter(None, [name, label]))
        return name


def _inputs(values: Values) -> dict[str, str]:
    return dict(values.get("inputs", {}))
