"""What private records add to the next token at each epsilon: loss of held-out text, in nats a token.

    python benchmarks/prediction_loss.py results/quick/00_process_data [KEY=VALUE ...] [--texts N] [--epsilons E ...]

14_private_prediction draws tokens from scores that follow from the request alone, and from what the records of a batch
change in them. Here each held-out text is read beside a batch of its own label, and its tokens are scored, not drawn:
by the request alone, by one record, and by the batch at each epsilon, and without a clip. Lower is better. It is for
choosing prompts, batches and lengths before any text is written. KEY=VALUE are parameters of 14_private_prediction,
whose defaults are those of the notebook: expected_batch=16, "prompts=prompts/yelp.yaml". All tokens count, not only the
kept ones. Evaluation only: held-out and private text enters.

The last line is one JSON object: nats a token.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.common.files import read_json
from lib.common.paths import ROOT
from lib.data import labels, records
from lib.methods.method import noise_multiplier
from lib.methods.private_prediction.batches import Batch
from lib.methods.private_prediction.method import METHOD
from lib.methods.private_prediction.next_token import clip_bound, mixed
from lib.methods.private_prediction.writer import Writer
from lib.privacy.ledger import inherit
from lib.stage import strict_yaml
from lib.stage.parameters import read_spec


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("corpus", type=Path, help="folder of a finished 00_process_data")
    arguments.add_argument("changes", nargs="*", metavar="KEY=VALUE", help="parameters of 14_private_prediction")
    arguments.add_argument("--texts", type=int, default=24, help="held-out texts")
    arguments.add_argument("--epsilons", type=float, nargs="+", default=[8.0, 2.0])
    arguments.add_argument("--temperatures", type=float, nargs="+", default=[1.0])
    options = arguments.parse_intermixed_args()

    spec = read_spec(ROOT / "notebooks" / f"{METHOD.spends}.ipynb")
    given = {name: parameter.default for name, parameter in spec.items()}
    given |= {key: strict_yaml.parse(value, key) for key, value in (one.split("=", 1) for one in options.changes)}
    ledger, batch = inherit([options.corpus]), int(given["expected_batch"])
    facts = {"units": ledger.units, "delta": ledger.delta, "others": ledger.mechanisms}
    noise = {e: noise_multiplier(METHOD.mechanism(given | {"target_epsilon": e}, **facts)) for e in options.epsilons}
    noise[None] = None
    cells = [dict(cell) for cell in read_json(options.corpus / "label_histogram.json")["cells"]]
    writer, rng = Writer.open(given, cells[0]), np.random.default_rng(0)
    by_cell = {}
    for side in ("train", "test"):
        rows = records.read(options.corpus / f"{side}.jsonl")
        numbers = labels.cell_numbers(rows, cells)
        by_cell[side] = [[rows[i] for i in np.flatnonzero(numbers == cell)] for cell in range(len(cells))]
    totals: dict[str, float] = {}
    tokens = 0
    for number in range(options.texts):
        cell = number % len(cells)
        shown = rng.choice(len(by_cell["train"][cell]), batch, replace=False)
        read = by_cell["test"][cell][rng.integers(len(by_cell["test"][cell]))]
        asked = writer.requests.asked(cells[cell], Batch(cell, number))
        prompts = [[*asked.before, *writer.requests.shown(asked, by_cell["train"][cell][i])] for i in shown]
        ids = writer.requests.tokenizer(read.text.reveal(), add_special_tokens=False).input_ids
        ids = [*ids[: given["max_new_tokens"] - 1], writer.requests.tokenizer.eos_token_id]
        public, private = scores(writer, [asked.alone, *prompts], ids)
        for name, value in losses(public, private, ids, noise, options.temperatures).items():
            totals[name] = totals.get(name, 0.0) + value
        tokens += len(ids)
    found = {name: value / tokens for name, value in totals.items()}
    for name, value in found.items():
        print(f"{name:<44}{value:8.3f}")
    print(json.dumps(found))


@torch.inference_mode()
def scores(writer: Writer, prompts: list[list[int]], ids: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of every token of a text: behind the first prompt, (tokens, V), and the others, (others, tokens, V)."""
    longest = max(map(len, prompts))
    filled = [
        [writer.requests.tokenizer.pad_token_id] * (longest - len(prompt)) + [*prompt, *ids] for prompt in prompts
    ]
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * (len(prompt) + len(ids)) for prompt in prompts])
    places = (mask.cumsum(1) - 1).clamp(min=0)
    read = writer.model(torch.tensor(filled), mask, position_ids=places, logits_to_keep=len(ids) + 1)
    logits = read.logits[:, :-1].float()
    return logits[0], logits[1:]


def losses(
    public: torch.Tensor,
    private: torch.Tensor,
    ids: list[int],
    noise: dict[float | None, float | None],
    temperatures: list[float],
) -> dict[str, float]:
    """Nats of a text, by who says it."""
    batch, tokens, _ = private.shape
    texts = torch.arange(tokens).repeat(batch)

    def nats(logits: torch.Tensor) -> float:
        return -float(logits.log_softmax(-1)[..., torch.arange(tokens), torch.tensor(ids)].sum())

    found = {}
    for temperature in temperatures:
        found |= {f"request alone, at temperature {temperature:g}": nats(public / temperature)}
        found |= {f"one record, at temperature {temperature:g}": nats(private / temperature) / batch}
        for epsilon, multiplier in noise.items():
            clip = clip_bound(noise_multiplier=multiplier, temperature=temperature, expected_batch=batch)
            change = mixed(
                public,
                private.flatten(0, 1),
                allowed=torch.ones_like(public, dtype=torch.bool),
                units=torch.arange(batch * tokens),
                texts=texts,
                clip=clip,
                divisor=float(batch),
            )
            title = f"{batch} records, " + ("no clip" if epsilon is None else f"epsilon {epsilon:g}, clip {clip:.2f}")
            found[f"{title}, at temperature {temperature:g}"] = nats(change / temperature)
    return found


if __name__ == "__main__":
    main()
