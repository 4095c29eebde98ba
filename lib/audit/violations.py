"""Violations that audits found, kept for as long as the run: an audit that is run again does not take one back.

Noise is drawn anew in each audit, and chance may then find nothing. A violation of the same arm stands; making the
arm again, with the fault mended, is what ends it.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from lib.audit.verdict import Verdict
from lib.common import jsonl
from lib.stage.fingerprint import read_done

FILE = "violations.jsonl"  # in the folder of a run


def keep(run: Path, audit: str, verdicts: Mapping[str, Verdict], bounds: Mapping[str, float]) -> None:
    """Write down the arms that were found to violate their claims.

    Args:
        run: ``results/RUN``.
        audit: id of the audit's stage.
        verdicts: on each arm, by the id of its stage.
        bounds: the largest epsilon that was shown of each, likewise.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [
        {"time": now, "audit": audit, "arm": arm, "digest": _digest(run, arm), "bound": bounds[arm]}
        for arm, verdict in verdicts.items()
        if verdict is Verdict.VIOLATED
    ]
    if lines:
        with (run / FILE).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)


def of_arm(run: Path, arm: str) -> tuple[str, float] | None:
    """The last violation of an arm as it is now.

    Args:
        run: ``results/RUN``.
        arm: id of its stage.

    Returns:
        The audit's stage and the epsilon that it showed; None where no audit found a violation, or the arm was made
        again since.
    """
    if not (run / FILE).is_file():
        return None
    found = [line for _, line in jsonl.read(run / FILE) if (line["arm"], line["digest"]) == (arm, _digest(run, arm))]
    return (found[-1]["audit"], found[-1]["bound"]) if found else None


def _digest(run: Path, arm: str) -> str | None:
    done = read_done(run / arm)
    return None if done is None else done["digest"]
