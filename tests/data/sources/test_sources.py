"""The entries of sources: how a source is written, what it takes, and that a new one is an entry and a loader.

No error of any source shows a cell of the data.
"""

import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from support.errors import refused
from support.marked_files import COLUMNS, DOMAIN, MARK, MARKED
from support.source_files import as_dicts, refusal, write_csv

from lib.common.errors import DoppelError
from lib.common.paths import ROOT
from lib.data import sources
from lib.data.private_text import PrivateText
from lib.data.records import Record, check_labels
from lib.data.sources import SOURCES, Corpus, Source, glance, load, parse
from lib.data.sources.corpus import SourceRequest, draw
from lib.pipeline import preflight
from lib.privacy.budget_account import Account
from lib.release import card
from lib.stage import fingerprint


@pytest.mark.parametrize(
    ("source", "code", "value"),
    [
        ("amazon-snipets", "data.unknown_source", "amazon-snipets"),
        ("csv", "data.source_form", "csv"),
        ("csv:", "data.source_form", "csv:"),
        ("hub", "data.source_form", "hub"),
        ("movie-snippets:x", "data.source_form", "movie-snippets:x"),
    ],
)
def test_a_source_that_does_not_exist(source: str, code: str, value: str) -> None:
    assert refusal(code, source).value == value
    with refused(code, name="source", value=value):
        parse(source)
    with refused(code, name="source", value=value):
        glance(source)


def test_what_a_mistyped_source_is_told() -> None:
    assert refusal("data.unknown_source", "amazon-snipets").remedy == "did you mean amazon-snippets?"
    assert "hub:OWNER/NAME" in refusal("data.source_form", "hub").sentence


def test_settings_that_a_source_does_not_take() -> None:
    error = refusal("data.columns_not_taken", "amazon-snippets", columns={"text": "x"})
    assert error.name == "columns" and "csv, hub, jsonl, parquet" in error.sentence
    error = refusal("data.out_of_range", "amazon-snippets", share=0.0)
    assert (error.name, error.value) == ("share", 0.0)


def test_the_kinds_of_sources() -> None:
    kinds = {"amazon-snippets", "movie-snippets", "rotten-tomatoes", "csv", "jsonl", "parquet", "hub", "amazon-2023"}
    studied = {"yelp", "openreview", "pubmed", "camelyon17", "cat-cookie-doudou", "digiface1m"}
    assert {*SOURCES} == kinds | studied | {"mnist-5k", "images", "hub-images", "sklearn"}
    assert [parse(source) for source in ("yelp", "csv:a:b.csv")] == [("yelp", ""), ("csv", "a:b.csv")]
    assert all(entry.form.startswith(kind) for kind, entry in SOURCES.items())


def test_what_is_known_of_each_source() -> None:
    """Facts that budgets, cards and pre-flight go by."""
    bundled = {"amazon-snippets", "movie-snippets", "rotten-tomatoes", "mnist-5k", "sklearn"}
    images = {"mnist-5k", "images", "hub-images", "camelyon17", "cat-cookie-doudou", "digiface1m"}
    assert {kind for kind, entry in SOURCES.items() if entry.images} == images
    assert {kind for kind, entry in SOURCES.items() if entry.public_text} == bundled
    without = {kind for kind, entry in SOURCES.items() if not entry.knows_users}
    assert without == {"movie-snippets", "yelp", "openreview", "pubmed", "mnist-5k", "sklearn"}
    own = {"csv", "jsonl", "parquet", "hub"}
    assert {kind for kind, entry in SOURCES.items() if entry.own_columns} == own
    assert {kind for kind, entry in SOURCES.items() if entry.language is None} == own | images | {
        "sklearn"
    }  # a file of anybody's, or no text
    assert {kind for kind, entry in SOURCES.items() if entry.title} == bundled


