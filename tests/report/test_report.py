"""The report's two pages, without a browser: what they say, what they may not say, and that they stand alone."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image
from support import report_scorecards
from support.errors import refused
from support.project import ROOT
from support.report_scorecards import STAGES

from lib import report
from lib.audit.verdict import Verdict
from lib.common import formatting
from lib.plots import data, utility
from lib.report import cells, glossary, page, stage_view
from lib.stage import notebook_file
from lib.stage.finished import Run

HOSTILE = """<script>alert("x")</script><img src=x onerror='alert(1)'>&amp;"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return report_scorecards.finished_run(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def frontier(run: Run) -> report.Figure:
    picture = report_scorecards.picture(run.folder.parent / "frontier.png")
    return report.Figure(picture, "MAUVE over epsilon", "MAUVE of four arms over their epsilon.", "Up is better.")


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def text_of(path: Path) -> str:
    """Text as a reader sees it, with plain spaces."""
    return re.sub(r"\s+", " ", soup(path).get_text(" ").replace(formatting.NO_BREAK, " "))


def first_words(function: Callable) -> str:
    """The beginning of its docstring."""
    return " ".join(function.__doc__.split()[:4])


@pytest.fixture(scope="module")
def written(run: Run, frontier: report.Figure) -> dict[str, Path]:
    out = run.folder / "30_compare" / "report"
    paths = report.write(run, report_scorecards.whole(), report_scorecards.public(), [frontier], out)
    return {path.relative_to(out).as_posix(): path for path in paths}


def rewritten(
    run: Run, tmp_path: Path, card: dict, public: dict | None = None, figures: tuple = ()
) -> tuple[Path, Path]:
    """Internal and public page of other scorecards."""
    given = public or {"run": "quick", "arms": []}
    return tuple(report.write(run, card, given, figures, tmp_path / "out")[:2])


def test_both_pages_and_a_page_for_every_finished_stage_are_written(written: dict[str, Path]) -> None:
    stages = sorted(["00_process_data", *STAGES.values()])
    assert list(written) == ["internal.html", "public.html", *(f"notebooks/{stage}.html" for stage in stages)]


def test_the_answers_and_every_arm_with_its_epsilon_verdict_and_cost_come_first(written: dict[str, Path]) -> None:
    text = text_of(written["internal.html"])
    first = text[: text.index("Neighbouring datasets:")]
    answers = [answer.replace(formatting.NO_BREAK, " ") for answer in report_scorecards.whole()["answers"]]
    assert len(answers) == 3
    for expected in (*answers, "8.000 of 8", "not private", "consistent", "7 min 11 s"):
        assert expected in first
    rows = soup(written["internal.html"]).select_one("#answer table").select("tbody tr")
    assert [row.th.span.text for row in rows] == list(report_scorecards.ARMS)


def test_both_pages_say_what_the_private_arms_spend_together(written: dict[str, Path]) -> None:
    for name in ("internal.html", "public.html"):
        text = soup(written[name]).select_one("#privacy").get_text()
        assert "Released together, all private arms spend epsilon 11.3 at delta 4.3e-5 for each record" in text


def test_a_metric_stands_with_its_interval_floor_ceiling_and_place(written: dict[str, Path]) -> None:
    (row,) = [
        row
        for row in soup(written["internal.html"]).select("#fidelity tbody tr")
        if row.th.get_text().startswith("MAUVE")
    ]
    card = report_scorecards.whole()["arms"][1]["metrics"][1]
    cell = row.find_all("td")[1]
    assert cell.find("span").text == f"{card['value']:.3f}"
    assert cell.find("small").text == f"{card['value_low']:.3f} to {card['value_high']:.3f}"
    assert f"position {card['position']:.2f}, 95% interval" in cell.svg["aria-label"]
    assert float(cell["data-sort"]) == card["position"]
    assert [end.get_text(strip=True) for end in row.find_all("td")[-2:]] == ["0.0410", "0.961"]


