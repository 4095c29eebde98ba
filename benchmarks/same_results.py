"""Are the results of two versions equal, but for names, times and paths? With integer privacy seeds they should be.

    ./run_all.sh params/test --run t --set 00_process_data.privacy_seed=7 ...   # in a checkout of each version
    python benchmarks/same_results.py OLD/results/t NEW/results/t

Compares every file that other stages read, with stage ids spelled as they are today. Its last line is one JSON object.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lib.stage.fingerprint import DONE, NOT_COMPARED  # noqa: E402
from lib.stage.notebook_roles import current_name  # noqa: E402

SKIPPED = {*NOT_COMPARED, DONE, "release", "report"}
VARYING = re.compile(r"(seconds|peak_memory_mb|by_stage|ancestors|made|recipe|machines|base_model_name_or_path)\b")
LATER = {  # notebooks that have no results in packs, and were renumbered with the others
    "04_canary_privacy": "20_canary_privacy",
    "05_fidelity": "21_fidelity",
    "06_utility": "22_utility",
    "07_compare": "30_compare",
}


def renamed(text: str) -> str:
    """A text with today's names of notebooks."""
    return re.sub(r"\b\d\d_[a-z_]+", lambda name: LATER.get(name[0], current_name(name[0])), text)


def files(run: Path) -> dict[str, Path]:
    """The files to compare by their name today."""
    every = (path for path in run.rglob("*") if path.is_file())
    names = {path.relative_to(run): path for path in every}
    return {
        renamed(name.as_posix()): path
        for name, path in names.items()
        if len(name.parts) > 1 and not any(part in SKIPPED or part.startswith(".") for part in name.parts)
    }


def differences(old: object, new: object, place: str = "") -> Iterator[str]:
    """Places at which two JSON values differ, those that always vary left out."""
    if VARYING.search(place):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key in old and key in new:
                yield from differences(old[key], new[key], f"{place}/{key}")
            else:
                yield f"{place}/{key}: only in the {'old' if key in old else 'new'} one"
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, pair in enumerate(zip(old, new, strict=True)):
            yield from differences(*pair, f"{place}[{number}]")
    elif old != new:
        yield f"{place}: {str(old)[:60]} | {str(new)[:60]}"


def compared(old: Path, new: Path) -> list[str]:
    """What differs in a file; empty where it is the same."""
    one, other = old.read_bytes(), new.read_bytes()
    if one == other:
        return []
    try:
        one, other = renamed(one.decode()), renamed(other.decode())
    except UnicodeDecodeError:
        return ["its bytes"]
    if old.suffix == ".json":
        return list(differences(json.loads(one), json.loads(other)))
    return [] if sorted(one.splitlines()) == sorted(other.splitlines()) else ["its lines"]


def main(arguments: list[str]) -> None:
    """Print what differs, file by file."""
    old, new = map(files, map(Path, arguments))
    same = 0
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            print(f"{name}: only in the {'old' if name in old else 'new'} run")
            continue
        found = compared(old[name], new[name])
        same += not found
        for line in found[:5]:
            print(f"{name}{line if line.startswith(('/', '[')) else ': ' + line}")
        if len(found) > 5:
            print(f"{name}: and {len(found) - 5} more")
    print(json.dumps({"files": len(old), "the same": same}))


if __name__ == "__main__":
    main(sys.argv[1:])
