"""A house whose stages are played in children that can be killed at a moment, or at a write."""

import os
import pickle
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.common import paths
from lib.pipeline import preflight
from lib.pipeline.graph import Node
from lib.privacy import accounting, budget_account
from lib.stage import notebook_file
from support.project import ROOT, Project

_WRITES = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"}  # audit events of Python, before each is done


@dataclass(frozen=True)
class Kill:
    """When an attempt is killed.

    Args:
        seconds: after its start; None: at a write.
        write: the number of the write, from 1.
        opened: whether a file that is about to be opened there is left open, and so empty; False: it is left alone.
    """

    seconds: float | None = None
    write: int = 0
    opened: bool = False


class Writes:
    """Counts the writes of this process below a folder, and kills it at one of them.

    Args:
        below: the folder.
        kill: at which write; None only counts.
    """

    def __init__(self, below: Path, kill: Kill | None):
        self.below, self.kill, self.count = str(below), kill, 0
        fsync = os.fsync

        def counted(descriptor: int) -> None:
            self.add()
            fsync(descriptor)

        os.fsync = counted
        sys.addaudithook(self._hear)

    def _hear(self, event: str, given: tuple) -> None:
        if event not in _WRITES or not str(given[0]).startswith(self.below):
            return
        if event == "open":
            flags = given[2]
            if flags & os.O_ACCMODE != os.O_RDONLY:
                self.add(lambda: os.open(given[0], flags, 0o666))
        else:
            self.add()

    def add(self, act: Callable[[], object] = lambda: None) -> None:
        """Count a write that is about to happen; ``act`` begins it."""
        self.count += 1
        if self.kill is not None and self.count == self.kill.write:
            if self.kill.opened:
                act()
            os.kill(os.getpid(), signal.SIGKILL)


class Remembered(dict):
    """The accountant's figures, so that no child computes again what another has: they take most of a stage's time."""

    compute = staticmethod(accounting._composed)

    def __call__(self, *asked: object) -> float:
        if asked not in self:
            self[asked] = self.compute(*asked)
        return self[asked]


class House:
    """A project with the real notebooks, its stages as far as they are done, and the account of its corpus.

    Args:
        root: an empty folder.
        changes: of preset test, whose stages it has: ``STAGE.KEY=VALUE``.
    """

    run = "test"

    def __init__(self, root: Path, changes: list[str]):
        self.project = Project(root)
        for name in ("notebooks", "params", "prompts"):
            shutil.copytree(ROOT / name, root / name)
        paths.ROOT = root
        os.chdir(root)
        self.nodes = preflight.preflight("test", self.run, changes).nodes
        self.log = root / "log.txt"
        self.epsilons = Remembered()
        accounting._composed = self.epsilons

    @property
    def charged(self) -> list[str]:
        """Ids of the stages that were charged, one for each line of the account, which must be whole."""
        source = self.nodes["00_process_data"].parameters["source"]
        return [charge.event.stage for charge in budget_account.Account.of(source).read()[1]]

    def import_for(self, notebooks: set[str]) -> None:
        """Import what some notebooks do, so that no child has to."""
        for notebook in notebooks:
            for cell in notebook_file.load(self.project.root / "notebooks" / f"{notebook}.ipynb"):
                if notebook_file.is_parameters(cell):
                    break
                if cell["cell_type"] == "code":
                    exec(cell["source"], {})

    def attempt(self, node: Node, kill: Kill | None = None) -> tuple[int, int, float]:
        """Play a notebook in a child.

        Args:
            node: the stage.
            kill: when to kill the child; None: never.

        Returns:
            The child's exit code (-9 when it was killed), its writes (0 when it was killed) and its seconds.
        """
        began = time.monotonic()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            self._play(node, kill, write)
        os.setpgid(child, child)
        os.close(write)
        if kill is not None and kill.seconds is not None:
            ended, _, _ = select.select([read], [], [], kill.seconds)  # a child that is done before has nothing to kill
            if not ended:
                os.killpg(child, signal.SIGKILL)
        with os.fdopen(read, "rb") as pipe:
            sent = pipe.read()
        _, status = os.waitpid(child, 0)
        count, epsilons = pickle.loads(sent) if sent else (0, {})
        self.epsilons.update(epsilons)
        return os.waitstatus_to_exitcode(status), count, time.monotonic() - began

    def _play(self, node: Node, kill: Kill | None, pipe: int) -> None:
        code = 1
        try:
            log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(log, 1)
            os.dup2(log, 2)
            writes = Writes(self.project.root, kill)
            self.project.play(node.notebook, **node.parameters)
            with os.fdopen(pipe, "wb") as sending:
                pickle.dump((writes.count, dict(self.epsilons)), sending)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
