"""What pre-flight refuses beyond types and ranges: own files, users, inputs, prompts. No kernel is started here."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.errors import refused

from lib.common.errors import DoppelError
from lib.pipeline import corpus_checks, preflight, stage_checks

pytestmark = pytest.mark.usefixtures("unfingerprinted")

CORPUS = "00_process_data"
ROWS = [
    {"Review": "a private sentence", "Stars": "positive review", "Author": "ann"},
    {"Review": "another", "Stars": "negative review", "Author": ""},
]
FITTING = "{text: Review, labels.kind: Stars}"


def write(file_type: str, path: Path) -> Path:
    if file_type == "csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(ROWS[0]))
            table.writeheader()
            table.writerows(ROWS)
    elif file_type == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def refusal(code: str, *changes: str, stage: str = CORPUS, **facts: object) -> DoppelError:
    """Pre-flight of quick refuses with this code, in the stage's file; private text is not shown."""
    with refused(code, **facts) as error:
        preflight.preflight("quick", "check", changes)
    assert error.value.where.startswith(f"params/quick/{stage}.yaml")
    assert "private sentence" not in str(error.value)
    return error.value


def own(source: object, columns: str = FITTING, *more: str) -> list[str]:
    return [f"{CORPUS}.{change}" for change in (f"source={source}", f"columns={columns}", *more)]


# Own files: the first record is read as the stage will read it.


@pytest.mark.parametrize("file_type", ["csv", "jsonl", "parquet"])
def test_columns_that_do_not_fit_a_file_are_refused(file_type: str, tmp_path: Path) -> None:
    source = f"{file_type}:{write(file_type, tmp_path / f'mine.{file_type}')}"
    preflight.preflight("quick", "check", own(source))
    for columns, code, name, value in (
        ("{text: Revew, labels.kind: Stars}", "data.column_missing", "text", "Revew"),
        ("null", "data.column_missing", "text", "text"),
        ("{text: Review, kind: Stars}", "data.unknown_field", "columns", "kind"),
        ("{text: Review}", "data.labels_differ", "label_domain", ["kind"]),
        ("{text: Review, labels.stars: Stars}", "data.labels_differ", "label_domain", ["kind"]),
        ("{text: Review, labels.kind: Author}", "data.label_outside_domain", "kind", None),
    ):
        error = refusal(code, *own(source, columns), name=name, value=value)
        if code == "data.column_missing":  # of a CSV without the text's column, the first line may be a record
            assert ("3 cells" if file_type == "csv" else "Review, Stars, Author") in error.sentence
    assert "labels.kind" in refusal("data.unknown_field", *own(source, "{text: Review, kind: Stars}")).remedy


def test_a_file_of_another_kind_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    path = write("csv", tmp_path / "mine.csv")
    refusal("data.other_format", *own(f"parquet:{path}"), value="plain text")
    refusal("data.other_format", *own(f"jsonl:{path}"), value="plain text")
    path.write_text("Review,Stars\n")
    refusal("data.no_record", *own(f"csv:{path}"), value="csv")
    missing = f"{tmp_path}/none.csv"
    refusal("data.no_file", *own(f"csv:{missing}"), value=missing)
    refusal("data.no_file", f"{CORPUS}.source=yelp:{missing}", value=missing)


def test_a_jsonl_file_in_the_record_schema_needs_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text('{"id": "1", "text": "a private sentence", "labels": {"kind": "plot summary"}, "user": "ann"}\n')
    changes = [f"{CORPUS}.source=jsonl:{path}", f"{CORPUS}.unit=user"]
    assert preflight.preflight("quick", "check", changes).nodes[CORPUS].parameters["columns"] is None
    path.write_text('{"id": "1", "text": "a private sentence", "labels": {"mood": "neutral"}}\n')
    assert "has labels mood," in refusal("data.labels_differ", changes[0]).sentence
    refusal("pipeline.record_without_user", *changes)


def test_a_file_under_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write("csv", tmp_path / "mine.csv")
    assert CORPUS in preflight.preflight("quick", "check", own("csv:~/mine.csv")).nodes


def test_fields_of_columns_are_checked_where_nothing_is_read() -> None:
    error = refusal("data.unknown_field", *own("hub:owner/name", "{text: Review, stars: Stars}"), value="stars")
    assert "labels.stars" in error.remedy


