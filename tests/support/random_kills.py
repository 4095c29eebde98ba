"""Kills stages of the preset test at random moments, takes them up again, and compares with a run that was not killed.

    ./run_all.sh test tests/end_to_end/test_random_kills.py --kills 200 -s

This process imports what the notebooks import, then forks a child for each attempt, which plays one notebook. A kill
comes either after a random time, or at a random write: before or just after a file is opened, before it is on the
disk, before it is renamed or removed. An attempt that goes on from a kill is sometimes killed again. With integer
privacy seeds, what comes out must be the same, to the byte, as what came out of a run that nobody killed. Half of the
times the label counts have no seed: then those that a killed attempt may have shown must be those that come out. The
audit alone may come to something else: it draws its noise as for a release. The comparison's clock stands still.

The last line is one JSON object: how many kills there were, and how often each fault was found.
"""

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import numpy as np
import safetensors

from lib.common import files
from lib.privacy import budget, kept_counts
from lib.scorecard import scorecard
from lib.stage import fingerprint, finished
from lib.stage.condition import tampered
from support.killed import House, Kill

CORPUS, TRAIN, EVOLVE = "00_process_data", "10_finetune_dp_lora.eps8", "12_aug_pe.eps8"
SELECT, AUDIT = "13_select.eps8", "20_canary_privacy"
STAGES = {  # how often each is killed; one is behind those that it reads
    CORPUS: 3, TRAIN: 3, "10_finetune_dp_lora.nonprivate": 0, "11_generate.base": 0, "11_generate.eps8": 1,
    "11_generate.nonprivate": 0, EVOLVE: 3, SELECT: 2, AUDIT: 1, "21_fidelity": 1, "22_utility": 1, "30_compare": 1,
}  # fmt: skip
SEEDED = (CORPUS, TRAIN, "10_finetune_dp_lora.nonprivate", "11_generate.eps8", EVOLVE, SELECT)  # all that draw noise
CHANGES = [
    *(f"{stage}.privacy_seed=7" for stage in SEEDED),
    f"{AUDIT}.remade=[eps8, nonprivate]",  # the votes of the others 12 and 13 hold by themselves
]
FAULTS = ("unequal", "double_charges", "half_files", "left_over", "failed")
AGAIN = 0.3  # chance that an attempt that goes on is killed too


