"""The entry of DP-LoRA: its mechanism, what pre-flight refuses, and what a card says about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError, nearest
from lib.methods.dp_lora.weight_checks import check_weights
from lib.methods.method import Method, model_words
from lib.methods.prompting.method import LEARNED, check_generate, check_prompt
from lib.privacy.disclosure import PUBLIC
from lib.stage.notebook_roles import Parameters, check_inputs

if TYPE_CHECKING:
    from lib.privacy.accounting import Gaussian

TRAINS, WRITES = "10_finetune_dp_lora", "11_generate"
WARM_TEXTS = "warm.jsonl"  # of a training: the texts of such a source, as they were learned


def sampling_probability(units: int, expected_batch: float) -> float:
    """The probability q with which every unit joins a step's Poisson batch, independently of the others.

    Args:
        units: n >= 1, the number of units (records or users); treated as public.
        expected_batch: units in a batch on average, in (0, n].

    Returns:
        q = expected_batch / n, in (0, 1].

    Raises:
        DoppelError: ``expected_batch`` is outside (0, n].
    """
    if not 0 < expected_batch <= units:
        raise DoppelError(
            "methods.expected_batch",
            f"expected_batch = {expected_batch:g} is outside (0, {units}], the number of units",
            name="expected_batch",
            value=expected_batch,
            remedy="lower expected_batch",
        )
    return expected_batch / units


def recipe(parameters: Parameters, units: int, noise_multiplier: float) -> Gaussian:
    """DP-SGD as the accountant sees it: ``steps`` Gaussian releases of Poisson samples (Abadi et al. 2016).

    Unit: one record or one user. Neighbours: add or remove one unit. Sampler: Poisson with q = ``expected_batch`` / n.
    Each step releases the sum of the batch's clipped gradients, whose L2 sensitivity is ``max_grad_norm``, plus
    Gaussian noise of standard deviation ``noise_multiplier`` x ``max_grad_norm``.

    Args:
        parameters: of 10_finetune_dp_lora; ``steps`` and ``expected_batch`` are read.
        units: n, the number of units; treated as public.
        noise_multiplier: standard deviation of the noise over the clipping norm, above 0.

    Returns:
        The mechanism that `lib.methods.dp_lora.trainer.Trainer` runs.

    Raises:
        DoppelError: ``expected_batch`` is outside (0, n].
    """
    from lib.privacy.accounting import Gaussian

    probability = sampling_probability(units, parameters["expected_batch"])
    return Gaussian(noise_multiplier, probability, parameters["steps"])


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the records were made.

    Args:
        arm: the settings that the certificate lists of the stage that wrote the records.
        spending: the settings of the stage that trained the model.
        unit: ``record`` or ``user``.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    yield (
        f"By fine-tuning with differential privacy (DP-SGD on LoRA): {model_words(spending['model'])} learned in "
        f"{spending['steps']} steps. In each, the gradient of each {unit} was clipped to norm "
        f"{spending['max_grad_norm']:g}, and noise was added to their sum. Then the model wrote the records from "
        f"labels alone, at temperature {arm['temperature']:g}."
    )
    if spending.get("warm_steps"):
        source = spending.get("warm_source")
        texts = "that a model wrote from labels alone: they never saw a private record"
        if source is not None:
            texts = f"of `{source}`, as whoever made this declared: they are not counted in epsilon"
        yield f"Before that it learned in {spending['warm_steps']} steps, without noise, from texts {texts}."
    yield f"The prompt: `{spending['prompt']}`"


def check_training(parameters: Parameters) -> None:
    """Refuse a training without a corpus, half a warm start or two, and steps and LoRA settings that cannot work.

    Args:
        parameters: of 10_finetune_dp_lora, resolved.

    Raises:
        DoppelError: for the first of these.
    """
    check_inputs(parameters, "corpus", "warm")
    origins = ("warm" in parameters["inputs"]) + (parameters["warm_source"] is not None)
    if origins != bool(parameters["warm_steps"]):
        raise DoppelError(
            "methods.warm_start_incomplete",
            f"warm_steps = {parameters['warm_steps']}: a warm start needs steps, and either an input named warm or a "
            "warm_source",
            name="warm_steps",
            value=parameters["warm_steps"],
            remedy="write warm_steps with inputs: {corpus: STAGE, warm: 11_generate.base} or with warm_source: "
            f"{PUBLIC}SOURCE, or none of them",
        )
    if parameters["warm_columns"] is not None and parameters["warm_source"] is None:
        raise DoppelError(
            "methods.warm_columns_without_source",
            "warm_columns are columns of warm_source, which is not set",
            name="warm_columns",
            remedy="leave them out",
        )
    if parameters["warmup_steps"] >= parameters["steps"]:
        raise DoppelError(
            "methods.warmup_too_long",
            f"warmup_steps = {parameters['warmup_steps']} must be below steps = {parameters['steps']}",
            name="warmup_steps",
            value=parameters["warmup_steps"],
        )
    if (parameters["average_from"] or 1) > parameters["steps"]:
        raise DoppelError(
            "methods.average_from_too_late",
            f"average_from = {parameters['average_from']} must be at most steps = {parameters['steps']}",
            name="average_from",
            value=parameters["average_from"],
            remedy="lower it, or set null to keep the last step's weights",
        )
    check_lora(parameters["lora"])
    check_weights(parameters)


def check_warm_arm(parameters: Parameters, inputs: Mapping[str, Parameters]) -> None:
    """Refuse a warm start from an arm that will have seen private records, or that comes from another corpus.

    Args:
        parameters: of 10_finetune_dp_lora, resolved.
        inputs: parameters of its input stages, by the name of the input.

    Raises:
        DoppelError: for the first of these; when it runs, the ledgers of both are compared
            (`lib.methods.dp_lora.public_texts.of_arm`).
    """
    if "warm" not in inputs:
        return
    warm, behind = parameters["inputs"]["warm"], inputs["warm"]["inputs"]
    if seen := [behind[name] for name in LEARNED if name in behind]:
        raise DoppelError(
            "methods.warm_start_saw_records",
            f"inputs: warm: {warm} writes with {seen[0]}, which has seen private records",
            name="warm",
            value=warm,
            remedy="name a stage of 11_generate without such an input, which writes from labels alone",
        )
    if behind.get("corpus") != parameters["inputs"]["corpus"]:
        raise DoppelError(
            "methods.warm_start_of_another_corpus",
            f"inputs: warm: {warm} has the label counts of another corpus stage, {behind.get('corpus')}",
            name="warm",
            value=warm,
            remedy=f"name an arm of {parameters['inputs']['corpus']}",
        )


def check_guided(parameters: Parameters, inputs: Mapping[str, Parameters]) -> None:
    """Refuse guidance by a prompt that has no label to guide by, before what brings the prompt is paid for.

    Args:
        parameters: of 11_generate, resolved.
        inputs: parameters of its input stages, by the name of the input.

    Raises:
        DoppelError: the prompt of the input ``model`` or ``steer`` cannot do without its label, or has none.
    """
    from lib.models import templates

    for name in LEARNED:
        if parameters["guidance"] > 0 and name in inputs:
            templates.unlabelled(str(inputs[name]["prompt"]), parameters["prompt_without_label"])


def check_with_corpus(parameters: Parameters, corpus: Parameters) -> None:
    """Refuse what does not fit the corpus: its prompt, its contrast, and the source of its warm start.

    Args:
        parameters: of 10_finetune_dp_lora, resolved.
        corpus: parameters of its corpus stage.

    Raises:
        DoppelError: as `check_labels_to_contrast` and `lib.methods.dp_lora.public_texts.check` do.
    """
    check_labels_to_contrast(parameters, corpus)
    # by name, as a stage's fingerprint follows import statements: a new source must not make stages run again
    import_module("lib.methods.dp_lora.public_texts").check(parameters, corpus)


def check_labels_to_contrast(parameters: Parameters, corpus: Parameters) -> None:
    """Refuse a prompt with an unknown label, and contrast where no label of the prompt has two values.

    Args:
        parameters: of 10_finetune_dp_lora, resolved.
        corpus: parameters of its corpus stage.

    Raises:
        DoppelError: for the first of these.
    """
    from lib.data import labels
    from lib.models import templates

    check_prompt(parameters, corpus)
    if not parameters["contrast"]:
        return
    named = templates.label_fields(str(parameters["prompt"]))
    if len({tuple(cell.get(name) for name in sorted(named)) for cell in labels.cells(labels.declared(corpus))}) < 2:
        raise DoppelError(
            "methods.contrast_without_labels",
            "contrast needs a prompt that differs from label to label",
            name="contrast",
            value=parameters["contrast"],
            remedy="put a {label} with two values or more into the prompt, or set contrast: 0",
        )


def check_lora(lora: Mapping[str, object]) -> None:
    """Refuse LoRA settings that PEFT does not know.

    Args:
        lora: setting of PEFT's ``LoraConfig`` -> value.

    Raises:
        DoppelError: a setting is unknown, or PEFT is not installed.
    """
    for key in sorted(set(lora) - _lora_keys()):
        raise DoppelError(
            "methods.unknown_lora_setting",
            f"lora: {key}: PEFT's LoraConfig has no such setting",
            name="lora",
            value=key,
            remedy=nearest(key, _lora_keys()),
        )


@cache
def _lora_keys() -> frozenset[str]:
    """Names of the fields of PEFT's LoraConfig, read from its source, because importing it would import torch."""
    spec = find_spec("peft")
    if spec is None or spec.origin is None:
        raise DoppelError("methods.no_peft", "peft is not installed", name="peft", remedy="run ./run_all.sh setup")
    peft = Path(spec.origin).parent
    classes = {}
    for file in (peft / "config.py", peft / "tuners" / "lora" / "config.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                fields = (line.target.id for line in node.body if isinstance(line, ast.AnnAssign))
                classes[node.name] = set(fields)
    return frozenset(classes["LoraConfig"] | classes["PeftConfig"] | classes["PeftConfigMixin"])


METHOD = Method(
    title="DP-LoRA",
    title_without_privacy="fine-tuned without privacy",
    arm=WRITES,
    spends=TRAINS,
    through="model",
    recipe=recipe,
    making=making,
    settings=(
        "model", "prompt", "chat", "max_tokens", "target_epsilon", "reserve", "copy_share", "for_release", "steps",
        "expected_batch", "max_grad_norm", "learning_rate", "schedule", "lora", "frozen_a",
        "average_from", "contrast", "warm_source", "warm_steps", "warm_batch", "warm_learning_rate",
    ),
    as_before={
        "reserve": 0.0, "copy_share": 0.0, "for_release": False, "frozen_a": False, "average_from": None,
        "contrast": 0.0, "warm_source": None, "warm_steps": 0, "warm_batch": 32.0, "warm_learning_rate": 1e-3,
    },
    checks={TRAINS: check_training, WRITES: check_generate},
    corpus_checks={TRAINS: check_with_corpus, WRITES: check_prompt},
    input_checks={TRAINS: check_warm_arm, WRITES: check_guided},
    canaries="lib.methods.dp_lora.canaries:send",
    audit="lib.methods.dp_lora.audit:make_again",
    control_score="gradients",
    colour="#1f6f8b",
)  # fmt: skip
