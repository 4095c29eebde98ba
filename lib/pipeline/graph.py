"""The stages of a preset or a sweep in running order: what a name selects, what a stage needs, what has to run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.common import paths
from lib.common.errors import DoppelError, nearest
from lib.stage import fingerprint


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
    """The stages of a preset, or of a sweep of it, in an order in which they can run."""

    preset: str
    run: str
    nodes: dict[str, Node]
    sweep: dict | None = None  # `lib.pipeline.sweep.record`

    @property
    def folder(self) -> Path:
        return paths.ROOT / "results" / self.run

    def find(self, name: str, option: str) -> list[str]:
        """Ids that a stage id or a notebook's name (all its variants) stands for. Raises DoppelError."""
        found = [id for id, node in self.nodes.items() if name in (id, node.notebook)]
        if not found:
            known = {*self.nodes, *(node.notebook for node in self.nodes.values())}
            of = self.sweep["file"] if self.sweep else f"params/{self.preset}"
            raise DoppelError(f"{option} {name}: no such stage in {of}; {nearest(name, known)}")
        return found

    def needed(self, names: Iterable[str]) -> list[str]:
        """The stages and all that they read, directly or not, in running order."""
        wanted = set(names)
        for node in reversed(self.nodes.values()):
            wanted |= set(node.inputs) if node.id in wanted else set()
        return [id for id in self.nodes if id in wanted]

    def plan(self, names: Iterable[str], force: Sequence[str] = ()) -> dict[str, str]:
        """Stages that have to run, in order, with the reason; one that waits for another is looked at in its turn."""
        steps: dict[str, str] = {}
        for id in self.needed(names):
            node = self.nodes[id]
            reason = "forced" if id in force else fingerprint.why_stale(self.folder, id, node.made, node.inputs)
            if reason is None and (waiting := [name for name in node.inputs if name in steps]):
                reason = f"if {', '.join(waiting)} makes something new"
            if reason is not None:
                steps[id] = reason
        return steps