# The unit of the guarantee: a user that nobody knows is not protected.


def test_a_bound_for_users_takes_the_unit_user() -> None:
    bound = f"{CORPUS}.max_records_per_user=30"
    assert "unit: user" in refusal("data.bound_by_record", bound, name="max_records_per_user", value=30).remedy
    preflight.preflight("quick", "check", [bound, f"{CORPUS}.unit=user"])


@pytest.mark.parametrize("source", ["movie-snippets", "yelp", "openreview", "pubmed"])
def test_user_level_without_users_is_refused(source: str) -> None:
    error = refusal("pipeline.source_without_users", f"{CORPUS}.source={source}", f"{CORPUS}.unit=user", value="user")
    assert error.sentence.endswith(source)


def test_pictures_are_no_texts() -> None:
    error = refusal("pipeline.source_of_other_kind", f"{CORPUS}.source=mnist-5k", value="mnist-5k")
    assert "00_process_images" in error.remedy
    with refused("pipeline.source_of_other_kind", value="rotten-tomatoes"):
        corpus_checks.process_images(
            {"source": "rotten-tomatoes", "unit": "record", "max_records_per_user": None, "label_domain": {}}
        )


@pytest.mark.parametrize("file_type", ["csv", "jsonl", "parquet"])
def test_user_level_of_a_file_needs_a_column_of_users(file_type: str, tmp_path: Path) -> None:
    source = f"{file_type}:{write(file_type, tmp_path / f'mine.{file_type}')}"
    error = refusal("pipeline.record_without_user", *own(source, FITTING, "unit=user"), name="unit", value="user")
    assert "columns: {user: COLUMN}" in error.remedy
    with_users = "{text: Review, labels.kind: Stars, user: Author}"
    preflight.preflight("quick", "check", own(source, with_users, "unit=user"))


# Inputs: each is a stage of the notebook that makes what is read.

AUG_PE, TRAIN, BASE, EPS8 = "12_aug_pe.eps8", "10_finetune_dp_lora.eps8", "11_generate.base", "11_generate.eps8"
CORPORA = f"{CORPUS} or 01_scrub"


@pytest.mark.parametrize(
    ("stage", "inputs", "code", "name", "value", "remedy"),
    [
        (TRAIN, f"{{corpus: {BASE}}}", "stage.input_of_another_notebook", "corpus", BASE, CORPORA),
        (AUG_PE, f"{{corpus: {BASE}}}", "stage.input_of_another_notebook", "corpus", BASE, CORPORA),
        (
            EPS8,
            f"{{corpus: {CORPUS}, model: {AUG_PE}}}",
            "stage.input_of_another_notebook",
            "model",
            AUG_PE,
            "10_finetune_dp_lora",
        ),
        (EPS8, f"{{corpus: {CORPUS}, modle: {TRAIN}}}", "stage.unknown_input", "modle", TRAIN, "did you mean model?"),
        (TRAIN, f"{{corpus: {CORPUS}, base: {BASE}}}", "stage.unknown_input", "base", BASE, "known: corpus, warm"),
        (
            "21_fidelity",
            f"{{corpus: {CORPUS}, base: {TRAIN}}}",
            "stage.input_of_another_notebook",
            "base",
            TRAIN,
            "11_generate or 12_aug_pe or 13_select or 14_private_prediction or 40_pii_text or 50_private_records or "
            "51_sanitize",
        ),
        ("22_utility", f"{{corpus: {EPS8}, base: {BASE}}}", "stage.input_of_another_notebook", "corpus", EPS8, CORPORA),
        (
            "30_compare",
            f"{{corpus: {EPS8}, base: {BASE}}}",
            "stage.input_of_another_notebook",
            "corpus",
            EPS8,
            f"{CORPORA} or 00_process_images",
        ),
        (
            "20_canary_privacy",
            f"{{corpus: {EPS8}, a: {EPS8}}}",
            "stage.input_of_another_notebook",
            "corpus",
            EPS8,
            CORPORA,
        ),
    ],
)
def test_an_input_that_is_something_else_is_refused_by_name(
    stage: str, inputs: str, code: str, name: str, value: str, remedy: str
) -> None:
    error = refusal(code, f"{stage}.inputs={inputs}", stage=stage, name=name, value=value)
    assert error.remedy.endswith(remedy)


