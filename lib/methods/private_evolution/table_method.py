"""The entry of private evolution of tables (Tab-PE): what pre-flight refuses, and what a card says about it.

Mechanism and canaries are those of Aug-PE (`lib.methods.private_evolution.method`): the votes know no kind of data.
"""

from collections.abc import Iterator, Mapping

from lib.common.errors import DoppelError
from lib.methods.method import Method
from lib.methods.private_evolution.method import recipe
from lib.methods.private_evolution.settings import Settings
from lib.stage.notebook_roles import TABLE, Parameters, check_inputs

EVOLVES = "16_table_evolution"


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the rows were made.

    Args:
        arm: the settings that the certificate lists of the stage that evolved the rows.
        spending: the same settings, since that stage drew the noise too.
        unit: ``record`` or ``user``; not used.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    yield (
        "By private evolution: rows were drawn uniformly from the declared domain. Every private row voted "
        f"{arm['iterations']} times for the one most like it; the noisy counts of votes alone selected rows, of which "
        "mutations were then made."
    )


def check_table_evolution(parameters: Parameters) -> None:
    """Refuse what cannot evolve: inputs besides a corpus of rows, sizes that do not fit, degrees out of range.

    Args:
        parameters: of 16_table_evolution, resolved.

    Raises:
        DoppelError: for the first of these.
    """
    check_inputs(parameters, "corpus", corpora=(TABLE,))
    settings = Settings.of(parameters, None)
    if not all(0 <= settings.at("degrees", vote) <= 1 for vote in range(settings.iterations)):
        raise DoppelError(
            "methods.degree_out_of_range",
            f"degrees = {parameters['degrees']}: each is the chance of a cell to change",
            name="degrees",
            value=parameters["degrees"],
            remedy="write numbers from 0 to 1",
        )


METHOD = Method(
    title="Private evolution of tables",
    title_without_privacy="Private evolution of tables without privacy",
    arm=EVOLVES,
    spends=EVOLVES,
    records="rows",
    recipe=recipe,
    making=making,
    settings=(
        "api", "target_epsilon", "for_release", "reserve", "copy_share", "iterations", "schedule", "variants",
        "seed_factor", "keep_parents", "lookahead_degree", "k_nn", "vote_weights", "threshold", "selection", "degrees",
        "final", "samples",
    ),
    as_before={"copy_share": 0.0},
    checks={EVOLVES: check_table_evolution},
    corpus_checks={},
    canaries="lib.methods.private_evolution.canaries:send",
    audit="lib.methods.private_evolution.audit:make_again",
    control_score="votes",
    own_control=True,
    model="api",
    colour="#4f8f6f",
)  # fmt: skip
