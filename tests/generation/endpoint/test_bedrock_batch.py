"""The files of a batch of requests, and the commands that come next, against botocore's models of both APIs."""

import json
import re
import shlex
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator
from support.aws import MODEL
from support.batches import batch_of
from support.endpoints import SAMPLING, asks
from support.errors import refused

from lib.generation.endpoint.bedrock_batch import write_requests
from lib.generation.engines.base import Sampling

CLAUDE = "bedrock:us.anthropic.claude-haiku-4-5-20251001-v1:0"


def written(folder: Path) -> list[list[dict]]:
    files = sorted((folder / "requests").iterdir())
    return [[json.loads(line) for line in file.read_text().splitlines()] for file in files]


def faults(service: str, operation: str, given: dict) -> str:
    """What botocore says against the parameters of an operation; "" where they fit."""
    model = botocore.session.Session().get_service_model(service)
    return ParamValidator().validate(given, model.operation_model(operation).input_shape).generate_report()


def test_each_request_is_a_line_that_converse_takes(tmp_path: Path):
    batch = batch_of(sampling=Sampling(temperature=0.5))
    write_requests(tmp_path, batch)
    (records,) = written(tmp_path)
    assert [record["modelInput"]["messages"][0]["content"][0]["text"] for record in records] == [
        f"p{number}" for number in range(120)
    ]
    for number, record in enumerate(records):
        assert record.keys() == {"recordId", "modelInput"}
        assert record["recordId"] == batch.record(number) and re.fullmatch("[a-z0-9]{11}", record["recordId"])
        assert not faults("bedrock-runtime", "Converse", record["modelInput"] | {"modelId": "m"})
    assert faults("bedrock-runtime", "Converse", records[0]["modelInput"] | {"modelId": "m", "messages": "p0"})


def test_the_same_requests_are_the_same_bytes_and_others_another_batch(tmp_path: Path):
    write_requests(tmp_path, batch_of())
    first = {file.name: file.read_bytes() for file in (tmp_path / "requests").iterdir()}
    write_requests(tmp_path, batch_of())
    assert {file.name: file.read_bytes() for file in (tmp_path / "requests").iterdir()} == first
    others = (
        {"sampling": Sampling(seed=2)},
        {"sampling": Sampling(seed=1, top_p=0.5)},
        {"requests": asks(121)},
        {"requests": asks(120)[::-1]},
        {"model": "bedrock:amazon.nova-pro-v1:0"},
        {"form": "InvokeModel"},
    )
    assert len({batch_of(**other).job for other in ({}, *others)}) == 7
    write_requests(tmp_path, batch_of(**others[0]))
    assert len(list((tmp_path / "requests").iterdir())) == 1, "the files of the other batch are gone"


def test_a_large_batch_is_split_evenly_into_jobs(tmp_path: Path):
    commands = write_requests(tmp_path, batch_of(205), least=50, most=100)
    parts = written(tmp_path)
    assert [len(part) for part in parts] == [68, 68, 69]
    assert len({record["recordId"] for part in parts for record in part}) == 205
    assert commands.count("create-model-invocation-job") == 3


@pytest.mark.parametrize(("count", "least", "most"), [(99, 100, 50_000), (0, 100, 50_000), (121, 100, 120)])
def test_fewer_records_than_a_job_needs_are_refused(count: int, least: int, most: int, tmp_path: Path):
    with refused("generation.batch_size", name="records", value=count):
        write_requests(tmp_path, batch_of(count), least=least, most=most)
    assert not list(tmp_path.iterdir())
    write_requests(tmp_path, batch_of(least), least=least, most=most)


def test_what_bedrock_or_the_form_does_not_have_is_refused():
    with refused("generation.batch_model", name="model", value="openai:m"):
        batch_of(model="openai:m")
    with refused("generation.sampling_unsupported", name="top_k"):
        batch_of(sampling=Sampling(top_k=5))
    llama = "bedrock:meta.llama3-1-8b-instruct-v1:0"
    assert batch_of(model=llama).job
    with refused("generation.invoke_model_unknown", name="model", value=llama):
        batch_of(model=llama, form="InvokeModel")


def test_the_forms_of_invoke_model():
    (claude,) = batch_of(1, model=CLAUDE, form="InvokeModel", sampling=Sampling(top_p=0.9)).bodies()
    assert claude == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 16,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "p0"}]}],
        "top_p": 0.9,
    }
    (nova,) = batch_of(1, form="InvokeModel").bodies()
    (converse,) = batch_of(1).bodies()
    assert nova == {"schemaVersion": "messages-v1"} | converse and SAMPLING.temperature == 1


def test_the_commands_are_what_the_api_takes(tmp_path: Path):
    folder = tmp_path / "with a space"
    batch = batch_of()
    lines = write_requests(folder, batch).splitlines()
    assert (folder / "output").is_dir()
    (start,) = (shlex.split(line) for line in lines if "create-model-invocation-job" in line)
    flags = dict(zip(start[3::2], start[4::2], strict=True))
    location = {}
    for name in ("input", "output"):
        shorthand = re.fullmatch(r"(\w+)=\{s3Uri=(.+)\}", flags.pop(f"--{name}-data-config"))
        assert re.fullmatch(r"s3://\$BUCKET/doppel-\w{5}/[\w./-]+", shorthand[2])
        location[f"{name}DataConfig"] = {shorthand[1]: {"s3Uri": shorthand[2].replace("$BUCKET", "bucket")}}
    camel = {re.sub("-(.)", lambda found: found[1].upper(), name[2:]): value for name, value in flags.items()}
    assert not faults("bedrock", "CreateModelInvocationJob", camel | location)
    assert faults("bedrock", "CreateModelInvocationJob", camel)
    assert camel == {
        "jobName": f"doppel-{batch.job}-1",
        "roleArn": "$ROLE",
        "modelId": MODEL.removeprefix("bedrock:"),
        "modelInvocationType": "Converse",
    }
    (upload,) = (
        shlex.split(line) for line in lines if line.startswith("aws s3 cp") and "requests" in line.split("$")[0]
    )
    assert Path(upload[3]) == folder / "requests"
    assert location["inputDataConfig"]["s3InputDataConfig"]["s3Uri"].endswith(f"/requests/{batch.job}-1.jsonl")
    (listing,) = (shlex.split(line) for line in lines if "list-model-invocation-jobs" in line)
    assert not faults("bedrock", "ListModelInvocationJobs", {"nameContains": listing[4]})
    assert listing[4] in camel["jobName"] and Path(listing[-1]) == folder / "output" / "jobs.json"
