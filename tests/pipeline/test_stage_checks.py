"""What pre-flight refuses beyond types and ranges: own files, users, inputs, prompts. No kernel is started here."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.errors import refused
from support.project import ROOT

from lib.common.errors import DoppelError
from lib.pipeline import preflight

CORPUS = "00_process_data"
ROWS = [
    {"Review": "a private sentence", "Stars": "positive", "Author": "ann"},
    {"Review": "another", "Stars": "negative", "Author": ""},
]
FITTING = "{text: Review, labels.sentiment: Stars}"


def write(kind: str, path: Path) -> Path:
    if kind == "csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(ROWS[0]))
            table.writeheader()
            table.writerows(ROWS)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def refusal(*changes: str, preset: str = "quick") -> str:
    """The words of pre-flight's refusal; private text must not be among them."""
    with pytest.raises(DoppelError) as error:
        preflight.preflight(preset, "check", changes)
    assert "private sentence" not in str(error.value)
    return str(error.value)


def own(source: object, columns: str = FITTING, *more: str) -> list[str]:
    return [f"{CORPUS}.{one}" for one in (f"source={source}", f"columns={columns}", *more)]


# Own files: the first record is read as the stage will read it.


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("{text: Revew, labels.sentiment: Stars}", "no column 'Revew' for text; the columns are Review, Stars, Author"),
        ("{text: Review, sentiment: Stars}", "'sentiment' is not a field of a record; known: id, labels.NAME"),
        ("{text: Review, sentiment: Stars}", "a label is written labels.sentiment"),
        ("{text: Review}", "record 1: has labels [], the domain declares ['sentiment']"),
        ("{text: Review, labels.stars: Stars}", "has labels ['stars'], the domain declares ['sentiment']"),
        ("{text: Review, labels.sentiment: Author}", "(value hidden) is outside the declared domain"),
        ("null", "no column 'text' for text"),
    ],
)
def test_columns_that_do_not_fit_a_file_are_refused(kind: str, columns: str, message: str, tmp_path: Path) -> None:
    path = write(kind, tmp_path / f"mine.{kind}")
    preflight.preflight("quick", "check", own(f"{kind}:{path}"))
    said = refusal(*own(f"{kind}:{path}", columns))
    assert message in said and said.startswith("params/quick/00_process_data.yaml: ")


def test_a_file_of_another_kind_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    path = write("csv", tmp_path / "mine.csv")
    assert "not a whole Parquet file" in refusal(*own(f"parquet:{path}"))
    assert "not JSON" in refusal(*own(f"jsonl:{path}"))
    path.write_text("Review,Stars\n")
    assert "holds no record" in refusal(*own(f"csv:{path}"))
    assert f"{tmp_path}/none.csv: no such file" in refusal(*own(f"csv:{tmp_path}/none.csv"))
    assert "no such file" in refusal(f"{CORPUS}.source=yelp:{tmp_path}/none.csv")


def test_a_jsonl_file_in_the_record_schema_needs_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text('{"id": "1", "text": "a private sentence", "labels": {"sentiment": "neutral"}, "user": "ann"}\n')
    changes = [f"{CORPUS}.source=jsonl:{path}", f"{CORPUS}.unit=user"]
    assert preflight.preflight("quick", "check", changes).nodes[CORPUS].parameters["columns"] is None
    path.write_text('{"id": "1", "text": "a private sentence", "labels": {"mood": "neutral"}}\n')
    assert "has labels ['mood']" in refusal(changes[0])
    assert "names no user" in refusal(*changes)


def test_a_file_under_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write("csv", tmp_path / "mine.csv")
    assert CORPUS in preflight.preflight("quick", "check", own("csv:~/mine.csv")).nodes


def test_fields_of_columns_are_checked_where_nothing_is_read() -> None:
    said = refusal(*own("hub:owner/name", "{text: Review, stars: Stars}"))
    assert re.search(r"columns: 'stars' is not a field of a record; .* a label is written labels\.stars", said)


# The unit of the guarantee: a user that nobody knows is not protected.


@pytest.mark.parametrize("source", ["movie-snippets", "yelp", "openreview", "pubmed"])
def test_user_level_without_users_is_refused(source: str) -> None:
    assert f"unit: user, but nobody knows who wrote what in {source}" in refusal(
        f"{CORPUS}.source={source}", f"{CORPUS}.unit=user"
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_user_level_of_a_file_needs_a_column_of_users(kind: str, tmp_path: Path) -> None:
    source = f"{kind}:{write(kind, tmp_path / f'mine.{kind}')}"
    said = refusal(*own(source, FITTING, "unit=user"))
    assert "unit: user, but the first record" in said and "columns: {user: COLUMN}" in said
    preflight.preflight(
        "quick", "check", own(source, "{text: Review, labels.sentiment: Stars, user: Author}", "unit=user")
    )


# Inputs: each is a stage of the notebook that makes what is read.

AUG_PE, TRAIN, BASE, EPS8 = "12_aug_pe.eps8", "10_finetune_dp_lora.eps8", "11_generate.base", "11_generate.eps8"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (f"{TRAIN}.inputs={{corpus: {BASE}}}", f"corpus: {BASE} is no corpus; name a stage of {CORPUS}"),
        (f"{AUG_PE}.inputs={{corpus: {BASE}}}", f"corpus: {BASE} is no corpus; name a stage of {CORPUS}"),
        (f"{EPS8}.inputs={{corpus: {CORPUS}, model: {AUG_PE}}}", f"model: {AUG_PE} is no model; name a stage of 10_fi"),
        (
            f"{EPS8}.inputs={{corpus: {CORPUS}, modle: {TRAIN}}}",
            "inputs: modle: is none of this notebook's; did you m",
        ),
        (f"{TRAIN}.inputs={{corpus: {CORPUS}, base: {BASE}}}", "inputs: base: is none of this notebook's"),
        (f"21_fidelity.inputs={{corpus: {CORPUS}, base: {TRAIN}}}", f"base: {TRAIN} is no arm; name a stage of 11_gen"),
        (f"22_utility.inputs={{corpus: {EPS8}, base: {BASE}}}", f"corpus: {EPS8} is no corpus"),
        (f"30_compare.inputs={{corpus: {EPS8}, base: {BASE}}}", f"corpus: {EPS8} is no corpus"),
        (f"20_canary_privacy.inputs={{corpus: {EPS8}, a: {EPS8}}}", f"corpus: {EPS8} is no corpus"),
    ],
)
def test_an_input_that_is_something_else_is_refused_by_name(change: str, message: str) -> None:
    assert message in refusal(change)