# Topics: of public texts, counted with noise, and said by the prompts.


@pytest.mark.parametrize(
    ("changes", "code", "name"),
    [
        (["label_histogram_scale=null"], "privacy.topics_without_noise", "label_histogram_scale"),
        (["topic_texts=public:movie-snippets"], "privacy.source_is_the_corpus", "topic_texts"),
        (["topic_texts=public:rotten-tomatos"], "data.unknown_source", "source"),
        (["topic_locale=xx_XX"], "data.unknown_locale", "locale"),
        (["label_domain={topic: [a, b]}"], "data.topic_taken", "topics"),
    ],
)
def test_topics_that_cannot_work_are_refused(changes: list[str], code: str, name: str) -> None:
    refusal(code, *(f"{CORPUS}.{change}" for change in ["topics=16", *changes]), name=name)


def test_topics_are_said_by_every_prompt() -> None:
    topics, about = f"{CORPUS}.topics=16", "prompt='One sentence about {topic} from a {kind} of a film.'"
    stages = (TRAIN, "10_finetune_dp_lora.nonprivate", BASE)
    preflight.preflight("quick", "check", [topics, *(f"{stage}.{about}" for stage in stages)])
    with refused("models.topic_unsaid", name="topic") as error:
        preflight.preflight("quick", "check", [topics])
    silent = [fault.where for fault in error.value.faults if fault.code == "models.topic_unsaid"]
    assert all(any(stage in where for where in silent) for stage in (TRAIN, BASE))


# Prompts, and what else would stop a stage after its corpus has spent its budget.


@pytest.mark.parametrize("stage", [TRAIN, BASE])
@pytest.mark.parametrize(
    ("prompt", "code", "name"),
    [
        ("A {kindd} sentence:", "models.placeholder_unknown", "kindd"),
        ("A {kind!r} sentence:", "models.placeholder_formatted", "template"),
        ("A {kind sentence:", "models.template_malformed", "template"),
        ("Say {text} again:", "models.placeholder_is_text", "text"),
    ],
)
def test_a_prompt_that_does_not_fit_the_corpus_is_refused(stage: str, prompt: str, code: str, name: str) -> None:
    error = refusal(code, f"{stage}.prompt='{prompt}'", stage=stage, name=name)
    assert (error.remedy == "did you mean kind?") == (name == "kindd")


