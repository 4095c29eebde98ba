"""The stages of a preset or a sweep in running order: what a name selects, what a stage needs, what has to run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.common import paths
from lib.common.errors import DoppelError, Reason, nearest
from lib.stage import fingerprint
from lib.stage.notebook_roles import stands_for


@dataclass(frozen=True, slots=True)
class Node:
    """A stage before it runs.

    Attributes:
        id: of the stage.
        notebook: its stem.
        parameters: resolved.
        made: what the stage is made from, as `lib.stage.fingerprint.made_from` has it.
    """

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
    """The stages of a preset, or of a sweep of it, in an order in which they can run.

    Attributes:
        preset: its name.
        run: the folder in results/ that outputs go to.
        nodes: the stages by id.
        sweep: of a sweep, what `lib.pipeline.sweep.record` gives.
    """

    preset: str
    run: str
    nodes: dict[str, Node]
    sweep: dict | None = None

    @property
    def folder(self) -> Path:
        """Of the run."""
        return paths.ROOT / "results" / self.run

    def find(self, name: str, option: str) -> list[str]:
        """Ids that a name stands for.

        Args:
            name: a stage's id, or a notebook's name, which means all its variants.
            option: the command-line option that has it, for the refusal.

        Raises:
            DoppelError: the name stands for no stage.
        """
        ids = [id for id in self.nodes if stands_for(name, id)]
        if not ids:
            known = {*self.nodes, *(node.notebook for node in self.nodes.values())}
            of = self.sweep["file"] if self.sweep else f"params/{self.preset}"
            raise DoppelError(
                "pipeline.unknown_stage",
                f"{option} {name}: no such stage in {of}",
                name=option,
                value=name,
                remedy=nearest(name, known),
            )
        return ids

    def needed(self, names: Iterable[str]) -> list[str]:
        """The stages of these ``names`` (ids) and all that they read, directly or not, in running order."""
        wanted = set(names)
        for node in reversed(self.nodes.values()):
            wanted |= set(node.inputs) if node.id in wanted else set()
        return [id for id in self.nodes if id in wanted]

    def plan(self, names: Iterable[str], force: Sequence[str] = ()) -> dict[str, Reason]:
        """The stages that have to run, in order, with the reason.

        A stage that waits for another is checked again when the other is done. One that drew noise is not in the plan
        because code changed: see `kept`.

        Args:
            names: ids of the stages that are wanted; those that they read are looked at as well.
            force: ids of stages that run in any case.
        """
        steps: dict[str, Reason] = {}
        for id in self.needed(names):
            node = self.nodes[id]
            reason = FORCED if id in force else self._stale(node)
            if reason is not None and id not in force and fingerprint.is_kept(self.folder / id, reason):
                reason = None
            if reason is None and (waiting := [name for name in node.inputs if name in steps]):
                reason = Reason("stage.waiting", f"if {', '.join(waiting)} makes something new")
            if reason is not None:
                steps[id] = reason
        return steps

    def kept(self, names: Iterable[str]) -> dict[str, Reason]:
        """Stages that were made by an older version and are kept, with what changed since: making them again would
        draw noise again, and spend the corpus' budget again.

        Args:
            names: ids of the stages that are wanted; those that they read are looked at as well.
        """
        reasons = {id: self._stale(self.nodes[id]) for id in self.needed(names)}
        return {id: why for id, why in reasons.items() if why and fingerprint.is_kept(self.folder / id, why)}

    def _stale(self, node: Node) -> Reason | None:
        return fingerprint.why_stale(self.folder, node.id, node.made, node.inputs)


FORCED = Reason("stage.forced", "forced")
