"""What does not follow in a statement of privacy: epsilon recomputed from its events, and what its ancestors hold."""

import math
from collections.abc import Mapping
from pathlib import Path

from lib.common.files import read_json, sha256
from lib.privacy.accounting import ACCOUNTANT, MIN_NOISE_MULTIPLIER, DiscreteGaussian, Gaussian, Mechanism
from lib.privacy.ledger import NEIGHBOURS, Ledger, from_statement, not_for_release

SAME_LIBRARY, OTHER_LIBRARY = 1e-9, 1e-2  # relative difference of epsilon that is allowed; of another one, upwards


def problems(statement: Mapping) -> list[str]:
    """What in a statement does not follow from its own events; empty when all of it does."""
    ledger = from_statement(statement)
    found = []
    if statement["neighbours"] != NEIGHBOURS[ledger.unit]:
        found.append(f"neighbours: {statement['neighbours']!r} is not what unit {ledger.unit!r} means")
    found += [
        f"{event.stage}: Poisson sampling is claimed, but its batches were not checked"
        for event in ledger.events
        if isinstance(event.mechanism, Gaussian) and event.mechanism.sampling_probability < 1 and not event.checked
    ]
    if statement["not_for_release"] != not_for_release(ledger.events):
        found.append("not_for_release does not follow from the events")
    if statement["accountant"]["method"] != ACCOUNTANT["method"]:
        found.append(f"accountant: {statement['accountant']['method']!r} is not recomputed here")
    if impossible := [event.stage for event in ledger.events if not _possible(event.mechanism)]:
        return [*found, f"{', '.join(impossible)}: no mechanism has these figures, so epsilon is not recomputed"]
    return found + _wrong_epsilon(statement, ledger)


def _possible(mechanism: Mechanism) -> bool:
    """Whether Doppel could have run a mechanism of these figures; others might keep the accountant busy for ever."""
    match mechanism:
        case Gaussian(noise, probability, count):
            return MIN_NOISE_MULTIPLIER <= noise < math.inf and 0 < probability <= 1 and _count(count)
        case DiscreteGaussian(scale, sensitivity, count):
            return MIN_NOISE_MULTIPLIER <= scale < math.inf and _count(sensitivity) and _count(count)
    return True  # not private: no figures


def _count(value: object) -> bool:
    return type(value) is int and 1 <= value <= 10**7


def _wrong_epsilon(statement: Mapping, ledger: Ledger) -> list[str]:
    spent, stated, target = ledger.epsilon, statement["epsilon"], statement["target_epsilon"]
    if stated is None:
        return [] if math.isinf(spent) else [f"epsilon: none is stated, the events compose to {spent:.6f}"]
    above = SAME_LIBRARY if statement["accountant"] == ACCOUNTANT else OTHER_LIBRARY  # less is never stated
    found = []
    if not spent * (1 - SAME_LIBRARY) - 1e-12 <= stated <= spent * (1 + above) + 1e-12:
        found.append(f"epsilon: {stated:.6f} is stated, the events compose to {spent:.6f}")
    if target is not None and not spent <= target:
        found.append(f"epsilon: {spent:.6f} is over the target {target:g}")
    return found


def wrong_ancestors(folder: Path, statement: Mapping) -> list[str]:
    """What a stage's statement misses of the stages beside it: one that it read and does not name, one whose
    privacy.json is no longer the one that was composed, an event of one that was left out."""
    done = folder / "done.json"
    read = read_json(done)["made_from"]["inputs"] if done.is_file() else ()
    unnamed = [stage for stage in read if stage not in statement["ancestors"]]
    found = [f"{stage}: was read, and is not among the ancestors" for stage in unnamed]
    for stage, digest in statement["ancestors"].items():
        path = folder.parent / stage / "privacy.json"
        if not path.is_file():
            continue
        if sha256(path) != digest:
            found.append(f"{stage}: its privacy.json has changed since")
        elif any(event not in statement["events"] for event in read_json(path)["events"]):
            found.append(f"{stage}: an event of it is left out")
    return found
