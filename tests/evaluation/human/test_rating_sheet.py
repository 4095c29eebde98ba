"""The rating sheet: blinded, private, and read back."""

import csv
import io
import json
import stat

import numpy as np
import pytest
from support import browser
from support.utility_toys import matched, records

from lib.common.errors import DoppelError
from lib.evaluation.estimate import Undefined
from lib.evaluation.human import rating_forms, rating_sheet


@pytest.fixture
def sheet() -> rating_sheet.Sheet:
    return rating_sheet.blinded(matched(one=records(40, 3), other=records(40, 4)), each=6, seed=1)


def fill(sheet: rating_sheet.Sheet, quality) -> str:
    """A filled sheet as CSV; ``quality`` gives the answer for an item's set."""
    rows = [[item, quality(name), "3"] for item, name in zip(sheet.ids, sheet.sets, strict=True)]
    return rating_forms.answered(rows)


def test_the_sheet_is_blinded_mixed_and_seeded(sheet):
    assert sorted(sheet.sets) == ["one"] * 6 + ["other"] * 6 + ["real"] * 6
    assert sheet.sets != sorted(sheet.sets)
    named = rating_sheet.blinded(matched(zqarm=records(40, 3), zqfloor=records(40, 4)), each=6, seed=1)
    assert named.texts == sheet.texts and {"zqarm", "zqfloor", "real"} == set(named.sets)
    assert "zq" not in rating_sheet.as_csv(named) + rating_forms.as_html(named)
    again = rating_sheet.blinded(matched(one=records(40, 3), other=records(40, 4)), each=6, seed=1)
    other = rating_sheet.blinded(matched(one=records(40, 3), other=records(40, 4)), each=6, seed=2)
    assert again.ids == sheet.ids and set(other.ids).isdisjoint(sheet.ids)


def test_files_are_for_their_owner_alone(sheet, tmp_path):
    path = rating_sheet.write_private(tmp_path / "ratings" / "sheet.csv", rating_sheet.as_csv(sheet))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_sheet_is_read_back_as_it_was_filled(sheet, tmp_path):
    out = io.StringIO()
    rows = list(csv.reader(io.StringIO(rating_sheet.as_csv(sheet).lstrip("\ufeff"))))
    assert [row[-1] for row in rows[1:]] == sheet.texts
    csv.writer(out).writerows([rows[0]] + [[row[0], "5" if i else "", "2", *row[3:]] for i, row in enumerate(rows[1:])])
    path = tmp_path / "anna.csv"
    path.write_text(out.getvalue())
    answers = rating_sheet.read_answers({"anna": path}, sheet)
    assert np.isnan(answers["quality"][0, 0]) and (answers["quality"][0, 1:] == 5).all()
    assert (answers["fits"] == 2).all()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace(",4,", ",6,", 1), "'quality' must be a whole number from 1 to 5"),
        (lambda text: text.replace(",4,", ",good,", 1), "'quality' must be"),
        (lambda text: text.replace("-001", "-999"), "is not on this run's sheet"),
        (lambda text: text.replace("-001", "-002"), "comes twice"),
        (lambda text: text.replace("quality", "grade"), "no column 'quality'"),
    ],
)
def test_what_is_wrong_in_a_filled_sheet_is_told_with_its_row(sheet, tmp_path, change, told):
    path = tmp_path / "anna.csv"
    path.write_text(change(fill(sheet, lambda name: "4")))
    with pytest.raises(DoppelError, match=rf"anna\.csv, row \d+: .*{told}"):
        rating_sheet.read_answers({"anna": path}, sheet)


def test_mean_ratings_by_set_with_intervals(sheet, tmp_path):
    paths = {}
    for rater, better in (("anna", "5"), ("ben", "4")):
        paths[rater] = tmp_path / f"{rater}.csv"
        paths[rater].write_text(fill(sheet, lambda name, better=better: better if name == "real" else "2"))
    answers = rating_sheet.read_answers(paths, sheet)["quality"]
    found = rating_sheet.mean_ratings(answers, sheet, draws=200, seed=0)
    assert found["real"].value == 4.5 and found["one"].value == 2
    assert found["real"].interval[0] < 4.3 and found["one"].interval == (2, 2)
    answers[:, np.array(sheet.sets) == "one"] = np.nan
    assert isinstance(rating_sheet.mean_ratings(answers, sheet, draws=50, seed=0)["one"], Undefined)


def test_a_text_is_no_formula_and_no_markup():
    sheet = rating_sheet.Sheet(["=1+1", "<script>x</script>"], [{"mood": "good"}] * 2, ["one", "real"])
    assert "'=1+1" in rating_sheet.as_csv(sheet)
    assert "<script>x" not in rating_forms.as_html(sheet) and "&lt;script&gt;x" in rating_forms.as_html(sheet)


def test_the_panel_holds_no_text_before_start_and_after_the_end(sheet):
    saved = []
    panel = rating_forms.as_panel(sheet, saved.append)
    _, text, asked, quality, _, fits, button = panel.children
    assert asked.value == rating_sheet.QUESTIONS["quality"]
    assert text.value == ""
    button.click()
    for number in range(len(sheet.texts)):
        assert sheet.texts[number] in text.value
        quality.value, fits.value = "4", None
        button.click()
    assert text.value == "" and button.disabled
    rows = list(csv.reader(io.StringIO(saved[0])))
    assert rows[1] == [sheet.ids[0], "4", ""] and len(rows) == len(sheet.texts) + 1


def test_the_key_says_which_set_each_item_is_of(sheet):
    assert json.loads(rating_sheet.as_key(sheet)) == dict(zip(sheet.ids, sheet.sets, strict=True))


@pytest.mark.skipif(browser.found() is None, reason="no Chromium on this machine; apt-get install chromium")
def test_the_page_counts_and_saves_what_was_chosen_in_a_browser(sheet, tmp_path):
    """All answers but one are clicked; what the button would save is caught where the page makes a file of it."""
    file = tmp_path / "sheet.html"
    file.write_text(rating_forms.as_html(sheet))
    with browser.opened(tmp_path / "profile") as page:
        page.open(file)
        click = "document.querySelectorAll('input[value=\"4\"]').forEach((one, n) => { if (n) one.click(); })"
        page.run(click)
        count = page.run("document.getElementById('done').textContent")
        caught = "new Promise(text => { URL.createObjectURL = blob => { text(blob.text()); return '#'; }; save(); })"
        filled = page.run(caught)
    assert int(count) == len(sheet.texts) - 1  # the first item lacks one answer
    (tmp_path / "anna.csv").write_text(filled)
    answers = rating_sheet.read_answers({"anna": tmp_path / "anna.csv"}, sheet)
    assert np.isnan(answers["quality"][0, 0]) and (answers["quality"][0, 1:] == 4).all()
    assert (answers["fits"][0] == 4).all()
