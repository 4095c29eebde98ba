"""Every method. A new one is a folder beside these, its notebook, and a line in `METHODS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib.methods.dp_lora.method import METHOD as DP_LORA
from lib.methods.method import Method
from lib.methods.private_evolution.method import METHOD as PRIVATE_EVOLUTION
from lib.methods.prompting.method import METHOD as PROMPTING
from lib.stage.notebook_roles import Parameters, current_name, notebook_of

if TYPE_CHECKING:
    from lib.stage.finished import FinishedStage, Run

METHODS: tuple[Method, ...] = (DP_LORA, PRIVATE_EVOLUTION, PROMPTING)

ARMS = tuple(dict.fromkeys(method.arm for method in METHODS))  # notebooks whose stages write synthetic records


@dataclass(frozen=True)
class ArmMethod:
    """How a finished arm was made.

    Attributes:
        method: the entry.
        title: as readers meet it; another one without privacy.
        model: that wrote the text.
        private: whether a ``target_epsilon`` was set; False for a method that spends nothing.
    """

    method: Method
    title: str
    model: str
    private: bool


def of_arm(stage: str, inputs: Mapping[str, str]) -> Method:
    """The method of an arm.

    Args:
        stage: its id.
        inputs: stage ids that it reads, by name: they tell a tuned model from one that was only prompted.

    Raises:
        KeyError: no method's arms are stages of this notebook.
    """
    notebook = current_name(notebook_of(stage))
    fitting = [method for method in METHODS if method.arm == notebook and method.through in (None, *inputs)]
    if not fitting:
        raise KeyError(stage)
    return max(fitting, key=lambda method: method.through is not None)


def of_stages(arm: str, stages: Iterable[str]) -> tuple[Method, str]:
    """The method of an arm, told by the notebooks of all that it was made from, and the stage that spent.

    Args:
        arm: its stage id.
        stages: ids of the arm and of all that it was made from.

    Returns:
        The method, and the id of the stage that drew the noise: the arm's own where nothing else did.

    Raises:
        KeyError: no method's arms are stages of this notebook.
    """
    by_notebook = {current_name(notebook_of(stage)): stage for stage in stages}
    fitting = [method for method in METHODS if method.arm == current_name(notebook_of(arm))]
    for method in sorted(fitting, key=lambda method: method.spends is None):
        if method.spends is None or method.spends in by_notebook:
            return method, by_notebook.get(method.spends, arm)
    raise KeyError(arm)


def attacked(notebook: str) -> Method:
    """The method whose arms, stages of a notebook, 20_canary_privacy can attack.

    Args:
        notebook: one of `ARMS`.

    Raises:
        KeyError: no method of this notebook can be attacked.
    """
    for method in METHODS:
        if method.arm == notebook and method.audit is not None:
            return method
    raise KeyError(notebook)


def spending(notebook: str) -> Method | None:
    """The method whose noise the stages of a notebook draw; None for a notebook that draws none as a method.

    Args:
        notebook: its name, the present one or one of an earlier version.
    """
    return next((method for method in METHODS if method.spends == current_name(notebook)), None)


def describe(run: Run, stage: FinishedStage) -> ArmMethod:
    """How a finished arm was made.

    Args:
        run: that the stage is part of.
        stage: the arm.
    """
    method = of_arm(stage.id, stage.inputs)
    parameters: Parameters = run.stage(stage.inputs[method.through]).parameters if method.through else stage.parameters
    private = method.spends is not None and parameters["target_epsilon"] is not None
    return ArmMethod(method, method.name(private=private), str(parameters[method.model]), private)


def titled(title: str) -> Method:
    """The method that a title stands for, with privacy or without.

    Args:
        title: as in a scorecard.

    Raises:
        KeyError: no method has it.
    """
    for method in METHODS:
        if title in (method.title, method.title_without_privacy):
            return method
    raise KeyError(title)


PROMPT_ONLY = PROMPTING.title
WITHOUT_PRIVACY = {method.title: method.title_without_privacy for method in METHODS if method.title_without_privacy}


def _method(run: Run, stage: FinishedStage) -> tuple[str, str]:
    described = describe(run, stage)
    return described.title, described.model
