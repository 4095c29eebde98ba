"""The release pack: a folder that may be published, written whole or not at all.

results/<run>/release/<stage id>/records.jsonl  records.parquet  README.md  certificate.json
and labelled.jsonl, where parts of texts are labelled; pictures have no records.jsonl, rows of tables have a records.csv
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.common.errors import DoppelError
from lib.common.files import remove_parts, sha256, write_atomic
from lib.privacy import budget
from lib.release import card, certificate, claims, contents, gate, leak_scan, signature, verify
from lib.release.candidate import Candidate
from lib.release.gate import Refusal
from lib.scorecard.public import public

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def pack(
    candidate: Candidate,
    *,
    scorecard: Mapping[str, Any] | None = None,
    exceeded: Callable[[Path], str | None] = budget.exceeded,
    licence: str | None = None,
    language: str | None = None,
    block_copies: bool = False,
    key: "Ed25519PrivateKey | None" = None,
) -> Path:
    """Write the pack of an arm, in place of an earlier one.

    Args:
        candidate: the arm. The caller holds the lock of its run, so that nobody else writes its pack.
        scorecard: the run's, from which the card takes what may be public; None: the card has no metrics.
        exceeded: says why a corpus' budget is exceeded, as for `gate.check`.
        licence: for the card, a Hugging Face identifier (``cc-by-4.0``); None: not decided yet.
        language: of the texts, for the card, a code (``en``); None: that of the corpus' source, if its entry has one.
        block_copies: refuse exact copies of private text as well (`gate.copies`). The certificate then says that its
            guarantee does not cover this decision.
        key: signs the certificate; None leaves it unsigned.

    Returns:
        The pack's folder.

    Raises:
        DoppelError: the gate refuses the arm (all reasons are listed), or the pack would not verify. An earlier pack is
            left as it is.
    """
    if refusals := gate.check(candidate, exceeded=exceeded):
        raise _refused(candidate, refusals)
    unfinished = candidate.pack.with_name(f".{candidate.stage}.{os.getpid()}.part")
    remove_parts(candidate.pack.parent, candidate.stage)  # of packs that were killed
    try:
        metrics = metrics_of(scorecard, candidate.stage)
        on_card = {"licence": licence, "language": language, "metrics": metrics}
        decided = gate.decisions(candidate, block_copies=block_copies)
        _write(unfinished, candidate, claims.claims(candidate, decisions=decided, card=on_card))
        if block_copies and (refusals := gate.copies(candidate, leak_scan.strings_of(unfinished))):
            raise _refused(candidate, refusals)
        if key is not None:
            signature.sign(unfinished, key)
        if wrong := verify.check(unfinished)[1]:
            raise DoppelError(
                "release.does_not_verify",
                f"{candidate.stage}: its pack would not verify, so none was written: {'; '.join(map(str, wrong))}",
                name=candidate.stage,
                value=[reason.code for reason in wrong],
            )
        _replace(unfinished, candidate.pack)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return candidate.pack


def metrics_of(scorecard: Mapping[str, Any] | None, stage: str) -> list[dict]:
    """An arm's metrics that no real text entered.

    Args:
        scorecard: the run's, or None.
        stage: the arm's stage id.

    Returns:
        Rows as of `card.public_rows`; empty without a scorecard.
    """
    arms = [] if scorecard is None else public(scorecard)["arms"]
    return [row for arm in arms if arm["stage"] == stage for row in card.public_rows(arm["metrics"])]


def _write(folder: Path, candidate: Candidate, claimed: dict) -> None:
    """Write the files of a pack into a folder that does not exist yet."""
    folder.mkdir(parents=True)
    synthetic = contents.write(folder, claimed, candidate.records)
    write_atomic(folder / "README.md", card.write(claimed, synthetic))
    names = certificate.files_of(candidate.stage)
    if certificate.LABELLED in names:
        shutil.copyfile(candidate.folder / certificate.LABELLED, folder / certificate.LABELLED)
    files = {name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in names}
    whole = {**claimed, "files": files}
    write_atomic(folder / certificate.NAME, certificate.text({**whole, "sha256": certificate.own_hash(whole)}))


def _replace(new: Path, target: Path) -> None:
    """Put the new folder in place of the old one; if that fails, put the old one back."""
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    if target.exists():
        target.replace(old)
    try:
        new.replace(target)
    except OSError:
        if old.exists():
            old.replace(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refused(candidate: Candidate, refusals: list[Refusal]) -> DoppelError:
    lines = [f"{candidate.stage} may not be released:", *(f"  {refusal}" for refusal in refusals)]
    if candidate.pack.exists():
        lines.append(
            f"  an earlier pack is still in {candidate.pack}: withdraw it wherever it was released, and delete it"
        )
    return DoppelError(
        "release.refused", "\n".join(lines), name=candidate.stage, value=[refusal.case for refusal in refusals]
    )
