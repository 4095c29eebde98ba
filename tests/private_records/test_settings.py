"""The parameters of 50_private_records: what is refused before anything is written."""

from pathlib import Path

import pytest
from support.errors import refused
from support.project import ROOT

from lib.private_records import grammar_author, opening, settings
from lib.private_records.model_author import ModelAuthor
from lib.stage.parameters import read_spec

DEFAULTS = {name: one.default for name, one in read_spec(ROOT / "notebooks" / "50_private_records.ipynb").items()}
MODEL = {"author": "model", "model": "bundled:smollm2-135m-instruct"}


def of(**changes: object) -> dict[str, object]:
    return DEFAULTS | changes


def test_the_defaults_are_fine_and_name_every_file() -> None:
    settings.check(of())
    read = {path.name for path in settings.files(of(**MODEL))}
    assert {"fields.csv", "seeds.yaml", "brackets.yaml", "classes.csv", "record_types.yaml", "model.yaml"} <= read
    assert all(path.is_file() for path in settings.files(of(**MODEL)))
    settings.check(of(**MODEL))


def test_who_writes_and_whether_a_model_is_asked() -> None:
    assert isinstance(opening.author(of()), grammar_author.GrammarAuthor) and opening.model(of()) is None
    assert isinstance(opening.author(of(**MODEL)), ModelAuthor)


def test_a_recipe_has_the_parameters() -> None:
    made = settings.recipe(of(events=2, revisions=1, acceptance="metropolis", acceptance_temperature=0.1))
    assert (made.events, made.revisions, made.acceptance.rule, made.acceptance.temperature) == (2, 1, "metropolis", 0.1)
    assert settings.recipe(of(diversity_term=False)).acceptance.diversity is False


@pytest.mark.parametrize(
    "changes, code, name",
    [
        ({"countries": {"Narnia": 1.0}}, "private_records.countries", "countries"),
        ({"novelty_sample": 300, "novelty_window": 200}, "private_records.sample_above_window", "novelty_sample"),
        ({"author": "model"}, "private_records.no_model", "model"),
        (MODEL | {"prompts": "prompts/none.yaml"}, "stage.yaml_unreadable", None),
        (MODEL | {"engine": "steam"}, "generation.engine_unknown", None),
        (MODEL | {"model": "openai:x", "max_cost": 3.0}, "generation.max_cost_without_prices", "max_cost"),
    ],
)
def test_what_cannot_be_written_is_refused(changes: dict, code: str, name: str | None) -> None:
    with refused(code, **({"name": name} if name else {})):
        settings.check(of(**changes))


def test_a_users_seeds_are_taken_row_by_row_and_must_be_enough(tmp_path: Path) -> None:
    path = tmp_path / "seeds.csv"
    path.write_text("first_name,age\nAda,44\nBoris,61\n")
    given = of(seeds=f"public:csv:{path}", samples=2)
    settings.check(given)
    assert [(task.known["first_name"], task.known["age"]) for task in settings.tasks(given)] == [
        ("Ada", "44"), ("Boris", "61"),
    ]  # fmt: skip
    assert path in settings.files(given)
    told = settings.seeds_told(given)
    assert "give first_name, age; drawn: date, country" in told and "Ada" not in told
    with refused("private_records.too_few_seeds", name="samples", value=3):
        settings.check(given | {"samples": 3})