def half_files(folder: Path) -> Iterator[str]:
    """Files below a folder that exist under their own names and are not whole."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or not path.is_file():
            continue
        try:
            _read(path)
        except Exception as error:  # each library raises its own
            yield f"{path.name} ({type(error).__name__})"


def _read(path: Path) -> None:
    match path.suffix:
        case ".json":
            files.read_json(path)
        case ".jsonl":
            text = path.read_text("utf-8")
            if not text.endswith("\n") and path.name != "metrics.jsonl":  # which grows, and is empty at first
                raise ValueError("cut off")
            for line in text.splitlines():
                json.loads(line)
        case ".safetensors":
            with safetensors.safe_open(path, "numpy") as opened:
                opened.keys()
        case ".npy":
            np.load(path)


@dataclass(frozen=True)
class Whole:
    """What an unbroken run of a stage came to."""

    digest: str
    charges: int
    writes: int
    seconds: float


class Trials:
    """Kills the stages of a house, and counts what it finds.

    Args:
        house: all stages are made, in order.
        rng: when to kill what.
    """

    def __init__(self, house: House, rng: random.Random, ids: list[str]):
        self.house, self.rng, self.ids = house, rng, ids
        self.counts = Counter(dict.fromkeys(("kills", "at_writes", *FAULTS), 0))
        self.whole: dict[str, Whole] = {}
        self.kept = house.project.root / "kept"  # the account with the charges of the unbroken run
        needed = [id for id in STAGES if any(id == wanted or id in self._above(wanted) for wanted in ids)]
        house.import_for({house.nodes[id].notebook for id in needed})
        for id in needed:
            before = Counter(house.charged)[id]
            code, writes, seconds = house.attempt(house.nodes[id])
            if code:
                raise RuntimeError(f"{id} fails: {house.log.read_text()}")
            done = fingerprint.read_done(house.project.stage(id, house.run))
            self.whole[id] = Whole(done["digest"], Counter(house.charged)[id] - before, writes, seconds)
            print(f"{id}: {writes} writes, {seconds:.1f} s", flush=True)

    def _above(self, id: str) -> set[str]:
        inputs = set(self.house.nodes[id].parameters.get("inputs", {}).values())
        return inputs.union(*map(self._above, inputs))

    def run(self, kills: int, how: str, until: str | None) -> None:
        """Kill ``kills`` times, or until a fault is found."""
        while self.counts["kills"] < kills and not self.counts[until]:
            (id,) = self.rng.choices(self.ids, [STAGES[id] for id in self.ids])
            self._trial(id, kills, how)
            print(f"{self.counts['kills']} of {kills}: {id}", flush=True)

    def _trial(self, id: str, kills: int, how: str) -> None:
        """Make a stage anew: killed at least once, then left alone."""
        root, node, whole = self.house.project.root, self.house.nodes[id], self.whole[id]
        folder, accounts = root / "results" / self.house.run / id, root / "data" / "budgets"
        kept = self.kept
        unbroken = folder.rename(root / "unbroken")  # what other stages read
        shutil.copytree(accounts, kept)
        before = Counter(self.house.charged)[id]
        story, again, drawn = [id], True, None
        unseeded = id == CORPUS and self.rng.random() < 0.5
        if unseeded:  # noise that is drawn again is other noise
            node = replace(node, parameters=node.parameters | {"privacy_seed": None})
            story.append("without a privacy seed")
        while again and self.counts["kills"] < kills and not (folder / fingerprint.DONE).exists():
            kill = self._draw(whole, how)
            code, *_ = self.house.attempt(node, kill)
            if code == -signal.SIGKILL:
                self.counts["kills"] += 1
                self.counts["at_writes"] += kill.write > 0
                story.append(str(kill))
                self._find("half_files", list(half_files(folder)), story)
                drawn = self._same_draw(drawn, folder, story)
            elif code:
                self._find("failed", [self.house.log.read_text()[-2000:]], story)
            again = self.rng.random() < AGAIN
        if not (folder / fingerprint.DONE).exists() and self.house.attempt(node)[0]:
            self._find("failed", [self.house.log.read_text()[-2000:]], story)
        else:
            self._same_draw(drawn, folder, story)
            digest = None if unseeded or id == AUDIT else whole.digest
            self._compare(folder, digest, Counter(self.house.charged)[id] - before - whole.charges, story)
        shutil.rmtree(accounts)
        kept.rename(accounts)
        shutil.rmtree(folder)
        unbroken.rename(folder)

    def _draw(self, whole: Whole, how: str) -> Kill:
        if how == "time" or (how == "any" and self.rng.random() < 0.3):
            return Kill(seconds=self.rng.uniform(0.05, whole.seconds))
        return Kill(write=self.rng.randint(1, whole.writes), opened=self.rng.random() < 0.5)

    def _same_draw(self, drawn: object, folder: Path, story: list[str]) -> object:
        """The label counts that an attempt drew and may have shown; an earlier one may have shown no others."""
        places = [folder / "label_histogram.json", *folder.rglob(kept_counts.KEPT)]
        values = [files.read_json(path) for path in places if path.is_file()]
        counts = [value["noisy_counts"] if isinstance(value, dict) else value for value in values]
        if any(other != drawn for other in counts if drawn is not None):
            self._find("unequal", ["its label counts were drawn again"], story)
        return counts[0] if counts else drawn

    def _compare(self, folder: Path, digest: str | None, more: int, story: list[str]) -> None:
        """Look at a stage that was taken up and is done.

        Args:
            folder: of the stage.
            digest: of the one that was not killed; None where the two may differ.
            more: charges that it has more than that one.
            story: how it was killed.
        """
        finished.tidy(folder)  # as the front door does before it runs anything
        stage = finished.read_stage(folder)
        if digest not in (None, stage.digest):
            self._find("unequal", ["its digest"], story)
        self._find("unequal", list(tampered(stage)), story)
        if more:
            self._find("double_charges", [f"{more} charges more"], story)
        left = [path.name for path in self.house.project.root.rglob(".*.part") if path.parent != self.kept]
        left += [path.name for path in folder.glob(fingerprint.CHECKPOINTS)]
        self._find("left_over", left, story)

    def _find(self, fault: str, details: list[str], story: list[str]) -> None:
        if details:
            self.counts[fault] += 1
            print(f"FOUND {fault}: {'; '.join(details)}\n  after {' > '.join(story)}", flush=True)


class Still(datetime):
    """Time that does not go on."""

    @classmethod
    def now(cls, tz: tzinfo | None = UTC) -> datetime:
        return datetime(2026, 1, 1, tzinfo=tz)


# Steps that are broken on purpose, to see the harness find it.


def _write_in_place(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def break_files() -> None:
    """Files are written under their own names."""
    for module in list(sys.modules.values()):
        if getattr(module, "write_atomic", None) is files.write_atomic and module is not files:
            module.write_atomic = _write_in_place
    files.write_atomic = _write_in_place


def break_tokens() -> None:
    """No charge is known again."""
    budget.paid = lambda *given: None


def break_draws() -> None:
    """The label counts are not kept."""
    kept_counts.write_json = lambda path, drawn: None
    kept_counts.read_json = lambda path: kept_counts.mechanisms.noisy_counts([100, 100, 100], 10.0, None)


BROKEN = {"files": break_files, "tokens": break_tokens, "draws": break_draws}


def main(arguments: list[str]) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--how", choices=("any", "time", "write"), default="any")
    parser.add_argument("--stages", nargs="*", default=[id for id, weight in STAGES.items() if weight])
    parser.add_argument("--until", choices=FAULTS, help="stop when this is found")
    parser.add_argument("--broken", choices=BROKEN, help="break a step, to see the harness find it")
    options = parser.parse_args(arguments)
    scorecard.datetime = Still
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder).resolve(), CHANGES)
        if options.broken:
            BROKEN[options.broken]()
        trials = Trials(house, random.Random(options.seed), options.stages)
        began = time.monotonic()
        trials.run(options.kills, options.how, options.until)
        print(f"{trials.counts['kills']} kills in {time.monotonic() - began:.0f} s")
    print(json.dumps(trials.counts))


if __name__ == "__main__":
    main(sys.argv[1:])
