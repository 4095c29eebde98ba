"""certificate.json of a release pack: what was spent, by what code, and the hash of every file handed out.

It is written in one canonical spelling, and ends in the hash of all before it. A hash shows that nothing was changed
since; it does not show who made the pack, for whoever changes a pack can hash it again. So whatever follows from
something else in the pack is recomputed as well: epsilon from the events, the sampler from the mechanism, the events
from the settings (and that none is left out which they ask for), the card's guarantee from the figures. What a forger
invents from end to end nobody can see without the private data; for that, get the certificate's own hash from whoever
vouches for the pack.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from lib.common import jsonl
from lib.common.errors import DoppelError, Reason
from lib.common.files import sha256
from lib.methods.registry import ARMS, spending
from lib.privacy import label_histogram
from lib.privacy.accounting import Mechanism, default_delta
from lib.privacy.ledger import ALWAYS_PUBLIC, Event
from lib.stage.notebook_roles import CORPUS, current_name, notebook_of

NAME = "certificate.json"
FORMAT = "doppel release 1"
FILES = ("README.md", "records.jsonl", "records.parquet")
KEYS = (  # in their order
    "format", "run", "stage", "finished", "records", "epsilon", "target_epsilon", "delta", "unit", "units",
    "neighbours", "accountant", "events", "public", "ancestors", "not_for_release", "audit", "gate", "code",
    "packages", "files", "sha256",
)  # fmt: skip


def text(certificate: Mapping) -> str:
    """The one spelling of a certificate. Raises ValueError for a number that JSON does not know."""
    return json.dumps(certificate, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def own_hash(certificate: Mapping) -> str:
    """sha256 of the certificate without its key ``sha256``, keys sorted, without white space."""
    rest = {key: value for key, value in certificate.items() if key != "sha256"}
    return hash_of(rest)


def hash_of(value: object) -> str:
    spelled = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(spelled.encode()).hexdigest()


def guarantee(certificate: Mapping) -> str:
    """The guarantee in one line, as the card must have it; its figures are rounded up."""
    return (
        f"epsilon {rounded_up(certificate['epsilon'], 6)}, delta {rounded_up(certificate['delta'], 3)}; "
        f"neighbours: {certificate['neighbours']}; {certificate['units']:,} units"
    )


def rounded_up(value: float, digits: int) -> str:
    """A figure of privacy in so many significant digits, never smaller than it is."""
    spelled = f"{value:.{digits}g}"
    if float(spelled) < value:
        unit = Decimal(1).scaleb(Decimal(spelled).adjusted() - digits + 1)
        spelled = f"{float(Decimal(spelled) + unit):.{digits}g}"
    return spelled


def read(folder: Path) -> dict:
    """The certificate of a pack. Raises DoppelError when it is not there or not in its one spelling."""
    path = folder / NAME
    if not path.is_file():
        raise DoppelError(f"{path}: no such file; name the folder of a release pack")
    spelled = path.read_bytes()
    try:
        certificate = json.loads(spelled)
        same = isinstance(certificate, dict) and text(certificate).encode() == spelled
    except (ValueError, RecursionError):
        raise DoppelError(f"{NAME} is not JSON") from None
    if not same:
        raise DoppelError(f"{NAME} is not spelled as it was written")
    if wrong := sorted(certificate.keys() ^ set(KEYS)):
        raise DoppelError(f"{NAME}: a certificate has the keys {', '.join(KEYS)}; wrong: {', '.join(wrong)}")
    if certificate["format"] != FORMAT:
        raise DoppelError(f"format: {certificate['format']!r}, this Doppel reads {FORMAT!r}")
    return certificate


def ledger_part(certificate: Mapping) -> dict:
    """The certificate as a stage's statement (`lib.privacy.ledger`): its events without the sampler's words."""
    events = [{key: value for key, value in event.items() if key != "sampler"} for event in certificate["events"]]
    return {**certificate, "events": events}


def changed(folder: Path, certificate: Mapping) -> Iterator[Reason]:
    """What was changed since the pack was written: the certificate, a file, what files there are."""
    if own_hash(certificate) != certificate["sha256"]:
        yield Reason("release.certificate_changed", f"{NAME} was changed: its hash is another")
    there = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    }
    listed = certificate["files"]
    yield from (Reason("release.file_missing", f"{name}: is missing") for name in sorted(set(FILES) - there))
    yield from (
        Reason("release.file_not_listed", f"{name}: is not listed") for name in sorted(set(FILES) ^ set(listed))
    )
    yield from (
        Reason("release.file_too_many", f"{name}: does not belong here") for name in sorted(there - {*FILES, NAME})
    )
    for name in sorted(there & set(listed)):
        path = folder / name
        if listed[name] != {"bytes": path.stat().st_size, "sha256": sha256(path)}:
            yield Reason("release.file_changed", f"{name}: was changed: its hash is another")


def unfounded(folder: Path, certificate: Mapping) -> Iterator[Reason]:
    """Claims that do not follow from the rest of the pack, its own hash or not. Epsilon is `lib.privacy.statement_check`'s."""
    if certificate["not_for_release"]:
        yield Reason("release.not_for_release", f"not for release: {'; '.join(certificate['not_for_release'])}")
    if certificate["epsilon"] is None:
        yield Reason("release.no_epsilon", "epsilon: none is stated, a release has one")
    if missing := [fact for fact in ALWAYS_PUBLIC if fact not in certificate["public"]]:
        yield Reason("release.not_public", f"public: {', '.join(missing)} must be among the public facts")
    yield from _stages(certificate)
    for event in certificate["events"]:
        yield from _event(event, certificate)
    for stage in certificate["code"]:
        yield from _left_out(stage, certificate)
    yield from _corpus(certificate)
    yield from _records(folder, certificate)


