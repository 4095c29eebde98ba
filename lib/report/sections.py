"""What a page says of a scorecard, section by section: sentences, tables, and the words that explain them."""

from collections.abc import Mapping, Sequence

from lib.common.formatting import number
from lib.evaluation import registry as metric_words
from lib.privacy.ledger import NEIGHBOURS
from lib.report import glossary, tables
from lib.scorecard import conclusions

_ASKS = {
    "fidelity": "How close the synthetic records are to real ones.",
    "utility": "What the synthetic records are good for: what learns from them, and how well it works.",
}
_ASKS_PUBLIC = "What can be said of the texts without real ones beside them."
_FILES = ("csv", "jsonl", "parquet")  # kinds of sources whose name is a place on the holder's disk


def content(scorecard: Mapping, *, internal: bool) -> dict[str, object]:
    """The parts of ``report.html`` that follow from a scorecard alone."""
    groups = [group for name in tables.GROUPS if (group := _group(scorecard, name, internal))["tables"]]
    return {
        "run": str(scorecard.get("run") or "run"),
        "made": str(scorecard.get("made") or "at an unknown time").replace("T", " "),
        "status": "internal" if internal else "public",
        "internal": internal,
        "about": _about(scorecard, internal),
        "answers": list(scorecard.get("answers") or ()),
        "promise": _promise(scorecard),
        "together": conclusions.together(scorecard["together"]) if "together" in scorecard else None,
        "summary": tables.summary(scorecard),
        "privacy": tables.privacy(scorecard),
        "verdicts": _verdicts(scorecard),
        "groups": groups,
        "cost": tables.cost(scorecard),
        "machines": sorted({one for arm in scorecard.get("arms") or () for one in _machines(arm)}),
        "better": tables.better(scorecard),
        "alike": tables.alike(scorecard),
        "missing": tables.missing(scorecard),
        "reading": _reading(scorecard, internal),
    }


def contents(content: Mapping, *, pictures: bool) -> list[tuple[str, str]]:
    """Ids and titles of the sections that a page has, in their order."""
    groups = [(group["id"], group["title"]) for group in content["groups"]]
    found = [("answer", "The answer"), ("privacy", "Privacy"), *groups, ("cost", "Cost")]
    found += [("differences", "Differences")] if content["internal"] else []
    found += [("frontier", "Frontier")] if pictures else []
    found += [("stages", "Stages")] if content["internal"] else []
    return [*found, ("certificates", "Certificates"), ("missing", "What is missing"), ("reading", "How to read it")]


def _machines(arm: Mapping) -> Sequence[str]:
    return (arm.get("cost") or {}).get("machines") or ()


def _group(scorecard: Mapping, name: str, internal: bool) -> dict[str, object]:
    asks = _ASKS[name] if internal else _ASKS_PUBLIC
    found = [tables.metrics(scorecard, name, first=first) for first in (True, False)]
    shown, reasons = [table for table in found if table.rows], tables.reasons(scorecard, name)
    return {"id": name, "title": name.capitalize(), "asks": asks, "tables": shown, "reasons": reasons}


def _about(scorecard: Mapping, internal: bool) -> str:
    """The corpus in a line."""
    corpus, arms = scorecard.get("corpus") or {}, scorecard.get("arms") or ()
    source, unit = str(corpus.get("source") or "an unnamed corpus"), str(corpus.get("unit") or "unit")
    if not internal and (kind := source.partition(":")[0]) in _FILES:
        source = f"a {kind} file"
    count = f"{corpus['units']:,} {unit}s" if corpus.get("units") else f"an unknown number of {unit}s"
    several = "1 arm" if len(arms) == 1 else f"{len(arms)} arms"
    return f"{several} on {source}: {count} in training, made {str(scorecard.get('made') or 'at an unknown time')[:10]}"


def _promise(scorecard: Mapping) -> str:
    corpus = scorecard.get("corpus") or {}
    neighbours = corpus.get("neighbours") or NEIGHBOURS.get(corpus.get("unit"), "add or remove one unit")
    delta = "" if corpus.get("delta") is None else f", but for a chance of {number(corpus['delta'], 2)}"
    return (
        f"Neighbours: {neighbours}. What an arm gives out is at most e^ε times as likely for one neighbour as for "
        f"the other{delta}."
    )


def _verdicts(scorecard: Mapping) -> list[metric_words.Word]:
    """The verdicts that were given, with what they mean."""
    audits = [(arm.get("privacy") or {}).get("audit") or {} for arm in scorecard.get("arms") or ()]
    given = {audit.get("verdict") for audit in audits}
    return [metric_words.Word(str(verdict), says) for verdict, says in glossary.VERDICTS.items() if verdict in given]


def _reading(scorecard: Mapping, internal: bool) -> list[tuple[str, list[metric_words.Word]]]:
    rows = [row for arm in scorecard.get("arms") or () for row in arm.get("metrics") or ()]
    parts = [("Privacy", [*glossary.PRIVACY, *(glossary.ATTACKS if internal else ())])]
    parts.append(("Scores", list(glossary.SCORES) if internal else [glossary.ARROW]))
    if metrics := metric_words.explained(row["metric"] for row in rows):
        parts.append(("Metrics", metrics))
    return parts
