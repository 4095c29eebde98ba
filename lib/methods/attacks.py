"""Which accesses of a finished arm canaries can be sent through, by which function, and if by the arm's own code."""

from dataclasses import dataclass
from pathlib import Path

from lib.audit.canary_run import Access, Send, accesses
from lib.common import paths
from lib.methods import registry
from lib.stage import fingerprint
from lib.stage.notebook_roles import notebook_of

MECHANISMS = ("lib.methods", "lib.models", "lib.privacy")  # the rooms whose code samples, clips, sums and adds noise


@dataclass(frozen=True)
class Attack:
    """An access and how it is attacked.

    Attributes:
        access: of an arm to the private records.
        send: sends canaries through its mechanism.
    """

    access: Access
    send: Send

    @property
    def title(self) -> str:
        """What is attacked, in words; arms that share an access share its title."""
        return f"{self.access.what} ({self.access.stage})"


def of_arm(folder: Path) -> list[Attack]:
    """The attacks on an arm: one for each access by Gaussian noise whose method has canaries.

    Args:
        folder: of the arm's finished stage.
    """
    found = []
    for access in accesses(folder):
        method = registry.spending(notebook_of(access.stage))
        if method is not None and method.canaries is not None:
            found.append(Attack(access, method.send_canaries()))
    return found


def changed_code(attack: Attack, run: Path) -> list[str]:
    """The modules that canaries go through and that were others when the arm was made.

    An arm that drew noise is kept when code changes, as noise drawn again is charged again. Canaries go through the
    code that is there now, so what they show says nothing about such an arm.

    Args:
        attack: on one of its accesses.
        run: the folder of all stages.

    Returns:
        Names of modules of `MECHANISMS`, sorted; empty where the arm was made by what is attacked.
    """
    done = fingerprint.read_done(run / attack.access.stage)
    if done is None:  # half of a stage is older than everything
        return [attack.send.__module__]
    return fingerprint.changed_since(paths.ROOT, done, f"import {attack.send.__module__}", within=MECHANISMS)
