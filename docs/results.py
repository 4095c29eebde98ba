"""Writes docs/results.md, what runs came to, from their scorecards: ``python docs/results.py [RUN ...]``.

Without names it takes those of quick, standard and their sweeps that are there. A run without a scorecard, or with one
that is older than what it was made from, is left out, and the page says so.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lib.common import formatting  # noqa: E402
from lib.plots import frontier as plots  # noqa: E402
from lib.scorecard import frontier, run_comparison, tables  # noqa: E402
from lib.scorecard.run_comparison import RunFacts  # noqa: E402
from lib.stage.notebook_roles import COMPARES  # noqa: E402

RUNS = ("quick", "standard", "quick-sweep", "families-sweep")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", metavar="RUN", nargs="*", help=f"folders of results/ (default: {', '.join(RUNS)})")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="where the runs are")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "results.md", help="the page; pictures stand beside")
    given = parser.parse_args()
    there = [name for name in RUNS if (given.results / name).is_dir()]
    runs = run_comparison.gather(given.results, given.runs or there)
    named = ", ".join(run.name for run in runs)
    parts = ["# What the runs came to", f"Written by `python docs/results.py` from the scorecards of {named}."]
    for run in runs:
        parts += section(run, given)
    given.to.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"{given.to.name}: {named}")


def section(run: RunFacts, given: argparse.Namespace) -> Iterator[str]:
    """The paragraphs about one run; its picture is written beside the page."""
    yield f"## {run.name}"
    if run.card is None:
        yield f"Left out: {run.refused}"
        return
    card = run.card
    yield origin(run)
    yield "\n".join(f"- {answer}" for answer in card["answers"])
    if points := frontier.points(card):
        path = given.to.with_name(f"{given.to.stem}-{run.name}.png")
        figure = plots.frontier(points, "epsilon")
        figure.savefig(path, dpi=80)
        plt.close(figure)
        yield f"![each arm between floor (0) and ceiling (1), over epsilon]({path.name})"
    if len(methods := tables.by_epsilon(card)):
        yield table(methods)
    yield table(tables.arms(card))
    yield table(tables.metrics(card))


def origin(run: RunFacts) -> str:
    """Where the figures come from: records, machine, time and commit."""
    made = [stage.read("provenance.json") for stage in run.stages.values()]
    (last,) = [stage for stage in run.stages.values() if stage.notebook == COMPARES]
    machine, corpus = last.read("provenance.json")["machine"], run.card["corpus"]
    gpus = ", ".join(machine.get("gpus") or ()) or "no GPU"
    whole = formatting.duration(sum(one["seconds"] for one in made))
    return (
        f"{corpus['units']:,} {corpus['unit']}s of {corpus['source']}; {len(made)} stages, {whole} in all on "
        f"{machine['cores']} cores ({machine['cpu']}), {gpus}; commit {(last.commit or 'unknown')[:12]}, "
        f"{run.card['made'][:10]}."
    )


def table(frame: pd.DataFrame) -> str:
    """A table of Markdown. An index of two levels becomes two columns, in which a repeated value is left out."""
    flat = frame.reset_index()
    if isinstance(frame.index, pd.MultiIndex):
        first = flat.columns[0]
        flat[first] = flat[first].where(flat[first] != flat[first].shift(), "")
    rows = [list(map(str, flat.columns)), ["---"] * flat.shape[1], *flat.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


if __name__ == "__main__":
    main()
