"""Which stages of a certificate were made from which, and what the settings of each ask for."""

from collections.abc import Iterator, Mapping
from itertools import product

from lib.common.errors import Reason
from lib.data.sources import SOURCES
from lib.methods.prompting.method import LEARNED
from lib.methods.registry import ARMS, of_stages, spending
from lib.privacy import copy_count, label_histogram
from lib.privacy.accounting import Mechanism, NonPrivate
from lib.privacy.disclosure import PUBLIC, USED, declared_public, public_detectors
from lib.release.certificate import FORMAT
from lib.release.settings import MODES
from lib.stage.notebook_roles import READERS, current_name, notebook_of


def settings_of(stage: str, certificate: Mapping) -> Mapping:
    """The settings that a certificate spells out of a stage; none where it does not name the stage."""
    return certificate["code"].get(stage, {}).get("settings", {})


def made_from(stage: str, certificate: Mapping) -> list[str]:
    """A stage and all that it was made from, by the inputs in their settings, itself first.

    Args:
        stage: its id.
        certificate: whose values make sense. The former format had no inputs, and three stages at most: all of them.
    """
    if certificate["format"] != FORMAT:
        return [stage, *(other for other in (certificate["stage"], *certificate["ancestors"]) if other != stage)]
    found = [stage]
    for one in found:  # it grows
        found += [up for up in settings_of(one, certificate).get("inputs", {}).values() if up not in found]
    return found


def wrong(certificate: Mapping) -> Iterator[Reason]:
    """Inputs that are not named as ancestors, ancestors that nothing was made from, and inputs that are left out.

    Args:
        certificate: whose values make sense.
    """
    named = {certificate["stage"], *certificate["ancestors"]}
    reached = set(made_from(certificate["stage"], certificate))
    for stage in sorted(reached - named):
        yield Reason("release.ancestor_left_out", f"{stage}: is an input, and is not among the ancestors")
    for stage in sorted(named - reached):
        yield Reason("release.ancestor_of_nothing", f"{stage}: is among the ancestors, and nothing was made from it")
    for arm in sorted(filter(_is_arm, named)):
        yield from _left_out(arm, certificate)


def _left_out(arm: str, certificate: Mapping) -> Iterator[Reason]:
    """What an arm, be it the certificate's own or one behind it, cannot have been made without and does not name."""
    method, drew = of_stages(arm, made_from(arm, certificate))
    settings = settings_of(drew, certificate)
    inputs = settings.get("inputs", {})
    if method.spends is None and settings.get(method.model) is None:
        sentence = f"{arm}: no stage that it was made from has its model, so one is left out"
        yield Reason("release.ancestor_left_out", sentence)
    if method.needs_corpus and certificate["format"] == FORMAT and not _has_corpus(arm, certificate):
        yield Reason("release.ancestor_left_out", f"{arm}: names no corpus that it was made from, so one is left out")
    passing = method.only_passes_on or settings.get(method.model) in method.passes_on
    if passing and not any(name in inputs for name in method.passes_on):
        yield Reason("release.ancestor_left_out", f"{arm}: names no arm whose texts it passes on, so one is left out")
    if method.selects and (certificate["format"] != FORMAT or not any(map(_is_arm, inputs.values()))):
        sentence = f"{arm}: names no arm whose texts were its candidates, so one is left out"
        yield Reason("release.ancestor_left_out", sentence)


def _has_corpus(arm: str, certificate: Mapping) -> bool:
    return any(current_name(notebook_of(stage)) in READERS for stage in made_from(arm, certificate))


def _is_arm(stage: str) -> bool:
    return current_name(notebook_of(stage)) in ARMS


