"use strict";

// A click on a column's title sorts by it: upwards, downwards, and back to the order that the page came in.
const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

function compare(a, b) {
  const numbers = [Number(a), Number(b)];
  return numbers.some(Number.isNaN) ? a.localeCompare(b, "en", { numeric: true }) : numbers[0] - numbers[1];
}

for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const asItCame = [...body.rows];
  const titles = [...table.tHead.rows[0].cells];
  titles.forEach((title, column) => title.querySelector("button").addEventListener("click", () => {
    const order = NEXT[title.getAttribute("aria-sort")];
    titles.forEach((other) => other.setAttribute("aria-sort", other === title ? order : "none"));
    const key = (row) => row.cells[column].dataset.sort;
    const sign = order === "descending" ? -1 : 1;
    const [known, unknown] = [true, false].map((has) => asItCame.filter((row) => (key(row) !== undefined) === has));
    const sorted = order === "none" ? asItCame : [...known.sort((a, b) => sign * compare(key(a), key(b))), ...unknown];
    body.append(...sorted);
  }));
}
