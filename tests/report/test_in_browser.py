"""The report in a real browser: drawn, sorted, by day and by night, on a phone, and without a network."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import browser, report_scorecards

from lib import report

pytestmark = pytest.mark.skipif(
    browser.chromium() is None, reason="no Chromium on this machine; apt-get install chromium"
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    run = report_scorecards.finished_run(tmp_path_factory.mktemp("report"))
    picture = report_scorecards.picture(run.folder.parent / "frontier.png", (12, 4))
    figures = [report.Figure(picture, "MAUVE over epsilon", "MAUVE over epsilon.", public=True)]
    return report.write(
        run, report_scorecards.whole(), report_scorecards.public(), figures, run.folder / "30_compare" / "report"
    )[:3]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Page]:
    with browser.opened(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def internal(page: browser.Page, pages: list[Path]) -> browser.Page:
    return page.open(pages[0])


def test_the_browser_reports_errors_and_requests(page: browser.Page, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(
        "<script>console.error('no'); asked = fetch('https://example.org/x').catch(() => null)</script>"
    )
    page.open(tmp_path / "bad.html").run("asked")  # to its end: nothing of it is heard by the next test
    assert any('"no"' in said for said in page.complaints)
    assert any("https://example.org/x" in asked for asked in page.requests)
    page.complaints.clear()
    page.requests.clear()


def test_no_page_complains_and_no_request_leaves_its_file(page: browser.Page, pages: list[Path]) -> None:
    for path in pages:
        page.complaints.clear()
        page.requests.clear()
        page.open(path)
        page.run("document.querySelectorAll('button, summary').forEach((one) => one.click())")
        assert page.complaints == []
        assert {asked for asked in page.requests if not asked.startswith("data:")} == {path.resolve().as_uri()}


def test_the_policy_of_a_page_stops_what_a_hostile_text_would_fetch(internal: browser.Page) -> None:
    internal.requests.clear()
    fetched = internal.run("fetch('https://example.org/x').then(() => 'went', () => 'stopped')")
    internal.run(
        "document.body.insertAdjacentHTML('beforeend', '<b onclick=\"document.title = 1\" id=b>x</b>'); b.click()"
    )
    assert fetched == "stopped" and internal.run("document.title") != "1"
    assert not [asked for asked in internal.requests if asked.startswith("http")]
    internal.complaints.clear()


def test_every_picture_is_drawn(page: browser.Page, pages: list[Path]) -> None:
    for path, count in zip(pages, (6, 1, 1), strict=True):
        page.open(path)
        drawn = page.run("[...document.images].map((image) => image.complete && image.naturalWidth > 0 && image.alt)")
        assert len(drawn) == count and all(drawn)
        assert page.run("[...document.querySelectorAll('svg.bar')].every((one) => one.ariaLabel)")


SHOWN = "[...document.querySelector('{}').tBodies[0].rows].map((row) => row.cells[{}].dataset.sort ?? null)"


def test_a_click_on_a_title_sorts_up_then_down_then_back(internal: browser.Page) -> None:
    click = "document.querySelectorAll('#answer thead button')[1].click()"
    shown, state = SHOWN.format("#answer table", 1), "document.querySelectorAll('#answer thead th')[1].ariaSort"
    before = internal.run(shown)
    orders = []
    for _ in range(3):
        internal.run(click)
        orders.append((internal.run(state), internal.run(shown)))
    upwards = sorted(before, key=float)
    assert before != upwards
    assert orders == [("ascending", upwards), ("descending", upwards[::-1]), ("none", before)]


def test_what_has_no_value_comes_last_whichever_way(internal: browser.Page) -> None:
    shown = SHOWN.format("#utility details:nth-of-type(2) table", 3)
    for _ in range(2):
        internal.run("document.querySelectorAll('#utility details:nth-of-type(2) thead button')[3].click()")
        values = internal.run(shown)
        assert values[-1] is None and None not in values[:-1]


def test_only_one_title_at_a_time_says_that_it_sorts(internal: browser.Page) -> None:
    for column in (0, 2):
        internal.run(f"document.querySelectorAll('#cost thead button')[{column}].click()")
    states = internal.run("[...document.querySelectorAll('#cost thead th')].map((title) => title.ariaSort)")
    assert [place for place, state in enumerate(states) if state != "none"] == [2]


def test_a_table_sorts_from_the_keyboard(internal: browser.Page) -> None:
    internal.run("document.querySelector('#cost thead button').focus()")
    internal.press("Enter", 13)
    names = internal.run(SHOWN.format("#cost table", 0))
    assert names == sorted(report_scorecards.ARMS)
    assert internal.run("document.activeElement.closest('th').ariaSort") == "ascending"


@pytest.mark.parametrize("width", [320, 360, 768])
def test_no_page_is_wider_than_its_window_and_wide_tables_scroll_inside_their_box(
    page: browser.Page, pages: list[Path], width: int
) -> None:
    for path in pages:
        page.open(path, width=width)
        page.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        assert page.run("document.documentElement.scrollWidth") <= width, path.name
    page.open(pages[0], width=width)
    box = page.run(
        "(() => { const b = document.querySelector('#privacy .scroll'); return [b.scrollWidth, b.clientWidth] })()"
    )
    assert box[0] > box[1]


def test_the_night_is_dark_and_readable(page: browser.Page, pages: list[Path], tmp_path: Path) -> None:
    for path in pages:
        seen = {}
        for dark in (False, True):
            page.open(path, dark=dark)
            seen[dark] = np.asarray(Image.open(page.picture(tmp_path / f"{dark}.png")).convert("L"), float)
        assert np.median(seen[False]) > 240 and np.median(seen[True]) < 40
        assert seen[True].max() > 200  # light letters


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(r, g, b)``, WCAG 2.1."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(", ")]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_stands_out_from_its_ground(page: browser.Page, pages: list[Path], dark: bool) -> None:
    page.open(pages[0], dark=dark)
    ground = luminance(page.run("getComputedStyle(document.body).backgroundColor"))
    colours = page.run(
        "[...new Set([...document.querySelectorAll('body *')].map((one) => getComputedStyle(one).color))]"
    )
    assert len(colours) >= 5
    for colour in colours:
        light, deep = sorted([luminance(colour), ground], reverse=True)
        assert (light + 0.05) / (deep + 0.05) >= 4.5, colour


@pytest.mark.parametrize("dark", [False, True])
def test_plots_have_the_ground_of_the_page(page: browser.Page, pages: list[Path], tmp_path: Path, dark: bool) -> None:
    page.open(pages[0], dark=dark)
    page.run("document.querySelector('#frontier img').scrollIntoView({behavior: 'instant'})")
    corner = page.run(
        "(() => { const r = document.querySelector('#frontier img').getBoundingClientRect(); return [r.x, r.y] })()"
    )
    seen = np.asarray(Image.open(page.picture(tmp_path / "seen.png")).convert("L"), float)
    x, y = (round(one) + 6 for one in corner)
    assert abs(seen[y, x] - seen[y, 4]) < 4


def test_every_entry_of_the_contents_leads_to_its_section(page: browser.Page, pages: list[Path]) -> None:
    for path in pages[:2]:
        page.open(path)
        title = "document.querySelector(a.hash)?.querySelector('h2').innerText"
        there = page.run(f"[...document.querySelectorAll('nav a')].map((a) => {title} === a.innerText)")
        assert len(there) >= 7 and all(there)


def test_a_link_opens_the_notebook_and_leads_back(internal: browser.Page, pages: list[Path]) -> None:
    target = internal.run("document.querySelector('#stages a').href")
    assert target == pages[2].resolve().as_uri()
    internal.open(pages[2])
    assert internal.run("document.querySelector('header a').href") == pages[0].resolve().as_uri()