def test_a_glance_reads_the_first_record_of_a_file_and_no_other_source(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", [{"text": "one"}, {"text": "two"}])
    assert as_dicts([glance(f"csv:{path}")]) == [{"id": "1", "text": "one", "labels": {}}]
    assert glance("amazon-snippets") is None and glance("yelp") is None
    with refused("data.no_file", name="source", value="none.csv"):
        glance("yelp:none.csv")
    with refused("data.unknown_field", name="columns", value="txt"):
        glance("hub:some/reviews", {"txt": "x"})


@pytest.mark.parametrize(("kind", "fault"), MARKED)
def test_no_cell_of_data_is_in_an_error(
    kind: str, fault: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Not in its words, its values, its causes or its context, and nothing is printed. The error names its file."""
    path = tmp_path / "x"
    path.write_bytes(MARKED[kind, fault])
    source, columns = f"{kind}:{path}", None if kind == "yelp" else COLUMNS
    with pytest.raises(DoppelError) as at_load:
        check_labels(load(source, columns=columns, label_domain=DOMAIN).records, DOMAIN)
    errors = [at_load.value]
    try:
        glance(source, columns, DOMAIN)
    except DoppelError as error:
        errors.append(error)
    for error in errors:
        assert MARK not in "".join(traceback.format_exception(error)) + repr(vars(error))
        assert error.remedy and (str(path) in error.where or error.name in ("stars", "label_domain"))
    assert MARK not in "".join(capfd.readouterr()) + caplog.text


TEXTS = ("eins", "zwei")


def load_toy(request: SourceRequest) -> Corpus:
    made = [Record(str(i), PrivateText(text), {}, request.argument or None) for i, text in enumerate(TEXTS)]
    kept, counts = draw(made, request)
    return Corpus(kept, [], "toy", f"{counts} of a toy, from {request.default_path}")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Source:
    """A source that is added by its entry alone."""
    entry = Source(
        form="toy[:WRITER]",
        load=load_toy,
        glance=lambda request: load_toy(request).records[0],
        title="two words that nobody wrote",
        public_text=True,
        language="de",
        default_path="raw/toy.txt",
        corpus_name=str.lower,
    )
    monkeypatch.setitem(sources.SOURCES, "toy", entry)
    return entry


def test_a_source_is_added_by_its_entry_alone(toy: Source, tmp_path: Path) -> None:
    expected = [{"id": "0", "text": "eins", "labels": {}}, {"id": "1", "text": "zwei", "labels": {}}]
    corpus = load("toy", root=tmp_path)
    assert as_dicts(corpus.records) == expected
    assert corpus.note == f"2 of 2 records of a toy, from {tmp_path / 'raw/toy.txt'}"
    assert as_dicts([glance("toy")]) == expected[:1] and glance("toy:Ann").user == "Ann"
    assert parse("toy:Ann") == ("toy", "Ann")
    assert refusal("data.unknown_source", "toyy").remedy == "did you mean toy?"
    refusal("data.columns_not_taken", "toy", columns={"text": "x"})


def test_pre_flight_budgets_and_cards_ask_the_entry(
    toy: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOPPEL_BUDGETS", str(tmp_path))
    account = Account.of("toy:Ann")
    assert (account.source, account.name) == ("toy:ann", "toy-ann")
    assert Account.of("toy").source == "toy" and Account.of("toy").read()[0].epsilon is None
    code = {"00_process_data": {"settings": {"source": "toy"}}}
    certificate = {"stage": "11_generate.eps8", "unit": "record", "guarantee": {"epsilon": 1.0}, "code": code}
    assert card._title(certificate).startswith("Synthetic records in the manner of toy")

    private = Source(form="toy", load=load_toy, knows_users=False)
    monkeypatch.setitem(sources.SOURCES, "toy", private)
    assert Account.of("toy").read()[0].epsilon is not None
    assert card._title(certificate).startswith("Synthetic text records")
    with refused("pipeline.source_without_users"):
        preflight.preflight("quick", "check", ["00_process_data.source=toy", "00_process_data.unit=user"])


def test_asking_an_entry_imports_no_loader() -> None:
    code = (
        "import sys; from lib.data import sources; from lib.privacy.budget_account import Account\n"
        "Account.of('amazon-2023:Electronics').read(); sources.glance('yelp')\n"
        "slow = {'torch', 'transformers', 'duckdb', 'datasets', 'pyarrow', 'huggingface_hub'}\n"
        "loaders = {name for name in sys.modules if name.startswith('lib.data.sources.')}\n"
        "print(sorted(slow & set(sys.modules)), sorted(name.rpartition('.')[2] for name in loaders))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.stdout == "[] ['corpus', 'source']\n", ended.stderr


def test_a_loader_counts_for_a_stage_that_opened_it_and_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of a loader, or a new source, must not make a model train again."""
    loaders = {f"lib.data.sources.{name}" for name in ("amazon_reviews", "aug_pe_corpora", "hub", "table_files")}
    text = ("00_process_data", "10_finetune_dp_lora", "11_generate", "12_aug_pe", "20_canary_privacy", "22_utility")
    made = {name[:2]: fingerprint.made_from(ROOT, name, {}) for name in text}
    for notebook in ("10", "11", "12", "20", "22"):
        named = {name for name in made[notebook]["modules"] if name.startswith("lib.data.sources")}
        assert named <= set(made[notebook]["optional"]), notebook
    assert loaders < made["00"]["modules"].keys()
    for name in loaders - {"lib.data.sources.hub"}:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "lib.data.sources.hub", None)
    opened = fingerprint.opened(made["00"])["modules"]
    assert loaders & opened.keys() == {"lib.data.sources.hub"} and "lib.data.sources" in opened