def warm_starts(certificate: Mapping) -> Iterator[Reason]:
    """Trainings that learned first from texts of which the certificate does not say why they cost no epsilon.

    Args:
        certificate: whose values make sense.
    """
    for stage in certificate["code"]:
        settings = settings_of(stage, certificate)
        source, warm = settings.get("warm_source"), settings.get("inputs", {}).get("warm")
        if (source is not None) + (warm is not None) != bool(settings.get("warm_steps")):
            sentence = f"{stage}: a warm start has steps, and texts either of an input or of a source"
            yield Reason("release.warm_start_left_out", sentence)
        elif warm is not None:
            arm = settings_of(warm, certificate)
            if arm.get("base_model") is None or {*LEARNED} & {*arm.get("inputs", {})}:
                sentence = f"{stage}: {warm}, the arm of its warm start, did not write from labels alone"
                yield Reason("release.warm_start_left_out", sentence)


def public_sources(certificate: Mapping) -> Iterator[Reason]:
    """Sources that are said to be public although they are the corpus, or without the ledger saying so.

    Args:
        certificate: whose values make sense.
    """
    sources = [settings_of(stage, certificate).get("source") for stage in certificate["code"]]
    for stage, name in product(certificate["code"], USED):
        source = settings_of(stage, certificate).get(name)
        if source is None:
            continue
        if declared_public(name, source) not in certificate["public"]:
            sentence = f"{stage}: that the texts of its {name} are public must be among the public facts"
            yield Reason("release.not_public", sentence)
        kind = source.removeprefix(PUBLIC)
        entry = SOURCES.get(kind)
        known = () if entry is None or entry.takes_path else (kind, *entry.same_texts)
        if any(own in known for own in sources):
            sentence = f"{stage}: its {name} is the corpus itself, whose texts are what is protected"
            yield Reason("release.public_source_is_corpus", sentence)


def scrubbed(certificate: Mapping) -> Iterator[Reason]:
    """Stages that scrubbed records by detectors of which the certificate does not say that nothing private made them.

    Args:
        certificate: whose values make sense.
    """
    for stage in certificate["code"]:
        settings = settings_of(stage, certificate)
        if "detectors" not in settings:
            continue
        detector, listed = settings.get("inputs", {}).get("detector"), settings["detectors"]
        if public_detectors(listed, detector) not in certificate["public"]:
            sentence = f"{stage}: that its detectors of personal data are public must be among the public facts"
            yield Reason("release.not_public", sentence)
        if settings["mode"] not in MODES:
            yield Reason("release.scrub_mode", f"{stage}: nothing is called so that could stand for personal data")
        if ("trained" in listed) != (detector is not None):
            sentence = f"{stage}: a trained detector has a stage that trained it, and the other way round"
            yield Reason("release.detector_left_out", sentence)


def spends(arm: str, certificate: Mapping) -> str | None:
    """The id of the stage that drew an arm's noise; None for a stage that is no arm.

    Args:
        arm: id of the stage.
        certificate: whose values make sense.
    """
    if not _is_arm(arm):
        return None
    return of_stages(arm, made_from(arm, certificate))[1]


def expected(stage: str, certificate: Mapping, noise: float) -> Mechanism | None:
    """The mechanism that a stage's settings ask for, with this much noise; None where they ask for none.

    Args:
        stage: its id.
        certificate: whose values make sense.
        noise: sigma over what one unit can change, above 0.
    """
    settings, notebook = settings_of(stage, certificate), current_name(notebook_of(stage))
    if notebook in READERS:
        return label_histogram.mechanism(settings)
    method = spending(notebook)
    if method is None:
        return None
    if settings.get("target_epsilon") is None:
        return NonPrivate()
    return method.recipe(settings, certificate["units"], noise)


def expected_count(stage: str, certificate: Mapping) -> Mechanism | None:
    """The count of copied units that an arm must have drawn, by the settings of the stage that drew its noise.

    Args:
        stage: its id; one that is no arm draws none.
        certificate: whose values make sense. In the former format only its own arm counts.
    """
    if certificate["format"] != FORMAT and stage != certificate["stage"]:
        return None
    drew = spends(stage, certificate)
    return None if drew is None else copy_count.mechanism(settings_of(drew, certificate), certificate["delta"])
