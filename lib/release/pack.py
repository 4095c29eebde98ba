"""The release pack: a folder that may leave the building, written whole or not at all.

results/<run>/release/<stage id>/records.jsonl  records.parquet  README.md  certificate.json
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lib.common.errors import DoppelError
from lib.common.files import sha256, write_atomic
from lib.data import records
from lib.data.records import Record
from lib.privacy import budget
from lib.release import audit_findings, card, certificate, claims, gate, leak_scan, verify
from lib.release.gate import Refusal
from lib.scorecard.scorecard import public
from lib.stage import finished


def pack(
    run: Path,
    stage: str,
    *,
    findings: Path | None = None,
    scorecard: Mapping[str, Any] | None = None,
    exceeded: Callable[[Path], str | None] = budget.exceeded,
    licence: str | None = None,
    language: str | None = None,
) -> Path:
    """Write the pack of an arm, in place of an earlier one, and return its folder.

    ``run`` is ``results/<run>``; ``scorecard`` that of the run, of which the card takes what may be public; the rest is
    for `gate.check` and `card.write`. Raises DoppelError with every refusal of the gate; an earlier pack is then left.
    """
    target = run / "release" / stage
    refusals = gate.check(run, stage, findings, exceeded=exceeded)
    if refusals:
        raise _refused(stage, target, refusals)
    part = run / "release" / f".{stage}.{os.getpid()}.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        _write(part, run, stage, findings, metrics_of(scorecard, stage), licence, language)
        real = gate.read_corpus(gate.corpus_of(run, stage))
        if refusals := gate.private(leak_scan.strings_of(part), real):
            raise _refused(stage, target, refusals)
        if wrong := verify.check(part)[1]:
            raise DoppelError(f"{stage}: its pack would not verify, so there is none: {'; '.join(wrong)}")
        _replace(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def metrics_of(scorecard: Mapping[str, Any] | None, stage: str) -> list[dict]:
    """Rows of an arm's metrics, without those that real text entered."""
    arms = [] if scorecard is None else public(scorecard)["arms"]
    return [row for arm in arms if arm["stage"] == stage for row in card.public_rows(arm["metrics"])]


def _write(
    folder: Path,
    run: Path,
    stage: str,
    findings: Path | None,
    metrics: list[dict],
    licence: str | None,
    language: str | None,
) -> None:
    made = records.read(run / stage / "synthetic.jsonl")
    plain = [Record(one.id, one.text, one.labels) for one in made]  # without a user
    folder.mkdir(parents=True)
    records.write(folder / "records.jsonl", plain)
    pq.write_table(table(plain), folder / "records.parquet", compression="zstd")
    claimed = claims.claims(
        run,
        finished.lineage(run, stage),
        records=len(plain),
        audit=audit_findings.of_arm(run, stage, findings),
        gate=list(gate.CASES.values()),
    )
    write_atomic(folder / "README.md", card.write(claimed, plain, metrics, licence=licence, language=language))
    files = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in certificate.FILES
    }
    whole = {**claimed, "files": files}
    write_atomic(folder / certificate.NAME, certificate.text({**whole, "sha256": certificate.own_hash(whole)}))


def table(rows: list[Record]) -> pa.Table:
    """Records as a table; without labels it has no such column, for Parquet knows no empty structure."""
    names = list(rows[0].labels)
    fields = [("id", pa.string()), ("text", pa.string())]
    if names:
        fields.append(("labels", pa.struct([(name, pa.string()) for name in names])))
    lines = [row.as_json() if names else {"id": row.id, "text": row.text.reveal()} for row in rows]
    return pa.Table.from_pylist(lines, schema=pa.schema(fields))


def _replace(part: Path, target: Path) -> None:
    """Put the new folder in place of the old one; if that fails, the old one is back."""
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    if target.exists():
        target.replace(old)
    try:
        part.replace(target)
    except OSError:
        if old.exists():
            old.replace(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refused(stage: str, target: Path, refusals: list[Refusal]) -> DoppelError:
    lines = [f"{stage} may not be released:", *(f"  {refusal}" for refusal in refusals)]
    if target.exists():
        lines.append(f"  an earlier pack is still in {target}: take it back where it was handed out, and delete it")
    return DoppelError("\n".join(lines))
