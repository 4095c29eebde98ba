"""Memory of a training: what `lib.methods.dp_lora.memory` estimates beside the measured peak, on the CPU.

    python benchmarks/memory.py [CASE ...]

Each case is a process of its own: a model is loaded from disk, gets adapters, and takes two steps and an evaluation.
Measured is the highest resident memory of the process less what the libraries took before the model was loaded: what is
used, with an allocator that gives freed tensors back at once (MALLOC_MMAP_THRESHOLD_), and what is held without it. One
case is the bundled model at the settings of quick; the others are models of random weights and other sizes.
The last line is one JSON object of ratios, estimate over peak of what is used.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
ALL = [*ATTENTION, "gate_proj", "up_proj", "down_proj"]
USUAL = {
    "dtype": "float32", "device": "cpu", "target_epsilon": 8.0, "average_from": None, "contrast": 0.0, "processes": 1,
    "split_weights": False,
    "lora": {"r": 4, "target_modules": ATTENTION}, "frozen_a": True, "gradient_checkpointing": False,
    "expected_batch": 192.0, "tokens_per_micro_batch": 512,
}  # fmt: skip
WIDE = {
    "vocab_size": 16384, "hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 6,
    "num_attention_heads": 16, "num_key_value_heads": 4,
}  # fmt: skip
SMALL = {
    "vocab_size": 8192, "hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 4,
    "num_attention_heads": 8, "num_key_value_heads": 8,
}  # fmt: skip
TINY = SMALL | {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "vocab_size": 50}
# case -> model, changed parameters, width of an example, examples of a step
CASES: dict[str, tuple[dict | str, dict, int, int]] = {
    "quick": ("bundled:smollm2-135m-instruct", {}, 100, 16),
    "quick, without privacy": ("bundled:smollm2-135m-instruct", {"target_epsilon": None}, 100, 16),
    "wide, rank 32, all layers": (
        WIDE, {"lora": {"r": 32, "target_modules": ALL}, "frozen_a": False, "expected_batch": 640.0}, 128, 10,
    ),
    "small, long records": (
        SMALL, {"frozen_a": False, "tokens_per_micro_batch": 1280, "expected_batch": 128.0}, 512, 4,
    ),
    "small, checkpointing": (
        SMALL, {"gradient_checkpointing": True, "tokens_per_micro_batch": 1280, "expected_batch": 128.0}, 512, 4,
    ),
}  # fmt: skip


def of_process(field: str) -> float:
    """A field of this process in /proc, in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * float(next(line.split()[1] for line in status.splitlines() if line.startswith(f"{field}:")))


def measure(case: str) -> None:
    """Run a case in this process, and print the estimate and the peak as JSON."""
    import numpy as np

    from lib.methods.dp_lora import adapters, memory
    from lib.methods.dp_lora.settings import Settings
    from lib.methods.dp_lora.shapes import Shapes
    from lib.methods.dp_lora.trainer import Trainer
    from lib.models import architecture, loading
    from lib.models.examples import Example
    from lib.models.losses import held_out_losses

    model, changes, width, count = CASES[case]
    given = USUAL | changes
    private = given["target_epsilon"] is not None

    def train(model: str, folder: str, width: int, count: int) -> None:
        """Load a model, give it adapters, evaluate, and take two steps."""
        named = {name: given[name] for name in ("lora", "frozen_a", "gradient_checkpointing")}
        net = adapters.add(loading.load(model, dtype=given["dtype"], device="cpu"), **named, seed=0)
        vocabulary = architecture.read(model).vocabulary
        rows = np.random.default_rng(0).integers(1, vocabulary, (count, width)).tolist()
        examples = [Example(row[:1], row[1:], unit) for unit, row in enumerate(rows)]
        settings = Settings(
            noise_multiplier=1.0 if private else None, steps=2, expected_batch=count, privacy_seed=0,
            tokens_per_micro_batch=given["tokens_per_micro_batch"],
        )  # fmt: skip
        made = Trainer(net, examples, settings, Path(folder) / "checkpoint.pt")
        if private:  # the shapes of the whole batch, of which a few units are drawn
            made.shapes = Shapes(given["tokens_per_micro_batch"], given["expected_batch"])
        held_out_losses(net, examples[:4], tokens_per_batch=given["tokens_per_micro_batch"])
        for _ in range(2):
            made.step(range(count))

    with TemporaryDirectory() as folder, TemporaryDirectory() as tiny:
        script = "import json, sys, transformers as t; t.LlamaForCausalLM(t.LlamaConfig(**json.loads(sys.argv[1])))"
        for sizes, place in ((model, folder), (TINY, tiny)):
            if isinstance(sizes, dict):  # made by another process, whose memory is not counted
                command = [sys.executable, "-c", f"{script}.save_pretrained(sys.argv[2])", json.dumps(sizes), place]
                subprocess.run(command, check=True)
        train(tiny, folder, 8, 2)  # so that all libraries are there
        before = of_process("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak is that from here on
        name = folder if isinstance(model, dict) else model
        estimate = memory.estimate(given, architecture.read(name), width=width)
        train(name, folder, width, count)
        peak = of_process("VmHWM") - before
    print(json.dumps({"told": str(estimate), "estimate": estimate.total, "peak": peak}))


def run(case: str, environment: dict[str, str]) -> dict:
    """What `measure` prints of a case, in a process with these changes of its environment."""
    command = [sys.executable, __file__, "--here", case]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", default=list(CASES), help=", ".join(CASES))
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        measure(options.cases[0])
        return
    ratios = {}
    for case in options.cases:
        used, held = (run(case, environment) for environment in ({"MALLOC_MMAP_THRESHOLD_": "65536"}, {}))
        ratios[case] = round(used["estimate"] / used["peak"], 3)
        peaks = f"{used['peak'] / 1e9:.2f} GB used, {held['peak'] / 1e9:.2f} GB held"
        print(f"{case}: measured {peaks}; estimated {used['told']}", flush=True)
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
