"""A page's sections as they follow from the scorecard: sentences, tables, and the terms that explain them."""

from collections.abc import Mapping, Sequence

from lib.common.formatting import number
from lib.evaluation.registry import Word, explained
from lib.privacy.neighbours import NEIGHBOURS, NO_UNIT, neighbours
from lib.report import glossary, tables
from lib.scorecard import conclusions

_ASKS = {
    "fidelity": "How close the synthetic records are to real ones.",
    "utility": "What the synthetic records are good for: what models learn from them, and how well those models work.",
}
_ASKS_PUBLIC = "What can be said about the texts without comparing them with real ones."
_FILES = ("csv", "jsonl", "parquet")  # sources whose name is a path on the holder's disk


def content(scorecard: Mapping, *, internal: bool) -> dict[str, object]:
    """The values of ``report.html`` that follow from a scorecard alone.

    Args:
        scorecard: whole or public; parts of it may be missing.
        internal: whether it is for the internal page.
    """
    nobody = (scorecard.get("corpus") or {}).get("unit") == NO_UNIT
    groups = [group for name in tables.GROUPS if (group := _group(scorecard, name, internal))["tables"]]
    return {
        "run": str(scorecard.get("run") or "run"),
        "made": str(scorecard.get("made") or "at an unknown time").replace("T", " "),
        "status": "internal" if internal else "public",
        "internal": internal,
        "compared": internal and not nobody,
        "nobody": nobody,
        "about": _about(scorecard, internal),
        "answers": list(scorecard.get("answers") or ()),
        "guarantee": _guarantee(scorecard),
        "together": conclusions.together(scorecard) if "together" in scorecard else None,
        "summary": tables.summary(scorecard),
        "privacy": tables.privacy(scorecard),
        "verdicts": _verdicts(scorecard),
        "groups": groups,
        "cost": tables.cost(scorecard),
        "machines": sorted({machine for arm in scorecard.get("arms") or () for machine in _machines(arm)}),
        "pairs": tables.pairs(scorecard),
        "better": tables.better(scorecard),
        "alike": tables.alike(scorecard),
        "missing": tables.missing(scorecard),
        "reading": _reading(scorecard, internal),
    }


def contents(content: Mapping, *, pictures: bool) -> list[tuple[str, str]]:
    """Ids and titles of the sections that a page has, in their order.

    Args:
        content: of `content`.
        pictures: whether the page has pictures of the frontier.
    """
    groups = [(group["id"], group["title"]) for group in content["groups"]]
    entries = [("answer", "The answer"), ("privacy", "Privacy"), *groups, ("cost", "Cost")]
    entries += [("differences", "Differences")] if content["compared"] else []
    entries += [("frontier", "Frontier")] if pictures else []
    entries += [("stages", "Stages")] if content["internal"] else []
    return [*entries, ("certificates", "Certificates"), ("missing", "What is missing"), ("reading", "How to read it")]


def _machines(arm: Mapping) -> Sequence[str]:
    return (arm.get("cost") or {}).get("machines") or ()


def _group(scorecard: Mapping, name: str, internal: bool) -> dict[str, object]:
    asks = _ASKS[name] if internal else _ASKS_PUBLIC
    first, others = (tables.metrics(scorecard, name, first=first) for first in (True, False))
    made = [first, *([tables.by_size(scorecard)] if name == "utility" else []), others]
    shown, reasons = [table for table in made if table.rows], tables.reasons(scorecard, name)
    return {"id": name, "title": name.capitalize(), "asks": asks, "tables": shown, "reasons": reasons}


def _about(scorecard: Mapping, internal: bool) -> str:
    """The corpus in a line."""
    corpus, arms = scorecard.get("corpus") or {}, scorecard.get("arms") or ()
    source, unit = str(corpus.get("source") or "an unnamed corpus"), str(corpus.get("unit") or "unit")
    if not internal and (source_type := source.partition(":")[0]) in _FILES:
        source = f"a {source_type} file"
    count = f"{corpus['units']:,} training {unit}s" if corpus.get("units") else f"an unknown number of {unit}s"
    several = "1 arm" if len(arms) == 1 else f"{len(arms)} arms"
    made = "from no private record" if unit == NO_UNIT else f"from {source} ({count})"
    return f"{several} made {made}, {str(scorecard.get('made') or 'at an unknown time')[:10]}"


def _guarantee(scorecard: Mapping) -> str:
    corpus = scorecard.get("corpus") or {}
    unit = corpus.get("unit")
    if unit == NO_UNIT:
        return "No private record was read, so there is nobody whom a guarantee could protect."
    said = corpus.get("neighbours") or (neighbours(unit) if unit in NEIGHBOURS else "add or remove one unit")
    delta = "" if corpus.get("delta") is None else f", except with probability δ = {number(corpus['delta'], 2)}"
    return (
        f"Neighbouring datasets: {said}. Between neighbours, the probability of any output of an arm changes by "
        f"at most a factor of e^ε{delta}."
    )


def _verdicts(scorecard: Mapping) -> list[Word]:
    """The verdicts that were given, with what they mean."""
    audits = [(arm.get("privacy") or {}).get("audit") or {} for arm in scorecard.get("arms") or ()]
    given = {audit.get("verdict") for audit in audits}
    return [Word(str(verdict), meaning) for verdict, meaning in glossary.VERDICTS.items() if verdict in given]


def _reading(scorecard: Mapping, internal: bool) -> list[tuple[str, list[Word]]]:
    rows = [row for arm in scorecard.get("arms") or () for row in arm.get("metrics") or ()]
    terms = [("Privacy", [*glossary.PRIVACY, *(glossary.ATTACKS if internal else ())])]
    terms.append(("Scores", list(glossary.SCORES) if internal else [glossary.ARROW]))
    if metrics := explained(row["metric"] for row in rows):
        terms.append(("Metrics", metrics))
    return terms
