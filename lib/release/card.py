"""README.md of a pack: its dataset card, in the Hugging Face convention, for a reader who does not know Doppel.

It holds the certificate's figures, statistics of the synthetic records, and metrics that no real record entered.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from lib.data.records import Record
from lib.data.sources import SOURCES, Source
from lib.evaluation.registry import metric
from lib.methods.method import model_words
from lib.methods.registry import of_stages
from lib.privacy.disclosure import public_value
from lib.privacy.ledger import NO_UNIT
from lib.release import card_contents, card_guarantee, kinds
from lib.release.card_contents import in_marks
from lib.release.certificate import LABELLED, files_of, mechanism_of, rounded_up
from lib.release.lineage import made_from
from lib.release.settings import MODES

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
BEST = {"higher": "high", "lower": "low", "match": "as in {real}"}  # by a metric's direction
NO_LICENCE = {"license": "other", "license_name": "not-decided-yet"}

CHECKING = """\
In a copy of Doppel, which sets itself up:

    ./run_all.sh verify FOLDER

Without that set-up, three packages are enough:

    pip install {accountant} pyarrow regex
    python -m lib.release.verify FOLDER

This recomputes epsilon from the events, checks the hash of every file, and checks that the parts of the certificate fit
each other. Without Doppel, `sha256sum {records}` gives the hash that `certificate.json` lists.

A hash shows that nothing was changed since; it does not show who made the pack, nor that the events took place. For
that, ask whoever vouches for the pack for the certificate's `sha256`, and for the code: commit {commits}."""


def write(certificate: Mapping, records: Sequence[Record]) -> str:
    """Write the card of a pack. `verify` writes it again and compares, so nothing else may enter it.

    Args:
        certificate: of the pack; the hashes of its files may still be missing.
        records: the n >= 1 synthetic records, as `lib.release.contents.read` gives them.

    Returns:
        The content of README.md: front matter in YAML, then Markdown.
    """
    sections = [
        f"---\n{_front_matter(certificate, records)}\n---\n\n# {_title(certificate)}",
        _opening(certificate, records),
        "## What is in it\n\n" + "\n".join(card_contents.contents(certificate, records)),
        "## How it was made\n\n" + "\n\n".join(_making(certificate)),
        "## The guarantee\n\n" + card_guarantee.promise(certificate),
        "## What it does not promise\n\n" + "\n".join(f"- {limit}" for limit in card_guarantee.limits(certificate)),
        "## What decided that it may be handed out?\n\n" + "\n".join(card_guarantee.decided(certificate["decisions"])),
        "## Was it attacked?\n\n" + card_guarantee.attacks(certificate),
        "## How good is it?\n\n" + "\n".join(_quality(certificate)),
        "## Check it yourself\n\n" + _checking(certificate),
        "## Licence\n\n" + _licence(certificate),
    ]
    return "\n\n".join(sections) + "\n"


def public_rows(metrics: Sequence[Mapping]) -> list[dict]:
    """The metrics that no real text entered.

    Args:
        metrics: rows of a scorecard.

    Returns:
        Of each such row that has a value, its name, value and interval; nothing that real text entered.
    """
    kept = ("group", "task", "encoder", "metric", "value", "value_low", "value_high", "direction", "real_text")
    return [
        {key: public_value(key, row.get(key)) for key in kept}
        for row in metrics
        if row.get("real_text") is False and row.get("value") is not None
    ]


def _front_matter(certificate: Mapping, records: Sequence[Record]) -> str:
    """The lines that the Hub reads, as YAML: each value is JSON, which YAML contains."""
    entry, on_card = _entry(certificate), certificate["card"]
    spoken, labelled = on_card["language"] or (entry.language if entry else None), bool(records[0].labels)
    kind = kinds.of_stage(certificate["stage"])
    values = {
        "pretty_name": _title(certificate),
        "task_categories": [
            *kind.tasks[0],
            *(kind.tasks[1] if labelled else ()),
            *(["token-classification"] if LABELLED in files_of(certificate["stage"]) else []),
        ],
        "size_categories": next((name for most, name in SIZES if len(records) < most), "n>1M"),
        "annotations_creators": ["machine-generated" if labelled else "no-annotation"],
        **({"language_creators": ["machine-generated"]} if kind is kinds.TEXTS else {}),
        "tags": ["synthetic", "differential-privacy", "doppel"],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "records.parquet"}]}],
        **({"language": [spoken]} if spoken else {}),
        **({"license": on_card["licence"]} if on_card["licence"] else NO_LICENCE),
    }
    return "\n".join(f"{name}: {json.dumps(value)}" for name, value in values.items())


def _title(certificate: Mapping) -> str:
    entry, kind = _entry(certificate), kinds.of_stage(certificate["stage"])
    what = f"{kind.piece}s in the manner of {_source(certificate)}" if entry and entry.title else kind.untitled
    if certificate["unit"] == NO_UNIT:
        return f"Synthetic {what}, from public data alone"
    return f"Synthetic {what}, epsilon {rounded_up(certificate['guarantee']['epsilon'], 3)}"


def _opening(certificate: Mapping, records: Sequence[Record]) -> str:
    entry, kind = _entry(certificate), kinds.of_stage(certificate["stage"])
    unit = kind.unit(certificate["unit"])
    made_by = f"Doppel made them, as the arm `{certificate['stage']}` of its run `{certificate['run']}`."
    if unit == NO_UNIT:
        return f"{len(records):,} synthetic {kind.many}. No private record was read to make them. {made_by}"
    epsilon, delta = rounded_up(certificate["guarantee"]["epsilon"], 3), rounded_up(certificate["delta"], 2)
    about = "The corpus is private, and is not part of this pack."
    if entry and entry.title:
        about = f"The corpus was drawn from {entry.title}."
    return (
        f"{len(records):,} synthetic {kind.many}: {kind.made} a corpus of "
        f"{certificate['units']:,} {unit}s under differential privacy (epsilon {epsilon}, delta {delta}, for one "
        f"{unit}). {about} {made_by}"
    )


