"""certificate.json of a release pack: what was spent, by what code, and the hash of every file in the pack.

It is written in one canonical form, and its last key is the hash of all the others. A hash shows that nothing was
changed since. It does not show who made the pack, for whoever changes a pack can compute new hashes. So everything that
follows from other parts of the pack is recomputed as well: epsilon from the events, the sampler from the mechanism, the
events from the settings (and that no event is missing which they ask for), and the card's guarantee from the figures.
A pack that was invented from end to end cannot be recognised without the private data; for that, compare the
certificate's own hash with one from somebody who vouches for the pack.
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
from lib.methods.registry import ARMS, of_stages, spending
from lib.privacy import label_histogram
from lib.privacy.accounting import Mechanism, NonPrivate, default_delta
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
    return (
        f"epsilon {rounded_up(certificate['epsilon'], 6)}, delta {rounded_up(certificate['delta'], 3)}; "
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
    if not path.is_file():
        raise DoppelError(
            "release.no_certificate",
            "no such file",
            name=NAME,
            remedy="name the folder of a release pack",
            where=str(path),
        )
    written = path.read_bytes()
    try:
        certificate = json.loads(written)
        canonical = isinstance(certificate, dict) and text(certificate).encode() == written
    except (ValueError, RecursionError):
        raise DoppelError("release.certificate_not_json", f"{NAME} is not JSON", name=NAME) from None
    if not canonical:
        sentence = f"{NAME} is not in its canonical form, so it was changed"
        raise DoppelError("release.certificate_not_canonical", sentence, name=NAME)
    if wrong := sorted(certificate.keys() ^ set(KEYS)):
        raise DoppelError(
            "release.certificate_keys",
            f"{NAME}: a certificate has the keys {', '.join(KEYS)}; missing or unknown: {', '.join(wrong)}",
            name=NAME,
            value=wrong,
        )
    if certificate["format"] != FORMAT:
        raise DoppelError(
            "release.other_format",
            f"format: {certificate['format']!r}, this Doppel reads {FORMAT!r}",
            name="format",
            value=certificate["format"],
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
    present = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    }
    listed = certificate["files"]
    for name in sorted(set(FILES) - present):
        yield Reason("release.file_missing", f"{name}: is missing")
    for name in sorted(set(FILES) ^ set(listed)):
        yield Reason("release.file_not_listed", f"{name}: is not listed")
    for name in sorted(present - {*FILES, NAME}):
        yield Reason("release.file_too_many", f"{name}: does not belong here")
    for name in sorted(present & set(listed)):
        path = folder / name
        if listed[name] != {"bytes": path.stat().st_size, "sha256": sha256(path)}:
            yield Reason("release.file_changed", f"{name}: was changed: it has another hash")


def unfounded(folder: Path, certificate: Mapping) -> Iterator[Reason]:
    """Claims of a certificate that do not follow from the rest of its pack, even if all hashes fit.

    Args:
        folder: of the pack.
        certificate: read from it. Its epsilon is not recomputed here, but in `lib.privacy.statement_check`.

    Yields:
        a reason for each such claim.
    """
    if certificate["not_for_release"]:
        yield Reason("release.not_for_release", f"not for release: {'; '.join(certificate['not_for_release'])}")
    if certificate["epsilon"] is None:
        yield Reason("release.no_epsilon", "epsilon: none is stated, but a release has one")
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
    if current_name(notebook_of(certificate["stage"])) not in ARMS:
        yield Reason("release.no_arm", f"stage: {certificate['stage']} is no arm; arms are stages of {', '.join(ARMS)}")
    else:
        method, stage = of_stages(certificate["stage"], named)
        settings = certificate["code"].get(stage, {}).get("settings", {})
        if method.spends is None and settings.get(method.model) is None:
            sentence = f"{certificate['stage']}: no stage among the ancestors has its model, so one is left out"
            yield Reason("release.ancestor_left_out", sentence)
    if set(certificate["code"]) != named:
        yield Reason("release.code_of_others", "code: must name the stage and its ancestors, and nothing else")
    for stage, digest in certificate["ancestors"].items():
        if certificate["code"].get(stage, {}).get("privacy") != digest:
            sentence = f"{stage}: its privacy.json has another hash under code than under ancestors"
            yield Reason("release.two_hashes", sentence)
    for event in certificate["events"]:
        if event["stage"] not in named:
            yield Reason("release.event_of_another", f"events: {event['stage']} is not among the stages")


def _event(event: Mapping, certificate: Mapping) -> Iterator[Reason]:
    """Check an event against its own description of the sampler, and against the settings of its stage."""
    mechanism, stage = mechanism_of(event), event["stage"]
    if event.get("sampler") != mechanism.sampler:
        yield Reason("release.sampler", f"{stage}: the sampler that is described is not that of the mechanism")
    expected = _expected(stage, certificate, mechanism.noise)
    if expected is None:
        return  # `_left_out` reports an event that the settings do not ask for
    expected_figures, stated_figures = vars(expected), vars(mechanism)
    for name in sorted(expected_figures.keys() | stated_figures.keys()):
        wanted, stated = expected_figures.get(name), stated_figures.get(name)
        same = wanted == stated or (
            isinstance(wanted, float) and isinstance(stated, float) and math.isclose(wanted, stated, rel_tol=1e-9)
        )
        if not same:
            sentence = f"{stage}: its settings ask for {name} {wanted}, the event has {stated}"
            yield Reason("release.event_not_as_set", sentence)


def _expected(stage: str, certificate: Mapping, noise: float) -> Mechanism | None:
    """The mechanism that a stage's settings ask for, with this much noise; None where they ask for none."""
    settings = certificate["code"].get(stage, {}).get("settings", {})
    notebook = current_name(notebook_of(stage))
    if notebook == CORPUS:
        return label_histogram.mechanism(settings)
    method = spending(notebook)
    if method is None:
        return None
    if settings.get("target_epsilon") is None:
        return NonPrivate()
    return method.recipe(settings, certificate["units"], noise)


