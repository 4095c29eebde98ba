"""The rating sheet: blinded, private, and read back."""

import csv
import io
import json
import stat
from collections.abc import Callable

import numpy as np
import pytest
from support import browser
from support.errors import refused
from support.utility_toys import matched, records

from lib.evaluation.estimate import Undefined
from lib.evaluation.human import rating_forms, rating_sheet


@pytest.fixture
def sheet() -> rating_sheet.Sheet:
    return rating_sheet.blinded(matched(arm=records(40, 3), other=records(40, 4)), each=6, seed=1)


def fill(sheet: rating_sheet.Sheet, quality: Callable[[str], str]) -> str:
    """A filled sheet as CSV; ``quality`` gives the answer for an item's set."""
    rows = [[item, quality(name), "3"] for item, name in zip(sheet.ids, sheet.sets, strict=True)]
    return rating_forms.answers_as_csv(rows)


def test_the_sheet_is_blinded_mixed_and_seeded(sheet):
    assert sorted(sheet.sets) == ["arm"] * 6 + ["other"] * 6 + ["real"] * 6
    assert sheet.sets != sorted(sheet.sets)
    named = rating_sheet.blinded(matched(zqarm=records(40, 3), zqfloor=records(40, 4)), each=6, seed=1)
    assert named.texts == sheet.texts and {"zqarm", "zqfloor", "real"} == set(named.sets)
    assert "zq" not in rating_sheet.as_csv(named) + rating_forms.as_html(named)
    again = rating_sheet.blinded(matched(arm=records(40, 3), other=records(40, 4)), each=6, seed=1)
    other = rating_sheet.blinded(matched(arm=records(40, 3), other=records(40, 4)), each=6, seed=2)
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
    ("change", "code", "name", "row"),
    [
        (lambda text: text.replace(",4,", ",6,", 1), "evaluation.rating_off_scale", "quality", 1),
        (lambda text: text.replace(",4,", ",good,", 1), "evaluation.rating_off_scale", "quality", 1),
        (lambda text: text.replace("-001", "-999"), "evaluation.rated_item_unknown", "item", 1),
        (lambda text: text.replace("-001", "-002"), "evaluation.rated_item_repeated", "item", 2),
        (lambda text: text.replace("quality", "grade"), "evaluation.ratings_column_missing", "quality", 1),
    ],
)
def test_a_fault_in_a_filled_sheet_is_reported_with_its_file_and_row(sheet, tmp_path, change, code, name, row):
    path = tmp_path / "anna.csv"
    path.write_text(change(fill(sheet, lambda name: "4")))
    with refused(code, name=name, value=None) as error:  # what a rater wrote is not repeated
        rating_sheet.read_answers({"anna": path}, sheet)
    assert error.value.where == f"{path}, row {row}"


def test_a_sheet_that_is_not_text_is_refused_with_its_path(sheet, tmp_path):
    path = tmp_path / "anna.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with refused("evaluation.ratings_unreadable") as error:
        rating_sheet.read_answers({"anna": path}, sheet)
    assert error.value.where == str(path)


def test_mean_ratings_by_set_with_intervals(sheet, tmp_path):
    paths = {}
    for rater, better in (("anna", "5"), ("ben", "4")):
        paths[rater] = tmp_path / f"{rater}.csv"
        paths[rater].write_text(fill(sheet, lambda name, better=better: better if name == "real" else "2"))
    answers = rating_sheet.read_answers(paths, sheet)["quality"]
    means = rating_sheet.mean_ratings(answers, sheet, draws=200, seed=0)
    assert means["real"].value == 4.5 and means["arm"].value == 2
    assert means["real"].interval[0] < 4.3 and means["arm"].interval == (2, 2)
    answers[:, np.array(sheet.sets) == "arm"] = np.nan
    assert isinstance(rating_sheet.mean_ratings(answers, sheet, draws=50, seed=0)["arm"], Undefined)


def test_a_text_is_no_formula_and_no_markup():
    sheet = rating_sheet.Sheet(["=1+1", "<script>x</script>"], [{"mood": "good"}] * 2, ["arm", "real"])
    assert "'=1+1" in rating_sheet.as_csv(sheet)
    assert "<script>x" not in rating_forms.as_html(sheet) and "&lt;script&gt;x" in rating_forms.as_html(sheet)


def test_the_panel_holds_no_text_before_start_and_after_the_end(sheet):
    saved = []
    panel = rating_forms.as_panel(sheet, saved.append)
    _, text, question, quality, _, fits, button = panel.children
    assert question.value == rating_sheet.QUESTIONS["quality"]
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


@pytest.mark.skipif(browser.chromium() is None, reason="no Chromium on this machine; apt-get install chromium")
def test_the_page_counts_and_saves_the_chosen_answers_in_a_browser(sheet, tmp_path):
    """Clicks all answers but one, and catches the file that the button would save."""
    file = tmp_path / "sheet.html"
    file.write_text(rating_forms.as_html(sheet))
    with browser.opened(tmp_path / "profile") as page:
        page.open(file)
        click = "document.querySelectorAll('input[value=\"4\"]').forEach((input, n) => { if (n) input.click(); })"
        page.run(click)
        count = page.run("document.getElementById('done').textContent")
        caught = "new Promise(text => { URL.createObjectURL = blob => { text(blob.text()); return '#'; }; save(); })"
        filled = page.run(caught)
    assert int(count) == len(sheet.texts) - 1  # the first item lacks one answer
    (tmp_path / "anna.csv").write_text(filled)
    answers = rating_sheet.read_answers({"anna": tmp_path / "anna.csv"}, sheet)
    assert np.isnan(answers["quality"][0, 0]) and (answers["quality"][0, 1:] == 4).all()
    assert (answers["fits"][0] == 4).all()