def _making(certificate: Mapping) -> Iterator[str]:
    yield from _made(certificate["stage"], certificate)
    if certificate["unit"] == NO_UNIT:
        yield "No private record was read, so there is no access that epsilon would count."
        return
    kind = kinds.of_stage(certificate["stage"])
    yield f"The accesses to the private {kind.piece}s that epsilon counts:"
    rows = "\n".join(_event_row(event) for event in certificate["events"])
    head = "| stage | what | mechanism | noise, relative to what one unit can change | sampling | releases |"
    yield f"{head}\n|---|---|---|---|---|---|\n{rows}"
    looks = kind.rules.format(unit=kind.unit(certificate["unit"]))
    rules = f"Each rule {looks}: the guarantee holds for the corpus as it was before. "
    yield (
        f"Before any of this, {kind.cleaned}. "
        f"{rules if card_guarantee.stable(certificate) else ''}`certificate.json` has the settings."
    )
    for code in certificate["code"].values():
        if "detectors" in code["settings"]:
            yield _scrubbed(code["settings"])


def _scrubbed(settings: Mapping) -> str:
    trained, classes = settings["inputs"].get("detector"), ", ".join(map(in_marks, settings["classes"]))
    by = ", ".join(map(in_marks, settings["detectors"])) + (f" of {in_marks(trained)}" if trained else "")
    instead = MODES.get(settings["mode"], "marks")  # what is none of them is refused elsewhere
    return (
        f"Then personal data was taken out of each record by itself, before anything learned from it: {instead} stand "
        f"where public detectors ({by}) found values of the classes {classes}. What they did not find stayed. It costs "
        "no epsilon, and the guarantee does not rest on it."
    )


def _made(arm: str, certificate: Mapping) -> Iterator[str]:
    """How an arm was made; of one that selects or begins with others' texts, also how the arms were that wrote them."""
    settings = {stage: _in_code(code["settings"]) for stage, code in certificate["code"].items()}
    method, spending = of_stages(arm, made_from(arm, certificate))
    yield from method.making(settings[arm], settings[spending], certificate["unit"])
    for name, writer in settings[arm]["inputs"].items():
        if name in ("start", *method.passes_on) or (method.selects and name != "corpus"):
            yield f"The {kinds.of_stage(writer).many} of {in_marks(writer)} were made as follows."
            yield from _made(writer, certificate)


def _in_code(settings: Mapping) -> dict:
    """Settings of which every text can stand between code marks, where methods put it."""
    return {name: in_marks(value)[1:-1] if isinstance(value, str) else value for name, value in settings.items()}


def _event_row(event: Mapping) -> str:
    mechanism, figures = mechanism_of(event), event["mechanism"]
    sampling = f"Poisson, probability {figures['sampling_probability']:.4g}" if mechanism.poisson else "every unit"
    row = [
        in_marks(event["stage"]),
        event["what"],
        mechanism.title,
        f"{mechanism.noise:.4g}",
        sampling,
        str(figures["count"]),
    ]
    return f"| {' | '.join(row)} |"


def _quality(certificate: Mapping) -> Iterator[str]:
    rows, real = certificate["card"]["metrics"], kinds.of_stage(certificate["stage"]).real
    yield f"Only metrics that {real} did not enter are listed; comparisons with {real} stay with its holder."
    if not rows:
        yield "\nNo such metric was computed."
        return
    yield "\n| measured on | metric | value (95% interval) | best | what it says |\n|---|---|---|---|---|"
    for row in rows:
        title, meaning = metric(row["metric"])
        low, high = row["value_low"], row["value_high"]
        no_interval = low is None or high is None or not low < high  # also where all resamples were alike
        best = BEST[row["direction"]].format(real=real)
        interval = "" if no_interval else f" ({low:.3g} to {high:.3g})"
        yield f"| {_measured_on(row)} | {title} | {row['value']:.3g}{interval} | {best} | {meaning} |"
    yield (
        "\nThe interval shows how far the value would move with other records that were made in the same way. *As in "
        f"{real}*: neither more nor less is better; the value of {real} stays with its holder."
    )


def _measured_on(row: Mapping) -> str:
    """The task of a metric; of one on vectors also the encoder, for values of two encoders cannot be compared."""
    if row["encoder"] is None:
        return row["task"]
    encoder = row["encoder"]
    model = encoder.removeprefix("hidden:")
    return f"vectors of {model_words(model)}" + (" (its hidden states)" if model != encoder else "")


def _checking(certificate: Mapping) -> str:
    library = certificate["accountant"]["library"]  # dp-accounting 1.2.3
    commits = sorted({code["commit"] or "unknown" for code in certificate["code"].values()})
    return CHECKING.format(
        accountant=library.replace(" ", "=="),
        commits=" and ".join(commits),
        records=kinds.of_stage(certificate["stage"]).files[1],
    )


def _licence(certificate: Mapping) -> str:
    licence = certificate["card"]["licence"]
    decided = (
        f"`{licence}`, chosen by whoever packed it." if licence else "Not decided yet: whoever releases it decides."
    )
    return f"{decided} {kinds.of_stage(certificate['stage']).terms}"


def _entry(certificate: Mapping) -> Source | None:
    """The entry of the corpus' source, where the certificate names one."""
    return SOURCES.get(_source(certificate))


def _source(certificate: Mapping) -> str | None:
    return next(
        (code["settings"]["source"] for code in certificate["code"].values() if "source" in code["settings"]), None
    )
