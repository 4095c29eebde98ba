"""Writes docs/results.md, what runs came to, from their scorecards: ``python docs/results.py [RUN ...]``.

Without names it takes those of quick, standard and their sweeps that are there. Sections of other runs, which may have
been made on another machine, stay as they are. A run without a scorecard, or with one that is older than what it was
made from, is left out, and the page says so.
"""

import argparse
import re
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
    made = {run.name: "\n\n".join(section(run, given)) for run in runs}
    page = sections(given.to) | made
    page = {name: page[name] for name in sorted(page, key=place)}
    head = f"# What the runs came to\n\nWritten by `python docs/results.py` from the scorecards of {', '.join(page)}."
    given.to.write_text("\n\n".join([head, *page.values()]) + "\n", encoding="utf-8")
    print(f"{given.to.name}: {', '.join(made)}" + "".join(f", {name} as it was" for name in page if name not in made))


def sections(page: Path) -> dict[str, str]:
    """The sections that the page has by now, by run."""
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0].removeprefix("## "): part.strip() for part in parts}


def place(run: str) -> tuple[int, str]:
    """Sorts sections: those of `RUNS` in their order, then others by name."""
    return (RUNS.index(run) if run in RUNS else len(RUNS), run)


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
    arms, same = without_repeats(tables.arms(card))
    yield table(arms)
    if same:
        yield f"The same for all arms: {same}."
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


def without_repeats(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The table without the columns that say the same in each of several rows, and what those say."""
    same = [name for name in frame.columns if len(frame) > 1 and frame[name].nunique() == 1]
    return frame.drop(columns=same), "; ".join(f"{name}: {frame[name].iloc[0]}" for name in same)


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
