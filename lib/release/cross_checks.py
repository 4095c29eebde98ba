"""Whether the parts of a pack follow from each other, though all hashes fit."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lib.common.errors import Reason
from lib.methods.method import usable_target
from lib.methods.registry import ARMS, may_lack_corpus, spending
from lib.privacy import copy_count
from lib.privacy.accounting import (
    ACCOUNTANT,
    SEARCH_DISCRETIZATION,
    Mechanism,
    default_delta,
    epsilon,
)
from lib.privacy.ledger import ALWAYS_PUBLIC, NO_UNIT, from_statement
from lib.privacy.mechanism import MIN_NOISE_MULTIPLIER
from lib.privacy.neighbours import neighbours
from lib.privacy.statement_check import not_recomputed
from lib.release import card, contents, guarantee_check, kinds, lineage
from lib.release.certificate import FORMAT, guarantee, ledger_part, mechanism_of, rounded_up
from lib.stage.notebook_roles import DETECTOR, READERS, SCRUB, current_name, notebook_of

SAME_NOISE, OTHER_NOISE = 1e-4, 3e-2  # how much more noise than calibration gives passes; with another accountant's
_CODE = re.compile("`[^`]*`")
_EPSILON = re.compile(r"(?:epsilon (?:of )?|factor of e\^)([0-9][0-9.e+-]*)")


def unfounded(certificate: Mapping) -> Iterator[Reason]:
    """Claims of a certificate that do not follow from its other parts, even if all hashes fit.

    Args:
        certificate: of a pack, whose values make sense. Its epsilon is recomputed in `lib.privacy.statement_check`.

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
    yield from _noise(certificate)
    for stage in certificate["code"]:
        yield from _left_out(stage, certificate)
    yield from _corpus(certificate)
    if "guarantee" in certificate:  # the former format states the arm's own alone
        yield from guarantee_check.wrong(certificate)


def _stages(certificate: Mapping) -> Iterator[Reason]:
    named = {certificate["stage"], *certificate["ancestors"]}
    has_corpus = any(current_name(notebook_of(stage)) in READERS for stage in named)
    if has_corpus == (certificate["unit"] == NO_UNIT):
        sentence = (
            "a corpus is among the stages, and no unit is named" if has_corpus else "a unit is named, and no corpus"
        )
        yield Reason("release.corpus_without_unit", f"unit: {sentence}")
    if certificate["neighbours"] != neighbours(certificate["unit"], kinds.of_stage(certificate["stage"]).many):
        sentence = "neighbours: what they differ by is no part of a corpus that this arm is made from"
        yield Reason("release.neighbours_of_others", sentence)
    if current_name(notebook_of(certificate["stage"])) not in ARMS:
        yield Reason("release.no_arm", f"stage: {certificate['stage']} is no arm; arms are stages of {', '.join(ARMS)}")
    yield from lineage.wrong(certificate)
    yield from lineage.warm_starts(certificate)
    yield from lineage.public_sources(certificate)
    yield from lineage.scrubbed(certificate)
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
    if event["what"] == copy_count.WHAT:
        expected = lineage.expected_count(stage, certificate)
    else:
        expected = lineage.expected(stage, certificate, mechanism.noise)
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


def _left_out(stage: str, certificate: Mapping) -> Iterator[Reason]:
    """Check that a stage has the event that its settings ask for: a release that is not counted would cost nothing."""
    notebook = current_name(notebook_of(stage))
    if notebook not in {*READERS, SCRUB, DETECTOR, *ARMS} and spending(notebook) is None:
        yield Reason(
            "release.unknown_notebook",
            f"{stage}: no method here has a notebook {notebook}, so its settings cannot be held against its events",
        )
        return
    own = [event for event in certificate["events"] if event["stage"] == stage]
    counted = [mechanism_of(event) for event in own if event["what"] != copy_count.WHAT]
    counts = [mechanism_of(event) for event in own if event["what"] == copy_count.WHAT]
    drawn = lineage.expected(stage, certificate, counted[0].noise if counted else 1.0)
    for of_kind, expected in ((counted, drawn), (counts, lineage.expected_count(stage, certificate))):
        if len(of_kind) != (expected is not None) or any(type(one) is not type(expected) for one in of_kind):
            asks = "no event" if expected is None else f"one event of kind {type(expected).__name__}"
            kinds = ", ".join(type(mechanism).__name__ for mechanism in of_kind) or "none"
            yield Reason("release.event_left_out", f"{stage}: its settings ask for {asks}, the certificate has {kinds}")
    target, stated = lineage.settings_of(stage, certificate).get("target_epsilon"), certificate["target_epsilon"]
    if stage == lineage.spends(certificate["stage"], certificate) and target != stated:
        sentence = f"{stage}: its setting target_epsilon is {target}, the certificate has {stated}"
        yield Reason("release.target_not_as_set", sentence)


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


