"""A small grammar and a plan, for tests of what writes texts with slots."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from lib.generation.engines.base import Completion, Request, Sampling, Usage
from lib.pii.writing import grammar
from lib.pii.writing.grammar import Grammar
from lib.pii.writing.plan import Plan
from support.project import ROOT

FIELDS, STYLES = ("bank", "school"), ("chat", "review")


def real() -> Grammar:
    """The grammar of the project."""
    return grammar.load(ROOT / grammar.FOLDER)


def plan_of(samples: int = 8, **changes: object) -> Plan:
    given = {
        "mode": "iterate", "fields": FIELDS, "styles": STYLES, "locales": {"en_US": 1.0}, "negatives": 0.0,
        "messy": 0.0, "seed": 0, "reference": date(2026, 1, 31),
    }  # fmt: skip
    return Plan(samples, **(given | changes))


def written(folder: Path, files: dict[str, str]) -> Path:
    """A grammar as files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


class Scripted:
    """A chat model that gives prepared replies, in the order in which it is asked."""

    name = "scripted"

    def __init__(self, *replies: str):
        self.replies, self.usage, self.asked = list(replies), Usage(), []

    def reply(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        for position, request in enumerate(requests):
            self.asked.append((request, sampling.seed))
            self.usage.requests += 1
            yield position, Completion(self.replies.pop(0), tokens=9, ended=True)
