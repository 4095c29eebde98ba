"""The graphics cards of this machine, and which of them a stage gets: stages that run side by side share none."""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from lib.common.errors import DoppelError
from lib.common.lock import hold

VISIBLE = "CUDA_VISIBLE_DEVICES"
PATIENCE = 60.0  # seconds that a killed stage's kernel may take to give its card back
_POLL = 0.5


def present() -> list[str]:
    """The NVIDIA cards that this process may use, as `VISIBLE` names them; empty where there is none."""
    visible = os.environ.get(VISIBLE)
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1", "none", "NoDevFiles")]
    numbers = (path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*"))
    return sorted((number for number in numbers if number.isdecimal()), key=int)


def count() -> int:
    """How many stages with a card may run at a time; other makers' cards count as one, since nothing assigns them."""
    return len(present()) or int(Path("/dev/kfd").exists() or sys.platform == "darwin")


def take(wanted: int, *, patience: float = PATIENCE) -> list[IO[str]]:
    """Take cards for this process and its children, which then see no others.

    Args:
        wanted: how many; 0, or a machine without cards of NVIDIA, takes none and changes nothing.
        patience: seconds to wait for as many to be free.

    Returns:
        The locks; a card is free again when its lock is closed or this process ends.

    Raises:
        DoppelError: ``pipeline.too_few_cards``; ``pipeline.no_card_free`` after ``patience`` seconds.
    """
    cards = present()
    if not wanted or not cards:
        return []
    if wanted > len(cards):
        raise DoppelError(
            "pipeline.too_few_cards",
            f"this stage asks for {wanted} cards, and there are {len(cards)}",
            name="processes",
            value=wanted,
            remedy=f"set processes: {len(cards)}",
        )
    deadline = time.monotonic() + patience
    while True:
        held: dict[str, IO[str]] = {}
        for card in cards:
            lock = _free(card) if len(held) < wanted else None
            held |= {card: lock} if lock else {}
        if len(held) == wanted:
            os.environ[VISIBLE] = ",".join(held)
            return list(held.values())
        for lock in held.values():
            lock.close()
        if time.monotonic() >= deadline:
            raise DoppelError(
                "pipeline.no_card_free",
                f"{wanted} of {len(cards)} cards are asked for, and fewer are free",
                name="device",
                value=wanted,
                remedy="let the other runs end, or lower --jobs",
            )
        time.sleep(_POLL)


def _free(card: str) -> IO[str] | None:
    """The lock of a card, or None while somebody has it."""
    folder = Path(tempfile.gettempdir()) / f"doppel-cards-{os.getuid()}"
    try:
        return hold(folder / f"{card.replace('/', '_')}.lock", f"card {card}")
    except DoppelError:
        return None