def test_macro_f1_stands_against_the_number_of_records_beside_that_of_real_ones(written: dict[str, Path]) -> None:
    inside, outside = (soup(written[page]) for page in ("internal.html", "public.html"))
    (table,) = [table for table in inside.select("#utility table") if "number of records" in table.caption.text]
    rows = {row.th.span.text: [cell.get_text(" ", strip=True) for cell in row("td")] for row in table.tbody("tr")}
    assert [*rows] == [*report_scorecards.ARMS, "real records"]
    assert rows["eps8"][0].startswith("0.5") and rows["eps8"][1] == "–" and rows["real records"][1].startswith("0.8")
    assert "number of records" not in outside.get_text()


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_shown_with_what_it_means(run: Run, tmp_path: Path, verdict: Verdict) -> None:
    card = report_scorecards.whole()
    card["arms"][1]["privacy"]["audit"]["verdict"] = str(verdict)
    internal, _ = rewritten(run, tmp_path, card)
    assert str(verdict) in [cell.text for cell in soup(internal).select(f"#privacy td.{verdict.name.lower()} span")]
    assert glossary.VERDICTS[verdict] in text_of(internal)


def test_a_bound_stands_beside_the_ideal_attack_and_what_was_attacked() -> None:
    audit = {"bound": 6.0, "ceiling": 6.5, "claim": 8.0, "access": "votes", "canaries": 1000}
    assert cells.bound({"privacy": {"audit": audit}}).note == "ideal attack 6.50, votes, 1,000 canaries"


def test_what_is_not_defined_or_not_placed_says_why(written: dict[str, Path]) -> None:
    utility = soup(written["internal.html"]).select_one("#utility")
    assert "1 value of label 'sentiment' in a training; it needs 2" in utility.get_text()
    assert "floor and ceiling do not differ at n = 300" in utility.get_text()
    row = utility.select("tbody tr")[-1].find_all("td")
    assert row[2].get_text() == "not defined" and not row[2].has_attr("data-sort")
    assert row[1].em.text == "not placed" and not row[1].has_attr("data-sort")


def test_a_difference_is_named_with_its_views_and_one_that_does_not_show_with_its_reason(
    written: dict[str, Path],
) -> None:
    _, shown, other = soup(written["internal.html"]).select("#differences table")
    row, _ = shown.select("tbody tr")
    shown = [row.th.span.text, *(cell.span.text for cell in row.find_all("td"))]
    assert shown == ["eps8", "aug_pe", "MAUVE", "0.175", "2 of 2"]
    assert "the interval includes 0" in other.get_text() and "not defined for" in other.get_text()
    assert "eps8 – aug_pe" in other.get_text()


def test_every_pair_of_arms_has_its_verdicts_with_their_metrics(written: dict[str, Path]) -> None:
    table = soup(written["internal.html"]).select_one("#differences table")
    titles = [title.find(string=True).strip() for title in table.select("thead button")]
    assert titles == ["Arm", "Compared with", "Group", "Better in", "Worse in", "No difference in", "Not compared in"]
    rows = [[cell.get_text() for cell in row.select("th, td")] for row in table.select("tbody tr")]
    top20 = "Words that matter, top 20 (sentiment by embeddings)"
    assert rows == [
        ["eps8", "aug_pe", "fidelity", "MAUVE (all-minilm-l6-v2)", "–", "–", "–"],
        ["eps8", "aug_pe", "utility", "–", "–", "Macro-F1 (sentiment by embeddings)", top20],
        ["base", "eps8", "fidelity", "–", "MAUVE (all-minilm-l6-v2)", "–", "–"],
    ]


def test_a_gain_is_that_of_the_better_arm_though_it_was_named_second(run: Run, tmp_path: Path) -> None:
    card = report_scorecards.whole()
    comparison = card["comparisons"][0] | {
        "arms": [STAGES["aug_pe"], STAGES["eps8"]],
        "gain": -0.175,
        "low": -0.26,
        "high": -0.09,
    }
    comparison["views"] = [view | {"gain": -0.1, "low": -0.2, "high": -0.05} for view in comparison["views"]]
    card["comparisons"] = [comparison]
    internal, _ = rewritten(run, tmp_path, card)
    (row,) = soup(internal).select("#differences details")[0].select("tbody tr")
    assert [row.th.span.text, *(cell.span.text for cell in row.find_all("td"))][:2] == ["eps8", "aug_pe"]
    gain, views = row.find_all("td")[2:]
    assert gain.span.text == "0.175" and gain.small.text == "0.090 to 0.260" and views.span.text == "2 of 2"
    assert "interval 0.09 to 0.26" in gain.svg["aria-label"] and "150 records: 0.10" in views.small.text


