"""Finished toy stages whose texts a warm start may learn, or not."""

import json
from pathlib import Path

from lib.common.files import sha256
from lib.data import records
from lib.privacy.accounting import DiscreteGaussian
from lib.privacy.ledger import Event, Ledger
from support.audit_toys import corpus

CORPUS = "00_process_data"
COUNTS = Event(CORPUS, "label counts", DiscreteGaussian(5.0))


def stage(run: Path, name: str, events: list[Event]) -> Path:
    """A finished stage, as far as its ledger and its texts."""
    folder = run / name
    folder.mkdir()
    made = run / CORPUS / "privacy.json"
    ancestors = {CORPUS: sha256(made)} if made.is_file() else {}
    statement = Ledger("record", 40, events=events, ancestors=ancestors).statement(name)
    (folder / "privacy.json").write_text(json.dumps(statement))
    records.write(folder / "synthetic.jsonl", corpus(8))
    return folder
