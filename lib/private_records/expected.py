"""What a model is expected to be asked for a set of private records, told before anything is paid for."""

from collections.abc import Mapping
from pathlib import Path

from lib.generation.expected import Expected
from lib.private_records import ablation
from lib.private_records.cost import of_record
from lib.private_records.pipeline import Recipe
from lib.private_records.prompting import Prompts


def expected(parameters: Mapping[str, object], inputs: Mapping[str, Mapping[str, object]]) -> Expected:
    """Calls and tokens of a stage, where no step is asked twice.

    Args:
        parameters: of 50_private_records with ``author: model``.
        inputs: none.
    """
    prompts = Prompts(Path(str(parameters["prompts"])))
    recipe = Recipe(revisions=parameters["revisions"], type_and_format=parameters["type_and_format"])
    compared = min(parameters["ablation"], parameters["samples"])
    sets = [(recipe, parameters["samples"])]
    sets += [(variant, compared) for name, variant in ablation.variants(recipe).items() if name != ablation.FULL]
    whole = Expected(0, 0, 0)
    for one, records in sets:
        whole += Expected(*of_record(prompts, one.revisions, one.type_and_format)).times(records)
    return whole