def test_the_certificates_have_their_events_and_the_command_that_verifies(written: dict[str, Path]) -> None:
    text = text_of(written["internal.html"])
    assert "./run_all.sh verify results/quick/STAGE" in text
    assert "noise multiplier 0.60000; sampling probability 0.087700; count 15" in text
    assert "Not for release: 11_generate.nonprivate: training without noise is not private" in text


def test_the_value_of_a_privacy_seed_is_on_no_page(run: Run, tmp_path: Path, written: dict[str, Path]) -> None:
    path = run.folder / "11_generate.eps8" / "privacy.json"
    before = path.read_text()
    path.write_text(before.replace('"privacy_seed": null', '"privacy_seed": 42424217'))
    try:
        again = Run(run.folder)
        pages = report.write(again, report_scorecards.whole(), report_scorecards.public(), (), tmp_path / "out")
    finally:
        path.write_text(before)
    assert not any("42424217" in path.read_text() for path in pages)


def test_a_stage_that_is_not_done_is_missing_and_the_one_that_reports_is_not(
    written: dict[str, Path],
) -> None:
    missing = soup(written["internal.html"]).select_one("#missing").get_text()
    assert "22_utility" in missing and "30_compare" not in missing
    assert "no filled sheet was named" in missing


def test_what_an_older_version_made_is_named_on_the_internal_page_alone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = "was made by an older version (commit 0123456789): lib changed"
    monkeypatch.setattr(
        "lib.stage.condition.older", lambda stage: f"{stage.id} {note}" if stage.id == "00_process_data" else None
    )
    internal, public = map(text_of, rewritten(run, tmp_path, report_scorecards.whole()))
    assert internal.count(f"00_process_data {note}.") == 1 and note not in public


def test_pictures_have_their_bytes_inside_and_words_beside_them(written: dict[str, Path]) -> None:
    pictures = soup(written["internal.html"]).find_all("img")
    assert len(pictures) == 6 and all(picture["src"].startswith("data:image/png;base64,") for picture in pictures)
    assert pictures[0]["alt"] == "MAUVE of four arms over their epsilon."
    assert pictures[1]["alt"].startswith(first_words(data.kept))  # the docstring of what draws it
    caption = pictures[1].find_parent("figure").figcaption.get_text()
    assert "Clean, deduplicate, bound, split" in caption and "Each bar is what one rule let through." in caption


def test_every_picture_that_a_notebook_saves_has_words_of_its_own() -> None:
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        saved = sum(
            cell["source"].count("stage.figure(") for cell in notebook_file.load(path) if cell["cell_type"] == "code"
        )
        captions = list(stage_view.captions(notebook_file.load(path)))
        assert len(captions) == saved, path.stem
        assert all(caption.shows for caption in captions), (path.stem, captions)


def test_a_picture_named_by_a_label_finds_its_words() -> None:
    cells = [
        {"cell_type": "markdown", "source": "## Which words matter\nText."},
        {"cell_type": "code", "source": "from lib.plots import utility as pictures"},
        {"cell_type": "code", "source": '_ = stage.figure(f"importance_{name}", pictures.scores(part))'},
    ]
    (caption,) = stage_view.captions(cells)
    assert re.fullmatch(caption.pattern, "importance_sentiment") and caption.heading == "Which words matter"
    assert caption.shows.startswith(first_words(utility.scores)) and caption.reading == ""


@pytest.mark.parametrize("place", ["name", "method", "because", "answer", "task", "title", "reason", "run"])
def test_no_text_becomes_markup(run: Run, tmp_path: Path, frontier: report.Figure, place: str) -> None:
    card = report_scorecards.whole()
    arm = card["arms"][1]
    match place:
        case "name":
            card["names"][arm["stage"]] = HOSTILE
        case "method":
            arm[place] = HOSTILE
        case "because":
            card["missing"][0]["because"] = card["comparisons"][1]["because"] = HOSTILE
        case "answer":
            card["answers"][0] = HOSTILE
        case "task":
            arm["metrics"][0]["task"] = card["comparisons"][0]["views"][0]["name"] = HOSTILE
        case "reason":
            arm["privacy"]["not_for_release"] = [HOSTILE]
        case "run":
            card["run"] = HOSTILE
    title = HOSTILE if place == "title" else "title"
    figure = report.Figure(frontier.path, title, title, title)
    internal, _ = rewritten(run, tmp_path, card, figures=(figure,))
    page = soup(internal)
    assert HOSTILE in page.get_text()
    assert len(page.find_all("script")) == 1 and not page.select("[onerror]")


