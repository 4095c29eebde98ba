"""The finished stages of a run: who was made from whom, and whether all of it still belongs together."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lib.common.errors import DoppelError, Reason
from lib.common.files import read_json, remove_folder, remove_parts
from lib.stage import fingerprint
from lib.stage.notebook_roles import notebook_of
from lib.stage.original import parameters as parameters_of

# what makes two corpora of texts, or of pictures, the same, whatever noise their labels got
_CORPUS_FILES = (("train.jsonl", "test.jsonl"), ("train.parquet", "test.parquet"))
_NOT_THE_RECIPE = ("run", "stage", "tracking", "inputs", "seed", "privacy_seed")


@dataclass(frozen=True)
class FinishedStage:
    """A stage that is done. Its files are read once, when they are first asked for.

    Attributes:
        id: of the stage.
        folder: ``results/RUN/ID``.
        done: its done.json.
        parameters: resolved, as the stage had them.
    """

    id: str
    folder: Path
    done: Mapping[str, Any] = field(repr=False)
    parameters: Mapping[str, Any] = field(repr=False)
    _read: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def notebook(self) -> str:
        """The notebook that made it."""
        return notebook_of(self.id)

    @property
    def digest(self) -> str:
        """One hash of the outputs that other stages read."""
        return self.done["digest"]

    @property
    def outputs(self) -> Mapping[str, Mapping]:
        """Size in bytes and sha256 of every file that it wrote, by name."""
        return self.done["outputs"]

    @property
    def sources(self) -> Mapping[str, str]:
        """Digests of its inputs, by stage id, as it read them."""
        return self.done["made_from"]["inputs"]

    @property
    def inputs(self) -> dict[str, str]:
        """Ids of the stages that it read, by the name of the input."""
        return dict(self.parameters.get("inputs", {}))

    @property
    def commit(self) -> str | None:
        """The commit of the code that made it, or None where it is not known."""
        return self.read("provenance.json").get("commit") if self.has("provenance.json") else None

    def has(self, name: str) -> bool:
        """Whether it wrote a file.

        Args:
            name: of the file, ``metrics.json`` say.
        """
        return (self.folder / name).is_file()

    def read(self, name: str) -> Any:
        """The content of one of its JSON files.

        Args:
            name: of the file, ``metrics.json`` say.
        """
        if name not in self._read:
            self._read[name] = read_json(self.folder / name)
        return self._read[name]

    def stage_of(self, local_name: str) -> str:
        """The stage id of an arm that this stage's files name as its inputs do. It is the only translation of names.

        Args:
            local_name: as in ``inputs``; any other name, ``ceiling`` say, stays as it is.
        """
        return self.inputs.get(local_name, local_name)

    @cached_property
    def older_version(self) -> Reason | None:
        """Why it would come out of other code today, or None. Its folder must lie in the project that made it."""
        reason = why_stale(self)
        return reason if reason is not None and reason.code in fingerprint.CODE else None


class Run:
    """The stages in ``results/RUN``; each is read once.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._read: dict[str, FinishedStage] = {}
        self._known: dict[str, FinishedStage] = {}  # those of them whose ancestors were looked at

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name

    def finished(self, notebook: str | None = None) -> dict[str, FinishedStage]:
        """The stages that are done, by id, sorted; they may be older than their inputs, which `stage` refuses.

        Args:
            notebook: whose stages; None for all.
        """
        folders = sorted(path.parent for path in self.folder.glob(f"*/{fingerprint.DONE}"))
        wanted = [folder for folder in folders if notebook in (None, notebook_of(folder.name))]
        return {folder.name: self._once(folder.name) for folder in wanted if fingerprint.read_done(folder)}

    def _once(self, id: str) -> FinishedStage:
        if id not in self._read:
            self._read[id] = read_stage(self.folder / id)
        return self._read[id]

    def stage(self, id: str) -> FinishedStage:
        """A stage that is done, and whose ancestors are those that it was made from.

        Args:
            id: of the stage.

        Raises:
            DoppelError: it is not done, or an ancestor was made again since.
        """
        if id not in self._known:
            stage = self._once(id)
            for source, digest in stage.sources.items():
                if self.stage(source).digest != digest:
                    raise DoppelError(
                        "stage.made_from_another",
                        f"{id} of run {self.folder.name} was made from another {source} than the one that is there",
                        name=id,
                        value=source,
                        remedy="run the chain again",
                    )
            self._known[id] = stage
        return self._known[id]

    def lineage(self, id: str, *, without: str) -> list[FinishedStage]:
        """A stage and all that it was made from, each once.

        Args:
            id: of the stage.
            without: a stage that is left out, with its ancestors: the corpus, which no arm pays for.
        """
        waiting, stages = [id], {}
        while waiting:
            name = waiting.pop()
            if name != without and name not in stages:
                stages[name] = self.stage(name)
                waiting += stages[name].inputs.values()
        return list(stages.values())

    def recipe(self, id: str) -> str:
        """A hash that replicas share: notebook and parameters of a stage and of its ancestors, seeds left out.

        Args:
            id: of the stage.
        """
        stage = self.stage(id)
        kept = {name: value for name, value in stage.parameters.items() if name not in _NOT_THE_RECIPE}
        above = {name: self.recipe(source) for name, source in sorted(stage.inputs.items())}
        text = json.dumps([stage.notebook, kept, above], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_stage(folder: Path) -> FinishedStage:
    """The stage in a folder.

    Args:
        folder: ``results/RUN/ID``.

    Raises:
        DoppelError: it is not done.
    """
    done = fingerprint.read_done(folder)
    if done is None:
        raise DoppelError(
            "stage.not_done",
            f"stage {folder.name} of run {folder.parent.name} is not done",
            name=folder.name,
            remedy="run its preset again",
        )
    return FinishedStage(folder.name, folder, done, parameters_of(folder))


def corpus_digest(corpus: FinishedStage) -> str:
    """One hash of the private records: equal for runs on equal records, though each has label counts of its own.

    It is computed from real text, so it may not be published.

    Args:
        corpus: a stage of 00_process_data or 00_process_images.
    """
    files = next(names for names in _CORPUS_FILES if names[0] in corpus.outputs)
    return fingerprint.digest({name: corpus.outputs[name] for name in files})


def check_one_corpus(corpus: FinishedStage, stages: Sequence[FinishedStage]) -> None:
    """Refuse stages that read another corpus stage, or that count other units or another delta.

    Args:
        corpus: the one that all must have read, be it through the arm whose texts they pass on.
        stages: arms, and stages that measured them.
    """
    wanted = corpus.read("privacy.json")
    for stage in stages:
        for source in _corpora(stage) or [None]:
            if source != corpus.id:
                raise DoppelError(
                    "stage.another_corpus",
                    f"{stage.id} was made from {source or 'no corpus'}, not {corpus.id}: arms of different corpora",
                    name=stage.id,
                    value=source,
                )
        statement = stage.read("privacy.json")
        for name in ("unit", "units", "delta"):
            if statement[name] != wanted[name]:
                raise DoppelError(
                    "stage.counts_differ",
                    f"{stage.id}: its {name} is {statement[name]}, that of {corpus.id} is {wanted[name]}; figures for "
                    "different corpora cannot be compared",
                    name=stage.id,
                    value=statement[name],
                    remedy="run the chain again",
                )


def _corpora(stage: FinishedStage) -> list[str]:
    """Ids of the corpora that a stage read, or that the stages read whose outputs it passes on."""
    if "corpus" in stage.inputs:
        return [stage.inputs["corpus"]]
    behind = (read_stage(stage.folder.parent / id) for id in stage.inputs.values())
    return list(dict.fromkeys(id for source in behind for id in _corpora(source)))


def tidy(folder: Path) -> None:
    """Remove the checkpoints of a stage that was killed right after it was done; work that is not done stays.

    Args:
        folder: ``results/RUN/ID``.
    """
    if fingerprint.read_done(folder):
        remove_folder(folder / fingerprint.CHECKPOINTS)
        remove_parts(folder)


def ancestry(run: Path, stage: str) -> dict[str, FinishedStage]:
    """A stage and all that it was made from, by id, itself last.

    Args:
        run: ``results/RUN``.
        stage: its id.

    Raises:
        DoppelError: one of them is not done.
    """
    stages: dict[str, FinishedStage] = {}

    def visit(name: str) -> None:
        if name not in stages:
            finished = read_stage(run / name)
            for source in finished.sources:
                visit(source)
            stages[name] = finished

    visit(stage)
    return stages


def why_stale(stage: FinishedStage) -> Reason | None:
    """Why a stage would run again with the parameters that it had, or None.

    Args:
        stage: inside the project whose notebooks and lib made it.
    """
    run = stage.folder.parent.resolve()
    root = run.parents[1]
    if not (root / "notebooks" / f"{stage.notebook}.ipynb").is_file():
        return Reason("stage.no_notebook", f"its notebook {stage.notebook} is not in this project")
    made = fingerprint.made_from(root, stage.notebook, stage.done["made_from"]["parameters"])
    return fingerprint.why_stale(run, stage.id, made, stage.sources)
