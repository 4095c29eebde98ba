"""The rating sheet as a page for raters elsewhere, and as a panel in the notebook."""

import csv
import html
import io
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lib.evaluation.human.rating_sheet import COLUMNS, QUESTIONS, SCALE, Sheet

if TYPE_CHECKING:
    import ipywidgets  # only the panel needs it

_STYLE = """
body {font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto 6rem; padding: 0 1rem; color: #222}
fieldset {border: 1px solid #ddd; border-radius: 6px; margin: 0 0 1.2rem; padding: .6rem 1.2rem 1rem}
legend {color: #777; font-size: .8rem}
blockquote {white-space: pre-wrap; font-size: 1.1rem; margin: .4rem 0 1rem}
blockquote {padding-left: .8rem; border-left: 3px solid #1f6f8b}
.labels {color: #1f6f8b; font-size: .9rem; margin: 0}
.question {margin: .4rem 0}
.question label {margin-right: .9rem}
footer {position: fixed; bottom: 0; left: 0; right: 0; padding: .7rem; background: #f4f4f4; text-align: center}
button {font: inherit; padding: .3rem 1rem; margin-left: 1rem}
"""
_SCRIPT = """
const items = [...document.querySelectorAll("fieldset")];
const chosen = (item, question) => item.querySelector(`input[name="${item.id} ${question}"]:checked`);
let saved = true;
document.addEventListener("change", () => {
  saved = false;
  const done = items.filter(item => COLUMNS.slice(1).every(question => chosen(item, question))).length;
  document.getElementById("done").textContent = done;
});
window.addEventListener("beforeunload", event => { if (!saved) event.preventDefault(); });
function save() {
  const answer = (item, question) => chosen(item, question)?.value ?? "";
  const answers = items.map(item => [item.id, ...COLUMNS.slice(1).map(question => answer(item, question))]);
  const text = [COLUMNS, ...answers].map(row => row.join(",")).join("\\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv"}));
  link.download = "ratings.csv";
  link.click();
  saved = true;
}
"""


def as_html(sheet: Sheet) -> str:
    """A page that asks every question about every item of ``sheet`` and saves the answers as CSV.

    It loads nothing from elsewhere. Private: real text stands on it.
    """
    items = "\n".join(
        f'<fieldset id="{item}"><legend>{item}</legend><p class="labels">{_labels(labels)}</p>'
        f"<blockquote>{html.escape(text)}</blockquote>{_choices(item)}</fieldset>"
        for item, labels, text in zip(sheet.ids, sheet.labels, sheet.texts, strict=True)
    )
    count = f'<span id="done">0</span> of {len(sheet.texts)} rated'
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Rating sheet</title>'
        f"<style>{_STYLE}</style><h1>Rating sheet</h1>"
        "<p>Some of these texts were written by people, some by machines. "
        "<b>They are private: do not pass them on.</b> Answer what you can; save at the end, and send the file "
        "back.</p>"
        f'{items}<footer>{count}<button onclick="save()">Save my ratings</button></footer>'
        f"<script>const COLUMNS = {json.dumps(COLUMNS)};{_SCRIPT}</script></html>"
    )


def as_panel(sheet: Sheet, save: Callable[[str], object]) -> "ipywidgets.VBox":
    """An ipywidgets panel that shows one item at a time.

    It holds no text until *Start* is pressed, nor after the last item, so a notebook saved then holds none.

    Args:
        sheet: the items to rate.
        save: called with the answers as CSV after the last item.
    """
    import ipywidgets as widgets

    text, progress = widgets.HTML(), widgets.Label("Press Start; the texts are private.")
    scales = {question: widgets.ToggleButtons(options=[*map(str, SCALE)], value=None) for question in QUESTIONS}
    for scale in scales.values():
        scale.style.button_width = "3rem"
    questions = [widget for question, scale in scales.items() for widget in (widgets.Label(QUESTIONS[question]), scale)]
    button = widgets.Button(description="Start")
    answers: list[list[str]] = []

    def show() -> None:
        number = len(answers)
        if number == len(sheet.texts):
            text.value, progress.value, button.disabled = "", f"{number} items rated; thank you.", True
            save(answers_as_csv(answers))
            return
        progress.value = f"item {number + 1} of {len(sheet.texts)}"
        text.value = (
            f"<i>{_labels(sheet.labels[number])}</i><blockquote>{html.escape(sheet.texts[number])}</blockquote>"
        )
        for scale in scales.values():
            scale.value = None

    def pressed(_: object) -> None:
        if button.description == "Start":
            button.description = "Next"
        else:
            answers.append([sheet.ids[len(answers)], *(scale.value or "" for scale in scales.values())])
        show()

    button.on_click(pressed)
    return widgets.VBox([progress, text, *questions, button])


def answers_as_csv(answers: list[list[str]]) -> str:
    """``answers``, rows of an item and its values, as CSV for `lib.evaluation.human.rating_sheet.read_answers`."""
    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, *answers])
    return out.getvalue()


def _labels(labels: Mapping[str, str]) -> str:
    return html.escape(", ".join(f"{name}: {value}" for name, value in labels.items()))


def _choices(item: str) -> str:
    return "".join(
        f'<p class="question">{html.escape(asked)}<br>'
        + " ".join(f'<label><input type="radio" name="{item} {question}" value="{i}">{i}</label>' for i in SCALE)
        + "</p>"
        for question, asked in QUESTIONS.items()
    )
