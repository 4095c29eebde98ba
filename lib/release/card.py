"""README.md of a pack: its dataset card, in the Hugging Face convention, for a reader who does not know Doppel.

It holds the certificate's figures, statistics of the synthetic text itself, and metrics that no real text entered.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import mean, median

from lib.common.printable import printable
from lib.data.records import Record
from lib.data.sources import SOURCES, Source
from lib.data.tokenize import count
from lib.evaluation.registry import metric
from lib.methods.method import model_words
from lib.methods.registry import of_stages
from lib.privacy.disclosure import public_value
from lib.privacy.ledger import NO_UNIT
from lib.release import card_guarantee
from lib.release.certificate import LABELLED, files_of, mechanism_of, rounded_up
from lib.release.lineage import made_from
from lib.release.settings import MODES

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
BEST = {"higher": "high", "lower": "low", "match": "as in real text"}  # by a metric's direction
NO_LICENCE = {"license": "other", "license_name": "not-decided-yet"}

LOADING = """
```python
import json

import datasets

datasets.load_dataset("FOLDER", split="train")  # records.parquet
[json.loads(line) for line in open("FOLDER/records.jsonl", encoding="utf-8")]  # the same
```

(The loader "json" of `datasets` would make dates of labels and texts that look like dates.)
"""

LABELS = """\
In `labelled.jsonl`, `privacy_mask` lists each value with `start` and `end` in code points (as Python counts) and its
class; it was recorded while the text was written, and `verify` checks that each place holds its value. `target_text` is
the text with slots, in which `[EMAIL_2]` is the e-mail of person 2; `template` tells which texts share a template, and
belong into one fold."""

CHECKING = """\
In a copy of Doppel, which sets itself up:

    ./run_all.sh verify FOLDER

Without that set-up, three packages are enough:

    pip install {accountant} pyarrow regex
    python -m lib.release.verify FOLDER

This recomputes epsilon from the events, checks the hash of every file, and checks that the parts of the certificate fit
each other. Without Doppel, `sha256sum records.jsonl` gives the hash that `certificate.json` lists.

A hash shows that nothing was changed since; it does not show who made the pack, nor that the events took place. For
that, ask whoever vouches for the pack for the certificate's `sha256`, and for the code: commit {commits}."""


def write(certificate: Mapping, records: Sequence[Record]) -> str:
    """Write the card of a pack. `verify` writes it again and compares, so nothing else may enter it.

    Args:
        certificate: of the pack; the hashes of its files may still be missing.
        records: the n >= 1 synthetic records.

    Returns:
        The content of README.md: front matter in YAML, then Markdown.
    """
    sections = [
        f"---\n{_front_matter(certificate, records)}\n---\n\n# {_title(certificate)}",
        _opening(certificate, records),
        "## What is in it\n\n" + "\n".join(_contents(records, LABELLED in files_of(certificate["stage"]))),
        "## How it was made\n\n" + "\n\n".join(_making(certificate)),
        "## The guarantee\n\n" + card_guarantee.promise(certificate),
        "## What it does not promise\n\n" + "\n".join(f"- {limit}" for limit in card_guarantee.limits(certificate)),
        "## What decided that it may be handed out?\n\n" + "\n".join(card_guarantee.decided(certificate["decisions"])),
        "## Was it attacked?\n\n" + card_guarantee.attacks(certificate),
        "## How good is it?\n\n" + "\n".join(_quality(certificate["card"]["metrics"])),
        "## Check it yourself\n\n" + _checking(certificate),
        "## Licence\n\n" + _licence(certificate["card"]["licence"]),
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
    values = {
        "pretty_name": _title(certificate),
        "task_categories": [
            "text-generation",
            *(["text-classification"] if labelled else []),
            *(["token-classification"] if LABELLED in files_of(certificate["stage"]) else []),
        ],
        "size_categories": next((name for most, name in SIZES if len(records) < most), "n>1M"),
        "annotations_creators": ["machine-generated" if labelled else "no-annotation"],
        "language_creators": ["machine-generated"],
        "tags": ["synthetic", "differential-privacy", "doppel"],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "records.parquet"}]}],
        **({"language": [spoken]} if spoken else {}),
        **({"license": on_card["licence"]} if on_card["licence"] else NO_LICENCE),
    }
    return "\n".join(f"{name}: {json.dumps(value)}" for name, value in values.items())


def _title(certificate: Mapping) -> str:
    entry = _entry(certificate)
    what = f"records in the manner of {_source(certificate)}" if entry and entry.title else "text records"
    if certificate["unit"] == NO_UNIT:
        return f"Synthetic {what}, from public data alone"
    return f"Synthetic {what}, epsilon {rounded_up(certificate['guarantee']['epsilon'], 3)}"


def _opening(certificate: Mapping, records: Sequence[Record]) -> str:
    entry, unit = _entry(certificate), certificate["unit"]
    made_by = f"Doppel made them, as the arm `{certificate['stage']}` of its run `{certificate['run']}`."
    if unit == NO_UNIT:
        return f"{len(records):,} synthetic texts. No private record was read to make them. {made_by}"
    epsilon, delta = rounded_up(certificate["guarantee"]["epsilon"], 3), rounded_up(certificate["delta"], 2)
    about = "The corpus is private, and is not part of this pack."
    if entry and entry.title:
        about = f"The corpus was drawn from {entry.title}."
    return (
        f"{len(records):,} synthetic texts: a language model wrote them, guided by a corpus of "
        f"{certificate['units']:,} {unit}s under differential privacy (epsilon {epsilon}, delta {delta}, for one "
        f"{unit}). {about} {made_by}"
    )


