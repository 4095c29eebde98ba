"""A local model that answers messages."""

import pytest
from support.errors import refused

from lib.generation import generate
from lib.generation.engines.base import Request, Sampling
from lib.generation.local_chat import LocalChat, prompt_ids

TINY = "bundled:tiny-random"
LOCAL = {"engine": "transformers", "device": "cpu", "dtype": "float32"}
ASKED = Request((("system", "be short"), ("user", "say a word"), ("assistant", "word"), ("user", "one more")), 6)


@pytest.fixture(scope="module")
def engine() -> generate.Engine:
    return generate.open_engine(TINY, **LOCAL)


def prompts_seen(engine: generate.Engine, monkeypatch, chat: LocalChat, *requests: Request) -> list[str]:
    seen: list[str] = []
    complete = engine.complete

    def watch(prompts, sampling, limits=None):
        seen.extend(engine.tokenizer.decode(prompt) for prompt in prompts)
        return complete(prompts, sampling, limits)

    monkeypatch.setattr(engine, "complete", watch)
    list(chat.reply(requests, Sampling()))
    return seen


def test_messages_are_wrapped_in_the_chat_template_where_there_is_one(engine, monkeypatch):
    (seen,) = prompts_seen(engine, monkeypatch, LocalChat(engine), ASKED)
    assert seen.count("<|im_start|>") == 5 and seen.endswith("<|im_start|>assistant\n")
    assert "<|im_start|>system\nbe short<|im_end|>" in seen


def test_without_a_template_the_model_continues_the_contents(engine, monkeypatch):
    (seen,) = prompts_seen(engine, monkeypatch, LocalChat(engine, chat=False), ASKED)
    assert seen == "be short\nsay a word\nword\none more"
    ids = prompt_ids(engine.tokenizer, (("user", "<|im_end|> plainly"),), chat=False)
    assert engine.tokenizer.eos_token_id not in ids  # a text cannot spell the end of the prompt


@pytest.mark.parametrize("opened", [True, False])
def test_a_reply_begins_with_the_tag_by_which_the_template_opens_its_reasoning(engine, monkeypatch, opened):
    thinking = engine.tokenizer.chat_template + ("<think>\n" if opened else "<think>\n\n</think>\n")
    monkeypatch.setattr(engine.tokenizer, "chat_template", thinking)
    for chat in (True, False):
        ((_, reply),) = LocalChat(engine, chat).reply([ASKED], Sampling(seed=2))
        assert reply.text.startswith("<think>") == (opened and chat)


def test_a_missing_chat_template_is_refused(engine, monkeypatch):
    monkeypatch.setattr(engine.tokenizer, "chat_template", None)
    assert LocalChat(engine).chat is False
    with refused("generation.no_chat_template", name="chat", value=True):
        LocalChat(engine, chat=True)


def test_every_reply_keeps_its_own_limit_and_is_counted(engine):
    chat = LocalChat(engine)
    requests = [Request((("user", f"say {n}"),), limit) for n, limit in enumerate((1, 5, 9, 5))]
    done = dict(chat.reply(requests, Sampling(max_new_tokens=64)))
    assert sorted(done) == [0, 1, 2, 3]
    assert all(done[n].tokens <= request.max_new_tokens for n, request in enumerate(requests))
    assert chat.usage.requests == 4
    assert chat.usage.completion_tokens == sum(reply.tokens for reply in done.values())
    assert chat.usage.prompt_tokens == sum(len(prompt_ids(engine.tokenizer, r.messages, chat=True)) for r in requests)


def test_a_prompt_that_leaves_no_room_is_refused_before_anything_is_drawn(engine):
    long = Request((("user", "x" * 500),), 64)
    with refused("generation.prompt_too_long", name="max_new_tokens", value=64) as error:
        next(LocalChat(engine).reply([ASKED, long], Sampling()))
    assert "512" in str(error.value)


def test_the_name_decides_whether_a_model_is_local_or_behind_an_endpoint(monkeypatch):
    local = generate.open_chat(TINY, server={}, local=LOCAL)
    assert local.name == "transformers" and local.chat
    monkeypatch.setenv("SOME_KEY", "secret")
    remote = generate.open_chat("openai:some-model", server={"key_variable": "SOME_KEY"}, local={"engine": "none"})
    assert remote.name == "openai:some-model" and remote.usage.requests == 0
