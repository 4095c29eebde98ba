"""Generated tokens a second: Doppel's engine against transformers' fp32 `generate`, in one process, interleaved.

Both get the same prompts, sampling parameters, number of completions, longest completion and largest
batch, and all cores; both count real tokens, up to and including EOS. Two settings:

    full      EOS suppressed, so every completion has all its tokens: the cost of a token
    natural   completions end where the model ends them: what a run sees. A batch of `generate` goes on
              until its last completion has ended

Then what guidance costs: the engine that `auto` takes with it over the one that it takes without, both in the
natural setting. Then how far each cheaper arithmetic moves the model's next-token distributions from fp32.
The last line is one JSON object of ratios: ours over transformers', and with guidance over without.

    python benchmarks/generate.py [--model bundled:smollm2-135m-instruct] [--engine auto] [--repeats 3]
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.generation import generate
from lib.models import loading
from lib.models.prompt import Prompt, encode

TEMPLATE = "Write one {sentiment} sentence of a product review:"
SENTIMENTS = ("positive", "negative", "neutral", "mixed")
TEXTS = (  # written for this benchmark
    "The battery lasts two days, and it charges in under an hour.",
    "I returned it after a week because the screen kept flickering whenever I opened the camera.",
    "Good value for the price, but do not expect the sound of a larger speaker.",
    "Setup was easy: I plugged it in, it found my network, and that was all.",
    "The buttons are too small for my hands and the manual is of no help.",
    "My daughter uses it every day for school and has had no trouble so far.",
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--model", default="bundled:smollm2-135m-instruct")
    arguments.add_argument("--engine", default="auto")
    arguments.add_argument("--prompts", type=int, default=64)
    arguments.add_argument("--new-tokens", type=int, default=48)
    arguments.add_argument("--batch", type=int, default=64, help="largest batch, of both")
    arguments.add_argument("--repeats", type=int, default=3)
    options = arguments.parse_args()

    engine = generate.open_engine(options.model, engine=options.engine, batch_size=options.batch)
    reference = loading.load(options.model, dtype="float32")
    print(f"{options.model}: {engine.name} against transformers fp32, {torch.get_num_threads()} threads, ", end="")
    print(f"{options.prompts} prompts, at most {options.new_tokens} new tokens, batches of at most {options.batch}\n")
    print(f"{'setting':<10}{'side':<20}{'tokens':>8}{'median s':>10}{'tokens/s':>10}{'ratio':>8}")
    ratios = {}
    for setting in ("full", "natural"):
        # asked in its chat format, the model ends by itself
        prompt = Prompt(TEMPLATE, chat=setting == "natural" and engine.tokenizer.chat_template is not None)
        prompts = [
            prompt.build(engine.tokenizer, {"sentiment": SENTIMENTS[i % len(SENTIMENTS)]})
            for i in range(options.prompts)
        ]
        sampling = generate.Sampling(
            top_k=50,
            max_new_tokens=options.new_tokens,
            min_new_tokens=options.new_tokens if setting == "full" else 0,
        )
        sides = {
            "transformers fp32": lambda p=prompts, s=sampling: baseline(
                reference, engine.tokenizer, p, s, options.batch
            ),
            f"ours, {engine.name}": lambda p=prompts, s=sampling: sum(done.tokens for _, done in engine.complete(p, s)),
        }
        ratios[f"generate_{setting}"] = compare(sides, options.repeats, setting)
    ratios["guidance"] = guided(engine, prompt, prompts, sampling, options)
    distances(engine, reference, options.model)
    print(json.dumps(ratios))


def guided(
    engine: generate.Engine,
    prompt: Prompt,
    prompts: Sequence[Sequence[int]],
    sampling: generate.Sampling,
    options: argparse.Namespace,
) -> float:
    """Tokens a second with guidance over those of ``engine`` without, shown."""
    other = generate.open_engine(options.model, guidance=1.0, batch_size=options.batch)
    without_label = [prompt.unlabelled().build(engine.tokenizer, {})] * len(prompts)
    strong = replace(sampling, guidance=1.0)
    sides = {
        f"without, {engine.name}": lambda: sum(done.tokens for _, done in engine.complete(prompts, sampling)),
        f"with, {other.name}": lambda: sum(
            done.tokens for _, done in other.complete(prompts, strong, without_label=without_label)
        ),
    }
    return compare(sides, options.repeats, "guided")


def compare(sides: Mapping[str, Callable[[], int]], repeats: int, setting: str) -> float:
    """Tokens a second of the second side over those of the first: medians of interleaved repetitions, shown."""
    runs: dict[str, list[tuple[int, float]]] = {side: [] for side in sides}  # tokens, seconds
    for _ in range(repeats):
        for side, run in sides.items():
            start = time.perf_counter()
            tokens = run()
            runs[side].append((tokens, time.perf_counter() - start))
    speeds = {side: statistics.median(tokens / seconds for tokens, seconds in one) for side, one in runs.items()}
    first, second = speeds.values()
    for side, one in runs.items():
        tokens, seconds = (statistics.median(column) for column in zip(*one, strict=True))
        print(f"{setting:<10}{side:<20}{tokens:>8.0f}{seconds:>10.2f}{speeds[side]:>10.0f}{speeds[side] / first:>8.2f}")
    return second / first


def baseline(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[int]],
    sampling: generate.Sampling,
    batch: int,
) -> int:
    """Real tokens from plain `generate`, in batches of prompts of like length."""
    tokens = 0
    prompts = sorted(prompts, key=len)
    for start in range(0, len(prompts), batch):
        inputs = tokenizer.pad({"input_ids": prompts[start : start + batch]}, padding_side="left", return_tensors="pt")
        width = inputs["input_ids"].shape[1]
        out = model.generate(
            **inputs.to(model.device),
            do_sample=True,
            top_k=sampling.top_k,
            max_new_tokens=sampling.max_new_tokens,
            min_new_tokens=sampling.min_new_tokens,
            pad_token_id=tokenizer.pad_token_id,
        )[:, width:]
        ended = (out == tokenizer.eos_token_id).int()
        tokens += int((ended.cumsum(1) - ended == 0).sum())  # up to and including the first EOS
    return tokens


def distances(engine: generate.Engine, reference: torch.nn.Module, model: str) -> None:
    """Total variation (in [0, 1]) and KL(fp32 || it) in nats, over all positions of a few sentences."""
    prompt = Prompt(TEMPLATE)
    pairs = [
        encode(engine.tokenizer, prompt, text, {"sentiment": SENTIMENTS[i % len(SENTIMENTS)]}, 64)
        for i, text in enumerate(TEXTS)
    ]
    texts = [[*pair.prompt, *pair.completion] for pair in pairs]
    first = [len(pair.prompt) - 1 for pair in pairs]
    exact = log_probs(reference, texts, first)
    print(f"\nnext-token distributions against fp32, {len(exact)} positions")
    print(f"{'arithmetic':<14}{'mean TV':>9}{'max TV':>9}{'mean KL':>9}{'max KL':>9}")
    others = {"bfloat16": log_probs(loading.load(model, dtype="bfloat16"), texts, first)}
    if engine.name == "ctranslate2":
        others[f"{engine.compute_type} (engine)"] = converted_log_probs(engine, texts, first)
    for name, other in others.items():
        variation = 0.5 * np.abs(np.exp(exact) - np.exp(other)).sum(1)
        divergence = (np.exp(exact) * (exact - other)).sum(1)
        print(f"{name:<14}", *(f"{x:>8.4f}" for one in (variation, divergence) for x in (one.mean(), one.max())))
    print()


def log_probs(model: torch.nn.Module, texts: list[list[int]], first: list[int]) -> np.ndarray:
    """Natural logarithms of the next-token probabilities, (positions, vocabulary), each text on its own."""
    with torch.inference_mode():
        logits = [
            model(torch.tensor([ids], device=model.device)).logits[0, start:-1]
            for ids, start in zip(texts, first, strict=True)
        ]
    return torch.cat(logits).double().log_softmax(-1).cpu().numpy()


def converted_log_probs(engine: generate.Engine, texts: list[list[int]], first: list[int]) -> np.ndarray:
    """The same from the engine's converted model."""
    import ctranslate2

    generator = ctranslate2.Generator(str(engine.folder), compute_type=engine.compute_type)
    logits = [np.array(generator.forward_batch([ids]))[0, start:-1] for ids, start in zip(texts, first, strict=True)]
    return torch.tensor(np.concatenate(logits)).double().log_softmax(-1).numpy()


if __name__ == "__main__":
    main()
