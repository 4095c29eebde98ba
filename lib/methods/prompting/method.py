"""The entry of prompting alone: what pre-flight refuses, and what a card says about it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError
from lib.generation.engines.names import check_engine
from lib.methods.method import Method, model_words
from lib.stage.notebook_roles import Parameters, check_inputs

if TYPE_CHECKING:
    from lib.generation.prompt_file import PromptFile

WRITES = "11_generate"
PROMPTED = ("base_model", "chat")  # parameters that a model without fine-tuning must have, and no other may
ASKED = ("prompt", "prompts")  # and one of these two
LEARNED = ("model", "steer")  # inputs that have seen private records, and bring model and prompt; at most one of them


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the records were made.

    Args:
        arm: the settings that the certificate lists of the stage that wrote the records.
        spending: the same settings; no stage drew noise.
        unit: ``record`` or ``user``; not used.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    yield (
        f"By prompting alone: {model_words(arm['base_model'])} wrote the records from labels, and never saw a private "
        "record. All that it knows of the corpus is how frequent the labels are, with noise added."
    )
    if arm.get("prompts") is None:
        yield f"The prompt: `{arm['prompt']}`"
    else:
        yield f"It was asked in many ways, which `{arm['prompts']}` lists; each record's were drawn by chance."


def check_generate(parameters: Parameters) -> None:
    """Refuse a stage whose model comes from two places or from none; that asks by a prompt and by a prompt file, or by
    neither; an engine that is unknown or cannot guide or steer; servers that cannot be asked; and guidance without a
    label to guide by.

    Args:
        parameters: of 11_generate, resolved.

    Raises:
        DoppelError: two models, no model, two ways to ask, none, an unfit engine or server, a prompt that cannot do
            without its label or keeps one, guidance or ``chat: bare`` with a prompt file, or inputs that 11_generate
            does not have.
    """
    from lib.models import templates

    check_inputs(parameters, "corpus", *LEARNED)
    brings = [name for name in LEARNED if name in parameters["inputs"]]
    served, base_url = parameters["served_model"], parameters["base_url"]
    if (served is None) != (base_url is None):
        missing = "served_model" if served is None else "base_url"
        raise DoppelError(
            "methods.served_by_halves",
            f"{missing} is null: vLLM servers need both, base_url and served_model",
            name=missing,
            remedy="set both, or neither: then the model runs on this machine",
        )
    if served is None:
        check_engine(parameters["engine"], parameters["guidance"], steered="steer" in brings)
    else:
        from lib.generation.endpoint.servers import open_servers

        check_engine("vllm", parameters["guidance"], steered="steer" in brings)
        settings = {name: parameters[name] for name in ("key_variable", "timeout")}
        open_servers(f"vllm:{served}@", base_url=base_url, **settings)
    if parameters["guidance"] > 0 and parameters["prompt"] is not None:
        templates.unlabelled(str(parameters["prompt"]), parameters["prompt_without_label"])
    given = [name for name in (*PROMPTED, *ASKED) if parameters[name] is not None]
    if brings and (more := [*brings[1:], *given]):
        raise DoppelError(
            "methods.two_models",
            f"{more[0]}: the input {brings[0]} brings its own",
            name=more[0],
            value=parameters.get(more[0]),
            remedy=f"remove {', '.join(more)}",
        )
    if brings:
        return
    missing = next((name for name in PROMPTED if name not in given), None)
    if missing or not {*ASKED} & {*given}:
        raise DoppelError(
            "methods.no_model",
            "without an input named model or steer, base_model, chat, and prompt or prompts must be set",
            name=missing or "prompt",
        )
    if parameters["prompts"] is not None:
        check_asked_by_file(parameters)


def check_asked_by_file(parameters: Parameters) -> None:
    """Refuse what is for one prompt beside a prompt file.

    Args:
        parameters: of a stage with ``prompts``, resolved.

    Raises:
        DoppelError: a ``prompt`` or ``prompt_with_record`` too, ``guidance``, or ``chat: bare``.
    """
    for name in ("prompt", "prompt_with_record"):
        if parameters.get(name) is not None:
            raise DoppelError(
                "methods.two_prompts",
                f"{name} and prompts: a model is asked by the one or by the other",
                name=name,
                remedy="set one of them to null",
            )
    for name, unfit, fit in (
        ("guidance", parameters.get("guidance", 0) > 0, "0"),
        ("chat", parameters["chat"] == "bare", "true"),
    ):
        if unfit:
            raise DoppelError(
                "methods.unfit_for_prompt_file",
                f"{name} = {parameters[name]} is for one prompt, not for a prompt file",
                name=name,
                value=parameters[name],
                remedy=f"set {name}: {fit}",
            )


def fitting_prompts(parameters: Parameters, corpus: Parameters) -> "PromptFile":
    """The prompt file of a stage, which fits its corpus.

    Args:
        parameters: of the stage; ``prompts`` is the path of the file.
        corpus: parameters of its corpus stage.

    Raises:
        DoppelError: the file is malformed, or does not fit the labels or the topics of the records.
    """
    from lib.data import labels
    from lib.generation import prompt_file

    prompts = prompt_file.load(Path(str(parameters["prompts"])))
    prompts.check_labels(labels.declared(corpus))
    if corpus.get("topics") is not None:
        prompts.check_topic()
    return prompts


def check_prompt(parameters: Parameters, corpus: Parameters) -> None:
    """Refuse a prompt with a label that the records do not have, and one that leaves out the topics that they have.

    Args:
        parameters: of a stage with a ``prompt``, or ``prompts``, the path of a prompt file; both are None where the
            input ``model`` brings the prompt.
        corpus: parameters of its corpus stage.

    Raises:
        DoppelError: the prompt or the file is malformed, names an unknown label or no topic (`lib.models.templates`,
            `lib.generation.prompt_file`).
    """
    from lib.data import labels
    from lib.models import templates

    if parameters.get("prompts") is not None:
        fitting_prompts(parameters, corpus)
    if parameters["prompt"] is not None:
        prompt = str(parameters["prompt"])
        templates.check_labels(prompt, labels.declared(corpus))
        if corpus.get("topics") is not None:
            templates.check_topic(templates.label_fields(prompt))


METHOD = Method(
    title="prompt only",
    arm=WRITES,
    making=making,
    settings=(
        "base_model", "prompt", "prompts", "chat", "samples", "temperature", "top_p", "top_k", "repetition_penalty",
        "max_new_tokens",
    ),
    as_before={"prompts": None},
    checks={WRITES: check_generate},
    corpus_checks={WRITES: check_prompt},
    files=("prompts",),
    model="base_model",
    colour="#8a8a8a",
)  # fmt: skip