@pytest.mark.parametrize(
    ("changes", "code", "name", "value"),
    [
        (["prompts=prompts"], "generation.prompt_file_missing", "prompts", "prompts"),
        (["model=openai:some-model"], "generation.sampling_unsupported", "top_k", 50),
        (
            ["model=openai:some-model", "top_k=0", "no_repeat_ngram_size=2"],
            "generation.sampling_unsupported",
            "no_repeat_ngram_size",
            2,
        ),
    ],
)
def test_aug_pe_with_what_its_writer_cannot_do_is_refused(
    changes: list[str], code: str, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    refusal(code, *(f"{AUG_PE}.{change}" for change in changes), stage=AUG_PE, name=name, value=value)


@pytest.mark.parametrize(
    ("stage", "name", "value"),
    [(AUG_PE, "concurrency", 257), (CORPUS, "delta", 0.5), (CORPUS, "label_histogram_scale", 100000.0)],
    ids=["requests", "no promise", "an account of minutes"],
)
def test_a_number_beyond_its_range_is_refused(stage: str, name: str, value: float) -> None:
    with refused("stage.out_of_range", name=name, value=value):
        preflight.preflight("quick", "check", [f"{stage}.{name}={value}"])


def test_a_server_of_ones_own_takes_top_k() -> None:
    own_server = [f"{AUG_PE}.model=openai:some-model", f"{AUG_PE}.base_url=http://localhost:8000/v1"]
    assert preflight.preflight("quick", "check", own_server).nodes[AUG_PE].parameters["top_k"] == 50


# Labelled PII text: what cannot be written is refused in pre-flight.


@pytest.mark.parametrize(
    ("changes", "code", "name"),
    [
        (["samples=98"], "pii.too_few_samples", "samples"),
        (["locales={en_XX: 1.0}"], "pii.unknown_locale", "locale"),
        (["fields=[banking]"], "pii.unknown_in_grammar", "fields"),
        (["exports=[csv]"], "pii.unknown_format", "exports"),
        (["writer=arm"], "methods.no_slot_texts", "inputs"),
        (["writer=model"], "methods.no_writing_model", "model"),
        (["negatives=1.5"], "stage.out_of_range", "negatives"),
        (["writer=grammer"], "stage.wrong_type", "writer"),
    ],
)
def test_pii_text_that_cannot_be_written_is_refused(changes: list[str], code: str, name: str) -> None:
    with refused(code, name=name) as error:
        preflight.preflight("pii", "check", [f"40_pii_text.{change}" for change in changes])
    assert "40_pii_text" in error.value.where


@pytest.mark.parametrize("stage", ["00_process_data", "10_finetune_dp_lora.eps8", "21_fidelity"])
def test_slot_texts_come_from_an_arm(stage: str) -> None:
    from support.project import ROOT

    from lib.pipeline.stage_checks import CHECKS
    from lib.stage.parameters import read_spec

    defaults = {name: given.default for name, given in read_spec(ROOT / "notebooks/40_pii_text.ipynb").items()}
    with refused("stage.input_of_another_notebook", name="arm", value=stage):
        CHECKS["40_pii_text"](defaults | {"writer": "arm", "inputs": {"arm": stage}})
    CHECKS["40_pii_text"](defaults | {"writer": "arm", "inputs": {"arm": "11_generate.eps8"}})


def test_labelled_pii_text_has_no_mechanism_to_audit() -> None:
    changes = ["20_canary_privacy.inputs={corpus: 00_process_data, pii: 40_pii_text}"]
    with refused("stage.input_of_another_notebook", name="pii", value="40_pii_text"):
        preflight.preflight("quick", "check", changes)


# Pictures and rows: each measuring notebook takes arms and a corpus of its own kind.

IMAGE_FLOOR, IMAGE_ARM, TABLE_ARM = "11_random_images", "15_image_evolution.eps8", "16_table_evolution.eps8"


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ("21_image_fidelity.floor=eps9", "pipeline.floor_is_no_arm", "floor"),
        ("21_image_fidelity.encoder=pixels:1.0", "pipeline.one_encoder", "encoder"),
        ("21_image_fidelity.encoder=renders:x", "evaluation.space_unknown", "encoder"),
        ("21_image_fidelity.voting_encoder=inception", "models.image_encoder_unknown", "encoder"),
        (
            f"22_image_utility.inputs={{corpus: 00_process_images, floor: {EPS8}}}",
            "stage.input_of_another_notebook",
            "floor",
        ),
        ("20_vote_privacy.inputs={corpus: 00_process_images}", "pipeline.no_arm", "inputs"),
        ("20_vote_privacy.remade=[eps9]", "pipeline.remade_is_no_arm", "remade"),
        (
            f"20_vote_privacy.inputs={{corpus: 00_process_images, floor: {IMAGE_FLOOR}}}",
            "stage.input_of_another_notebook",
            "floor",
        ),
        ("15_image_evolution.eps8.ink=0", "methods.ink_not_seen", "ink"),
        ("00_process_images.source=rotten-tomatoes", "pipeline.source_of_other_kind", "source"),
        ("00_process_images.source=images:nowhere", "data.no_images", "source"),
        ("00_process_images.unit=user", "pipeline.source_without_users", "unit"),
    ],
)
def test_what_is_refused_of_pictures(change: str, code: str, name: str) -> None:
    with refused(code, name=name) as error:
        preflight.preflight("images", "check", [change])
    assert all(fault.where.startswith("params/images/") for fault in error.value.faults)


def test_a_table_is_measured_beside_arms_of_rows_alone() -> None:
    stage_checks.table_quality({"inputs": {"corpus": "00_process_table", "eps8": TABLE_ARM}})
    for inputs in ({"corpus": "00_process_images"}, {"corpus": "00_process_table", "eps8": IMAGE_ARM}):
        with refused("stage.input_of_another_notebook"):
            stage_checks.table_quality({"inputs": inputs})
