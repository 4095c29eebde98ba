"""Runs side by side, what they spend together, the frontier over several runs, and its picture."""

import json
import runpy
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from support import scorecard_toys as toys
from support.errors import refused

from lib.cli import __main__
from lib.common.files import write_json
from lib.common.paths import ROOT
from lib.plots import frontier as plots
from lib.privacy.accounting import DiscreteGaussian, Gaussian, epsilon
from lib.scorecard import frontier, run_comparison, scorecard
from lib.stage import finished


def compared(results: Path, name: str, **levels: object) -> Path:
    """A whole run with its scorecard."""
    inputs = toys.whole(results, name, **levels)
    ids = {local: folder.name for local, folder in inputs.items()}
    folder = toys.stage(results / name, "30_compare", inputs=ids)
    write_json(folder / "scorecard.json", toys.build(inputs))
    toys.close(folder)
    return results / name


def read(run: Path) -> dict:
    """The scorecard of a run."""
    return scorecard.read(finished.read_stage(run / "30_compare"))


def test_parameters_that_differ_are_shown_and_no_others(tmp_path: Path) -> None:
    compared(tmp_path, "one")
    compared(tmp_path, "two")
    path = tmp_path / "two" / "12_aug_pe.eps8" / "params.yaml"
    path.write_text(path.read_text() + "lora: {r: 4}\niterations: 9\n")
    path = tmp_path / "one" / "12_aug_pe.eps8" / "params.yaml"
    path.write_text(path.read_text() + "lora: {r: 8}\niterations: 9\n")
    shutil.rmtree(tmp_path / "one" / "30_compare")
    table = run_comparison.parameters(run_comparison.gather(tmp_path))
    assert table.to_dict("index") == {
        ("12_aug_pe.eps8", "lora.r"): {"one": "8", "two": "4"},
        ("30_compare", "(the stage)"): {"one": "-", "two": "done"},
    }


def test_figures_stand_side_by_side_and_another_n_on_a_row_of_its_own(tmp_path: Path) -> None:
    compared(tmp_path, "one")
    compared(tmp_path, "two", fidelity=toys.LEVELS | {"eps8": 0.6})
    path = tmp_path / "two" / "30_compare" / "scorecard.json"
    card = json.loads(path.read_text())
    for row in card["arms"][1]["metrics"]:
        row["n"] = 100 if row["metric"] == "coverage" else row["n"]
    write_json(path, card)
    same, left_out = run_comparison.comparable(run_comparison.gather(tmp_path))
    table = run_comparison.side_by_side([run.card for run in same])
    assert left_out == {} and list(table.columns) == ["one", "two"]
    mauve = table.loc[("embeddings, mauve (n = 200)", "11_generate.eps8")]
    assert mauve["one"].startswith("0.500 [") and mauve["two"].startswith("0.600 [")
    assert table.loc[("embeddings, coverage (n = 100)", "11_generate.eps8")].tolist()[0] == "-"
    assert table.loc[("epsilon spent", "11_generate.open")].tolist() == ["not private"] * 2
    assert table.loc[("money", "12_aug_pe.eps8"), "one"] == "$1.25"


def test_runs_that_may_not_be_compared_are_left_out_with_the_reason(tmp_path: Path) -> None:
    for name in ("one", "two", "stale", "half", "other"):
        compared(tmp_path, name)
    write_json(tmp_path / "half" / "chain.json", {"stages": {"30_compare": {}, "21_fidelity": {}}})
    for id in ("30_compare", "21_fidelity"):
        (tmp_path / "half" / id / "done.json").unlink()
    toys.close(tmp_path / "stale" / "21_fidelity")
    (tmp_path / "stale" / "21_fidelity" / "fidelity.json").write_text("{}")
    toys.close(tmp_path / "stale" / "21_fidelity")
    path = tmp_path / "other" / "30_compare" / "scorecard.json"
    card = json.loads(path.read_text())
    write_json(path, card | {"corpus": card["corpus"] | {"digest": "0"}})
    same, left_out = run_comparison.comparable(run_comparison.gather(tmp_path))
    assert [run.name for run in same] == ["one", "two"] and left_out.keys() == {"stale", "half", "other"}
    assert left_out["half"].startswith("half done: 21_fidelity, 30_compare not done")
    assert "made from another 21_fidelity" in left_out["stale"]
    assert "its private records differ" in left_out["other"]
    with refused("scorecard.unknown_run", name="run", value="tow") as error:
        run_comparison.gather(tmp_path, ["tow"])
    assert error.value.remedy == "did you mean two?"


