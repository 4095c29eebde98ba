"""Which parameters of a stage a certificate spells out: a fixed set for each notebook.

A set that is fixed is one from which nothing can be left out: a stage without ``target_epsilon``, say, would have no
event to answer for. So what a stage does not have because it is older is spelled out all the same, with the value that
does what the stage did (`AS_BEFORE`). Light: `verify` imports it.
"""

from collections.abc import Mapping

from lib.methods.registry import METHODS
from lib.stage.notebook_roles import CORPUS, DETECTOR, IMAGES, SCRUB, TABLE, current_name, notebook_of

CORPUS_SETTINGS = (
    "source", "share", "label_domain", "min_words", "max_words", "max_characters", "max_records_per_user", "unit",
    "delta", "label_histogram_scale", "topics", "topic_texts", "topic_locale", "topic_encoder",
)  # fmt: skip
IMAGE_SETTINGS = (
    "source", "share", "label_domain", "width", "height", "colours", "fit", "background", "max_records_per_user",
    "unit", "delta", "label_histogram_scale",
)  # fmt: skip
TABLE_SETTINGS = (
    "source", "columns", "missing", "label", "max_records_per_user", "unit", "delta", "label_histogram_scale",
)  # fmt: skip
MODES = {  # of 01_scrub: what stands in place of personal data
    "slots": "slots, `[EMAIL_2]` say",
    "surrogates": "made-up values",
    "masks": "one and the same mark",
}
SCRUB_SETTINGS = ("inputs", "detectors", "gliner", "mode", "classes", "locale", "ranges")
BY_NOTEBOOK: Mapping[str, tuple[str, ...]] = {  # a method's settings are those of the stage that is its own
    CORPUS: CORPUS_SETTINGS,
    IMAGES: IMAGE_SETTINGS,
    TABLE: TABLE_SETTINGS,
    SCRUB: SCRUB_SETTINGS,
    DETECTOR: ("inputs",),
    **{method.spends or method.arm: ("inputs", *method.settings) for method in METHODS},
}
AS_BEFORE: Mapping[str, Mapping[str, object]] = {  # by notebook: newer parameters, as `Method.as_before` has them
    CORPUS: {
        "share": None,  # what was read, and by which rules, no value of today says
        "topics": None, "topic_texts": None, "topic_locale": None, "topic_encoder": None,
    },
    **{method.spends or method.arm: method.as_before for method in METHODS},
}  # fmt: skip
NEW = frozenset({"inputs", *(name for names in AS_BEFORE.values() for name in names)})  # not in the former format
ALL = frozenset(name for names in BY_NOTEBOOK.values() for name in names)


def of_stage(stage: str) -> tuple[str, ...] | None:
    """The settings of a stage.

    Args:
        stage: its id, with the notebook's name of today or of an earlier version.

    Returns:
        Names of parameters; None where no stage of this notebook may stand in a certificate.
    """
    return BY_NOTEBOOK.get(current_name(notebook_of(stage)))


def completed(stage: str, parameters: Mapping[str, object]) -> dict[str, object]:
    """Parameters of a stage with those that are newer than it, each with the value that does what the stage did.

    Args:
        stage: its id.
        parameters: as the stage had them.
    """
    return {**AS_BEFORE.get(current_name(notebook_of(stage)), {}), **parameters}
