"""What 01_scrub is made from: its parameters as a scrubber, and a detector that may have learned from somebody."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from lib.common.errors import DoppelError
from lib.common.files import sha256
from lib.pii.classes import TABLE, named
from lib.pii.detectors import registry
from lib.pii.locales import FOLDER, locale_named
from lib.pii.scrub import Scrubber, chosen
from lib.pii.values import Values
from lib.privacy import ledger as ledgers
from lib.privacy.disclosure import public_detectors
from lib.privacy.ledger import Ledger
from lib.stage.notebook_roles import CORPUS, Parameters, check_input, check_inputs
from lib.stage.original import parameters as parameters_of

TABLES = (TABLE, *(FOLDER / name for name in ("locales.csv", "places.csv", "words.yml")))  # that scrubbing reads
SENTENCE = "Please note {what}: {value}, as I wrote before."


def check(parameters: Parameters) -> None:
    """Refuse what cannot be scrubbed, before anything runs.

    Args:
        parameters: of 01_scrub, resolved.

    Raises:
        DoppelError: the corpus is none of 00_process_data; a detector, class, locale or date is not known; a detector
            of another language, or gliner without its model; a trained one without its stage, or the other way round.
    """
    check_inputs(parameters, "corpus", "detector")
    check_input("corpus", parameters["inputs"]["corpus"], [CORPUS], "corpus")
    for name in parameters["detectors"]:
        if name != registry.TRAINED:  # which may not be there yet
            registry.load(name, parameters["locale"], gliner=parameters["gliner"])
    chosen(parameters["classes"])
    locale_named(parameters["locale"])
    _day(parameters["reference_date"])
    trained = registry.TRAINED in parameters["detectors"]
    if trained != ("detector" in parameters["inputs"]):
        raise DoppelError(
            "pii.detector_not_given",
            "the detector 'trained' and an input named detector come together",
            name="detectors",
            value=parameters["detectors"],
            remedy="write detectors: [..., trained] with inputs: {..., detector: STAGE}, or neither",
        )


def scrubber(folder: Path) -> Scrubber:
    """The scrubber of a stage, the same whenever it is asked for.

    Args:
        folder: of a stage of 01_scrub, begun or finished; its inputs stand beside it.

    Raises:
        DoppelError: a detector cannot be loaded.
    """
    given = parameters_of(folder)
    trained = given["inputs"].get("detector")
    made_from = {"gliner": given["gliner"], "folder": folder.parent / trained / "detector" if trained else None}
    return Scrubber(
        [registry.load(name, given["locale"], **made_from) for name in given["detectors"]],
        take=chosen(given["classes"]),
        mode=given["mode"],
        locale=given["locale"],
        reference=_day(given["reference_date"]),
        ranges=given["ranges"],
        seed=given["seed"],
    )


def declare(ledger: Ledger, detectors: Sequence[str], trained: Path | None) -> None:
    """State in the ledger of a scrubbed corpus that its detectors are public, and refuse one that is not.

    A detector that a private record has touched is a function of all records, so scrubbing by it would let one record
    change the others: the train sets of neighbours would no longer differ by one unit. Behind an arm with a guarantee
    that could be paid for: given the detector, scrubbing looks at each record alone, so by adaptive composition the
    arm's events and those of what learns from the scrubbed records would add up. It is refused all the same: each arm
    behind would pay for the detector before it learned anything, and where the detector's records are those of another
    corpus, the ledger of this one has no unit to count them by. A detector from texts without private records costs
    nothing.

    Args:
        ledger: of the scrubbed corpus, with the events of the original one alone; gets a public fact, and the ancestry
            of the detector.
        detectors: names of all that are used.
        trained: folder of the stage that trained one; None: there is none.

    Raises:
        DoppelError: the ledger of that stage has an event that the corpus' has not; or it was made from another run of
            a stage that the corpus was made from.
    """
    ledger.public.append(public_detectors(detectors, trained.name if trained else None))
    if trained is None:
        return
    own = ledgers.read(trained)
    for event in own.events:
        if event not in ledger.events:
            raise DoppelError(
                "pii.detector_saw_records",
                f"inputs: detector: {trained.name} was made from private records ({event.stage}: {event.what})",
                name="detector",
                value=trained.name,
                remedy="train it on texts that no private record has touched: 40_pii_text with writer: grammar or "
                "model, and no reference of your own",
                where=trained.name,
            )
    ancestors = own.ancestors | {trained.name: sha256(trained / "privacy.json")}
    for stage in ancestors.keys() & ledger.ancestors.keys():
        if ancestors[stage] != ledger.ancestors[stage]:
            raise DoppelError(
                "pii.detector_of_another_run",
                f"inputs: detector: {trained.name} was made from another {stage} than the corpus",
                name="detector",
                value=trained.name,
                remedy="run the chain again",
                where=trained.name,
            )
    ledger.ancestors |= ancestors


def found_of_made_up(by: Scrubber, *, locale: str, reference: str, count: int) -> dict[str, int]:
    """How many made-up values of each class a scrubber takes out of a plain sentence. Nothing private is looked at.

    A value counts where nothing of it is left, whatever class it was taken for. Real texts are messier, and name things
    in other ways.

    Args:
        by: the scrubber.
        locale: of the values.
        reference: day on which they are taken to be written, ``2026-01-31``.
        count: of values of each class, at least 1.

    Returns:
        A number from 0 to ``count`` for each class that the scrubber takes out.
    """
    found: Counter[str] = Counter()
    for name in sorted(by.take):
        what = re.split(r" \(|:", named(name).description)[0]
        for number in range(count):
            value = Values(number, locale, _day(reference)).value(name, 1)
            text = SENTENCE.format(what=what, value=value)
            found[name] += value not in by.scrub(text, text).text
    return dict(found)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise DoppelError(
            "pii.no_date",
            f"reference_date = {written!r} is no day",
            name="reference_date",
            value=written,
            remedy="write it as 2026-01-31",
        ) from None
