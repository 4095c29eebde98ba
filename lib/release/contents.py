"""The records of a pack, whatever they are: how they are written, and read again by whoever verifies it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lib.common.errors import Reason
from lib.release import kinds, labelled, pictures, rows, texts
from lib.release.certificate import LABELLED


def write(folder: Path, certificate: Mapping, records: Sequence[Any]) -> Sequence[Any]:
    """Write the files of an arm's records.

    Args:
        folder: of the pack, which exists.
        certificate: of the pack; the hashes of its files may still be missing.
        records: the n >= 1 records of the arm, without users.

    Returns:
        What `lib.release.card.write` takes of them.
    """
    kind = kinds.of_stage(certificate["stage"])
    if kind is kinds.PICTURES:
        pictures.write(folder, records)
        return pictures.of(records)
    if kind is kinds.ROWS:
        rows.write(folder, records, rows.domain_of(certificate)[0])
        return records
    texts.write(folder, records)
    return records


def read(folder: Path, certificate: Mapping) -> tuple[Sequence[Any], list[Reason]]:
    """The records of a pack, as its card takes them, and what is wrong with them.

    Args:
        folder: of the pack; its files are regular ones of a bounded size.
        certificate: of the pack, whose values make sense.

    Returns:
        The records, none where nothing can be said of them; and a reason for whatever in the files does not follow from
        the certificate, or differs between them.
    """
    kind = kinds.of_stage(certificate["stage"])
    if kind is kinds.PICTURES:
        found, wrong = pictures.read(folder, certificate)
    elif kind is kinds.ROWS:
        found, wrong = rows.read(folder, certificate)
    else:
        found, wrong = texts.read(folder, certificate)
        if LABELLED in certificate["files"]:
            wrong += labelled.wrong(folder / LABELLED, found)
    return found, wrong
