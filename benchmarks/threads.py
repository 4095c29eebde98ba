"""Why run_all.sh lets threads that wait sleep soon: a model's forward and backward pass, alone and beside other work.

    python benchmarks/threads.py [--model NAME] [--spins N] [--steps N] [--rounds N]

PyTorch's threads (libgomp) wait for each other many times in a pass. By default they spin while they wait; where
another process wants the same cores, a thread may spin until its turn is over, while the one that it waits for has no
core. With GOMP_SPINCOUNT they sleep after so many spins. Both sides use all cores, in processes of their own, in turn;
beside them runs nothing, or one process that multiplies matrices on one thread. The last line is one JSON object:
spinning over sleeping, alone and beside other work, medians over the rounds; above 1 sleeping is faster.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rounds import ratio

ROOT = Path(__file__).resolve().parents[1]
STEP = """
import sys, time, torch, lib.models.loading
model = lib.models.loading.load(sys.argv[1], dtype="float32", device="cpu")
torch.set_num_threads({threads})
ids = torch.arange(8 * 64).reshape(8, 64)
def step():
    model(input_ids=ids, labels=ids).loss.backward()
step()
start = time.perf_counter()
for _ in range(int(sys.argv[2])):
    step()
print((time.perf_counter() - start) / int(sys.argv[2]))
"""
BUSY = """
import torch
torch.set_num_threads(1)
matrix = torch.ones(500, 500)
while True:
    matrix @ matrix
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled:smollm2-135m-instruct")
    parser.add_argument("--spins", type=int, default=1000, help="before a waiting thread sleeps")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if sys.platform != "linux":
        parser.exit(message="libgomp is PyTorch's library of threads on Linux alone\n")

    sides = {"spinning": {}, "sleeping": {"GOMP_SPINCOUNT": str(options.spins)}}
    ratios = {}
    for place in ("alone", "beside"):
        times: dict[str, list[float]] = {side: [] for side in sides}
        with busy() if place == "beside" else nullcontext():
            for _ in range(options.rounds):
                for side, given in sides.items():
                    times[side].append(seconds(options, given))
        ratios[f"spinning_over_sleeping_{place}"] = round(ratio(times["spinning"], times["sleeping"]), 2)
        for side, found in times.items():
            print(f"{place:7} {side:9} {'  '.join(f'{one:.2f}' for one in found)} s a pass")
    print(json.dumps(ratios))


def seconds(options: argparse.Namespace, given: dict[str, str]) -> float:
    """Of one pass, in a process of its own with these settings of the threads."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GOMP_", "OMP_"))}
    env |= given | {"PYTHONPATH": str(ROOT)}
    asked = [sys.executable, "-c", STEP.format(threads=os.cpu_count()), options.model, str(options.steps)]
    ended = subprocess.run(asked, env=env, capture_output=True, text=True, check=True)
    return float(ended.stdout.split()[-1])


@contextmanager
def busy() -> Iterator[None]:
    """Another process keeps one core busy."""
    process = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