def _stages(certificate: Mapping) -> Iterator[Reason]:
    named = {certificate["stage"], *certificate["ancestors"]}
    if set(certificate["code"]) != named:
        yield Reason("release.code_of_others", "code: it must name the stage and its ancestors, and nothing else")
    for stage, digest in certificate["ancestors"].items():
        if certificate["code"].get(stage, {}).get("privacy") != digest:
            yield Reason(
                "release.two_hashes", f"{stage}: its privacy.json has another hash under code than under ancestors"
            )
    for event in certificate["events"]:
        if event["stage"] not in named:
            yield Reason("release.event_of_another", f"events: {event['stage']} is not among the stages")


def _event(event: Mapping, certificate: Mapping) -> Iterator[Reason]:
    """An event against its own words and against the settings of its stage."""
    mechanism, stage = _mechanism(event), event["stage"]
    if event.get("sampler") != mechanism.sampler:
        yield Reason("release.sampler", f"{stage}: the sampler does not fit the mechanism")
    asked = _asked(stage, certificate, mechanism.noise)
    if asked is None:
        return  # `_left_out` reports an event that nothing asks for
    expected, actual = vars(asked), vars(mechanism)
    for name in sorted(expected.keys() | actual.keys()):
        wanted, stated = expected.get(name), actual.get(name)
        same = wanted == stated or (
            isinstance(wanted, float) and isinstance(stated, float) and math.isclose(wanted, stated, rel_tol=1e-9)
        )
        if not same:
            yield Reason(
                "release.event_not_as_set", f"{stage}: its settings ask for {name} {wanted}, the event has {stated}"
            )


def _asked(stage: str, certificate: Mapping, noise: float) -> Mechanism | None:
    """The mechanism that a stage's settings ask for, at a noise, or None where they ask for none."""
    settings = certificate["code"].get(stage, {}).get("settings", {})
    notebook = current_name(notebook_of(stage))
    if notebook == CORPUS:
        return label_histogram.mechanism(settings)
    method = spending(notebook)
    if method is None or settings.get("target_epsilon") is None:
        return None
    return method.recipe(settings, certificate["units"], noise)


def _left_out(stage: str, certificate: Mapping) -> Iterator[Reason]:
    """What a stage's settings ask for against what its events count: a release that is not counted costs nothing."""
    notebook = current_name(notebook_of(stage))
    if notebook not in {CORPUS, *ARMS} and spending(notebook) is None:
        yield Reason(
            "release.unknown_notebook",
            f"{stage}: no method here has a notebook {notebook}, so its settings cannot be held against its events",
        )
        return
    own = [_mechanism(event) for event in certificate["events"] if event["stage"] == stage]
    wanted = _asked(stage, certificate, own[0].noise if own else 1.0)
    if len(own) != (wanted is not None) or any(type(mechanism) is not type(wanted) for mechanism in own):
        asks = "no event" if wanted is None else f"one event of kind {type(wanted).__name__}"
        kinds = ", ".join(type(mechanism).__name__ for mechanism in own) or "none"
        yield Reason("release.event_left_out", f"{stage}: its settings ask for {asks}, the certificate has {kinds}")
    settings = certificate["code"][stage].get("settings", {})
    if spending(notebook) is not None and settings.get("target_epsilon") != certificate["target_epsilon"]:
        yield Reason(
            "release.target_not_as_set",
            f"{stage}: its setting target_epsilon is {settings.get('target_epsilon')}, the certificate has "
            f"{certificate['target_epsilon']}",
        )


def _mechanism(event: Mapping) -> Mechanism:
    return Event.from_json({key: value for key, value in event.items() if key != "sampler"}).mechanism


def _corpus(certificate: Mapping) -> Iterator[Reason]:
    """Unit and delta against what the corpus stage was told."""
    for stage, code in certificate["code"].items():
        settings = code.get("settings", {})
        if settings.get("unit", certificate["unit"]) != certificate["unit"]:
            yield Reason(
                "release.unit_not_as_set",
                f"{stage}: its unit is {settings['unit']}, the certificate says {certificate['unit']}",
            )
        if "delta" in settings:
            told = settings["delta"] if settings["delta"] is not None else default_delta(certificate["units"])
            if not math.isclose(told, certificate["delta"], rel_tol=1e-9):
                yield Reason(
                    "release.delta_not_as_set",
                    f"{stage}: its delta is {told:g}, the certificate says {certificate['delta']:g}",
                )


def _records(folder: Path, certificate: Mapping) -> Iterator[Reason]:
    """The records against their number and against each other; the card against the figures."""
    import pyarrow.parquet as pq  # late: a stage's certificate needs none

    lines = [line for _, line in jsonl.read(folder / "records.jsonl")]
    rows = pq.read_table(folder / "records.parquet").to_pylist()
    if len(lines) != certificate["records"]:
        yield Reason(
            "release.number_of_records",
            f"records: {certificate['records']} are stated, records.jsonl holds {len(lines)}",
        )
    if [{"labels": {}} | row for row in rows] != lines:
        yield Reason("release.records_differ", "records.parquet does not hold the records of records.jsonl")
    if guarantee(certificate) not in (folder / "README.md").read_text("utf-8"):
        yield Reason("release.card_differs", "README.md does not state the certificate's guarantee")
