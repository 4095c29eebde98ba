"""What can be refused about a stage's parameters before its kernel starts, beyond their types and ranges.

A check takes the resolved parameters and raises DoppelError. It must stay light: importing this file
may not import torch or transformers.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lib.errors import DoppelError, nearest

Parameters = Mapping[str, object]
ARMS = ("02_generate", "03_aug_pe")  # notebooks that write synthetic text
MADE_BY = {"corpus": "00_process_data", "model": "01_finetune_dp_lora"}  # inputs of these names, by notebook
OF_TEXTS = ("2-gram", "3-word overlap", "similarity")
AUDIT_SCORES = {  # by notebook of an arm: by which 04_canary_privacy tells canaries that were in
    "02_generate": ("loss", "loss against base", "gradients", "rank exposure", *OF_TEXTS),
    "03_aug_pe": ("votes", *OF_TEXTS),
}


def process_data(parameters: Parameters) -> None:
    """The source is one, the label domain can be enumerated, and the first record of a file fits unit and domain."""
    from lib import labels, records, sources

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


def finetune_dp_lora(parameters: Parameters) -> None:
    """It has a corpus, its warm-up ends, and PEFT knows every key of ``lora``."""
    _check_inputs(parameters, "corpus")
    if parameters["warmup_steps"] >= parameters["steps"]:
        raise DoppelError(f"warmup_steps = {parameters['warmup_steps']} must be below steps = {parameters['steps']}")
    for key in set(parameters["lora"]) - _lora_keys():
        raise DoppelError(f"lora: {key}: no setting of PEFT's LoraConfig{nearest(key, _lora_keys())}")


def generate(parameters: Parameters) -> None:
    """The model comes from an input or from the parameters, never from both."""
    _check_inputs(parameters, "corpus", "model")
    own = [name for name in ("base_model", "prompt", "chat") if parameters[name] is not None]
    if "model" in parameters["inputs"] and own:
        raise DoppelError(f"{own[0]}: the input model brings its own; remove {', '.join(own)}")
    if "model" not in parameters["inputs"] and len(own) < 3:
        raise DoppelError("without an input named model, base_model, prompt and chat must be set")


def aug_pe(parameters: Parameters) -> None:
    """Sizes fit together, and an endpoint has a key and what is asked of it."""
    from lib.aug_pe.settings import Settings
    from lib.engines.names import is_remote

    _check_inputs(parameters, "corpus")
    own = Settings.__dataclass_fields__.keys() - {"noise_multiplier"}
    Settings(noise_multiplier=None, **{name: parameters[name] for name in own})
    remote = is_remote(str(parameters["model"]))
    if parameters["base_url"] is not None and not remote:
        raise DoppelError(f"base_url: model = {parameters['model']!r} is a local one; write openai:MODEL, or remove it")
    if unknown := set(parameters["prices"]) - {"input", "output"}:
        raise DoppelError(f"prices: {sorted(unknown)[0]!r}; the keys are input and output")
    if remote:
        from lib.engines.base import Sampling
        from lib.engines.endpoint_client import connect
        from lib.engines.endpoint_wire import sampling_fields

        name = str(parameters["model"])
        server = connect(name, parameters["base_url"], str(parameters["key_variable"]), timeout=60.0)
        sampling_fields(Sampling.of(parameters), name, hosted=server.hosted)


def prompts_fit_corpus(parameters: Parameters, corpus: Parameters) -> None:
    """The prompt file is whole, and knows the labels that the corpus stage declares."""
    from lib import prompts

    prompts.load(Path(str(parameters["prompts"]))).check_labels(corpus["label_domain"])


def prompt_fits_corpus(parameters: Parameters, corpus: Parameters) -> None:
    """The prompt is a template of labels that the corpus stage declares."""
    from lib import templates

    if parameters["prompt"] is not None:
        templates.check_labels(str(parameters["prompt"]), corpus["label_domain"])


def canary_privacy(parameters: Parameters) -> None:
    """Its inputs are a corpus and arms, its controls can be made, and its arms have the scores."""
    _check_inputs(parameters, "corpus", others=ARMS)
    arms = {name: str(id).partition(".")[0] for name, id in parameters["inputs"].items() if name != "corpus"}
    if not arms:
        raise DoppelError("inputs: names no arm to audit; add one, as eps8: 02_generate.eps8")
    control = parameters["control"]
    if control is None and "02_generate" in arms.values():
        raise DoppelError("control: an arm of 02_generate needs one without privacy to compare with; name its input")
    if control is not None and arms.get(control) != "02_generate":
        raise DoppelError(f"control = {control!r}: must be an input of 02_generate{nearest(control, arms)}")
    if len(parameters["copies"]) != len(parameters["repeated"]) or not parameters["copies"]:
        raise DoppelError(
            f"repeated = {parameters['repeated']}: one number for each of copies = {parameters['copies']}"
        )
    _check_bounded(parameters["bounded"], set(arms.values()), control)


def _check_bounded(bounded: Sequence[str], notebooks: set[str], control: str | None) -> None:
    """Every score is known and one is an arm's, and something can fail: without a positive control is no verdict."""
    known = {score for scores in AUDIT_SCORES.values() for score in scores}
    had = {score for notebook in notebooks for score in AUDIT_SCORES[notebook]}
    if not bounded:
        raise DoppelError(f"bounded = []: no score, so no bound and no verdict; name one of {', '.join(sorted(had))}")
    for name in bounded:
        if name not in known:
            raise DoppelError(f"bounded: {name!r} is no score{nearest(name, had)}")
    if had.isdisjoint(bounded):
        raise DoppelError(f"bounded = {list(bounded)}: scores of no audited arm; theirs are {', '.join(sorted(had))}")
    if control is None and "votes" not in bounded:
        raise DoppelError(f"bounded = {list(bounded)}: without a control only votes can be trusted; add votes")


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
        raise DoppelError(f"lora: {key}: no setting of PEFT's LoraConfig{nearest(key, _lora_keys())}")
    for rater, path in parameters["ratings"].items():
        if not Path(path).is_file():
            raise DoppelError(f"ratings: {rater}: {path}: no such file; paths are from the project's folder")


