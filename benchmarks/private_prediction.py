"""Tokens a second by private prediction: the notebook's code against a naive loop, in one process, interleaved.

    python benchmarks/private_prediction.py [--model NAME] [--texts N] [--batch B] [--tokens T] [--repeats N]

The same texts beside the same made-up records, by the same rule and the same draws. The naive loop reads one context at
a time from its beginning, for every token, and keeps nothing. Then whether the rows of a block of private contexts have
the same bits whoever shares it, in float32 and bfloat16. The last line is one JSON object: the ratio, and the seconds
that 300 texts would take.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.private_prediction.batches import Batch
from lib.methods.private_prediction.next_token import draw, kept, mixed, uniforms
from lib.methods.private_prediction.prediction import Prediction
from lib.methods.private_prediction.side_by_side import Rule, rows_are_independent
from lib.methods.private_prediction.writer import Writer

WORDS = ("a", "the", "film", "story", "actor", "plot", "slow", "bright", "dull", "moving", "funny", "and", "of", "but")
CELL = {"kind": "positive review"}
TEXTS_OF_A_RUN = 300


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--model", default="bundled:smollm2-135m-instruct")
    arguments.add_argument("--texts", type=int, default=24)
    arguments.add_argument("--batch", type=int, default=8, help="records behind a text")
    arguments.add_argument("--tokens", type=int, default=32, help="of a text: none ends before")
    arguments.add_argument("--record-words", type=int, default=21)
    arguments.add_argument("--rows", type=int, default=64, help="of a block of private contexts")
    arguments.add_argument("--naive-texts", type=int, default=1, help="that the naive loop writes")
    arguments.add_argument("--dtype", default="auto")
    arguments.add_argument("--repeats", type=int, default=1)
    options = arguments.parse_args()

    parameters = {
        "model": options.model, "prompt": "Write one sentence from a {kind} of a film.",
        "prompt_with_record": "Write one sentence from a {kind} of a film, like this one: {text}", "prompts": None,
        "chat": "bare", "max_record_tokens": 48, "one_line": False, "batch_size": options.rows, "temperature": 1.0,
        "expected_batch": float(options.batch), "top_k": 50, "top_k_margin": 1.0, "max_new_tokens": options.tokens,
        "device": "cpu", "dtype": options.dtype,
    }  # fmt: skip
    writer = Writer.open(parameters, CELL)
    rule = writer.rule(parameters, 3.5)
    parted = batches(options.texts, options.batch, options.record_words)
    print(
        f"{options.model} in {writer.model.dtype}, {torch.get_num_threads()} threads; texts of {options.tokens} tokens"
    )
    seconds: dict[str, list[float]] = {"naive loop": [], "ours": []}
    for repeat in range(options.repeats):
        began = time.perf_counter()
        for number in range(options.naive_texts):
            naive(writer, rule, parted[Batch(0, number)], number)
        seconds["naive loop"].append((time.perf_counter() - began) / options.naive_texts)
        with tempfile.TemporaryDirectory() as folder:
            written = [Batch(0, number) for number in range(options.texts)]
            run = Prediction(
                writer.model, writer.requests, [CELL], written, parted, rule=rule, privacy_seed=repeat,
                folder=Path(folder),
            )  # fmt: skip
            began = time.perf_counter()
            drawn = run.run()
            tokens = sum(map(len, drawn))
            seconds["ours"].append((time.perf_counter() - began) / tokens * options.tokens)
    medians = {side: statistics.median(values) for side, values in seconds.items()}
    for side, value in medians.items():
        print(f"{side:<12}{value:8.2f} s a text{options.tokens / value:10.2f} tokens/s")
    same = {
        dtype: rows_are_independent(writer.model.to(getattr(torch, dtype)), writer.requests, CELL, options.rows)
        for dtype in ("bfloat16", "float32")
    }
    for dtype, independent in same.items():
        print(f"{dtype:<10}rows of a block of {options.rows} are {'independent' if independent else 'NOT independent'}")
    print(
        json.dumps(
            {
                "private_prediction_over_naive": medians["naive loop"] / medians["ours"],
                "seconds_for_300_texts": medians["ours"] * TEXTS_OF_A_RUN,
            }
        )
    )


def batches(texts: int, size: int, words: int) -> dict[Batch, list[list[Record]]]:
    """Made-up records behind each text."""
    rng = np.random.default_rng(0)
    return {
        Batch(0, number): [
            [Record(f"{number}-{i}", PrivateText(" ".join(rng.choice(WORDS, words))), CELL)] for i in range(size)
        ]
        for number in range(texts)
    }


@torch.inference_mode()
def naive(writer: Writer, rule: Rule, units: Sequence[Sequence[Record]], number: int) -> list[int]:
    """One text: every context is read by itself, from its beginning, for every token."""
    asked, drawn = writer.requests.asked(CELL, Batch(0, number)), []

    def logits(ids: Sequence[int]) -> torch.Tensor:
        return writer.model(torch.tensor([[*ids, *drawn]])).logits[:, -1].float()

    while not rule.ended(drawn):
        public = logits(asked.alone)
        private = [logits([*asked.before, *writer.requests.shown(asked, record)]) for (record,) in units]
        scores = mixed(
            public,
            torch.cat(private),
            allowed=kept(public, rule.top_k, rule.margin),
            units=torch.arange(len(units)),
            texts=torch.zeros(len(units), dtype=torch.long),
            clip=rule.clip,
            divisor=rule.divisor,
        )
        drawn.append(int(draw(scores, rule.temperature, uniforms(0, np.array([number]), len(drawn)))))
    return drawn


if __name__ == "__main__":
    main()
