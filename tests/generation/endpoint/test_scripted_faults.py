"""Conversations with a server of which a fifth of the requests fail, in every way: each ends once, and as before."""

import json
from pathlib import Path

import pytest
from support.chat_faults import KINDS, Faulty
from support.chat_server import ChatServer
from support.endpoints import loopback

from lib.generation.engines.base import Sampling
from lib.generation.json_reply import read_list, read_object, texts
from lib.generation.workflow import Call, Outcome, Steps, Unusable, ask, run

IDS = [f"record-{number}" for number in range(60)]
TRIES = 3
SEED = 13


def right(body: dict) -> str:
    asked = body["messages"][-1]["content"]
    name = asked.split()[-1]
    if asked.startswith("object"):
        return json.dumps({"name": name, "size": "large"})
    if asked.startswith("list"):
        return json.dumps([name, "another", "a third"])
    return f"This is a text about {name}, and it is whole."


def record(id: str) -> Steps[tuple]:
    def of(reply: str) -> dict[str, str]:
        found = texts(read_object(reply))
        if found.get("name") != id:
            raise Unusable("another name")
        return found

    def many(reply: str) -> list[str]:
        found = [one for one in read_list(reply) if isinstance(one, str)]
        if len(found) < 2:
            raise Unusable("too few")
        return found

    found = yield from _ask("object", id, of)
    several = yield from _ask("list", id, many)
    return found, several, (yield from _ask("text", id, str))


def _ask(kind: str, id: str, read) -> Steps:
    return (yield from ask(Call(kind, (("user", f"{kind} {id}"),), 40, 0.7), read, TRIES))


def written(outcome: Outcome) -> str:
    failures = {id: [failure.step, *failure.reasons] for id, failure in outcome.failures.items()}
    return json.dumps([outcome.results, failures, outcome.calls], sort_keys=True)


def test_every_record_ends_once_and_alike_with_any_concurrency(server: ChatServer, waits: list[float], tmp_path: Path):
    came = []
    for concurrency in (1, 8):
        server.usual = faulty = Faulty(right, seed=SEED)
        endpoint = loopback(server, tmp_path / f"{concurrency}.sqlite", concurrency=concurrency, timeout=0.5)
        outcome = run({id: record(id) for id in IDS}, endpoint, Sampling(seed=1))
        assert sorted([*outcome.results, *outcome.failures]) == sorted(IDS)
        came.append(written(outcome))
        assert len(+faulty.failed) >= 12, "nearly every kind of fault; each is tried by itself below"
    assert came[0] == came[1]
    asked = faulty.whole + sum(faulty.failed.values())
    assert 0.12 < sum(faulty.failed.values()) / asked < 0.28
    assert len(outcome.results) > 0.6 * len(IDS) and outcome.failures


def test_a_run_that_goes_on_asks_nothing_twice(server: ChatServer, waits: list[float], tmp_path: Path):
    server.usual = Faulty(right, seed=SEED)
    first = written(
        run(
            {id: record(id) for id in IDS[:30]},
            loopback(server, tmp_path / "replies.sqlite", timeout=0.5),
            Sampling(seed=1),
        )
    )
    paid = server.paid.total()
    endpoint = loopback(server, tmp_path / "replies.sqlite", timeout=0.5)
    again = run({id: record(id) for id in IDS[:30]}, endpoint, Sampling(seed=1))
    assert written(again) == first
    assert endpoint.usage.requests == server.paid.total() - paid == 0


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_fault_ends_in_a_result_or_a_reason(
    kind: str, server: ChatServer, waits: list[float], tmp_path: Path
):
    server.usual = Faulty(right, share=0.5, seed=3, kinds=(kind,))
    outcome = run(
        {id: record(id) for id in IDS[:6]}, loopback(server, tmp_path / "replies.sqlite", timeout=0.5), Sampling(seed=1)
    )
    assert sorted([*outcome.results, *outcome.failures]) == sorted(IDS[:6])
    assert server.usual.failed[kind] > 0
    if kind in ("thinking", "preamble", "fenced"):
        assert not outcome.failures and outcome.calls.total() == 18, "the answer is read, and nothing is asked again"
