"""What the audits of a run say about one arm (findings.json of 20_canary_privacy)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from lib.audit.verdict import Verdict
from lib.common.files import read_json, sha256
from lib.stage.fingerprint import read_done

NOTEBOOK = "20_canary_privacy"


@dataclass(frozen=True, slots=True)
class Audit:
    """``verdict`` on an arm, or None with the reason in ``because``.

    ``ceiling`` is the largest epsilon that an ideal attack on so many canaries would have shown. It follows from the
    claim, delta and the number of canaries, so it may be handed out; what the attack did find (``bound``) may not.
    """

    stage: str | None
    verdict: Verdict | None
    ceiling: float | None = None
    bound: float | None = None
    because: str | None = None
    tampered: bool = False  # its findings were changed after it was done


def of_arm(run: Path, stage: str, findings: Path | None = None) -> Audit:
    """The audit of an arm; of several the worst. ``findings`` names one file, else all of the run are read."""
    files = [findings] if findings else sorted(run.glob(f"{NOTEBOOK}*/findings.json"))
    found = [audit for file in files for audit in _read(file, run, stage)]
    order = [Verdict.VIOLATED, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.CONSISTENT, None]
    if found:
        return min(found, key=lambda audit: order.index(audit.verdict))
    if files:
        return Audit(None, None, because=f"{stage} is not among the arms that the audit of this run attacked")
    return Audit(None, None, because=f"this run holds no audit ({NOTEBOOK})")


def _read(file: Path, run: Path, stage: str) -> Iterator[Audit]:
    folder = file.parent
    parameters = yaml.safe_load((folder / "params.yaml").read_text("utf-8"))
    names = [name for name, arm in parameters["inputs"].items() if arm == stage]
    if not names:
        return
    held = read_json(file)
    for name in names:
        text = held["verdicts"].get(name)
        rows = [row for row in held["findings"] if row["arm"] == name]
        ceiling, bound = (max((row[key] for row in rows), default=None) for key in ("ceiling", "bound"))
        verdict = None if text is None else Verdict(text)
        because, tampered = _not_valid(file, run, stage), _tampered(file)
        if verdict is Verdict.VIOLATED:  # counts whatever came since
            because = None
        if because is None and verdict is None:
            because = "the audit has no score of this arm that is made into a bound"
        if because:
            verdict = None
        yield Audit(folder.name, verdict, ceiling, bound, because, tampered)


def _not_valid(file: Path, run: Path, stage: str) -> str | None:
    """Why an audit says nothing about the arm as it is now, or None."""
    done, arm = read_done(file.parent), read_done(run / stage)
    if done is None:
        return "the audit is not finished"
    if _tampered(file):
        return "the audit's findings were changed after it was done"
    if arm is None or done["made_from"]["inputs"].get(stage) != arm["digest"]:
        return "the audit attacked an earlier run of this arm"
    return None


def _tampered(file: Path) -> bool:
    done = read_done(file.parent)
    return done is not None and done["outputs"].get(file.name, {}).get("sha256") != sha256(file)
