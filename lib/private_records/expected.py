"""What a model is expected to be asked for a set of private records, told before anything is paid for."""

from collections.abc import Mapping
from pathlib import Path

from lib.generation.expected import Expected, tokens
from lib.private_records import ablation
from lib.private_records.pipeline import Recipe
from lib.private_records.prompting import PLACES, Prompts

IN_PLACES = {  # characters that a usual record puts into the places of a step
    "profile": 900, "draft": 2500, "revise": 4500, "judge": 5000, "annotate_profile": 3000, "annotate_events": 3000,
}  # fmt: skip
OTHERS = 900  # the same of the steps that are not named
REVISING = ("revise", "judge")
TYPE_AND_FORMAT = ("record_type", "format")


def expected(parameters: Mapping[str, object], inputs: Mapping[str, Mapping[str, object]]) -> Expected:
    """Calls and tokens of a stage, where no try fails. Replies are counted with their longest length.

    Args:
        parameters: of 50_private_records with ``author: model``.
        inputs: none.
    """
    prompts = Prompts(Path(str(parameters["prompts"])))
    recipe = Recipe(revisions=parameters["revisions"], type_and_format=parameters["type_and_format"])
    whole = a_record(prompts, recipe).times(parameters["samples"])
    compared = min(parameters["ablation"], parameters["samples"])
    for variant in ablation.variants(recipe).values() if compared else ():
        whole += a_record(prompts, variant).times(compared)
    return whole


def a_record(prompts: Prompts, recipe: Recipe) -> Expected:
    """Calls and tokens of one record: 13 calls with two revisions.

    Args:
        prompts: what is asked.
        recipe: how it is written.
    """
    one = Expected(0, 0, 0)
    for step in PLACES:
        if step in TYPE_AND_FORMAT and not recipe.type_and_format:
            continue
        asked = tokens(prompts.characters(step) + IN_PLACES.get(step, OTHERS))
        one += Expected(1, asked, prompts.tokens(step)).times(recipe.revisions if step in REVISING else 1)
    return one
