"""Damaged and forged packs, drawn from a seed, and what must hold of every one of them."""

import copy
import json
import math
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lib.release import certificate, verify
from lib.release.kinds import TEXTS
from support.release_world import forge, loads, rehash

CLAIM = ("epsilon", "delta", "unit", "units", "records")  # what a pack promises, in figures
SLOWEST = 10  # seconds of processor time for a pack
VALUES = (
    None, True, False, 0, 1, -1, 3, 0.0, -0.0, 0.5, 1e-9, 1e300, 2**53, 10**30, "", "x", "0" * 64, "\x1b[8m", "a\nb",
    [], [1], {}, {"a": 1}, [[[[[[]]]]]], "é" * 5000, "<!-- x -->",
)  # fmt: skip


def paths(value: object, at: tuple = ()) -> Iterator[tuple]:
    """The path of every value in a JSON tree, its root left out."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield (*at, key)
        yield from paths(child, (*at, key))


def changed_values(whole: dict, draw: random.Random) -> dict:
    """A certificate with a value replaced or scaled, or a key dropped, renamed or doubled, up to three times."""
    whole = copy.deepcopy(whole)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        places = [path for path in paths(whole) if "modules" not in path] or [("format",)]
        *parents, last = draw.choice(places)
        parent = whole
        for key in parents:
            parent = parent[key]
        value, kind = parent[last], draw.choice(("other", "other", "scaled", "dropped", "renamed", "doubled"))
        if kind == "scaled" and isinstance(value, int | float) and not isinstance(value, bool):
            parent[last] = type(value)(value * draw.choice((0.5, 0.9, 1.1, 2, 50, -1)))
        elif kind == "dropped":
            del parent[last]
        elif kind == "renamed" and isinstance(parent, dict):
            parent[f"{last}_"] = parent.pop(last)
        elif kind == "doubled" and isinstance(parent, list):
            parent.insert(last, copy.deepcopy(value))
        else:
            parent[last] = draw.choice(VALUES)
    return whole


def changed_events(whole: dict, draw: random.Random) -> dict:
    """A certificate with events dropped, doubled or swapped, or a stage's settings emptied."""
    whole = copy.deepcopy(whole)
    kind, events = draw.choice(("dropped", "doubled", "swapped", "emptied", "both")), whole["events"]
    stage = draw.choice(events)["stage"]
    if kind in ("dropped", "both"):
        whole["events"] = [event for event in events if event["stage"] != stage]
    if kind in ("emptied", "both"):
        whole["code"][stage]["settings"] = {}
    if kind == "doubled":
        events.append(copy.deepcopy(draw.choice(events)))
    if kind == "swapped":
        events[0]["mechanism"], events[-1]["mechanism"] = events[-1]["mechanism"], events[0]["mechanism"]
    return whole


def damage(folder: Path, draw: random.Random) -> None:
    """Cut, flip, empty or swap the bytes of a file, or remove it."""
    path, other = (folder / name for name in draw.sample((*TEXTS.files, certificate.NAME), 2))
    content = bytearray(path.read_bytes())
    match draw.choice(("cut", "flip", "flip", "empty", "swap", "gone")):
        case "cut":
            del content[draw.randrange(len(content)) :]
        case "flip":
            for _ in range(draw.choice((1, 1, 8))):
                content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        case "empty":
            content.clear()
        case "swap":
            content, theirs = bytearray(other.read_bytes()), content
            other.write_bytes(theirs)
        case "gone":
            path.unlink()
            return
    path.write_bytes(content)


def edit_card(folder: Path, draw: random.Random) -> None:
    """Change a word or a figure of the card, or hide its lines."""
    path = folder / "README.md"
    lines = path.read_text().splitlines()
    i = draw.randrange(len(lines))
    lines[i] = draw.choice(
        (f"<!-- {lines[i]} -->", "epsilon 0.1", "", lines[i] + " ", lines[i].replace("8", "1") + ".")
    )
    path.write_text("\n".join(lines) + "\n")


def mutate(folder: Path, draw: random.Random) -> None:
    """Change a pack in one way; in half of the cases a forger makes everything else follow, as far as that goes."""
    whole = loads(folder / certificate.NAME)
    kind = draw.choice(("values", "values", "values", "events", "file", "card"))
    if kind == "file":
        damage(folder, draw)
    elif kind == "card":
        edit_card(folder, draw)
    else:
        whole = changed_values(whole, draw) if kind == "values" else changed_events(whole, draw)
        (folder / certificate.NAME).write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    if draw.random() < 0.5:
        return
    try:
        forge(folder, whole) if kind in ("values", "events") and draw.random() < 0.7 else rehash_files(folder, whole)
    except Exception:  # a forger gets no further with what makes no sense
        return


def rehash_files(folder: Path, whole: dict) -> None:
    """Write the certificate with new hashes, its card and its epsilon left as they are."""
    for name, listed in whole["files"].items():
        listed |= {"bytes": (folder / name).stat().st_size, "sha256": certificate.sha256(folder / name)}
    rehash(folder, whole)


def followed(before: dict, after: dict) -> bool:
    """Whether no figure of the claim changed, or what it follows from changed with it."""
    differing = [key for key in CLAIM if before[key] != after[key]]
    if differing in ([], ["epsilon"]) and before["events"] == after["events"]:
        return math.isclose(before["epsilon"], after["epsilon"], rel_tol=1e-8)
    settings = [[code["settings"] for code in whole["code"].values()] for whole in (before, after)]
    return before["events"] != after["events"] or settings[0] != settings[1]


def run(good: Path, folder: Path, count: int, seed: int = 0) -> Iterator[Counter]:
    """Check changed packs one after the other.

    Args:
        good: a pack that verifies; it is copied.
        folder: where the changed packs are written; it is made anew each time.
        count: how many, at least 1.
        seed: of the changes; pack ``i`` depends on seed and ``i`` alone.

    Yields:
        how many packs were verified, refused, and refused because something could not be read, so far.

    Raises:
        AssertionError: a pack broke a rule; the message has its number.
    """
    before, counts = loads(good / certificate.NAME), Counter(verified=0, refused=0, unreadable=0)
    for i in range(count):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(good, folder)
        mutate(folder, random.Random(f"{seed}/{i}"))
        start = time.process_time()
        statement, wrong = verify.check(folder)
        took = time.process_time() - start
        assert took < SLOWEST, f"pack {i} of seed {seed} took {took:.1f} s"
        assert wrong or followed(before, statement), f"pack {i} of seed {seed}: a claim changed and was verified"
        counts["refused" if wrong else "verified"] += 1
        counts["unreadable"] += any(reason.code == "release.unreadable" for reason in wrong)
        yield counts
