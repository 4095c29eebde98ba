"""Every method, and the notebooks whose stages are arms."""

from collections.abc import Callable, Mapping

from lib.privacy.accounting import Gaussian, Mechanism
from lib.stage.finished import FinishedStage, Run

WITHOUT_PRIVACY = {  # by method: the same one with the noise left out, which shows what privacy costs
    "DP-LoRA": "fine-tuned without privacy",
    "Aug-PE": "Aug-PE without privacy",
}


PROMPT_ONLY = "prompt only"


def _method(run: Run, stage: FinishedStage) -> tuple[str, str]:
    """Method in the scorecard's words, and the model that wrote the text."""
    if stage.notebook == "12_aug_pe":
        private = stage.parameters["target_epsilon"] is not None
        return "Aug-PE" if private else WITHOUT_PRIVACY["Aug-PE"], stage.parameters["model"]
    if "model" not in stage.inputs:
        return PROMPT_ONLY, stage.parameters["base_model"]
    training = run.stage(stage.inputs["model"]).parameters
    private = training["target_epsilon"] is not None
    return "DP-LoRA" if private else WITHOUT_PRIVACY["DP-LoRA"], training["model"]


Parameters = Mapping[str, object]


# By notebook, of its parameters and n units: the mechanism of a noise multiplier, which the notebook calibrates.
MECHANISMS: dict[str, Callable[[Parameters, int, float], Mechanism]] = {
    "10_finetune_dp_lora": lambda given, n, noise: Gaussian(
        noise, min(1.0, given["expected_batch"] / n), given["steps"]
    ),
    "12_aug_pe": lambda given, n, noise: Gaussian(noise, count=given["iterations"]),
}