def _noise(certificate: Mapping) -> Iterator[Reason]:
    """Check that each stage drew the noise that its target asks for: the least that keeps its arm within it."""
    if not_recomputed(from_statement(ledger_part(certificate)).events):
        return
    less = SAME_NOISE if certificate["accountant"] == ACCOUNTANT else OTHER_NOISE
    for stage in certificate["code"]:
        settings, own = lineage.settings_of(stage, certificate), _drawn(stage, certificate)
        if spending(current_name(notebook_of(stage))) is None or own is None or own.unbounded:
            continue
        if settings.get("target_epsilon") is None or own.noise <= 2 * MIN_NOISE_MULTIPLIER:
            continue  # it is reported that it asks for no noise; and calibration does not search below
        behind = lineage.made_from(stage, certificate)[1:]
        before = [mechanism_of(event) for event in certificate["events"] if event["stage"] in behind]
        count = copy_count.mechanism(settings, certificate["delta"])
        with_less = lineage.expected(stage, certificate, own.noise * (1 - less))
        mechanisms = [with_less, *before, *([] if count is None else [count])]
        least = epsilon(mechanisms, delta=certificate["delta"], discretization=SEARCH_DISCRETIZATION)
        if least <= (usable := usable_target(settings)):
            sentence = f"{stage}: a noise of {own.noise:g} is stated, but the target {usable:g} asks for less"
            yield Reason("release.noise_not_calibrated", sentence)


def _drawn(stage: str, certificate: Mapping) -> Mechanism | None:
    """What a stage drew beside its count of copied units."""
    own = (event for event in certificate["events"] if event["stage"] == stage)
    return next((mechanism_of(event) for event in own if event["what"] != copy_count.WHAT), None)


def in_files(folder: Path, certificate: Mapping) -> Iterator[Reason]:
    """What the files of a pack hold besides what its certificate says.

    Args:
        folder: of the pack; all of its files are regular ones of a bounded size.
        certificate: of the pack, whose values make sense.

    Yields:
        a reason where the records are not those that are stated, and where the card says something else than the
        certificate and the records.
    """
    found, wrong = contents.read(folder, certificate)
    yield from wrong
    yield from _card((folder / "README.md").read_bytes(), certificate, found)


def missing_events(statement: Mapping) -> Iterator[Reason]:
    """What a stage's statement must hold whatever its settings were, which are not part of it.

    Args:
        statement: of a stage, whose values make sense.

    Yields:
        a reason for each stage that draws noise and has no event, for a stage without a corpus, and for an event of a
        stage that is not named.
    """
    named = {statement["stage"], *statement["ancestors"]}
    with_event = {event["stage"] for event in statement["events"]}
    for stage in sorted(named - with_event):
        if spending(notebook_of(stage)) is not None:
            yield Reason("release.event_left_out", f"{stage}: it reads private records, and no event says so")
    has_corpus = any(current_name(notebook_of(stage)) in READERS for stage in named)
    if not has_corpus and (statement["unit"] != NO_UNIT or not all(map(may_lack_corpus, named))):
        yield Reason("release.no_corpus_named", f"{statement['stage']}: its corpus is not among the ancestors")
    if has_corpus and statement["unit"] == NO_UNIT:
        yield Reason("release.corpus_without_unit", f"{statement['stage']}: has a corpus, and says that it has no unit")
    for stage in sorted(with_event - named):
        yield Reason("release.event_of_another", f"events: {stage} is not among the stages")


def _card(written: bytes, certificate: Mapping, records: Sequence[Any]) -> Iterator[Reason]:
    """Check that the card is the one that Doppel writes; of the former format, whose words were others, its figures."""
    if certificate["epsilon"] is None:
        return  # reported by others, and no card can say it
    if certificate["format"] == FORMAT:
        if not records or written != card.write(certificate, records).encode():
            sentence = "README.md is not the card that follows from the certificate and the records"
            yield Reason("release.card_differs", sentence)
        return
    own = [line for line in written.decode("utf-8").splitlines() if not line.startswith("> ")]  # without quoted records
    stated = f"**{guarantee(certificate)}.**"
    if [line for line in own if line.startswith("**epsilon")] != [stated]:
        yield Reason("release.card_differs", "README.md does not state the certificate's guarantee")
    plain = _CODE.sub("", "\n".join(own).partition("\n---\n")[2])
    if "<" in plain or "](" in plain or "]:" in plain:
        yield Reason("release.card_markup", "README.md holds markup, which could hide what it says")
    allowed = {rounded_up(certificate["epsilon"], digits) for digits in (3, 6)}
    if ideal := certificate["audit"]["ceiling"]:
        allowed.add(f"{ideal:.2f}")
    if not {figure.rstrip(".") for figure in _EPSILON.findall("\n".join(own))} <= allowed:
        yield Reason("release.card_differs", "README.md names an epsilon that is not the certificate's")
