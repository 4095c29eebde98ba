"""The parameters of 50_private_records: what is refused before a record is written, and what they make."""

from collections.abc import Mapping
from pathlib import Path

from lib.common.errors import DoppelError
from lib.private_records import fields, grammar_author, seeds, slot_text
from lib.private_records.acceptance import Acceptance
from lib.private_records.people import new_task
from lib.private_records.pipeline import Recipe
from lib.private_records.prompting import Prompts
from lib.private_records.seeds import Table
from lib.private_records.task import Task

Parameters = Mapping[str, object]

PII = Path("lib/pii")
TABLES = ("classes.csv", "locales.csv", "places.csv", "words.yml")


def files(parameters: Parameters) -> list[Path]:
    """The files that a stage reads beside modules: tables, lists, prompts, and the user's seeds.

    Args:
        parameters: of 50_private_records.
    """
    read = [*(PII / name for name in TABLES), fields.TABLE, seeds.FILE, slot_text.BRACKETS, *grammar_author.files()]
    if parameters["author"] == "model":
        read.append(Path(str(parameters["prompts"])))
    if parameters["seeds"] is not None:
        read.append(seeds.file_of(str(parameters["seeds"]))[1])
    return read


def check(parameters: Parameters) -> None:
    """Refuse parameters with which nothing, or not what was asked for, would be written.

    Args:
        parameters: of 50_private_records, resolved.

    Raises:
        DoppelError: an unknown country, seeds that cannot be used or are too few, a sample that is larger than its
            window, a prompt file or a server that cannot be used.
    """
    table = Table()
    seeds.check_countries(parameters["countries"], table)
    _given(parameters, table)
    if parameters["novelty_sample"] > parameters["novelty_window"]:
        raise DoppelError(
            "private_records.sample_above_window",
            f"novelty_sample = {parameters['novelty_sample']} is above novelty_window = {parameters['novelty_window']}",
            name="novelty_sample",
            value=parameters["novelty_sample"],
            remedy="a sample is drawn from the window: lower the one or raise the other",
        )
    if parameters["author"] == "model":
        Prompts(Path(parameters["prompts"]))
        _check_model(parameters)


def tasks(parameters: Parameters) -> list[Task]:
    """The records that a stage is to write, each with its person.

    Args:
        parameters: of 50_private_records, checked.
    """
    table = Table()
    given = _given(parameters, table)
    people = (given[number] if given else {} for number in range(parameters["samples"]))
    drawn = (table, parameters["countries"], parameters["values"])
    return [
        new_task(f"record-{number:06d}", parameters["seed"], person, *drawn) for number, person in enumerate(people)
    ]


def seeds_told(parameters: Parameters) -> str:
    """Which columns of the seeds are given and which are drawn, in a sentence without any value.

    Args:
        parameters: of 50_private_records, checked.
    """
    if parameters["seeds"] is None:
        return f"seeds: all {len(seeds.COLUMNS)} columns are drawn"
    rows = _given(parameters, Table())[: parameters["samples"]]
    given = {column: sum(column in row for row in rows) for column in seeds.COLUMNS}
    told = [name if count == len(rows) else f"{name} ({count:,} rows)" for name, count in given.items() if count]
    drawn = [name for name, count in given.items() if count < len(rows)]
    return f"seeds: {len(rows):,} rows give {', '.join(told) or 'nothing'}; drawn: {', '.join(drawn) or 'nothing'}"


def recipe(parameters: Parameters) -> Recipe:
    """How records are written.

    Args:
        parameters: of 50_private_records, checked.
    """
    return Recipe(
        events=parameters["events"],
        revisions=parameters["revisions"],
        type_and_format=parameters["type_and_format"],
        min_words=parameters["min_words"],
        acceptance=Acceptance(
            parameters["acceptance"], parameters["diversity_term"], parameters["acceptance_temperature"]
        ),
    )


def _given(parameters: Parameters, table: Table) -> list[seeds.Seed]:
    """The rows of the user's file; empty where there is none."""
    if parameters["seeds"] is None:
        return []
    rows = seeds.read(str(parameters["seeds"]), table)
    if len(rows) < parameters["samples"]:
        raise DoppelError(
            "private_records.too_few_seeds",
            f"{len(rows)} rows for samples = {parameters['samples']}: each record has a person of its own",
            name="samples",
            value=parameters["samples"],
            remedy=f"set samples to {len(rows)}, or add rows",
            where=str(parameters["seeds"]),
        )
    return rows


def _check_model(parameters: Parameters) -> None:
    from lib.generation.endpoint.servers import check_model

    name = parameters["model"]
    if name is None:
        raise DoppelError("private_records.no_model", "author: model needs a model", name="model", remedy="name it")
    check_model(str(name), parameters)
