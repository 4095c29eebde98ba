"""certificate.json of a release pack: what was spent, by what code, and the hash of every file in the pack.

It is written in one canonical form, and its last key is the hash of all the others. A hash shows that nothing was
changed since. It does not show who made the pack, for whoever changes a pack can compute new hashes. So everything that
follows from other parts of the pack is recomputed as well (`lib.release.cross_checks`): epsilon from the events, the
sampler from the mechanism, the events from the settings (and that no event is missing which they ask for), the noise
from the target, and the card from certificate and records. A pack that was invented from end to end cannot be
recognised without the private data; for that, compare the certificate's own hash with one from somebody who vouches for
the pack.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path

from lib.common.errors import DoppelError, Reason
from lib.common.files import read_bounded, sha256
from lib.methods.registry import METHODS
from lib.privacy.accounting import Mechanism
from lib.privacy.ledger import Event
from lib.release import kinds
from lib.stage.notebook_roles import current_name, notebook_of

NAME = "certificate.json"
SIGNATURE = "certificate.json.sig"  # `lib.release.signature`; a pack may have it
FORMAT = "doppel release 2"  # a new one for each change of the card's words once packs with the old ones are out
FORMER = "doppel release 1"  # its cards have other words, and its settings are not a fixed set
LABELLED = "labelled.jsonl"  # in packs of methods that label parts of their texts
MOST_PATHS = 100  # in the folder of a pack that are looked at; it should hold four or five
MOST_BYTES = {
    NAME: 2**22, "README.md": 2**20, "records.jsonl": 2**28, "records.csv": 2**28, "records.parquet": 2**28,
    LABELLED: 2**30,
}  # fmt: skip
PUBLIC, COUNTED, NOT_COUNTED = "looks at nothing private", "counted in epsilon", "not counted in epsilon"  # decisions
KEYS = (  # in their order
    "format", "run", "stage", "finished", "records", "epsilon", "target_epsilon", "delta", "unit", "units",
    "neighbours", "accountant", "events", "public", "ancestors", "not_for_release", "audit", "decisions", "guarantee",
    "code", "packages", "card", "files", "sha256",
)  # fmt: skip
NEW_KEYS = ("decisions", "guarantee", "card")  # which the former format lacks; it has a gate


def files_of(stage: str) -> tuple[str, ...]:
    """The files of a pack beside its certificate.

    Args:
        stage: id of the arm.
    """
    notebook, files = current_name(notebook_of(stage)), kinds.of_stage(stage).files
    return (*files, LABELLED) if any(one.arm == notebook and one.labels for one in METHODS) else files


def text(certificate: Mapping) -> str:
    """The canonical form of a certificate: ``certificate`` as JSON.

    Raises:
        ValueError: it holds a number that JSON has no form for, NaN or an infinity.
    """
    return json.dumps(certificate, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def own_hash(certificate: Mapping) -> str:
    """The hash (`hash_of`) of a ``certificate`` without its key ``sha256``."""
    return hash_of({key: value for key, value in certificate.items() if key != "sha256"})


def hash_of(value: object) -> str:
    """Hex sha256 of ``value`` as JSON with sorted keys and without white space."""
    spelled = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(spelled.encode()).hexdigest()


def guarantee(certificate: Mapping) -> str:
    """The guarantee of a ``certificate`` in one line, which its card must contain; the figures are rounded up."""
    epsilon = certificate.get("guarantee", certificate)["epsilon"]  # the former format has the arm's own
    return (
        f"epsilon {rounded_up(epsilon, 6)}, delta {rounded_up(certificate['delta'], 3)}; "
        f"neighbours: {certificate['neighbours']}; {certificate['units']:,} units"
    )


def rounded_up(value: float, digits: int) -> str:
    """A figure of privacy as text, never smaller than it is.

    Args:
        value: an epsilon or a delta, above 0.
        digits: significant digits, at least 1.
    """
    spelled = f"{value:.{digits}g}"
    if float(spelled) < value:
        unit = Decimal(1).scaleb(Decimal(spelled).adjusted() - digits + 1)
        spelled = f"{float(Decimal(spelled) + unit):.{digits}g}"
    return spelled


def read(folder: Path) -> dict:
    """Read the certificate of a pack.

    Args:
        folder: of the pack.

    Raises:
        DoppelError: there is none, or it is not in its canonical form, or another version of Doppel wrote it.
    """
    path = folder / NAME
    if not path.is_file():  # a pipe would be read for ever
        raise DoppelError(
            "release.no_certificate",
            "no such file",
            name=NAME,
            remedy="name the folder of a release pack",
            where=str(path),
        )
    written = read_bounded(path, MOST_BYTES[NAME])
    try:
        certificate = json.loads(written)
        canonical = isinstance(certificate, dict) and text(certificate).encode() == written
    except (ValueError, RecursionError):
        raise DoppelError("release.certificate_not_json", f"{NAME} is not JSON", name=NAME) from None
    if not canonical:
        sentence = f"{NAME} is not in its canonical form, so it was changed"
        raise DoppelError("release.certificate_not_canonical", sentence, name=NAME)
    if (written_in := certificate.get("format")) not in (FORMAT, FORMER):
        raise DoppelError(
            "release.other_format",
            f"format: {written_in!r}, this Doppel reads {FORMAT!r} and {FORMER!r}",
            name="format",
            value=written_in,
        )
    keys = KEYS if written_in == FORMAT else [*(key for key in KEYS if key not in NEW_KEYS), "gate"]
    if wrong := sorted(certificate.keys() ^ set(keys)):
        raise DoppelError(
            "release.certificate_keys",
            f"{NAME}: a certificate has the keys {', '.join(keys)}; missing or unknown: {', '.join(wrong)}",
            name=NAME,
            value=wrong,
        )
    return certificate


def ledger_part(certificate: Mapping) -> dict:
    """A ``certificate`` as the statement of a stage (`lib.privacy.ledger`): its events do not describe the sampler."""
    events = [{key: value for key, value in event.items() if key != "sampler"} for event in certificate["events"]]
    return {**certificate, "events": events}


def changed(folder: Path, certificate: Mapping) -> Iterator[Reason]:
    """What was changed since a pack was written.

    Args:
        folder: of the pack.
        certificate: read from it.

    Yields:
        a reason if the certificate was changed, and for each file that is changed, missing, not listed or not wanted.
    """
    if own_hash(certificate) != certificate["sha256"]:
        yield Reason("release.certificate_changed", f"{NAME} was changed: it has another hash")
    inside = islice(folder.rglob("*"), MOST_PATHS)
    present = {path.relative_to(folder).as_posix() for path in inside if path.is_symlink() or not path.is_dir()}
    listed = certificate["files"]
    files = set(files_of(certificate["stage"]))
    for name in sorted(files - present):
        yield Reason("release.file_missing", f"{name}: is missing")
    for name in sorted(files ^ set(listed)):
        yield Reason("release.file_not_listed", f"{name}: is not listed")
    for name in sorted(present - {*files, NAME, SIGNATURE}):
        yield Reason("release.file_too_many", f"{name}: does not belong here")
    for name in sorted(present & files):
        path = folder / name
        if not path.is_file():
            yield Reason("release.no_regular_file", f"{name}: is no regular file")
        elif path.stat().st_size > MOST_BYTES[name]:
            yield Reason("release.file_too_large", f"{name}: is over {MOST_BYTES[name]:,} bytes")
        elif listed.get(name) != {"bytes": path.stat().st_size, "sha256": sha256(path)}:
            yield Reason("release.file_changed", f"{name}: was changed: it has another hash")


def mechanism_of(event: Mapping) -> Mechanism:
    """The mechanism of an ``event`` as certificates hold it, with a description of the sampler.

    Raises:
        DoppelError: it cannot be read.
    """
    return Event.from_json({key: value for key, value in event.items() if key != "sampler"}).mechanism