# Prompts, and what else would stop a stage after its corpus has spent its budget.


@pytest.mark.parametrize("stage", [TRAIN, BASE])
@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("A {sentimant} sentence:", "prompt template: {sentimant} is not a label; did you mean sentiment?"),
        ("A {sentiment!r} sentence:", "a placeholder is a label's name alone"),
        ("A {sentiment sentence:", "write a literal brace twice"),
        ("Say {text} again:", "a prompt is built from labels alone"),
    ],
)
def test_a_prompt_that_does_not_fit_the_corpus_is_refused(stage: str, prompt: str, message: str) -> None:
    said = refusal(f"{stage}.prompt='{prompt}'")
    assert message in said and said.startswith(f"params/quick/{stage}.yaml: ")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["prompts=prompts"], "prompts: prompts: no such file; known: prompts/amazon-snippets.yaml"),
        (["concurrency=257"], "concurrency = 257; must be in [1, 256]"),
        (["model=openai:some-model"], "top_k = 50 has no counterpart at openai:some-model; leave it at 0"),
        (["model=openai:some-model", "top_k=0", "no_repeat_ngram_size=2"], "no_repeat_ngram_size = 2 has no counterpa"),
    ],
)
def test_aug_pe_with_what_its_writer_cannot_do_is_refused(
    changes: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    assert message in refusal(*(f"{AUG_PE}.{change}" for change in changes))


def test_a_server_of_ones_own_takes_top_k() -> None:
    own_server = [f"{AUG_PE}.model=openai:some-model", f"{AUG_PE}.base_url=http://localhost:8000/v1"]
    assert preflight.preflight("quick", "check", own_server).nodes[AUG_PE].parameters["top_k"] == 50


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["bounded=[]"], "no score, so no bound and no verdict; name one of 2-gram"),
        (["bounded=[grdients]"], "'grdients' is no score; did you mean gradients?"),
        (["bounded=[votes]", "control=nonprivate", "inputs={}"], "scores of no audited arm; theirs are 2-gram"),
        (["bounded=[gradients]", "control=null", "inputs={aug}"], "scores of no audited arm; theirs are 2-gram"),
        (["bounded=[similarity]", "control=null", "inputs={aug}"], "without a control only votes can be trusted"),
    ],
)
def test_an_audit_that_could_not_end_in_a_verdict_is_refused(changes: list[str], message: str) -> None:
    arms = {"inputs={}": f"nonprivate: {EPS8}", "inputs={aug}": f"aug_pe: {AUG_PE}"}
    changes = [f"inputs={{corpus: {CORPUS}, {arms[one]}}}" if one in arms else one for one in changes]
    assert message in refusal(*(f"20_canary_privacy.{change}" for change in changes))


@pytest.mark.parametrize(
    ("change", "code", "name", "value"),
    [
        ("control=eps9", "pipeline.unknown_control", "control", "eps9"),
        ("control=aug_pe", "pipeline.unknown_control", "control", "aug_pe"),
        ("control=null", "pipeline.no_control", "control", None),
        ("copies=[10]", "pipeline.copies_without_number", "repeated", [6, 4]),
        ("bounded=[lose]", "pipeline.unknown_score", "bounded", "lose"),
        (f"inputs={{corpus: {CORPUS}}}", "pipeline.no_arm", "inputs", None),
        (f"inputs={{corpus: {CORPUS}, a: {TRAIN}}}", "stage.input_of_another_notebook", "a", TRAIN),
    ],
)
def test_an_audit_without_arms_controls_or_known_scores_is_refused(
    change: str, code: str, name: str, value: object
) -> None:
    with refused(code, name=name, value=value):
        preflight.preflight("test", "test", [f"20_canary_privacy.{change}"])


def test_an_audit_of_one_method_alone_keeps_its_defaults() -> None:
    alone = [f"20_canary_privacy.inputs={{corpus: {CORPUS}, nonprivate: {EPS8}}}"]
    assert preflight.preflight("quick", "check", alone).nodes["20_canary_privacy"].parameters["bounded"][1] == "votes"


def test_a_delta_that_is_no_promise_is_refused() -> None:
    assert "delta = 0.5; must be in (0, 0.5)" in refusal(f"{CORPUS}.delta=0.5")


def test_pre_flight_waits_for_no_model_library() -> None:
    code = (
        "import os, sys; os.environ['OPENAI_API_KEY'] = 'none'; from lib.pipeline import preflight\n"
        "preflight.preflight('yelp-gpt35', 'check'); preflight.preflight('quick', 'check')\n"
        "print(sorted({'torch', 'transformers', 'peft', 'sklearn'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.stdout == "[]\n", ended.stderr
