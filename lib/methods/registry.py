"""All methods. A new method is a folder here, a notebook, and a line in `METHODS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib.methods.dp_lora.method import METHOD as DP_LORA
from lib.methods.method import Method
from lib.methods.pii_text.method import METHOD as PII_TEXT
from lib.methods.private_evolution.image_method import METHOD as IMAGE_EVOLUTION
from lib.methods.private_evolution.method import METHOD as PRIVATE_EVOLUTION
from lib.methods.private_evolution.table_method import METHOD as TABLE_EVOLUTION
from lib.methods.private_prediction.method import METHOD as PRIVATE_PREDICTION
from lib.methods.private_records.method import METHOD as PRIVATE_RECORDS
from lib.methods.prompting.method import METHOD as PROMPTING
from lib.methods.public_images.method import METHOD as PUBLIC_IMAGES
from lib.methods.sanitization.method import METHOD as SANITIZATION
from lib.methods.selection.method import METHOD as SELECTION
from lib.methods.steering.method import METHOD as STEERING
from lib.stage.notebook_roles import Parameters, current_name, notebook_of

if TYPE_CHECKING:
    from lib.stage.finished import FinishedStage, Run

METHODS: tuple[Method, ...] = (
    DP_LORA, PRIVATE_EVOLUTION, PROMPTING, SELECTION, PRIVATE_PREDICTION, STEERING, PII_TEXT, PRIVATE_RECORDS,
    SANITIZATION, IMAGE_EVOLUTION, PUBLIC_IMAGES, TABLE_EVOLUTION,
)  # fmt: skip

ARMS = tuple(dict.fromkeys(method.arm for method in METHODS))  # notebooks whose stages write synthetic records
TEXT_ARMS, IMAGE_ARMS, TABLE_ARMS = (
    tuple(dict.fromkeys(method.arm for method in METHODS if method.records == records))
    for records in ("texts", "pictures", "rows")
)
ATTACKED = tuple(dict.fromkeys(method.arm for method in METHODS if method.audit))  # of them, those that can be audited


@dataclass(frozen=True)
class ArmMethod:
    """How a finished arm was made.

    Attributes:
        method: the method's entry.
        title: the method's title, which differs for an arm without privacy.
        model: name of the language model that wrote the text; of a method that selects, of all whose texts it may take.
        private: whether it had a ``target_epsilon``; False for a method that draws no noise.
    """

    method: Method
    title: str
    model: str
    private: bool


def of_arm(stage: str, inputs: Mapping[str, str]) -> Method:
    """The method of an arm, from the inputs of its stage.

    Args:
        stage: id of the stage that wrote the records.
        inputs: input name -> id of the stage that it reads. An input ``model`` means that the model was fine-tuned, not
            only prompted.

    Raises:
        KeyError: no method writes its records in this notebook.
    """
    notebook = current_name(notebook_of(stage))
    fitting = [method for method in METHODS if method.arm == notebook and method.through in (None, *inputs)]
    if not fitting:
        raise KeyError(stage)
    return max(fitting, key=lambda method: method.through is not None)


def of_stages(arm: str, stages: Iterable[str]) -> tuple[Method, str]:
    """The method of an arm, from all stages that it was made from.

    Args:
        arm: id of the stage that wrote the records.
        stages: ids of the arm and of all stages that it was made from.

    Returns:
        The method, and the id of the stage that drew its noise; for a method that draws none, the arm's own id.

    Raises:
        KeyError: no method writes its records in this notebook.
    """
    by_notebook = {current_name(notebook_of(stage)): stage for stage in (*stages, arm)}
    fitting = [method for method in METHODS if method.arm == current_name(notebook_of(arm))]
    for method in sorted(fitting, key=lambda method: method.spends is None):
        if method.spends is None or method.spends in by_notebook:
            return method, by_notebook.get(method.spends, arm)
    raise KeyError(arm)


def spending(notebook: str) -> Method | None:
    """The method whose noise is drawn in a notebook.

    Args:
        notebook: its name, today's or that of an earlier version.

    Returns:
        The method; None where no method draws noise in this notebook.
    """
    return next((method for method in METHODS if method.spends == current_name(notebook)), None)


def may_lack_corpus(stage: str) -> bool:
    """Whether a stage is an arm that can be made without any private record.

    Args:
        stage: its id.
    """
    return any(not method.needs_corpus and method.arm == current_name(notebook_of(stage)) for method in METHODS)


def describe(run: Run, stage: FinishedStage) -> ArmMethod:
    """How a finished arm was made.

    Args:
        run: the run that the arm belongs to.
        stage: the arm's stage, finished.

    Raises:
        KeyError: no method writes its records in the stage's notebook.
    """
    method = of_arm(stage.id, stage.inputs)
    parameters: Parameters = run.stage(stage.inputs[method.through]).parameters if method.through else stage.parameters
    private = method.spends is not None and parameters["target_epsilon"] is not None
    model = _models(run, stage) if method.selects else str(parameters[method.model])
    return ArmMethod(method, method.name(private=private), model, private)


def _models(run: Run, stage: FinishedStage) -> str:
    """The models behind the arms that a stage selects from, each once."""
    arms = [run.stage(id) for name, id in stage.inputs.items() if name != "corpus"]
    return ", ".join(dict.fromkeys(describe(run, arm).model for arm in arms))


def titled(title: str) -> Method:
    """The method with a title.

    Args:
        title: as in a scorecard, of an arm with privacy or without.

    Raises:
        KeyError: no method has this title.
    """
    for method in METHODS:
        if title in (method.title, method.title_without_privacy):
            return method
    raise KeyError(title)