def _contents(records: Sequence[Record], labelled: bool) -> Iterator[str]:
    lengths = [count(record.text.reveal()) for record in records]
    distinct = len({record.text for record in records})
    yield "| file | content |\n|---|---|"
    yield f"| `records.jsonl` | {len(records):,} records, one a line: `id`, `text`, `labels` |"
    yield "| `records.parquet` | the same records |"
    if labelled:
        yield f"| `{LABELLED}` | the same texts with their personal data: `source_text`, `privacy_mask` and so on |"
    yield "| `certificate.json` | what was spent, by what code, and the hash of each file |"
    yield LOADING
    yield (
        f"A text has {mean(lengths):.1f} words on average, {median(lengths):g} in the median, {max(lengths)} at most; "
        f"{distinct:,} of {len(records):,} are different."
    )
    for name in sorted({name for record in records for name in record.labels}):
        counts = Counter(record.labels[name] for record in records).most_common(20)
        yield f"\nLabel {_code(name)}: " + ", ".join(f"{_code(value)} {count:,}" for value, count in counts) + "."
    yield "\nThe first three:\n"
    for record in records[:3]:  # a block of code: what is in it is shown as it is, be it a link, an image or HTML
        one_line = " ".join(record.text.reveal().split())
        yield f"    {printable(', '.join(record.labels.values()) + (': ' if record.labels else '') + one_line, 2000)}\n"
    if labelled:
        yield LABELS
    yield "The label is what the model was asked for; nobody checked that each text fits it."


def _making(certificate: Mapping) -> Iterator[str]:
    yield from _made(certificate["stage"], certificate)
    if certificate["unit"] == NO_UNIT:
        yield "No private record was read, so there is no access that epsilon would count."
        return
    yield "The accesses to the private records that epsilon counts:"
    rows = "\n".join(_event_row(event) for event in certificate["events"])
    head = "| stage | what | mechanism | noise, relative to what one unit can change | sampling | releases |"
    yield f"{head}\n|---|---|---|---|---|---|\n{rows}"
    rules = (
        f"Each rule looks at one {certificate['unit']} alone, or counts equal records once: the guarantee holds for "
        "the corpus as it was before. "
    )
    yield (
        "Before any of this, the corpus was cleaned and a part of it was held out. "
        f"{rules if card_guarantee.stable(certificate) else ''}`certificate.json` has the settings."
    )
    for code in certificate["code"].values():
        if "detectors" in code["settings"]:
            yield _scrubbed(code["settings"])


def _scrubbed(settings: Mapping) -> str:
    trained, classes = settings["inputs"].get("detector"), ", ".join(map(_code, settings["classes"]))
    by = ", ".join(map(_code, settings["detectors"])) + (f" of {_code(trained)}" if trained else "")
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
            yield f"The texts of {_code(writer)} were made as follows."
            yield from _made(writer, certificate)


def _code(text: str) -> str:
    """A text that the pack brings with it, between code marks that it cannot leave: no link, image or HTML."""
    shown = printable(text, 2000).replace("`", "'").replace("|", "/")  # a bar would end the cell of a table
    return f"`{shown or ' '}`"


def _in_code(settings: Mapping) -> dict:
    """Settings of which every text can stand between code marks, where methods put it."""
    return {name: _code(value)[1:-1] if isinstance(value, str) else value for name, value in settings.items()}


def _event_row(event: Mapping) -> str:
    mechanism, figures = mechanism_of(event), event["mechanism"]
    sampling = f"Poisson, probability {figures['sampling_probability']:.4g}" if mechanism.poisson else "every unit"
    row = [
        _code(event["stage"]),
        event["what"],
        mechanism.title,
        f"{mechanism.noise:.4g}",
        sampling,
        str(figures["count"]),
    ]
    return f"| {' | '.join(row)} |"


def _quality(rows: Sequence[Mapping]) -> Iterator[str]:
    yield "Only metrics that real text did not enter are listed; comparisons with real text stay with its holder."
    if not rows:
        yield "\nNo such metric was computed."
        return
    yield "\n| measured on | metric | value (95% interval) | best | what it says |\n|---|---|---|---|---|"
    for row in rows:
        title, meaning = metric(row["metric"])
        low, high = row["value_low"], row["value_high"]
        no_interval = low is None or high is None or not low < high  # also where all resamples were alike
        interval = "" if no_interval else f" ({low:.3g} to {high:.3g})"
        yield f"| {_measured_on(row)} | {title} | {row['value']:.3g}{interval} | {BEST[row['direction']]} | {meaning} |"
    yield (
        "\nThe interval shows how far the value would move with other records that were made in the same way. *As in "
        "real text*: neither more nor less is better; the value of real text stays with its holder."
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
    return CHECKING.format(accountant=library.replace(" ", "=="), commits=" and ".join(commits))


def _licence(licence: str | None) -> str:
    decided = (
        f"`{licence}`, chosen by whoever packed it." if licence else "Not decided yet: whoever releases it decides."
    )
    return decided + " The terms of the model that wrote the texts, and of the corpus, may bind it too."


def _entry(certificate: Mapping) -> Source | None:
    """The entry of the corpus' source, where the certificate names one."""
    return SOURCES.get(_source(certificate))


def _source(certificate: Mapping) -> str | None:
    return next(
        (code["settings"]["source"] for code in certificate["code"].values() if "source" in code["settings"]), None
    )
