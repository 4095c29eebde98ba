"""What can be refused about a stage's parameters before its kernel starts, beyond their types and ranges.

A check takes the resolved parameters and raises DoppelError. It must stay light: importing this file
may not import torch or transformers.
"""

from collections.abc import Callable
from pathlib import Path

from lib.audit.checks import canary_privacy
from lib.common.errors import DoppelError, nearest
from lib.methods.dp_lora.method import _lora_keys, finetune_dp_lora
from lib.methods.private_evolution.method import aug_pe
from lib.stage.notebook_roles import ARMS, Parameters, _check_inputs


def process_data(parameters: Parameters) -> None:
    """The source is one, the label domain can be enumerated, and the first record of a file fits unit and domain."""
    from lib.data import labels, records, sources

    source, domain = str(parameters["source"]), parameters["label_domain"]
    if parameters["min_words"] > parameters["max_words"]:
        raise DoppelError(f"min_words = {parameters['min_words']} is over max_words = {parameters['max_words']}")
    labels.cells(domain)
    first = sources.glance(source, parameters["columns"])
    if parameters["unit"] == "user":
        if (kind := sources.parse(source)[0]) in sources.WITHOUT_USERS:
            raise DoppelError(f"unit: user, but nobody knows who wrote what in {kind}; set unit: record")
        if first is not None and first.user is None:
            raise DoppelError(f"unit: user, but the first record of {source} names no user; {records.NAME_USERS}")
    if first is not None:
        records.check_labels([first], domain)


def generate(parameters: Parameters) -> None:
    """The model comes from an input or from the parameters, never from both."""
    _check_inputs(parameters, "corpus", "model")
    own = [name for name in ("base_model", "prompt", "chat") if parameters[name] is not None]
    if "model" in parameters["inputs"] and own:
        raise DoppelError(f"{own[0]}: the input model brings its own; remove {', '.join(own)}")
    if "model" not in parameters["inputs"] and len(own) < 3:
        raise DoppelError("without an input named model, base_model, prompt and chat must be set")


def prompts_fit_corpus(parameters: Parameters, corpus: Parameters) -> None:
    """The prompt file is whole, and knows the labels that the corpus stage declares."""
    from lib.generation import prompt_file

    prompt_file.load(Path(str(parameters["prompts"]))).check_labels(corpus["label_domain"])


def prompt_fits_corpus(parameters: Parameters, corpus: Parameters) -> None:
    """The prompt is a template of labels that the corpus stage declares."""
    from lib.models import templates

    if parameters["prompt"] is not None:
        templates.check_labels(str(parameters["prompt"]), corpus["label_domain"])


def fidelity(parameters: Parameters) -> None:
    """There are arms, the floor is one of them, and two encoders are two."""
    _needs_floor(parameters)
    if parameters["encoder"] == parameters["voting_encoder"]:
        raise DoppelError(
            f"encoder = {parameters['encoder']!r}: is the voting_encoder, too; what selected an arm cannot judge it. "
            "Name another, or set voting_encoder: null where no arm votes with it"
        )


def utility(parameters: Parameters) -> None:
    """There are arms, the floor is one of them, PEFT knows every key of ``lora``, filled sheets are there."""
    _needs_floor(parameters)
    for key in set(parameters["lora"]) - _lora_keys():
        raise DoppelError(f"lora: {key}: no setting of PEFT's LoraConfig; {nearest(key, _lora_keys())}")
    for rater, path in parameters["ratings"].items():
        if not Path(path).is_file():
            raise DoppelError(f"ratings: {rater}: {path}: no such file; paths are from the project's folder")


def _needs_floor(parameters: Parameters) -> None:
    _check_inputs(parameters, "corpus", others=ARMS)
    arms = [name for name in parameters["inputs"] if name != "corpus"]
    if parameters["floor"] not in arms:
        raise DoppelError(f"floor = {parameters['floor']!r} is no arm among inputs; {nearest(parameters['floor'], arms)}")


def compare(parameters: Parameters) -> None:
    """Inputs are a corpus, arms and stages that measure; what is to be released is among the arms."""
    from lib.scorecard import inputs as roles

    roles.check_release(parameters["release"], roles.split(parameters["inputs"]))


CHECKS: dict[str, Callable[[Parameters], None]] = {  # by notebook
    "00_process_data": process_data,
    "10_finetune_dp_lora": finetune_dp_lora,
    "11_generate": generate,
    "12_aug_pe": aug_pe,
    "20_canary_privacy": canary_privacy,
    "21_fidelity": fidelity,
    "22_utility": utility,
    "30_compare": compare,
}
WITH_CORPUS: dict[str, Callable[[Parameters, Parameters], None]] = {  # by notebook: its parameters, its corpus stage's
    "10_finetune_dp_lora": prompt_fits_corpus,
    "11_generate": prompt_fits_corpus,
    "12_aug_pe": prompts_fit_corpus,
}
