"""The rating sheet as a page for raters elsewhere, and as a panel in the notebook."""

import csv
import html
import io
from collections.abc import Callable

from lib.utility.ratings import COLUMNS, QUESTIONS, SCALE, Sheet

_SAVE = """
function save() {
  const rows = [COLUMNS];
  document.querySelectorAll("fieldset").forEach(item => {
    const row = [item.id];
    for (const question of COLUMNS.slice(1)) {
      const chosen = item.querySelector(`input[name="${item.id} ${question}"]:checked`);
      row.push(chosen ? chosen.value : "");
    }
    rows.push(row);
  });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([rows.map(row => row.join(",")).join("\\n")], {type: "text/csv"}));
  link.download = "ratings.csv";
  link.click();
}
"""


def as_html(sheet: Sheet) -> str:
    """One page that asks every question about every item, and saves the answers as CSV; it loads nothing."""
    items = "\n".join(
        f'<fieldset id="{item}"><legend>{item}</legend><p><i>{_labels(labels)}</i></p>'
        f'<p style="white-space: pre-wrap">{html.escape(text)}</p>{_choices(item)}</fieldset>'
        for item, labels, text in zip(sheet.ids, sheet.labels, sheet.texts, strict=True)
    )
    script = f"const COLUMNS = {list(COLUMNS)!r};{_SAVE}"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Rating sheet</title>'
        f"<h1>Rating sheet</h1><p>Private: do not pass it on.</p>{items}"
        f'<button onclick="save()">Save my ratings</button><script>{script}</script></html>'
    )


def as_panel(sheet: Sheet, save: Callable[[str], object]):
    """An ipywidgets panel that shows one item at a time, and gives ``save`` the answers as CSV at its end.

    No text is in it until *Start* is pressed, nor after the last item: a notebook that is saved then holds none.
    """
    import ipywidgets as widgets

    text, place = widgets.HTML(), widgets.Label("Press Start; the texts are private.")
    scales = {
        question: widgets.ToggleButtons(options=[*map(str, SCALE)], value=None, description=question, tooltip=words)
        for question, words in QUESTIONS.items()
    }
    button = widgets.Button(description="Start")
    answers: list[list[str]] = []

    def show() -> None:
        number = len(answers)
        if number == len(sheet.texts):
            text.value, place.value, button.disabled = "", f"{number} items rated; thank you.", True
            save(answered(answers))
            return
        place.value = f"item {number + 1} of {len(sheet.texts)}"
        text.value = f"<i>{_labels(sheet.labels[number])}</i><p>{html.escape(sheet.texts[number])}</p>"
        for scale in scales.values():
            scale.value = None

    def pressed(_: object) -> None:
        if button.description == "Start":
            button.description = "Next"
        else:
            answers.append([sheet.ids[len(answers)], *(scale.value or "" for scale in scales.values())])
        show()

    button.on_click(pressed)
    return widgets.VBox([place, text, *scales.values(), button])


def answered(answers: list[list[str]]) -> str:
    """Answers, each an item and its values, as `lib.utility.ratings.read_answers` reads them."""
    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, *answers])
    return out.getvalue()


def _labels(labels) -> str:
    return html.escape(", ".join(f"{name}: {value}" for name, value in labels.items()))


def _choices(item: str) -> str:
    return "".join(
        f"<p>{html.escape(words)}: "
        + " ".join(f'<label><input type="radio" name="{item} {question}" value="{i}">{i}</label>' for i in SCALE)
        + "</p>"
        for question, words in QUESTIONS.items()
    )
