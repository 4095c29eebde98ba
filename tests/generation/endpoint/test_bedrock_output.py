"""What a batch's jobs leave: a whole output is the control, and each fault moves its own count and no other."""

import json
import random
from dataclasses import asdict
from pathlib import Path

import botocore.session
import pytest
from support.batches import batch_of, leave, lines, manifest, reply, rows, states
from support.endpoints import asks
from support.errors import refused

from lib.common.errors import DoppelError
from lib.generation.endpoint.bedrock_output import ENDED, RUNNING, BatchCounts, outputs, read_replies
from lib.generation.engines.base import Completion, Sampling

BATCH = batch_of()
OTHER = batch_of(sampling=Sampling(seed=7))
ANSWERED = {"requested": 120, "answered": 120, "held": 120}


def counts(folder: Path, **expected: object) -> dict[int, Completion]:
    """Read the replies and compare all counts: those that are not expected are 0."""
    got, found = read_replies(folder, BATCH)
    found.usage = BatchCounts(0).usage
    assert asdict(found) == asdict(BatchCounts(**(ANSWERED | expected)))
    assert found.requested == found.answered + sum(found.errors.values()) + found.missing
    assert all(completion.text.startswith(f"text {number}") for number, completion in got.items() if completion.text)
    return got


def test_a_whole_output_in_any_order_is_joined_by_record(tmp_path: Path):
    leave(tmp_path, rows(BATCH))
    manifest(tmp_path, 120)
    got = counts(tmp_path, told=120)
    assert got == {number: Completion(f"text {number}", 7, ended=True) for number in range(120)}
    assert list(got) == sorted(got)


def test_tokens_and_their_price_are_counted(tmp_path: Path):
    leave(tmp_path, rows(BATCH)[:100])
    usage = read_replies(tmp_path, BATCH, prices={"input": 2.0, "output": 10.0})[1].usage
    assert (usage.requests, usage.prompt_tokens, usage.completion_tokens) == (100, 500, 700)
    assert usage.cost == pytest.approx(8000e-6)


def test_the_output_of_several_jobs_is_one(tmp_path: Path):
    whole = rows(BATCH)
    leave(tmp_path, whole[:70], file="x-1.jsonl.out", job="job1")
    leave(tmp_path, whole[70:], file="x-2.jsonl.out", job="job2")
    assert len(outputs(tmp_path)) == 2
    manifest(tmp_path, 70, job="job1")
    manifest(tmp_path, 50, job="job2")
    counts(tmp_path, told=120)


def test_missing_records_are_counted(tmp_path: Path):
    leave(tmp_path, rows(BATCH)[3:])
    assert len(counts(tmp_path, answered=117, held=117, missing=3)) == 117


def test_errors_are_counted_by_code_and_their_words_not_kept(tmp_path: Path):
    whole = rows(BATCH)
    for row, error in zip(
        whole,
        (
            {"errorCode": 400, "errorMessage": "p0 is bad"},
            {"errorCode": "ThrottlingException"},
            {"errorCode": "ThrottlingException"},
            {"errorCode": "p1 is bad, as you said"},
            {},
            "bad",
        ),
        strict=False,
    ):
        del row["modelOutput"]
        row["error"] = error
    leave(tmp_path, whole)
    counts(tmp_path, answered=114, errors={"400": 1, "ThrottlingException": 2, "unnamed": 3})
    assert "bad" not in str(read_replies(tmp_path, BATCH)[1])


@pytest.mark.parametrize("output", [None, "text", {}, {"output": {"message": None}}])
def test_a_reply_of_another_form_is_an_error(output: object, tmp_path: Path):
    whole = rows(BATCH)
    whole[5]["modelOutput"] = output
    leave(tmp_path, whole)
    counts(tmp_path, answered=119, errors={"no completion": 1})


def test_duplicates_are_counted_and_a_reply_is_kept_over_an_error(tmp_path: Path):
    whole = rows(BATCH)
    first, second, third = whole[0], whole[1], whole[2]
    again = first | {"modelOutput": reply("another")}
    failed = {"recordId": second["recordId"], "error": {"errorCode": 500}}
    leave(tmp_path, [failed, *whole, again, failed, third])
    got = counts(tmp_path, duplicates=4, held=124)
    assert all(completion.text.startswith("text") for completion in got.values())


