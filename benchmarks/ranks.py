"""A training step of two processes of one thread each over that of one process of two threads: the same cores.

    python benchmarks/ranks.py [--model NAME] [--dtype TYPE] [--rounds N] [--records N] [--processes N]
        [--split-weights]

Both sides train the same adapters on the same made-up records, in turn, round by round; the ratio is a median over
the rounds. With more processes the other side has as many threads. The last line is one JSON object: the ratio, the
seconds of exchange that a step has, and whether both sides end with the same weights, with a seed for the noise.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rounds import ratio

from lib.methods.dp_lora import launch
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models.examples import Example

LORA = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled:smollm2-135m-instruct")
    parser.add_argument("--dtype", default="float32", choices=["auto", "float32", "bfloat16"])
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds, after one that is not")
    parser.add_argument("--records", type=int, default=96, help="records a step")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--split-weights", action="store_true", help="each process holds a part of the frozen weights")
    options = parser.parse_args()

    torch.set_num_threads(options.processes)
    draw = np.random.default_rng(0)
    rows = [draw.integers(1, 2000, 20 + draw.integers(10, 64)).tolist() for _ in range(4 * options.records)]
    examples = [Example(row[:20], row[20:], unit) for unit, row in enumerate(rows)]
    given = {"model": options.model, "device": "cpu", "dtype": options.dtype, "processes": options.processes}
    given |= {"lora": LORA, "frozen_a": True, "gradient_checkpointing": False, "seed": 0}
    given |= {"split_weights": options.split_weights}
    settings = Settings(1.0, steps=options.rounds + 1, expected_batch=options.records, privacy_seed=0)

    with TemporaryDirectory() as folder:
        team, shared = launch.start(given)
        several = Trainer(shared, examples, settings, Path(folder) / "several", team)
        torch.set_num_threads(options.processes)
        _, whole = launch.start(given | {"processes": 1, "split_weights": False})
        alone = Trainer(whole, examples, settings, Path(folder) / "alone")
        sides = {"one process": (alone, options.processes), "processes": (several, 1)}
        times: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(options.rounds + 1):
            units = np.random.default_rng(number).choice(len(examples), options.records, replace=False).tolist()
            for name, (trainer, threads) in sides.items():
                torch.set_num_threads(threads)
                began = time.perf_counter()
                trainer.step(units)
                trainer.progress.step += 1
                times[name].append(time.perf_counter() - began)
            print(f"round {number}: " + ", ".join(f"{name} {t[-1]:.2f} s" for name, t in times.items()), flush=True)
        exchange = []
        for _ in range(5):
            began = time.perf_counter()
            several.step([])
            exchange.append(time.perf_counter() - began)
        team.close()
    several_weights, weights = (torch.cat([p.detach().flatten() for p in t.parameters]) for t in (several, alone))
    counted = {name: seconds[1:] for name, seconds in times.items()}
    print(
        json.dumps(
            {
                "processes_over_one": round(ratio(counted["processes"], counted["one process"]), 3),
                "seconds_of_a_step_without_records": round(statistics.median(exchange), 3),
                "largest_difference_of_weights": float((several_weights - weights).abs().max()),
            }
        )
    )


if __name__ == "__main__":
    main()
