"""Prompts: the chat template with and without the system message that it adds by itself."""

import pytest
from transformers import PreTrainedTokenizerBase

from lib.models import loading
from lib.models.prompt import Prompt

TURN = "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
REPLY = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
PLAIN = f"{{% for message in messages %}}{TURN}{{% endfor %}}{REPLY}"
ITS_OWN = "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nbe kind<|im_end|>\n' }}{% endif %}" + PLAIN
NONE_KNOWN = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + PLAIN
BARE = "<|im_start|>user\nA good note<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerBase:
    return loading.load_tokenizer("bundled:tiny-random")


@pytest.mark.parametrize(
    ("template", "front"), [(ITS_OWN, "<|im_start|>system\nbe kind<|im_end|>\n"), (PLAIN, ""), (NONE_KNOWN, "")]
)
def test_bare_leaves_out_the_system_message_that_a_template_adds_and_nothing_else(
    tokenizer: PreTrainedTokenizerBase, template: str, front: str
) -> None:
    tokenizer.chat_template = template
    built = {chat: Prompt("A {mood} note", chat).build(tokenizer, {"mood": "good"}) for chat in (True, "bare")}
    assert tokenizer.decode(built[True]) == front + BARE
    assert tokenizer.decode(built["bare"]) == BARE


def test_bare_keeps_the_bos_that_a_tokenizer_adds(
    tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer.chat_template = "{{ '<|pad|>' }}" + ITS_OWN
    monkeypatch.setattr(type(tokenizer), "bos_token_id", tokenizer.pad_token_id, raising=False)
    called = type(tokenizer).__call__

    def with_bos(self, *args, **kwargs):
        encoded = called(self, *args, **kwargs)
        if args == ("a",):
            encoded["input_ids"] = [tokenizer.pad_token_id, *encoded["input_ids"]]
        return encoded

    monkeypatch.setattr(type(tokenizer), "__call__", with_bos)
    assert tokenizer.decode(Prompt("A {mood} note", "bare").build(tokenizer, {"mood": "good"})) == "<|pad|>" + BARE
