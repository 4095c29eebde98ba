"""The engine of vLLM servers, against a loopback server that computes as vLLM's stand-in does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from support.errors import refused
from support.vllm_stand_in import LLM, LoRARequest, SamplingParams

from lib.generation.endpoint.served import ServedEngine
from lib.generation.engines.base import Completion, Sampling
from lib.generation.generate import Engine, open_engine
from lib.models import loading

TINY = "bundled:tiny-random"
PROMPTS = [[72, 101], [7], [9, 9, 9, 40, 80], [7]]


class Server(ThreadingHTTPServer):
    """vllm serve BASE --enable-lora --lora-modules tuned=ADAPTER, as far as it is asked here."""

    daemon_threads = True

    def __init__(self, adapter: Path):
        super().__init__(("127.0.0.1", 0), Handler)
        self.llm = LLM(str(loading.locate(TINY)), dtype="float32", enable_lora=True)
        self.adapter, self.bodies, self.lock, self.broken = adapter, [], threading.Lock(), False
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        tuned = {"id": "tuned", "object": "model", "root": str(self.server.adapter), "parent": "base"}
        base = {"id": "base", "object": "model", "root": str(loading.locate(TINY)), "parent": None}
        self._send({"object": "list", "data": [base, tuned]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.bodies.append(body)
            names = ("temperature", "top_p", "top_k", "max_tokens", "min_tokens", "seed", "stop_token_ids")
            sampling = SamplingParams(**{name: body[name] for name in names if name in body})
            lora = LoRARequest("tuned", 1, str(self.server.adapter)) if body["model"] == "tuned" else None
            (made,) = self.server.llm.generate(
                [{"prompt_token_ids": body["prompt"]}], [sampling], use_tqdm=False, lora_request=lora
            )
        ids = list(made.outputs[0].token_ids)
        reason = "stop" if ids[-1] in sampling.stop_token_ids else "length"
        choice = {"index": 0, "text": "", "finish_reason": reason}
        choice |= {} if self.server.broken else {"token_ids": ids if body["return_token_ids"] else None}
        usage = {"prompt_tokens": len(body["prompt"]), "completion_tokens": len(ids)}
        self._send({"id": "x", "object": "text_completion", "choices": [choice], "usage": usage})

    def _send(self, content: dict) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    lora = get_peft_model(loading.load(TINY, dtype="float32", device="cpu"), LoraConfig(r=4, target_modules=["q_proj"]))
    with torch.no_grad():
        for name, weight in lora.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.5)
    folder = tmp_path_factory.mktemp("run") / "10_finetune_dp_lora.eps8" / "adapter"
    lora.save_pretrained(folder)
    return folder


@pytest.fixture
def server(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    made = Server(adapter)
    yield made
    made.shutdown()
    made.server_close()


def opened(server: Server, tmp_path: Path, adapter: Path | None, served: str) -> ServedEngine:
    cache = tmp_path / "replies.sqlite"
    return ServedEngine(TINY, adapter, served=served, base_url=server.url, cache=cache, max_retries=0)


def completed(engine: Engine, sampling: Sampling) -> list[Completion]:
    done = dict(engine.complete(PROMPTS, sampling))
    return [done[position] for position in range(len(PROMPTS))]


@pytest.mark.parametrize("change", [{}, {"min_new_tokens": 12}, {"one_line": True}])
def test_it_writes_what_the_model_here_writes_with_an_adapter_and_without(
    change: dict, server: Server, adapter: Path, tmp_path: Path
):
    sampling = Sampling(temperature=0, max_new_tokens=12, **change)
    for given, served in ((None, "base"), (adapter, "tuned")):
        here = open_engine(TINY, given, engine="transformers", device="cpu", dtype="float32")
        assert completed(opened(server, tmp_path, given, served), sampling) == completed(here, sampling)
    assert {body["model"] for body in server.bodies} == {"base", "tuned"}


def test_equal_prompts_have_seeds_of_their_own_and_nothing_is_asked_twice(
    server: Server, adapter: Path, tmp_path: Path
):
    first = completed(opened(server, tmp_path, adapter, "tuned"), Sampling(max_new_tokens=3, seed=1))
    seeds = {tuple(body["prompt"]): set() for body in server.bodies}
    for body in server.bodies:
        seeds[tuple(body["prompt"])].add(body["seed"])
    assert len(seeds[7,]) == 2 and len(server.bodies) == 4
    assert completed(opened(server, tmp_path, adapter, "tuned"), Sampling(max_new_tokens=3, seed=1)) == first
    assert len(server.bodies) == 4
    completed(opened(server, tmp_path, None, "base"), Sampling(max_new_tokens=3, seed=1))
    assert len(server.bodies) == 8, "another model's replies are others"


def test_a_name_that_stands_for_something_else_is_refused(server: Server, adapter: Path, tmp_path: Path):
    with refused("generation.served_other", name="served_model", value="tuned"):
        opened(server, tmp_path, None, "tuned")  # a tuned model in place of one that saw nothing
    with refused("generation.served_other", value="base"):
        opened(server, tmp_path, adapter, "base")
    with refused("generation.served_other", value="eps8") as error:
        opened(server, tmp_path, adapter, "eps8")
    assert f"--lora-modules eps8={adapter}" in error.value.remedy
    server.adapter = adapter.parents[1] / "10_finetune_dp_lora.nonprivate" / "adapter"
    with refused("generation.served_other", value="tuned"):
        opened(server, tmp_path, adapter, "tuned")
    assert server.bodies == []


def test_what_cannot_be_asked_is_refused(server: Server, adapter: Path, tmp_path: Path):
    engine = opened(server, tmp_path, adapter, "tuned")
    for name, value in (("repetition_penalty", 1.2), ("no_repeat_ngram_size", 2)):
        with refused("generation.sampling_unsupported", name=name, value=value):
            completed(engine, Sampling(**{name: value}))
    with refused("generation.guidance_unsupported"):
        completed(engine, Sampling(guidance=1.0))
    server.broken = True
    with refused("generation.endpoint_failed") as error:
        completed(engine, Sampling(seed=5))
    assert "0.11 or newer" in error.value.remedy
    with refused("generation.served_nowhere", name="base_url"):
        ServedEngine(TINY, adapter, served="tuned", base_url=None)
    with refused("generation.served_unknown", name="base_url"):
        ServedEngine(TINY, adapter, served="tuned", base_url="http://127.0.0.1:9/v1")