def planted() -> tuple[dict, dict, list[str]]:
    """A scorecard whose figures of real text are unlike any other, its public part, and how they would be written."""
    card, public = report_scorecards.whole(), report_scorecards.public()
    for arm in card["arms"]:
        for row in arm["metrics"]:
            for name in ("value", "value_low", "value_high", "floor", "ceiling"):
                if row[name] is not None and (row["real_text"] or name in ("floor", "ceiling")):
                    row[name] = 0.6260 + 0.0001 * len(name)
        if "bound" in arm["privacy"]["audit"]:
            arm["privacy"]["audit"] |= {"bound": 6.27, "ceiling": 6.28}
        if "texts" in arm["privacy"]["copies"]:
            arm["privacy"]["copies"]["near_duplicates"] = {"train": 6271, "held_out": 6272}
    return card, public, ["0.626", "0.627", "6.27", "6.28", "6,271", "6,272", "3.911", card["corpus"]["digest"][:8]]


def test_the_public_page_holds_no_figure_of_real_text(run: Run, tmp_path: Path, frontier: report.Figure) -> None:
    card, public, marks = planted()
    internal, outside = rewritten(run, tmp_path, card, public, figures=(frontier,))
    seen = internal.read_text() + text_of(internal)
    assert [mark for mark in marks if mark not in seen] == [card["corpus"]["digest"][:8]]  # the marks do show
    page = outside.read_text()
    assert not [mark for mark in marks if mark in page]
    assert "notebooks/" not in page and "<img" not in page and "consistent" not in text_of(outside)
    for section in ("differences", "stages", "frontier"):
        assert f'id="{section}"' not in page
    assert "Distinct" in page and "0.792" in page  # of the arm's own text, which is differentially private


def test_the_public_page_has_the_pictures_that_are_marked_public(
    run: Run, tmp_path: Path, frontier: report.Figure
) -> None:
    figure = report.Figure(frontier.path, "Time", "Seconds of each arm.", public=True)
    _, outside = rewritten(
        run, tmp_path, report_scorecards.whole(), report_scorecards.public(), figures=(frontier, figure)
    )
    assert [picture["alt"] for picture in soup(outside).find_all("img")] == ["Seconds of each arm."]


def test_of_an_arm_without_privacy_the_public_page_says_no_more_than_that_it_exists(written: dict[str, Path]) -> None:
    rows = soup(written["public.html"]).select("tbody tr")
    own = [row for row in rows if row.th.span.text == "nonprivate"]
    assert own and not any(re.search(r"\d", cell.get_text()) for row in own for cell in row.select("td span"))
    names = [title.strong.text for title in soup(written["public.html"]).select("#certificates summary")]
    assert names == ["base", "eps8", "aug_pe"]


def test_the_public_page_has_the_times_of_the_public_scorecard_and_hides_where_files_lie(
    run: Run, tmp_path: Path
) -> None:
    public = report_scorecards.public()
    public["arms"][1]["cost"] |= {"seconds": 3840, "by_stage": {"10_finetune_dp_lora": 3780, "11_generate": 120}}
    public["corpus"]["source"] = "csv:/srv/hospital/patients.csv"
    _, outside = rewritten(run, tmp_path, report_scorecards.whole(), public)
    assert all(time in outside.read_text().replace(formatting.NO_BREAK, " ") for time in ("1 h 4 min", "1 h 3 min"))
    assert "a csv file" in text_of(outside) and "hospital" not in outside.read_text()


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"run": "quick", "arms": []},
        {"run": "quick", "arms": [{"stage": "11_generate.a"}]},
        {"run": "quick", "arms": [{"stage": "s", "privacy": None, "cost": None, "metrics": None}]},
        {"run": "quick", "arms": [{"stage": "s", "privacy": {"epsilon": 1.0}, "cost": {"by_stage": {}}}]},
    ],
)
def test_a_scorecard_that_lacks_parts_still_has_both_pages(run: Run, tmp_path: Path, card: dict) -> None:
    for path in rewritten(run, tmp_path, card, card or {"arms": []}):
        assert "The answer" in text_of(path) and "There is no answer yet" in text_of(path)