def _left_out(stage: str, certificate: Mapping) -> Iterator[Reason]:
    """Check that a stage has the event that its settings ask for: a release that is not counted would cost nothing."""
    notebook = current_name(notebook_of(stage))
    if notebook not in {CORPUS, *ARMS} and spending(notebook) is None:
        yield Reason(
            "release.unknown_notebook",
            f"{stage}: no method here has a notebook {notebook}, so its settings cannot be held against its events",
        )
        return
    counted = [mechanism_of(event) for event in certificate["events"] if event["stage"] == stage]
    expected = _expected(stage, certificate, counted[0].noise if counted else 1.0)
    if len(counted) != (expected is not None) or any(type(mechanism) is not type(expected) for mechanism in counted):
        asks = "no event" if expected is None else f"one event of kind {type(expected).__name__}"
        kinds = ", ".join(type(mechanism).__name__ for mechanism in counted) or "none"
        yield Reason("release.event_left_out", f"{stage}: its settings ask for {asks}, the certificate has {kinds}")
    target, stated = certificate["code"][stage].get("settings", {}).get("target_epsilon"), certificate["target_epsilon"]
    if spending(notebook) is not None and target != stated:
        sentence = f"{stage}: its setting target_epsilon is {target}, the certificate has {stated}"
        yield Reason("release.target_not_as_set", sentence)


def mechanism_of(event: Mapping) -> Mechanism:
    """The mechanism of an ``event`` as certificates hold it, with a description of the sampler.

    Raises:
        DoppelError: it cannot be read.
    """
    return Event.from_json({key: value for key, value in event.items() if key != "sampler"}).mechanism


def _corpus(certificate: Mapping) -> Iterator[Reason]:
    """Check unit and delta against the settings of the corpus stage."""
    for stage, code in certificate["code"].items():
        settings = code.get("settings", {})
        if settings.get("unit", certificate["unit"]) != certificate["unit"]:
            sentence = f"{stage}: its unit is {settings['unit']}, the certificate says {certificate['unit']}"
            yield Reason("release.unit_not_as_set", sentence)
        if "delta" in settings:
            delta = settings["delta"] if settings["delta"] is not None else default_delta(certificate["units"])
            if not math.isclose(delta, certificate["delta"], rel_tol=1e-9):
                sentence = f"{stage}: its delta is {delta:g}, the certificate says {certificate['delta']:g}"
                yield Reason("release.delta_not_as_set", sentence)


def _records(folder: Path, certificate: Mapping) -> Iterator[Reason]:
    """Check the records against their number, the two files against each other, and the card against the figures."""
    import pyarrow.parquet as pq  # late: verifying a stage does not need it

    lines = [line for _, line in jsonl.read(folder / "records.jsonl")]
    rows = pq.read_table(folder / "records.parquet").to_pylist()
    if len(lines) != certificate["records"]:
        sentence = f"records: {certificate['records']} are stated, records.jsonl holds {len(lines)}"
        yield Reason("release.number_of_records", sentence)
    if [{"labels": {}} | row for row in rows] != lines:
        yield Reason("release.records_differ", "records.parquet does not hold the records of records.jsonl")
    if guarantee(certificate) not in (folder / "README.md").read_text("utf-8"):
        yield Reason("release.card_differs", "README.md does not state the certificate's guarantee")