def test_runs_of_one_source_spend_together_and_a_copy_spends_nothing(tmp_path: Path) -> None:
    compared(tmp_path, "one")
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    toys.corpus(tmp_path / "two")
    toys.stage(tmp_path / "two", "12_aug_pe.eps8", inputs={"corpus": "00_process_data"}, events=[Gaussian(2.0, 1.0, 3)])
    toys.stage(tmp_path / "two", "00_process_data.users", events=[DiscreteGaussian(9.0)], source="elsewhere")
    together = run_comparison.spent_together(run_comparison.gather(tmp_path)).set_index("source")
    spent = [DiscreteGaussian(40.0), DiscreteGaussian(40.0), Gaussian(2.0, 0.1, 10), *[Gaussian(2.0, 1.0, 3)] * 2]
    delta = json.loads((tmp_path / "one" / "00_process_data" / "privacy.json").read_text())["delta"]
    assert together.loc["toy", "epsilon"] == pytest.approx(epsilon(spent, delta=delta))
    assert together.loc["toy", "releases"] == 5 and together.loc["elsewhere", "releases"] == 1
    assert together.loc["toy", "not private"] == 1  # one open training; what only measures releases nothing


def test_the_front_door_compares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("lib.common.paths.ROOT", tmp_path)
    assert __main__.main(["compare"]) == 2 and "has no run yet" in capsys.readouterr().err
    compared(tmp_path / "results", "one")
    toys.corpus(tmp_path / "results" / "two")
    assert __main__.main(["compare"]) == 0
    printed = capsys.readouterr().out
    assert "figures left out, run two: it has no scorecard" in printed
    assert "embeddings, mauve" in printed and "Combined epsilon" in printed and "evaluation only" in printed
    assert __main__.main(["compare", "three"]) == 2 and "no run 'three'" in capsys.readouterr().err


def test_other_runs_join_the_frontier_if_their_corpus_is_the_same(tmp_path: Path) -> None:
    card = read(compared(tmp_path, "one"))
    compared(tmp_path, "two")
    toys.corpus(tmp_path / "three", words="other words")
    shutil.copytree(tmp_path / "two", tmp_path / "copy")
    path = tmp_path / "copy" / "30_compare" / "scorecard.json"
    write_json(path, card | {"corpus": card["corpus"] | {"units": 9}})
    others = [stage for run in ("two", "copy") for stage in frontier.found_in(tmp_path, run)]
    points, left_out = frontier.gather(card, others)
    assert {point.run for point in points} == {"one", "two"}
    assert len(left_out) == 1 and "run copy" in left_out[0] and "its units is 9, not 1000" in left_out[0]
    assert {point.arm for point in points} == {*toys.ARMS.values()} - {toys.ARMS["base"]}  # the floor is a line
    with refused("scorecard.run_without_scorecard", value="three"):
        frontier.found_in(tmp_path, "three")


def test_runs_on_equal_records_share_a_corpus_though_their_label_counts_differ(tmp_path: Path) -> None:
    one, two = (read(compared(tmp_path, name)) for name in ("one", "two"))
    assert one["corpus"]["digest"] == two["corpus"]["digest"] and frontier.refusal(one, two) is None
    corpora = [finished.read_stage(tmp_path / run / "00_process_data") for run in ("one", "two")]
    assert corpora[0].digest != corpora[1].digest
    toys.corpus(tmp_path / "three", words="other words")
    other = finished.read_stage(tmp_path / "three" / "00_process_data")
    assert finished.corpus_digest(other) != one["corpus"]["digest"]


def test_a_metric_that_places_no_arm_is_listed(tmp_path: Path) -> None:
    same = dict.fromkeys(toys.LEVELS, toys.PERFECT)
    inputs = toys.whole(tmp_path, fidelity=same)
    card = toys.build(inputs)
    assert frontier.unplaced(card).keys() == {"embeddings, mauve", "embeddings, coverage"}
    assert {point.group for point in frontier.points(card)} == {"utility"}


def point(**changes: object) -> frontier.Point:
    given = frontier.Point(
        "one", "11_generate.eps8", "DP-LoRA", "r", 8.0, 60.0, 1000, "fidelity", "t", "m", 0.5, 0.4, 0.6
    )
    return replace(given, **changes)


