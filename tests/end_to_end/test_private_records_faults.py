"""Private records and their sanitization against a server that fails, and killed: each record once, the same bytes.

Three kills a test by default, and as many as ``--kills`` says; ``-s`` shows what became of the records.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.chat_faults import KINDS, Faulty
from support.chat_server import ChatServer
from support.endpoints import KEY, loopback
from support.killed_work import content, unequal
from support.letters import DEFAULTS, STEPS, letter
from support.project import ROOT
from support.record_toys import GOOD, ToyAuthor, embed, step_of, tasks
from support.sanitized_toys import CLEAN
from support.sanitized_toys import record as toy

from lib.generation.endpoint import retries
from lib.generation.endpoint.endpoint import Endpoint
from lib.generation.engines.base import Request, Sampling
from lib.pii.detectors.rules import Rules as Patterns
from lib.private_records import schema as records_schema
from lib.private_records.model_author import ModelAuthor
from lib.private_records.pipeline import Recipe
from lib.private_records.prompting import Prompts
from lib.private_records.writing import write_set
from lib.sanitization import rates, schema
from lib.sanitization.annotators import Given
from lib.sanitization.blocks import sanitize_set
from lib.sanitization.guesses import ModelGuesser, guess_all
from lib.sanitization.model_rewriter import Model
from lib.sanitization.prompting import Prompts as SanitizingPrompts
from lib.sanitization.rules import Rules
from lib.sanitization.sanitize import Sanitizer

COUNT = 24
QUICK = tuple(kind for kind in KINDS if kind != "timeout")  # a kill test waits for nothing
LETTERS = [letter(f"record-{number}", f"{letter().text}\n\nNo. {number}") for number in range(COUNT)]

Work = Callable[[Path, ChatServer, int], None]  # folder, server, concurrency


def record_author(body: dict) -> str:
    """The right reply to a step of a private record; each record has its own injury."""
    asked = body["messages"][-1]["content"]
    step = step_of(Request((("user", asked),), 1))
    found = re.search(r"injury no\. [0-9a-f]{6}", asked)
    injury = found[0] if found else f"injury no. {hashlib.sha256(asked.encode()).hexdigest()[:6]}"
    return GOOD[step].replace("left wrist", injury).replace("{}", "")


def rewriter(body: dict) -> str:
    """The right reply to a step of a sanitized record."""
    asked = body["messages"][-1]["content"]
    step = next(step for step, words in STEPS.items() if words in asked)
    given = DEFAULTS[step]
    return given(asked) if callable(given) else given


def write_records(folder: Path, server: ChatServer, concurrency: int) -> None:
    author = ModelAuthor(Prompts(), ["a fall", "a fine"], 3, 32, Patterns())
    made = write_set(
        tasks(COUNT), author, Recipe(revisions=1), embed=embed, model=_endpoint(folder, server, concurrency),
        sampling=Sampling(seed=3), window=16, sample=8, block=8, folder=folder / "blocks",
    )  # fmt: skip
    records_schema.write(folder / "records.jsonl", made.records)
    records_schema.write(folder / "errors.jsonl", made.failed)


def sanitize(folder: Path, server: ChatServer, concurrency: int) -> None:
    sanitizer = Sanitizer(Given(), Model(SanitizingPrompts(), 3))
    made = sanitize_set(
        LETTERS, lambda: sanitizer, model=_endpoint(folder, server, concurrency), sampling=Sampling(seed=3), block=8,
        folder=folder / "blocks",
    )  # fmt: skip
    schema.write(folder / "records.jsonl", made.records)
    records_schema.write(folder / "errors.jsonl", made.failed)


def _endpoint(folder: Path, server: ChatServer, concurrency: int) -> Endpoint:
    return loopback(server, folder.with_suffix(".sqlite"), concurrency=concurrency, timeout=0.5)


STAGES: dict[str, tuple[Work, Callable[[dict], str]]] = {
    "50": (write_records, record_author),
    "51": (sanitize, rewriter),
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(retries, "backoff", lambda *arguments: 0.0)
    made = ChatServer()
    yield made
    made.stop()


def ids(folder: Path, name: str) -> list[str]:
    return [json.loads(line)["id"] for line in (folder / name).read_text().splitlines()]


@pytest.mark.parametrize("stage", STAGES)
def test_a_fifth_of_the_requests_fails_and_every_record_ends_once(stage: str, server: ChatServer, tmp_path: Path):
    work, right = STAGES[stage]
    asked = [f"record-{number:06d}" for number in range(COUNT)] if stage == "50" else [one.id for one in LETTERS]
    for concurrency in (1, 8):
        server.usual = faulty = Faulty(right, seed=5)
        work(tmp_path / str(concurrency), server, concurrency)
        written, failed = (ids(tmp_path / str(concurrency), f"{name}.jsonl") for name in ("records", "errors"))
        assert sorted(written + failed) == sorted(asked)
        share = sum(faulty.failed.values()) / (faulty.whole + sum(faulty.failed.values()))
        assert len(+faulty.failed) >= 12 and 0.12 < share < 0.28
        assert len(written) >= COUNT / 4 and failed, "some of both, or this tests nothing"
        print(
            f"{stage} with {concurrency} workers: {len(written)} written, {len(failed)} failed, {dict(+faulty.failed)}"
        )
    assert content(tmp_path / "1") == content(tmp_path / "8")


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_with_a_server_that_is_killed_comes_to_the_same(
    stage: str, server: ChatServer, tmp_path: Path, request: pytest.FixtureRequest
):
    work, right = STAGES[stage]
    server.usual = Faulty(right, seed=5, kinds=QUICK)
    kills = request.config.getoption("--kills")
    killed, found = unequal(lambda folder: work(folder, server, 8), tmp_path, kills)
    assert killed >= kills and not found


def guesser(body: dict) -> str:
    """Guesses for all that is asked."""
    names = re.findall(r"^- (\w+)$", body["messages"][-1]["content"], re.MULTILINE)
    return json.dumps(dict.fromkeys(names, "no idea"))


def test_every_text_is_guessed_from_or_its_leaks_are_unknown(server: ChatServer, tmp_path: Path):
    records = [toy(f"{CLEAN} No. {number}", ("age", "diagnosis"), f"record-{number}") for number in range(COUNT)]
    for workers in (1, 8):
        server.usual = Faulty(guesser, seed=5)
        model = _endpoint(tmp_path / str(workers), server, workers)
        guesses = guess_all(records, ModelGuesser("toy", tries=2), model, Sampling(seed=3), ["sanitized"])
        assert sorted([*guesses.made, *guesses.failures]) == sorted((one.id, "sanitized") for one in records)
        checked = rates.check(records, guesses)
        assert rates.unknown(checked) == 2 * len(guesses.failures) > 0
        rates.write(tmp_path / f"{workers}.jsonl", checked)
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "8.jsonl").read_bytes()


def write_offline(folder: Path) -> None:
    made = write_set(
        tasks(COUNT), ToyAuthor(), Recipe(), embed=embed, model=None, sampling=Sampling(seed=3), window=16, sample=8,
        block=4, folder=folder / "blocks",
    )  # fmt: skip
    records_schema.write(folder / "records.jsonl", made.records)


def sanitize_by_rules(folder: Path) -> None:
    made = sanitize_set(
        LETTERS, lambda: Sanitizer(Given(), Rules(), "sensitivity"), model=None, sampling=Sampling(seed=3), block=4,
        folder=folder / "blocks",
    )  # fmt: skip
    schema.write(folder / "records.jsonl", made.records)


@pytest.mark.parametrize("work", [write_offline, sanitize_by_rules])
def test_an_offline_run_that_is_killed_comes_to_the_same(
    work: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    monkeypatch.chdir(ROOT)
    kills = request.config.getoption("--kills")
    killed, found = unequal(work, tmp_path, kills)
    assert killed >= kills and not found


def test_the_control_work_that_writes_under_final_names_is_found(tmp_path: Path):
    def careless(folder: Path) -> None:
        for number in range(5):
            if not (path := folder / f"block-{number}").exists():
                path.write_text("whole")

    _, found = unequal(careless, tmp_path, 10)
    assert found
