"""Bedrock's batch inference: files of requests, which a user hands to a job.

A batch costs less than single requests, and takes hours instead of minutes. Nothing here reaches the network:
`write_requests` says which commands to run, and `lib.generation.endpoint.bedrock_output` reads what they fetched.
"""

import json
import shlex
from base64 import b32encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from lib.common import files
from lib.common.errors import DoppelError
from lib.generation.endpoint import converse, invoke_model
from lib.generation.endpoint.answer import Answer
from lib.generation.engines.base import Request, Sampling

Form = Literal["Converse", "InvokeModel"]

LEAST, MOST = 100, 50_000  # records of a job: quotas of an AWS account, which differ between models
_NUMBERED = 1_000_000  # records that the number in a recordId tells apart


@dataclass(frozen=True)
class Batch:
    """The requests of a batch, numbered and named. The same requests make the same batch, bit by bit.

    Attributes:
        requests: what is asked, each with its own limit.
        sampling: how tokens are drawn. Its seed is not sent: the service takes none, it tells batches apart.
        model: ``bedrock:ID``.
        form: how a request is written; Converse is the same for all models.

    Raises:
        DoppelError: the model is not on Bedrock, or does not have the form or a parameter of ``sampling``.
    """

    requests: Sequence[Request]
    sampling: Sampling
    model: str
    form: Form = "Converse"
    job: str = field(init=False)

    def __post_init__(self) -> None:
        if not self.model.startswith("bedrock:"):
            raise DoppelError(
                "generation.batch_model",
                f"model = {self.model!r} must be bedrock:ID for a batch",
                name="model",
                value=self.model,
            )
        if self.form == "InvokeModel":
            invoke_model.check_model(self.model)
        digest = sha256(json.dumps([self.model, self.form, self.sampling.seed]).encode())
        for body in self.bodies():
            digest.update(json.dumps(body).encode())
        object.__setattr__(self, "job", b32encode(digest.digest()).decode().lower()[:5])

    def bodies(self) -> Iterator[dict[str, Any]]:
        """Each request as the model takes it."""
        fields = converse.inference_fields(self.sampling, self.model)
        for request in self.requests:
            if self.form == "Converse":
                yield converse.request_body(request, fields)
            else:
                yield invoke_model.request_body(request, fields, self.model)

    def record(self, position: int) -> str:
        """The recordId of a request: 11 letters and digits, the batch's name and the request's number.

        Args:
            position: of the request, from 0, below a million.
        """
        return f"{self.job}{position:06d}"

    def read(self, reply: Any, position: int) -> Answer:
        """What a request was answered.

        Args:
            reply: its ``modelOutput``, of any type.
            position: of the request.

        Raises:
            lib.generation.endpoint.answer.BrokenReply: the reply is not of the batch's form.
        """
        limit = self.requests[position].max_new_tokens
        if self.form == "Converse":
            return converse.read_reply(reply, limit)
        return invoke_model.read_reply(reply, limit, self.model)


def write_requests(folder: Path, batch: Batch, *, least: int = LEAST, most: int = MOST) -> str:
    """Write the files of a batch, one for each job, and say what to do with them.

    Args:
        folder: of the batch. ``requests/`` in it is written anew; fetched files belong in ``output/``.
        batch: what is asked. Whatever it says leaves this machine: labels and synthetic text, never private records.
        least: records that a job needs at least.
        most: records that a job takes at most; a larger batch is split evenly.

    Returns:
        The commands of the AWS CLI that come next, in the order of running, for a shell.

    Raises:
        DoppelError: there are too few records for a job, or more than a batch can number.
    """
    total = len(batch.requests)
    jobs = max(1, -(-total // most))
    if total // jobs < least or total > _NUMBERED:
        raise DoppelError(
            "generation.batch_size",
            f"{total} records in jobs of {least} to {most}; a batch has at most {_NUMBERED:,}",
            name="records",
            value=total,
            remedy=f"ask for more, or for fewer, or without a batch: model: {batch.model} answers any number",
        )
    lines = [
        json.dumps({"recordId": batch.record(position), "modelInput": body}) + "\n"
        for position, body in enumerate(batch.bodies())
    ]
    files.remove_folder(folder / "requests")
    names = [f"{batch.job}-{number}.jsonl" for number in range(1, jobs + 1)]
    for number, name in enumerate(names):
        part = lines[total * number // jobs : total * (number + 1) // jobs]
        files.write_atomic(folder / "requests" / name, "".join(part))
    (folder / "output").mkdir(exist_ok=True)
    return _commands(folder, batch, names)


def _commands(folder: Path, batch: Batch, names: Sequence[str]) -> str:
    """What to run after the files of requests are written."""
    name, model = f"doppel-{batch.job}", shlex.quote(batch.model.removeprefix("bedrock:"))
    requests, output = shlex.quote(str(folder / "requests")), shlex.quote(str(folder / "output"))
    starts = "\n".join(
        f"aws bedrock create-model-invocation-job --job-name {Path(file).stem.replace(batch.job, name)} "
        f'--role-arn "$ROLE" --model-id {model} --model-invocation-type {batch.form} '
        f'--input-data-config "s3InputDataConfig={{s3Uri=s3://$BUCKET/{name}/requests/{file}}}" '
        f'--output-data-config "s3OutputDataConfig={{s3Uri=s3://$BUCKET/{name}/output/}}"'
        for file in names
    )
    return f"""\
{len(batch.requests):,} requests for {len(names)} job(s) are in {folder / "requests"}.
Next, with a bucket of yours and the ARN of a role that lets Bedrock read and write it:

BUCKET=YOUR-BUCKET ROLE=YOUR-ROLE-ARN
aws s3 cp {requests} "s3://$BUCKET/{name}/requests/" --recursive
{starts}

The jobs take hours. The first of these lines shows their states; when all have ended, run both, then this stage again:

aws bedrock list-model-invocation-jobs --name-contains {name} | tee {output}/jobs.json
aws s3 cp "s3://$BUCKET/{name}/output/" {output} --recursive
"""
