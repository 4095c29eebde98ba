"""Which parameters of a stage a certificate spells out: a fixed set for each notebook.

A set that is fixed is one from which nothing can be left out: a stage without ``target_epsilon``, say, would have no
event to answer for. Light: `verify` imports it.
"""

from collections.abc import Mapping

from lib.methods.registry import METHODS
from lib.stage.notebook_roles import CORPUS, current_name, notebook_of

CORPUS_SETTINGS = (
    "source", "share", "label_domain", "min_words", "max_words", "max_characters", "max_records_per_user", "unit",
    "delta", "label_histogram_scale",
)  # fmt: skip
BY_NOTEBOOK: Mapping[str, tuple[str, ...]] = {  # a method's settings are those of the stage that is its own
    CORPUS: CORPUS_SETTINGS,
    **{method.spends or method.arm: ("inputs", *method.settings) for method in METHODS},
}
NEW = frozenset({  # parameters that the former format could not spell out
    "share", "copy_share", "for_release", "frozen_a", "average_from", "contrast", "warm_steps", "warm_batch",
    "warm_learning_rate", "vote_weights", "max_overlap", "good_shots", "bad_shots", "inputs", "reserve",
})  # fmt: skip
ALL = frozenset(name for names in BY_NOTEBOOK.values() for name in names)


def of_stage(stage: str) -> tuple[str, ...] | None:
    """The settings of a stage.

    Args:
        stage: its id, with the notebook's name of today or of an earlier version.

    Returns:
        Names of parameters; None where no stage of this notebook may stand in a certificate.
    """
    return BY_NOTEBOOK.get(current_name(notebook_of(stage)))
