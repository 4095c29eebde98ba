"""Private evolution through a server that fails: every text is accounted for, or the run stops and can be resumed."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.aws import MODEL, configure
from support.chat_server import Answer, ChatServer, conversed, drop, fine, page, status
from support.errors import refused
from support.evolution_toys import Eyes

from lib.generation import prompt_file
from lib.generation.endpoint import retries
from lib.generation.endpoint.endpoint import Endpoint
from lib.generation.engines.base import Sampling
from lib.methods.private_evolution.evolution import Evolution, Voters
from lib.methods.private_evolution.modality import text_modality
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.text_api import Api, Writing

PROMPTS = """
about: words
labels: [side]
one_line: true
random: ["Say something about the {thing} on the {side}."]
rephrase: ["In other words: {text}"]
fill: ["Fill: {text}"]
draws: {thing: [door, house, tree, cloud, river, road]}
"""
VOTERS = Voters(np.random.default_rng(0).normal(0, 1, (60, 3)).astype(np.float32), np.repeat([0, 1], 30))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(retries, "backoff", lambda *_: 0.0)
    made = ChatServer()
    made.usual = numbered()
    yield made
    made.stop()


def numbered(reply_of=lambda text: fine(content=text)):
    """Every reply is another text, without digits."""
    count, lock = iter(range(10**6)), threading.Lock()

    def answer(handler, body):
        with lock:
            number = next(count)
        word = "".join(chr(97 + int(digit)) for digit in str(number))
        return reply_of(f"some {word} words")(handler, body)

    return answer


def embed(texts: list[str]) -> np.ndarray:
    return np.array([np.random.default_rng(list(text.encode())).normal(0, 1, 3) for text in texts], np.float32)


def evolution(server: ChatServer, tmp_path: Path, max_retries: int = 2, name: str = "openai:m") -> Evolution:
    (tmp_path / "words.yaml").write_text(PROMPTS)
    model = Endpoint(
        name, base_url=server.url, concurrency=1, max_retries=max_retries, cache=tmp_path / "replies.sqlite"
    )
    writing = Writing(Sampling(seed=3), max_new_tokens=16, max_attempts=3)
    settings = Settings(iterations=3, samples=4, noise_multiplier=1.0, variants=2, privacy_seed=1)
    return Evolution(
        text_modality(Api(model, prompt_file.load(tmp_path / "words.yaml"), writing), Eyes(embed)),
        VOTERS,
        cells=[{"side": "left"}, {"side": "right"}],
        shares=np.array([0.5, 0.5]),
        catalogue=[],
        settings=settings,
        folder=tmp_path / "checkpoints",
    )


FAULTS = {
    "429": status(429),
    "500": status(500),
    "dropped": drop,
    "invalid JSON": page(b"{"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_costs_a_retry_and_nothing_else(server, tmp_path, fault):
    answered = iter(range(10**6))
    well = numbered()
    server.usual = lambda handler, body: (FAULTS[fault] if next(answered) % 3 == 0 else well)(handler, body)
    run = evolution(server, tmp_path)
    history = run.run()
    assert [len(i.generation.items) for i in history] == [8, 8, 8]
    assert run.modality.api.usage.requests == 8 + 4 + 4 and run.modality.api.usage.retries >= 5
    assert run.modality.api.usage.completion_tokens == 7 * 16


REJECTED = {
    "half a reply": ({"finish": "length"}, "truncated"),
    "an empty reply": ({"content": ""}, "empty"),
    "a refusal": ({"content": None, "refusal": "no"}, "refusal"),
    "reasoning alone": ({"content": "<think>I could say this.\nOr that"}, "truncated"),
    "a refusal in words": ({"content": "I'm sorry, but I can't assist with that request."}, "refusal"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_a_reply_that_is_no_text_is_counted_and_drawn_again(server, tmp_path, name):
    given, reason = REJECTED[name]
    answered, well = iter(range(10**6)), numbered()
    bad = fine(**({"content": "half of"} | given))
    server.usual = lambda handler, body: (bad if next(answered) < 5 else well)(handler, body)
    history = evolution(server, tmp_path).run()
    assert [len(i.generation.items) for i in history] == [8, 8, 8]
    assert history[0].generation.rejected == {reason: 5}
    assert sum(server.paid.values()) == 8 + 5 + 4 + 4


@pytest.mark.parametrize("word", ["invalid_prompt", "content_policy_violation", "content_filter"])
def test_a_prompt_that_a_policy_refuses_is_drawn_anew_and_ends_nothing(server, tmp_path, word):
    well = numbered()
    no = status(400, word)
    server.usual = lambda handler, body: (no if "river" in body["messages"][-1]["content"] else well)(handler, body)
    history = evolution(server, tmp_path).run()
    refusals = history[0].generation.rejected
    assert [len(i.generation.items) for i in history] == [8, 8, 8]
    assert refusals.keys() == {"refusal"} and refusals["refusal"] == sum("river" in prompt for prompt in server.tries)


def test_texts_whose_every_prompt_is_refused_are_missing_and_the_arm_goes_on(server, tmp_path):
    well, no = numbered(), status(400, "invalid_prompt")
    server.usual = lambda handler, body: (no if "left" in body["messages"][-1]["content"] else well)(handler, body)
    history = evolution(server, tmp_path).run()
    assert history[0].generation.rejected == {"refusal": 4 * 3}  # in three rounds
    assert {label["side"] for label in history[-1].generation.labels} == {"right"}
    server.usual = no
    whole = tmp_path / "whole"
    whole.mkdir()
    with refused("generation.nothing_accepted", value=8 * 3):
        evolution(server, whole).run()


def test_a_server_that_stays_down_stops_the_run_which_names_it_and_goes_on_later(server, tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    wanted = [i.selected for i in evolution(server, whole).run()]
    answered, well = iter(range(10**6)), numbered()
    server.usual = lambda handler, body: (status(500) if next(answered) >= 10 else well)(handler, body)
    paid = sum(server.paid.values())
    with refused("generation.endpoint_failed", name="openai:m", value=2) as error:  # 2 of 4 requests are answered
        evolution(server, tmp_path).run()
    assert "127.0.0.1" in error.value.sentence and "HTTP 500" in error.value.sentence
    server.usual = well
    run = evolution(server, tmp_path)
    assert [i.selected for i in run.run()] == wanted
    assert sum(server.paid.values()) - paid == 8 + 4 + 4
    assert run.modality.api.usage.cached == 2


STOPS = (
    "end_turn", "stop_sequence", "max_tokens", "model_context_window_exceeded", "guardrail_intervened",
    "content_filtered", "tool_use", "malformed_tool_use", "malformed_model_output",
)  # fmt: skip


def test_a_model_on_bedrock_evolves_whatever_ends_its_replies(server, tmp_path, monkeypatch):
    """All nine stop reasons first: two are whole, two cut, two refused, three without text."""
    configure(monkeypatch, tmp_path)

    def said(text: str, stop: str = "end_turn") -> Answer:
        return conversed(stop, output={"message": {"role": "assistant", "content": [{"text": text}]}})

    waiting, well = iter(STOPS), numbered(said)
    server.usual = lambda handler, body: (said(f"a text of {stop}", stop) if (stop := next(waiting, None)) else well)(
        handler, body
    )
    run = evolution(server, tmp_path, name=MODEL)
    history = run.run()
    assert [len(i.generation.items) for i in history] == [8, 8, 8]
    assert history[0].generation.rejected == {"truncated": 2, "refusal": 2, "empty": 3}
    assert run.modality.api.usage.requests == 8 + 7 + 4 + 4