def test_records_of_another_job_among_ours_are_counted(tmp_path: Path):
    leave(tmp_path, rows(BATCH))
    leave(tmp_path, [*rows(OTHER)[:9], {"recordId": "CALL0000001", "modelOutput": reply("x")}], job="other")
    counts(tmp_path, foreign=10)


def test_an_output_of_another_job_is_refused(tmp_path: Path):
    leave(tmp_path, rows(OTHER))
    with refused("generation.batch_of_another_job", name=str(tmp_path), value=120) as error:
        read_replies(tmp_path, BATCH)
    assert BATCH.job in error.value.sentence
    assert len(read_replies(tmp_path, OTHER)[0]) == 120


def test_a_changed_prompt_makes_the_output_another_jobs(tmp_path: Path):
    leave(tmp_path, rows(BATCH))
    with refused("generation.batch_of_another_job"):
        read_replies(tmp_path, batch_of(requests=[*asks(119), asks(121)[-1]]))


def test_lines_that_are_no_records_are_counted(tmp_path: Path):
    bad = [b"{", b"[]", b'"x"', b"{}", b'{"recordId": 3}', b"\xff", b"[" * 100_000]
    leave(tmp_path, b"\n".join([*bad, b"", lines(rows(BATCH))]))
    counts(tmp_path, unreadable=len(bad))


def test_a_file_that_ends_within_a_line_is_told_from_a_bad_line(tmp_path: Path):
    whole = lines(rows(BATCH))
    leave(tmp_path, whole[:-30])
    manifest(tmp_path, 120)
    counts(tmp_path, answered=119, held=119, missing=1, cut_off=1, told=120)
    assert "the manifests tell of 120 records, the files hold 119" in str(read_replies(tmp_path, BATCH)[1])
    leave(tmp_path, whole[:-1])  # only the line break is missing
    counts(tmp_path, told=120)


def test_a_download_that_ends_between_lines_is_seen_by_the_manifest(tmp_path: Path):
    leave(tmp_path, rows(BATCH)[:60])
    manifest(tmp_path, 120)
    counts(tmp_path, answered=60, held=60, missing=60, told=120)
    assert "fetch them again" in str(read_replies(tmp_path, BATCH)[1])


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"processedRecordCount": "many"}'])
def test_a_manifest_that_says_nothing_is_none(content: str, tmp_path: Path):
    leave(tmp_path, rows(BATCH))
    manifest(tmp_path, 120)
    next((tmp_path / "output").rglob("manifest.json.out")).write_text(content)
    counts(tmp_path, told=None)


def test_replies_that_were_cut_or_refused_are_counted(tmp_path: Path):
    whole = rows(BATCH)
    for row, stop in zip(whole, ("max_tokens", "model_context_window_exceeded", "content_filtered"), strict=False):
        row["modelOutput"]["stopReason"] = stop
    leave(tmp_path, whole)
    counts(tmp_path, truncated=2, refused=1)
    assert "(2 cut, 1 refused)" in str(read_replies(tmp_path, BATCH)[1])


def test_the_forms_of_invoke_model_are_read(tmp_path: Path):
    claude = batch_of(model="bedrock:anthropic.claude-3-haiku-20240307-v1:0", form="InvokeModel")
    whole = rows(claude)
    for row in whole:
        row["modelOutput"] = {
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": row["recordId"]}],
            "stop_reason": "max_tokens",
            "usage": {"input_tokens": 5, "output_tokens": 7},
        }
    whole[0]["modelOutput"] = reply("of Converse")
    leave(tmp_path, whole)
    got, found = read_replies(tmp_path, claude)
    assert (found.answered, found.truncated, found.errors) == (119, 119, {"no completion": 1})
    number = min(got)
    assert got[number] == Completion(claude.record(number), 7, ended=False)
    nova = batch_of(form="InvokeModel")
    leave(tmp_path, rows(nova))
    assert len(read_replies(tmp_path, nova)[0]) == 120


