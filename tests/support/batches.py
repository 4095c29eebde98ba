"""What a job of Bedrock's batch inference leaves, whole or damaged."""

import json
import random
from pathlib import Path
from typing import Any

from lib.generation.endpoint.bedrock_batch import Batch
from support.aws import MODEL
from support.endpoints import SAMPLING, asks

JOB_FOLDER = "a1b2c3d4e5f6"  # the service names a folder after the job


def batch_of(count: int = 120, **changes: Any) -> Batch:
    return Batch(**({"requests": asks(count), "sampling": SAMPLING, "model": MODEL} | changes))


def reply(text: str, stop: str = "end_turn") -> dict:
    """A reply of Converse, of 7 tokens to a prompt of 5."""
    message = {"role": "assistant", "content": [{"text": text}]}
    usage = {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12}
    return {"output": {"message": message}, "stopReason": stop, "usage": usage, "metrics": {"latencyMs": 3}}


def rows(batch: Batch) -> list[dict]:
    """A record for each request, all answered, in no order."""
    made = [
        {"recordId": batch.record(number), "modelInput": body, "modelOutput": reply(f"text {number}")}
        for number, body in enumerate(batch.bodies())
    ]
    random.Random(1).shuffle(made)
    return made


def leave(folder: Path, written: list[dict] | bytes, *, file: str = "x-1.jsonl.out", job: str = JOB_FOLDER) -> None:
    """Put a file of records, as they are or already as bytes, into the folder of a job."""
    path = folder / "output" / job / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written if isinstance(written, bytes) else lines(written))


def lines(written: list[dict]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in written).encode()


def manifest(folder: Path, processed: int, *, job: str = JOB_FOLDER) -> None:
    given = {"totalRecordCount": 120, "processedRecordCount": processed, "successRecordCount": processed}
    path = folder / "output" / job / "manifest.json.out"
    path.write_text(json.dumps(given | {"errorRecordCount": 0, "inputTokenCount": 600, "outputTokenCount": 840}))


def states(folder: Path, *jobs: tuple[str, str, str]) -> None:
    """``jobs.json``: name, state and time of each job, as the AWS CLI lists them."""
    listed = [{"jobName": name, "status": state, "submitTime": time, "jobArn": "arn"} for name, state, time in jobs]
    (folder / "output").mkdir(parents=True, exist_ok=True)
    (folder / "output" / "jobs.json").write_text(json.dumps({"invocationJobSummaries": listed}))