def _needs_floor(parameters: Parameters) -> None:
    _check_inputs(parameters, "corpus", others=ARMS)
    arms = [name for name in parameters["inputs"] if name != "corpus"]
    if parameters["floor"] not in arms:
        raise DoppelError(f"floor = {parameters['floor']!r} is no arm among inputs{nearest(parameters['floor'], arms)}")


def compare(parameters: Parameters) -> None:
    """Inputs are a corpus, arms and stages that measure; what is to be released is among the arms."""
    from lib.compare import roles

    roles.check_release(parameters["release"], roles.split(parameters["inputs"]))


def check_input(name: str, id: str, notebooks: Sequence[str], what: str) -> None:
    """Refuse an input that is a stage of another notebook than it must be."""
    if id.partition(".")[0] not in notebooks:
        raise DoppelError(f"inputs: {name}: {id} is no {what}; name a stage of {' or '.join(notebooks)}")


def _check_inputs(parameters: Parameters, *known: str, others: Sequence[str] = ()) -> None:
    """There is a corpus; inputs of the ``known`` names are what `MADE_BY` says, and all others arms of ``others``."""
    inputs = parameters["inputs"]
    if "corpus" not in inputs:
        raise DoppelError("inputs: has no 'corpus'; write inputs: {corpus: STAGE}")
    for name, id in inputs.items():
        if name in known:
            check_input(name, id, [MADE_BY[name]], name)
        elif others:
            check_input(name, id, others, "arm")
        else:
            raise DoppelError(f"inputs: {name}: is none of this notebook's{nearest(name, known)}")


@cache
def _lora_keys() -> frozenset[str]:
    """Fields of PEFT's LoraConfig, read from its source: importing it would import torch."""
    spec = find_spec("peft")
    if spec is None or spec.origin is None:
        raise DoppelError("peft is not installed; run ./run_all.sh setup")
    tuners = Path(spec.origin).parent
    classes = {}
    for file in (tuners / "config.py", tuners / "tuners" / "lora" / "config.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                fields = (line.target.id for line in node.body if isinstance(line, ast.AnnAssign))
                classes[node.name] = set(fields)
    return frozenset(classes["LoraConfig"] | classes["PeftConfig"] | classes["PeftConfigMixin"])


CHECKS: dict[str, Callable[[Parameters], None]] = {  # by notebook
    "00_process_data": process_data,
    "01_finetune_dp_lora": finetune_dp_lora,
    "02_generate": generate,
    "03_aug_pe": aug_pe,
    "04_canary_privacy": canary_privacy,
    "05_fidelity": fidelity,
    "06_utility": utility,
    "07_compare": compare,
}
WITH_CORPUS: dict[str, Callable[[Parameters, Parameters], None]] = {  # by notebook: its parameters, its corpus stage's
    "01_finetune_dp_lora": prompt_fits_corpus,
    "02_generate": prompt_fits_corpus,
    "03_aug_pe": prompts_fit_corpus,
}


def affordable(parameters: Parameters, corpus: Parameters, folder: Path) -> None:
    """Refuse a target that what the corpus stage releases already exceeds, as far as it is known yet.

    Args:
        parameters: of a stage with a ``target_epsilon``. corpus: of its input ``corpus``.
        folder: of that input; when it is done, its own ledger says what is spent. Else a ``delta`` in its
            parameters is enough to tell; without one (it depends on n) the stage itself will.
    """
    from lib.privacy.accounting import DiscreteGaussian, epsilon
    from lib.privacy.ledger import read

    target, scale = parameters["target_epsilon"], corpus["label_histogram_scale"]
    if (folder / "done.json").is_file():
        spent = read(folder).epsilon
    elif corpus["delta"] is not None and scale is not None:
        spent = epsilon([DiscreteGaussian(scale)], delta=corpus["delta"])
    else:
        return
    if target is not None and spent >= target:
        raise DoppelError(
            f"target_epsilon = {target:g} cannot be reached: the label histogram alone spends {spent:.3f}; "
            f"raise target_epsilon above {spent:.3f}, or label_histogram_scale above {scale:g}"
        )
