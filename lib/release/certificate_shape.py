"""What every value of a certificate must look like, and which settings each stage must spell out."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import get_args

from lib.audit.verdict import Verdict
from lib.common import shape
from lib.common.errors import Reason
from lib.privacy.composition import BOTH, Covers
from lib.privacy.neighbours import NEIGHBOURS, NO_UNIT
from lib.privacy.statement_shape import CLAIMS, EVENT, LEDGER, MAX_EPSILON, of_unit
from lib.release import settings
from lib.release.certificate import COUNTED, FORMER, LABELLED, NEW_KEYS, NOT_COUNTED, PUBLIC
from lib.release.kinds import KINDS

MOST_RECORDS = 1_000_000
MOST_EVENTS = MOST_STAGES = 16  # of an arm; Doppel's have three events and three stages, a hybrid those of all its arms
MOST_CHARGES, MOST_MECHANISMS = 1_000_000, 32  # of a corpus; equal mechanisms are one
_LABEL = r"[\w ./:'-]{1,200}"

_FIGURES = {  # settings that events are computed from; all others are any harmless value
    "unit": shape.one_of("record", "user"),
    "delta": shape.optional(shape.number(above=0, most=1)),
    "label_histogram_scale": shape.optional(shape.number(above=0)),
    "label_domain": shape.entries(shape.LINES, shape.data(depth=1), 1000),
    "topics": shape.optional(shape.integer(2)),
    "topic_texts": shape.optional(shape.text(r"public:[\w./:-]{1,200}")),
    "target_epsilon": CLAIMS["target_epsilon"],
    "steps": shape.integer(1),
    "iterations": shape.integer(1),
    "votes": shape.integer(1),
    "reserve": shape.number(least=0, most=0.9),
    "inputs": shape.entries(shape.NAME, shape.text(shape.NAME), MOST_STAGES),
    "expected_batch": shape.number(above=0),
    "max_grad_norm": shape.number(above=0),
    "warm_steps": shape.integer(0),
    "warm_source": shape.optional(shape.text(r"public:[\w./:-]{1,200}")),
    "temperature": shape.number(least=0),
    "detectors": shape.items(shape.text(r"\w{1,40}"), 20),
    "classes": shape.items(shape.text(r"\w{1,40}"), 100),
    "mode": shape.text(r"\w{1,40}"),
}
_ROW = shape.fields(
    **dict.fromkeys(("group", "task", "metric"), shape.text(_LABEL)),
    encoder=shape.optional(shape.text(_LABEL)),
    value=shape.number(),
    value_low=shape.optional(shape.number()),
    value_high=shape.optional(shape.number()),
    direction=shape.one_of("higher", "lower", "match"),
    real_text=shape.one_of(False),
)
_CODE = shape.fields(
    commit=shape.optional(shape.text(shape.COMMIT)),
    dirty=shape.one_of(True, False, None),
    notebook=shape.text(shape.HASH),
    modules=shape.entries(r"lib(\.\w+)*", shape.text(shape.HASH), 1000),
    parameters=shape.text(shape.HASH),
    privacy=shape.text(shape.HASH),
    settings=shape.entries(r"\w+", shape.data(), 100),
)
_RELEASE = {
    "run": shape.text(shape.NAME),
    "finished": shape.text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"),
    "records": shape.integer(1, MOST_RECORDS),
    "audit": shape.fields(
        attacked=shape.one_of(True, False),
        ceiling=shape.optional(shape.number(least=0)),
        because=shape.optional(shape.text(shape.SENTENCE)),
    ),
    "decisions": shape.items(
        shape.fields(what=shape.text(shape.SENTENCE), counted=shape.one_of(PUBLIC, COUNTED, NOT_COUNTED)), 30
    ),
    "guarantee": shape.fields(
        covers=shape.one_of(*get_args(Covers)),
        epsilon=shape.number(least=0, most=MAX_EPSILON),
        epsilon_replacing=shape.number(least=0, most=MAX_EPSILON),
        unit=shape.one_of(*NEIGHBOURS, BOTH, NO_UNIT),
        charges=shape.integer(0, MOST_CHARGES),
        mechanisms=shape.items(shape.data(depth=1, most=10), MOST_MECHANISMS),
    ),
    "ancestors": shape.entries(shape.NAME, shape.text(shape.HASH), MOST_STAGES),
    "code": shape.entries(shape.NAME, _CODE, MOST_STAGES + 1),
    "packages": shape.entries(r"[\w-]{1,50}", shape.text(r"[\w.+ -]{1,200}"), 50),
    "card": shape.fields(
        licence=shape.optional(shape.text(r"[\w.+-]{1,50}")),
        language=shape.optional(shape.text(r"[A-Za-z-]{1,20}")),
        metrics=shape.items(_ROW, 1000),
    ),
    "files": shape.entries(
        "|".join({LABELLED, *chain.from_iterable(kind.files for kind in KINDS)}),
        shape.fields(bytes=shape.integer(0), sha256=shape.text(shape.HASH)),
        4,
    ),
    "sha256": shape.text(shape.HASH),
}


_FORMER_RELEASE = {key: fits for key, fits in _RELEASE.items() if key not in NEW_KEYS} | {
    "audit": shape.fields(
        verdict=shape.optional(shape.one_of(*(str(verdict) for verdict in Verdict))),
        ceiling=shape.optional(shape.number(least=0)),
        because=shape.optional(shape.text(shape.SENTENCE)),
    ),
    "gate": shape.items(shape.text(shape.SENTENCE), 30),
}


def malformed(certificate: Mapping) -> list[Reason]:
    """The values of a certificate that no certificate of Doppel has.

    Args:
        certificate: with the keys that its format has.

    Returns:
        A reason for each such value, empty when the certificate can be read on; none of them quotes a value.
    """
    return [Reason("release.malformed", sentence) for sentence in _faults(certificate)]


def _faults(certificate: Mapping) -> Iterator[str]:
    former = certificate["format"] == FORMER
    for key, fits in {**LEDGER, **CLAIMS, **(_FORMER_RELEASE if former else _RELEASE)}.items():
        if key == "events":
            yield from _events(certificate[key])
        else:
            yield from fits(certificate[key], key)
    yield from of_unit(certificate)
    if isinstance(certificate["code"], Mapping):
        yield from _settings(certificate)
    try:
        datetime.fromisoformat(certificate["finished"])
    except (TypeError, ValueError):
        yield "finished: must be a time"
    audit = certificate["audit"]
    if not isinstance(audit, Mapping):
        return  # reported above
    if former and (audit.get("verdict") is None) == (audit.get("because") is None):
        yield "audit: must have either a verdict or a reason why there is none"
    if not former and audit.get("because") is None and (not audit.get("attacked") or audit.get("ceiling") is None):
        yield "audit: must have a ceiling, or a reason why none counts"


def _events(events: object) -> Iterator[str]:
    """Events are those of a ledger, each with a description of its sampler."""
    bare = events
    if isinstance(events, list):
        bare = [dict(event) if isinstance(event, dict) else event for event in events]
        for i, event in enumerate(bare):
            if isinstance(event, dict):
                yield from shape.text(shape.SENTENCE)(event.pop("sampler", None), f"events[{i}].sampler")
    yield from shape.items(EVENT, MOST_EVENTS)(bare, "events")


def _settings(certificate: Mapping) -> Iterator[str]:
    """Each stage spells out the settings of its notebook, no more and no less; figures can be computed with."""
    for stage, code in certificate["code"].items():
        given, wanted = code.get("settings") if isinstance(code, Mapping) else None, settings.of_stage(stage)
        if not isinstance(given, Mapping) or wanted is None:
            continue  # either is reported by others
        more = settings.ALL if certificate["format"] == FORMER else ()  # which spelled out those of all notebooks
        least = set(wanted) - (settings.NEW if certificate["format"] == FORMER else set())
        if not least <= given.keys() <= {*wanted, *more}:
            yield f"code.{stage}.settings: must be {', '.join(wanted)}"
        if given.get("topics") is not None and given.get("label_histogram_scale") is None:
            yield f"code.{stage}.settings: topics must be counted with noise"
        for name in given.keys() & _FIGURES.keys():
            yield from _FIGURES[name](given[name], f"code.{stage}.settings.{name}")