def test_the_states_are_those_of_the_service():
    model = botocore.session.Session().get_service_model("bedrock")
    known = model.shape_for("ModelInvocationJobStatus").enum
    assert sorted(known) == sorted(RUNNING + ENDED) and len(known) == 10


@pytest.mark.parametrize("state", ENDED)
def test_what_an_ended_job_left_is_read(state: str, tmp_path: Path):
    name = f"doppel-{BATCH.job}-1"
    states(tmp_path, (name, state, "2026-01-02"), (f"doppel-{OTHER.job}-1", "InProgress", "2026-01-03"))
    with refused("generation.batch_without_output") as error:
        read_replies(tmp_path, BATCH)
    assert state in error.value.sentence
    leave(tmp_path, rows(BATCH)[:80])
    counts(tmp_path, answered=80, held=80, missing=40, states={name: state})
    assert state in str(read_replies(tmp_path, BATCH)[1])


@pytest.mark.parametrize("state", [*RUNNING, "Dreaming"])
def test_a_job_that_has_not_ended_is_waited_for(state: str, tmp_path: Path):
    leave(tmp_path, rows(BATCH))
    name = f"doppel-{BATCH.job}-1"
    states(tmp_path, (name, state, "2026-01-02"))
    with refused("generation.batch_not_ended", name=name, value=state if state in RUNNING else None):
        read_replies(tmp_path, BATCH)


def test_of_a_job_that_was_started_again_the_last_state_counts(tmp_path: Path):
    leave(tmp_path, rows(BATCH))
    name = f"doppel-{BATCH.job}-1"
    states(tmp_path, (name, "Completed", "2026-01-03"), (name, "Expired", "2026-01-02"))
    counts(tmp_path, states={name: "Completed"})


@pytest.mark.parametrize("content", ["", "[]", '{"invocationJobSummaries": [{}]}', '{"invocationJobSummaries": 3}'])
def test_a_list_of_jobs_that_is_none_is_refused(content: str, tmp_path: Path):
    leave(tmp_path, rows(BATCH))
    (tmp_path / "output" / "jobs.json").write_text(content)
    with refused("generation.batch_jobs_unreadable", name=str(tmp_path / "output" / "jobs.json")):
        read_replies(tmp_path, BATCH)


def test_no_output_is_told_from_an_empty_one(tmp_path: Path):
    with refused("generation.batch_without_output", name=str(tmp_path)):
        read_replies(tmp_path, BATCH)
    leave(tmp_path, b"")
    assert counts(tmp_path, answered=0, held=0, missing=120) == {}


def test_a_sentence_says_it_all(tmp_path: Path):
    whole = rows(BATCH)
    whole[0] = {"recordId": whole[0]["recordId"], "error": {"errorCode": 400}}
    leave(tmp_path, lines([*whole[:118], whole[5]]) + json.dumps(whole[119]).encode()[:50])
    said = str(read_replies(tmp_path, BATCH)[1])
    assert said == (
        "117 of 120 records answered (0 cut, 0 refused); error 400: 1; missing: 2; duplicates: 1; "
        "files that end within a line: 1"
    )


def test_damage_of_any_kind_is_accounted_for_or_refused(tmp_path: Path):
    """300 outputs with bytes changed, taken out or doubled: nothing else is raised, and every record is counted."""
    batch, rng, refusals = batch_of(6), random.Random(0), 0
    whole = lines(rows(batch))
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 20)):
            start = rng.randrange(len(damaged))
            end = start + rng.randint(0, 200)
            damaged[start:end] = rng.choice(
                [b"", b"\n", b'"', b"null", b"1e999", b"\xff", bytes(damaged[start:end]) * 2]
            )
        leave(tmp_path, bytes(damaged))
        try:
            got, found = read_replies(tmp_path, batch)
        except DoppelError as error:
            assert error.code == "generation.batch_of_another_job"
            refusals += 1
            continue
        assert found.answered == len(got) and found.answered + sum(found.errors.values()) + found.missing == 6
        assert found.held - found.duplicates == 6 - found.missing
        assert isinstance(str(found), str) and json.dumps(asdict(found))
    assert refusals < 150
