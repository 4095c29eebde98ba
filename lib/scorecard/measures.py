"""What measuring stages wrote about arms, by stage id.

Each measuring stage writes the local names of its own ``inputs``, and two of them may call the same arm differently.
The functions here read their files and translate the names at once (`FinishedStage.stage_of`); everything else in
this package knows stage ids only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib.common.errors import DoppelError
from lib.evaluation import views
from lib.stage.finished import FinishedStage

_ENCODERS = {"embeddings": "encoder", "voting encoder": "voting_encoder"}  # a row's task: the file's key of its encoder


@dataclass(frozen=True)
class Measured:
    """What a stage of 21_fidelity or 22_utility measured.

    Attributes:
        rows: of all its arms, as the scorecard has them: with ``group``, ``encoder`` and ``headline``.
        views: of its headline metrics.
        by_size: rows of macro-F1 against the number of records, of arms and (``arm`` None) of real records.
    """

    rows: list[dict[str, Any]]
    views: list[views.View]
    by_size: list[dict[str, Any]]


@dataclass(frozen=True)
class Audited:
    """What a stage of 20_canary_privacy found.

    Attributes:
        stage: its id.
        verdicts: by arm that it attacked.
        findings: a row for each attacked access of an arm.
        copying: a row for each arm and side of the corpus.
    """

    stage: str
    verdicts: Mapping[str, str]
    findings: list[dict[str, Any]]
    copying: list[dict[str, Any]]


def measured(group: str, stage: FinishedStage) -> Measured:
    """The rows and views of a stage.

    Args:
        group: ``fidelity`` or ``utility``.
        stage: that measured it.

    Raises:
        DoppelError: the stage read one arm under two names.
    """
    _check_one_name_each(stage)
    content = stage.read(f"{group}.json")
    rows = [
        {
            "group": group,
            **row,
            "headline": bool(row.get("headline")),
            "encoder": content.get(_ENCODERS.get(row["task"])),
        }
        for row in _translated(stage, content["rows"])
    ]
    written = views.load(stage.folder) if stage.has("views.json") else []
    by_size = content.get("by_size", [])  # files of fidelity, and of earlier versions, lack it
    return Measured(
        rows,
        [replace(view, estimates=_by_stage(stage, view.estimates)) for view in written],
        [row | {"arm": row["arm"] and stage.stage_of(row["arm"])} for row in by_size],
    )


def audited(stage: FinishedStage) -> Audited:
    """The findings of an audit.

    Args:
        stage: of 20_canary_privacy.

    Raises:
        DoppelError: the stage read one arm under two names.
    """
    _check_one_name_each(stage)
    content = stage.read("findings.json")
    findings, copying = (_translated(stage, content[name]) for name in ("findings", "copying"))
    return Audited(stage.id, _by_stage(stage, content["verdicts"]), findings, copying)


def _translated(stage: FinishedStage, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "arm": stage.stage_of(row["arm"])} for row in rows]


def _by_stage(stage: FinishedStage, values: Mapping[str, Any]) -> dict[str, Any]:
    return {stage.stage_of(name): value for name, value in values.items()}


def _check_one_name_each(stage: FinishedStage) -> None:
    seen: set[str] = set()
    for name, source in stage.inputs.items():
        if source in seen:
            raise DoppelError(
                "scorecard.measured_twice",
                f"{stage.id} measured {source} under two names",
                name=name,
                value=source,
                remedy=f"keep one of them in the inputs of {stage.id}, and run it again",
            )
        seen.add(source)
