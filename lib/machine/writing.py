"""Checks of what writes: each engine completes prompts of the bundled model, with and without an adapter."""

import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model

from lib.generation.engines.base import Completion, Engine, Sampling
from lib.generation.engines.registry import ENGINES, open_entry
from lib.machine.check import Differs, Figures, timed
from lib.machine.training import MODEL
from lib.models import loading

PROMPTS = [f"The {animal} went to the" for animal in ("cat", "dog", "horse", "fish", "bird", "cow", "goose", "fox")]
LENGTH = 16  # tokens of a completion
AGREE = 0.5  # share of prompts at least after which the likeliest token is that of float32 on the processor


def engine(name: str, device: torch.device) -> Figures:
    """Completions of an engine: as many as prompts, the same twice, like those in float32, and moved by an adapter.

    Args:
        name: of the engine.
        device: where it runs.
    """
    first, again, seconds = _twice(
        open_entry(name, MODEL, None, device=device.type, dtype="auto", batch_size=8), device
    )
    if [one.text for one in first] != [one.text for one in again]:
        raise Differs("the likeliest completions differ between two calls")
    likeliest = sum(one.text[:3] == other[:3] for one, other in zip(first, reference(), strict=True)) / len(PROMPTS)
    if likeliest < AGREE:
        raise Differs(f"only {likeliest:.0%} of the completions begin like those of float32 on the processor")
    with tempfile.TemporaryDirectory() as folder:
        save_adapter(Path(folder))
        adapted = open_entry(name, MODEL, Path(folder), device=device.type, dtype="auto", batch_size=8)
        moved = completed(adapted)
    if [one.text for one in moved] == [one.text for one in first]:
        raise Differs("an adapter changes no completion, so it is not used")
    return {"tokens a second": sum(one.tokens for one in first) / seconds, "begin like float32": likeliest}


def lacking(name: str, device: torch.device) -> str | None:
    """What an engine lacks here, or None.

    Args:
        name: of the engine.
        device: where it would run.
    """
    entry = ENGINES[name]
    if entry.needs_gpu and device.type != "cuda":
        return "needs a GPU"
    return None if entry.installed else entry.install


def completed(engine: Engine) -> list[Completion]:
    """The likeliest completion of each prompt.

    Args:
        engine: that completes.

    Raises:
        Differs: a prompt has no completion or an empty one.
    """
    ids = [engine.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in PROMPTS]
    found = dict(engine.complete(ids, Sampling(temperature=0, max_new_tokens=LENGTH)))
    if sorted(found) != list(range(len(PROMPTS))) or not all(one.text for one in found.values()):
        raise Differs(f"{len(found)} of {len(PROMPTS)} prompts have a completion, or some are empty")
    return [found[i] for i in range(len(PROMPTS))]


def _twice(engine: Engine, device: torch.device) -> tuple[list[Completion], list[Completion], float]:
    """Completions of two calls, and seconds of a further one; the engine is closed when this returns."""
    return completed(engine), completed(engine), timed(lambda: completed(engine), device, turns=1)


@cache
def reference() -> tuple[str, ...]:
    """Likeliest completions in float32 on the processor, by Transformers alone."""
    model, tokenizer = loading.load(MODEL, dtype="float32", device="cpu"), loading.load_tokenizer(MODEL)
    texts = []
    for prompt in PROMPTS:
        ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            out = model.generate(ids, max_new_tokens=LENGTH, do_sample=False, pad_token_id=0)
        texts.append(tokenizer.decode(out[0, ids.shape[1] :]))
    return tuple(texts)


def save_adapter(folder: Path) -> None:
    """Write an adapter of large random weights for the bundled model.

    Args:
        folder: that it is written to.
    """
    model = get_peft_model(
        loading.load(MODEL, dtype="float32", device="cpu"), LoraConfig(r=4, target_modules=["q_proj"])
    )
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in (one for one in model.parameters() if one.requires_grad):
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    model.save_pretrained(folder)


def each_engine() -> list[tuple[str, Callable[[torch.device], Figures], Callable[[torch.device], str | None]]]:
    """Name, check and what is lacking, of every engine."""
    return [(name, partial(engine, name), partial(lacking, name)) for name in ENGINES]
