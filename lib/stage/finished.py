"""The finished stages of a run: who was made from whom, and whether all of it still belongs together."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lib.common.errors import DoppelError
from lib.common.files import read_json, sha256
from lib.stage import fingerprint

_CORPUS_FILES = ("train.jsonl", "test.jsonl")  # what makes two corpora the same, whatever noise their labels got
_NOT_THE_RECIPE = ("run", "stage", "tracking", "inputs", "seed", "privacy_seed")


@dataclass(frozen=True)
class FinishedStage:
    """A stage that is done. ``sources`` are the digests of its inputs, by stage id, as it read them."""

    id: str
    folder: Path
    digest: str
    outputs: Mapping[str, Mapping] = field(repr=False)
    sources: Mapping[str, str]
    parameters: Mapping[str, Any] = field(repr=False)

    @property
    def notebook(self) -> str:
        return self.id.partition(".")[0]

    @property
    def inputs(self) -> dict[str, str]:
        """Stage ids by the local name that this stage gave them."""
        return dict(self.parameters.get("inputs", {}))

    def stage_of(self, local_name: str) -> str:
        """The stage id of what this stage's files call ``local_name``; what is no input, ``ceiling`` say, keeps its name.

        The only translation of local names. Whoever reads a measuring stage's files translates them at once.
        """
        return self.inputs.get(local_name, local_name)

    def read(self, name: str) -> Any:
        """One of its JSON files, ``metrics.json`` say."""
        return read_json(self.folder / name)


class Run:
    """The stages in ``results/RUN``; each is read once."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._read: dict[str, FinishedStage] = {}
        self._known: dict[str, FinishedStage] = {}

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name

    def finished(self, notebook: str | None = None) -> dict[str, FinishedStage]:
        """The stages that are done, by id and sorted by it; they may be older than their inputs (see `stage`).

        Args:
            notebook: only the stages of this notebook; None for all.
        """
        done = sorted(path.parent.name for path in self.folder.glob(f"*/{fingerprint.DONE}"))
        wanted = [id for id in done if notebook in (None, id.partition(".")[0])]
        return {id: self._once(id) for id in wanted if fingerprint.read_done(self.folder / id)}

    def _once(self, id: str) -> FinishedStage:
        if id not in self._read:
            self._read[id] = read_stage(self.folder / id)
        return self._read[id]

    def stage(self, id: str) -> FinishedStage:
        """A stage that is done, and whose ancestors are what it was made from. Raises DoppelError else."""
        if id not in self._known:
            found = self._once(id)
            for source, digest in found.sources.items():
                if self.stage(source).digest != digest:
                    raise DoppelError(
                        f"{id} of run {self.folder.name} was made from another {source} than the one that is there; "
                        "run the chain again"
                    )
            self._known[id] = found
        return self._known[id]

    def lineage(self, id: str, *, without: str) -> list[FinishedStage]:
        """A stage and all that it was made from, each once, but not ``without`` (the corpus), which no arm pays for."""
        waiting, found = [id], {}
        while waiting:
            name = waiting.pop()
            if name != without and name not in found:
                found[name] = self.stage(name)
                waiting += found[name].inputs.values()
        return list(found.values())

    def recipe(self, id: str) -> str:
        """A hash that replicas share: notebook and parameters of a stage and of its ancestors, seeds left out."""
        stage = self.stage(id)
        kept = {name: value for name, value in stage.parameters.items() if name not in _NOT_THE_RECIPE}
        above = {name: self.recipe(source) for name, source in sorted(stage.inputs.items())}
        text = json.dumps([stage.notebook, kept, above], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_stage(folder: Path) -> FinishedStage:
    """The stage in a folder. Raises DoppelError while it is not done."""
    done = fingerprint.read_done(folder)
    if done is None:
        raise DoppelError(f"stage {folder.name} of run {folder.parent.name} is not done; run its preset again")
    parameters = yaml.safe_load((folder / "params.yaml").read_text("utf-8"))
    made = done["made_from"]["inputs"]
    return FinishedStage(folder.name, folder, done["digest"], done["outputs"], made, parameters)


def corpus_digest(corpus: FinishedStage) -> str:
    """One hash of the private records: equal for runs on equal records, though each has label counts of its own.

    It is computed from real text, so it may not be published.
    """
    return fingerprint.digest({name: corpus.outputs[name] for name in _CORPUS_FILES})


def check_one_corpus(corpus: FinishedStage, stages: Sequence[FinishedStage]) -> None:
    """Refuse stages that read another corpus stage, or that count other units or another delta."""
    wanted = corpus.read("privacy.json")
    for stage in stages:
        read = stage.inputs.get("corpus")
        if read != corpus.id:
            raise DoppelError(f"{stage.id} was made from {read}, not from {corpus.id}: arms of different corpora")
        stated = stage.read("privacy.json")
        for name in ("unit", "units", "delta"):
            if stated[name] != wanted[name]:
                raise DoppelError(
                    f"{stage.id}: its {name} is {stated[name]}, that of {corpus.id} is {wanted[name]}; figures for "
                    "different corpora cannot be compared: run the chain again"
                )


Fault = tuple[str, str, str]  # case, what is wrong, what to do


def lineage(run: Path, stage: str) -> dict[str, dict]:
    """done.json of the stage and of all that it was made of, itself last. Raises DoppelError where one is not done."""
    found: dict[str, dict] = {}

    def visit(name: str) -> None:
        if name in found:
            return
        done = fingerprint.read_done(run / name)
        if done is None:
            raise DoppelError(f"{name} is not done in {run.name}")
        for upstream in done["made_from"]["inputs"]:
            visit(upstream)
        found[name] = done

    visit(stage)
    return found


def faults(run: Path, stage: str) -> list[Fault]:
    """Why the folders of a stage and its ancestors cannot be relied on; empty when they can.

    ``run`` is ``results/<run>`` inside the project whose notebooks and lib made it.
    """
    again = f"run ./run_all.sh PRESET --run {run.name} --only {stage}"
    try:
        made = lineage(run, stage)
    except DoppelError as error:
        return [("not done", str(error), again)]
    return [fault for name, done in made.items() for fault in _faults(run, name, done, again)]


def outdated(run: Path, stage: str) -> str | None:
    """Why what a stage measured is not of its inputs as they are now, or None; newer code alone makes it no other."""
    try:
        made = lineage(run, stage)
    except DoppelError as error:
        return str(error)
    for name, done in made.items():
        if done.get("edited") or list(tampered(run / name, done)):
            return f"{name} was edited by hand, or changed since it was done"
        if changed := [up for up, digest in done["made_from"]["inputs"].items() if made[up]["digest"] != digest]:
            return f"{name} was made of an earlier run of {changed[0]}"
    return None


def _faults(run: Path, stage: str, done: dict, again: str) -> Iterator[Fault]:
    if note := done.get("edited"):
        yield "edited by hand", f"{stage}: {note}", again
    if reason := _stale(run, stage, done):
        commit = "or check out the code that made it (provenance.json names the commit)"
        yield "stale", f"{stage}: {reason}", f"{again} (training or voting again spends budget), {commit}"
    if changed := list(tampered(run / stage, done)):
        yield "tampered", f"{stage}: changed since its notebook wrote it: {', '.join(changed[:5])}", again


def _stale(run: Path, stage: str, done: dict) -> str | None:
    """Why the stage would run again with the parameters that it had."""
    root, notebook = run.resolve().parents[1], stage.partition(".")[0]
    if not (root / "notebooks" / f"{notebook}.ipynb").is_file():
        return f"its notebook {notebook} is not in this project"
    made = fingerprint.made_from(root, notebook, done["made_from"]["parameters"])
    reason = fingerprint.why_stale(run.resolve(), stage, made, done["made_from"]["inputs"])
    told = reason is not None and (reason == done.get("edited") or reason.startswith("its output"))
    return None if told else reason


def tampered(folder: Path, done: dict) -> Iterator[str]:
    """Outputs that are missing or have another content; done.json itself against its own digest."""
    if fingerprint.digest(done["outputs"]) != done["digest"]:
        yield fingerprint.DONE
    for name, file in done["outputs"].items():
        path = folder / name
        if name.split("/")[0] not in fingerprint.NOT_COMPARED and not (
            path.is_file() and sha256(path) == file["sha256"]
        ):
            yield name
