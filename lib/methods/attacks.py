"""Which accesses of a finished arm canaries can be sent through, and by which function."""

from dataclasses import dataclass
from pathlib import Path

from lib.audit.canary_run import Access, Send, accesses
from lib.methods import registry
from lib.stage.notebook_roles import notebook_of


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