def test_a_page_stays_under_its_limit_and_says_which_pictures_it_left_out(
    run: Run, tmp_path: Path, frontier: report.Figure
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (900, 1400, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    large = report.Figure(tmp_path / "noise.png", "Noise", "Noise.", public=True)
    pages = rewritten(
        run, tmp_path, report_scorecards.whole(), report_scorecards.public(), figures=(*[large] * 5, frontier)
    )
    for path in pages:
        assert path.stat().st_size <= page.LIMIT == 5_000_000
        assert "This picture would make the page too large" in text_of(path)
    kept = [picture["alt"] for picture in soup(pages[0]).find_all("img")]
    assert kept.count("Noise.") in (2, 3) and frontier.alt in kept  # a smaller one still fits


def test_a_page_that_is_too_large_without_a_picture_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "LIMIT", 10_000)
    with refused("report.page_too_large", name="internal.html"):
        rewritten(run, tmp_path, report_scorecards.whole())


def test_no_page_has_an_address_outside_itself(written: dict[str, Path]) -> None:
    for name, path in written.items():
        page = soup(path)
        addresses = [
            tag[key] for tag in page.find_all(True) for key in ("src", "href", "action", "data") if tag.has_attr(key)
        ]
        inside = r"#[\w-]*|data:.*|notebooks/[\w.-]+\.html|\.\./internal\.html"
        assert all(re.fullmatch(inside, address, re.DOTALL) for address in addresses), name
        assert not re.search(r"url\(|@import", path.read_text()), name
        (policy,) = page.select('meta[http-equiv="Content-Security-Policy"]')
        assert policy["content"].startswith("default-src 'none'; img-src data:"), name


def test_a_notebook_keeps_its_words_tables_and_pictures_but_no_script_and_no_widget(written: dict[str, Path]) -> None:
    page = soup(written["notebooks/00_process_data.html"])
    assert not page.find_all("script") and "example.org" not in str(page)
    assert all(text in page.get_text() for text in ("plain", "VBox(children=())", "no script"))
    assert page.select_one("td").text == "a" and "done in 3 s <b>" in page.get_text()
    assert page.img["alt"].startswith(first_words(data.kept))
    assert page.select_one(".status").text == "internal: holds figures computed from real text"


def test_the_links_of_the_internal_page_lead_to_the_notebooks(written: dict[str, Path]) -> None:
    links = {link["href"] for link in soup(written["internal.html"]).select("#stages a")}
    assert links == {name for name in written if name.startswith("notebooks/")}


@pytest.mark.parametrize("half", ["", '{"cells": [{"cell_type": "mark'])
def test_a_stage_without_a_whole_notebook_is_shown_without_it(tmp_path: Path, half: str) -> None:
    run = report_scorecards.finished_run(tmp_path)
    path = run.folder / "00_process_data" / "notebook.ipynb"
    path.write_text(half) if half else path.unlink()
    paths = report.write(run, report_scorecards.whole(), report_scorecards.public(), (), tmp_path / "out")
    assert "00_process_data.html" not in [path.name for path in paths]
    stage = soup(paths[0]).select("#stages > details")[0]
    assert not stage.find("a") and "Run by hand" in stage.get_text() and stage.img["alt"].startswith("Picture kept")


def test_figures_of_single_arms_stay_out_of_a_stage_and_are_counted(written: dict[str, Path]) -> None:
    stage = soup(written["internal.html"]).select("#stages > details")[0]
    assert [row.th.span.text for row in stage.select("tbody tr")] == ["records_read", "train_records", "mean_words"]
    assert "1 more figures belong to single arms" in stage.get_text()


def test_nothing_is_written_where_the_public_scorecard_has_a_figure_of_real_text(run: Run, tmp_path: Path) -> None:
    public = report_scorecards.public()
    public["arms"][1]["cost"]["seconds"] = 431.2
    with refused("report.private_figures", name="seconds of 11_generate.eps8"):
        rewritten(run, tmp_path, report_scorecards.whole(), public)
    assert not (tmp_path / "out").exists()