def test_the_frontier_has_floor_and_ceiling_and_puts_arms_without_privacy_beyond_a_gap() -> None:
    made = [
        point(epsilon=1.0, position=0.3, recipe="a"),
        point(),
        point(epsilon=None, position=5.0, low=4.0, high=6.0),
        point(metric="other"),
    ]
    figure = plots.frontier(made, "epsilon")
    first, second = figure.axes
    assert {line.get_ydata()[0] for line in first.lines if line.get_xdata()[0] == 0} >= {0, 1}
    marks = {float(line.get_xdata()[0]): line for line in first.lines if line.get_marker() in "os^v"}
    assert sorted(marks)[:2] == pytest.approx([1.0, 8.0]) and len(marks) == 3
    beyond = max(marks)
    assert first.get_xticks() == pytest.approx([1, 8, beyond]) and first.get_xlim()[1] > beyond > 8
    assert [label.get_text() for label in first.get_xticklabels()] == ["1", "8", "no\nprivacy"]
    assert marks[beyond].get_marker() == "^" and marks[beyond].get_ydata()[0] == plots.REACH[1]  # beyond the picture
    assert marks[beyond].get_markerfacecolor() == "white"
    joined = [line for line in first.lines if len(line.get_xdata()) == 2 and np.allclose(line.get_xdata(), [1, 8])]
    assert len(joined) == 1 and second.get_title().startswith("fidelity: other")
    plt.close(figure)


@pytest.mark.parametrize("x", ["seconds", "tokens"])
def test_costs_stand_where_they_are(x: str) -> None:
    figure = plots.frontier([point(), point(seconds=600.0, tokens=9), point(run="two")], x)
    (panel,) = figure.axes
    marks = [float(line.get_xdata()[0]) for line in panel.lines if line.get_marker() in "os"]
    assert marks == [getattr(drawn, x) for drawn in (point(), point(seconds=600.0, tokens=9), point())]
    assert "run two" in [text.get_text() for text in figure.legends[0].get_texts()]
    plt.close(figure)


def test_a_page_tells_what_runs_came_to_and_which_it_leaves_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared(tmp_path, "one")
    compared(tmp_path, "two")
    shutil.rmtree(tmp_path / "two" / "30_compare")
    page = tmp_path / "page.md"
    monkeypatch.setattr("sys.argv", ["results.py", "one", "two", "--results", str(tmp_path), "--to", str(page)])
    runpy.run_path(str(ROOT / "docs" / "results.py"), run_name="__main__")
    text, card = page.read_text(), read(tmp_path / "one")
    assert all(f"- {answer}" in text for answer in card["answers"])
    assert "2 cores" in text and (tmp_path / "page-one.png").is_file()
    row = next(line for line in text.splitlines() if line.startswith("| fidelity"))
    assert len(row.split(" | ")) == 5 + len(card["arms"])
    assert "## two\n\nLeft out: " in text and str(tmp_path) not in text

    shutil.rmtree(tmp_path / "one")  # it was made elsewhere; only the other one is written anew
    compared(tmp_path, "two")
    monkeypatch.setattr("sys.argv", ["results.py", "two", "--results", str(tmp_path), "--to", str(page)])
    runpy.run_path(str(ROOT / "docs" / "results.py"), run_name="__main__")
    later = page.read_text()
    one, two = later.split("## two\n\n")
    assert one == text.split("## two\n\n")[0] and "from the scorecards of one, two." in one
    assert "Left out" not in two and "2 cores" in two


def test_a_column_that_says_the_same_in_each_row_is_said_once() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "results.py"))
    frame = pd.DataFrame({"seed": [0, 0], "epsilon": ["1.00", "2.00"]}, index=["a", "b"])
    shorter, said = page["without_repeats"](frame)
    assert list(shorter.columns) == ["epsilon"] and said == "seed: 0"
    assert page["without_repeats"](frame[:1])[1] == ""


def test_scrubbed_records_have_the_source_of_the_original_ones(tmp_path: Path) -> None:
    run = tmp_path / "one"
    toys.corpus(run)
    data = {"corpus": "00_process_data"}
    toys.stage(run, "01_scrub", inputs=data, files={"train.jsonl": "", "test.jsonl": ""})
    toys.stage(
        run, "12_aug_pe.eps8", inputs={"corpus": "01_scrub"}, events=[Gaussian(2.0, 1.0, 3)], target=8.0,
        metrics={"records": 3, "tokens": 5, "verbatim_train": 0, "verbatim_test": 0, "cost": 0.0},
        files={"synthetic.jsonl": "{}"}, model="openai:toy", target_epsilon=8.0,
    )  # fmt: skip
    (together,) = run_comparison.spent_together(run_comparison.gather(tmp_path)).to_dict("records")
    assert (together["source"], together["releases"]) == ("toy", 2)  # label counts and votes
    card = scorecard.build(finished.Run(run), {"corpus": "01_scrub", "evolved": "12_aug_pe.eps8"})
    assert (card["corpus"]["stage"], card["corpus"]["source"]) == ("01_scrub", "toy")
