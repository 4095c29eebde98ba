"""What each part of the pipeline adds to the diversity of private records that the grammar writes.

For each seed, the same people are written about by the full recipe and without one part of it in turn, as many records
each (`lib.private_records.ablation`). A line holds the Vendi score of each variant and what the full recipe gains over
it, with the interval of subsamples. The last lines are the mean gain over seeds with its interval by the bootstrap over
seeds, and one JSON object.

`--embedding words` needs no model: hashed words and pairs of words, weighted by the logarithm of their count. It sees
words where an encoder sees meaning; so both are worth a look.

    python benchmarks/record_diversity.py [--records 500] [--seeds 3] [--embedding bundled:all-minilm-l6-v2]
"""

import argparse
import json
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sklearn.feature_extraction.text import HashingVectorizer  # noqa: E402

from lib.evaluation.fidelity.diversity import ngram_counts, self_bleu  # noqa: E402
from lib.generation.engines.base import Sampling  # noqa: E402
from lib.private_records.ablation import FULL, compare, variants  # noqa: E402
from lib.private_records.grammar_author import GrammarAuthor  # noqa: E402
from lib.private_records.people import new_task  # noqa: E402
from lib.private_records.pipeline import Embed, Recipe  # noqa: E402
from lib.private_records.seeds import Table  # noqa: E402
from lib.private_records.writing import RecordSet, write_set  # noqa: E402

COUNTRIES = {"United States": 0.7, "United Kingdom": 0.2, "Canada": 0.1}
WIDTH = 4096  # of hashed words
DRAWS = 2000  # resamples of the seeds


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--records", type=int, default=500)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--embedding", default="bundled:all-minilm-l6-v2", help="an encoder, or words")
    arguments.add_argument("--window", type=int, default=1024)
    arguments.add_argument("--sample", type=int, default=300)
    arguments.add_argument("--block", type=int, default=64)
    options = arguments.parse_args()
    author, embed, recipes = GrammarAuthor(), embedder(options.embedding), variants(Recipe())
    gains: dict[str, list[float]] = {name: [] for name in recipes if name != FULL}
    scores: dict[str, list[float]] = {name: [] for name in recipes}
    for seed in range(options.seeds):
        start = time.monotonic()
        sets = {name: written(recipe, author, embed, seed, options) for name, recipe in recipes.items()}
        found = compare(sets, seed=seed)
        print(f"seed {seed}, {found.records} records, {time.monotonic() - start:.0f} s")
        for name, one in found.vendi.items():
            scores[name].append(one.value)
            told = f"  {name:<20} Vendi {one.value:7.2f}  self-BLEU {bleu(sets[name]):.3f}{accepted(sets[name])}"
            if name in found.gain:
                gain = found.gain[name]
                gains[name].append(gain.value)
                told += f"  full gains {gain.value:+.2f} [{gain.interval[0]:+.2f}, {gain.interval[1]:+.2f}]"
            print(told, flush=True)
    for name, values in gains.items():
        low, high = over_seeds(values)
        print(f"full over {name}: {np.mean(values):+.2f} [{low:+.2f}, {high:+.2f}] over {len(values)} seeds")
    print(json.dumps({f"vendi_{name.replace(' ', '_')}": float(np.mean(values)) for name, values in scores.items()}))


def written(recipe: Recipe, author: GrammarAuthor, embed: Embed, seed: int, options: argparse.Namespace) -> RecordSet:
    """A set of records by a recipe."""
    table = Table()
    tasks = [new_task(f"record-{i:06d}", seed, {}, table, COUNTRIES, "plausible") for i in range(options.records)]
    with tempfile.TemporaryDirectory() as folder:
        return write_set(
            tasks,
            author,
            recipe,
            embed=embed,
            model=None,
            sampling=Sampling(seed=seed),
            window=options.window,
            sample=options.sample,
            block=options.block,
            folder=Path(folder),
        )


def embedder(name: str) -> Embed:
    """An embedding by name; texts that variants share are embedded once."""
    if name == "words":
        hashed = HashingVectorizer(n_features=WIDTH, ngram_range=(1, 2), norm=None, alternate_sign=False)
        return lru_cache(None)(lambda text: np.log1p(hashed.transform([text]).toarray()[0]).astype(np.float32))
    from lib.models.encoders import open_encoder

    encoder = open_encoder(name, device="auto", batch_size=1)
    return lru_cache(None)(lambda text: encoder.encode([text])[0])


def bleu(written: RecordSet) -> float:
    texts = [one.text for one in written.records]
    return float(self_bleu([ngram_counts(texts, n) for n in range(1, 5)]).mean())


def accepted(written: RecordSet) -> str:
    rounds = [one for record in written.records for one in record.rounds]
    return f"  accepted {np.mean([one.accepted for one in rounds]):.2f}" if rounds else " " * 15


def over_seeds(values: list[float]) -> tuple[float, float]:
    """Percentile interval of the mean."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, (DRAWS, len(values))).mean(axis=1)
    return tuple(np.quantile(means, [0.025, 0.975]))


if __name__ == "__main__":
    main()
