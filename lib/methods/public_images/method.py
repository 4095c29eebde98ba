"""The entry of random pictures, the floor of private evolution: what pre-flight refuses, and what a card says.

The checks of what makes pictures are those of 15_image_evolution too, which begins with such pictures.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

from lib.common.errors import DoppelError
from lib.methods.method import Method, model_words
from lib.stage.notebook_roles import IMAGES, Parameters, check_inputs

DRAWS = "11_random_images"
CHECKPOINT = "improved-diffusion"  # the API that draws with a file of the user's own
MAKING = (
    "api",
    "fonts",
    "ink",
    "text_label",
    "public_pictures",
    "model",
    "model_sha256",
    "prompt",
    "steps",
    "guidance",
    "side",
)  # fmt: skip  (parameters that say what makes pictures)


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the pictures were made.

    Args:
        arm: the settings that the certificate lists of the stage that made the pictures.
        spending: the same settings; no stage drew noise.
        unit: ``record`` or ``user``; not used.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    yield (
        f"By chance alone: {maker_words(arm)}, and no private picture had a part in it. All that is known of the "
        "corpus is how frequent the labels are, with noise added."
    )


def maker_words(arm: Mapping) -> str:
    """What made the pictures of an arm, in words; ``arm`` has its settings."""
    if arm["api"] == "nearest":
        return f"they are pictures of a public set (`{arm['public_pictures']}`)"
    if arm["api"] == "diffusers":
        return f"{model_words(arm['model'])}, which was never trained, drew them from the prompt `{arm['prompt']}`"
    if arm["api"] == "improved-diffusion":
        return f"a diffusion network of sha256 `{arm['model_sha256']}`, which was never trained here, drew them"
    return f"a simulator drew {'faces' if arm['api'] == 'avatars' else 'digits'} from parts that anybody has"


def check_random_images(parameters: Parameters) -> None:
    """Refuse inputs besides a corpus of pictures, and what cannot make pictures.

    Args:
        parameters: of 11_random_images, resolved.
    """
    check_inputs(parameters, "corpus", corpora=(IMAGES,))
    check_maker(parameters)


def check_maker(parameters: Parameters) -> None:
    """Refuse an unknown API, a set that nobody declares public, and fonts that are not there or have no digits.

    Args:
        parameters: of a stage with those of `MAKING`.

    Raises:
        DoppelError: for the first of these.
    """
    api, public = parameters["api"], parameters["public_pictures"]
    if (api == "nearest") != (public is not None):
        raise DoppelError(
            "methods.public_pictures_of_nearest",
            f"public_pictures = {public!r} with api = {api!r}",
            name="public_pictures",
            value=public,
            remedy="api: nearest takes pictures of a public set, public:SOURCE; no other API does",
        )
    model = parameters["model"]
    if (api == "diffusers" and model is None) or (api not in ("diffusers", CHECKPOINT) and model is not None):
        raise DoppelError(
            "methods.model_of_diffusers",
            f"model = {model!r} with api = {api!r}",
            name="model",
            value=model,
            remedy="api: diffusers draws with a model, hub:OWNER/NAME or a folder, and improved-diffusion with a file; "
            "no other API does",
        )
    # imported by name, because a stage's fingerprint follows import statements: a simulator is no part of other arms
    shape = import_module("lib.data.images.decoding").Shape(32, 32)
    if api == "diffusers":
        import_module("lib.generation.images.diffusion_checks").locate(model)
    elif api == CHECKPOINT:
        import_module("lib.generation.images.checkpoint").check_declared(model, parameters["model_sha256"])
    elif api == "render:digits":
        import_module("lib.generation.images.digits").Digits(shape, parameters["fonts"])
    elif api == "avatars":
        import_module("lib.generation.images.avatars").Avatars(shape)


def check_written(parameters: Parameters, corpus: Parameters) -> None:
    """Refuse ink that cannot be seen, a label that digits cannot write, and public pictures that are the corpus.

    Args:
        parameters: of a stage with those of `MAKING`.
        corpus: parameters of its corpus stage.

    Raises:
        DoppelError: for the first of these.
    """
    label, domain = parameters["text_label"], corpus["label_domain"]
    if parameters["api"] == "render:digits" and parameters["ink"] == corpus["background"]:
        raise DoppelError(
            "methods.ink_not_seen",
            f"ink = {parameters['ink']} is the background of the corpus, so nothing would be seen",
            name="ink",
            value=parameters["ink"],
            remedy="set ink: 255 on a background of 0, or the other way round",
        )
    if parameters["api"] == "diffusers":
        import_module("lib.generation.images.diffusion_checks").check_prompt(parameters["prompt"], corpus)
    elif parameters["api"] == CHECKPOINT:
        shape = import_module("lib.data.images.decoding").Shape.of(corpus)
        import_module("lib.generation.images.diffusion_checks").check_colours(shape)
    elif parameters["api"] == "nearest":
        undeclared = import_module("lib.privacy.public_source").undeclared
        undeclared("public_pictures", str(parameters["public_pictures"]), own=str(corpus["source"]))
    elif (
        parameters["api"] == "render:digits"
        and label is not None
        and (label not in domain or isinstance(domain[label], str) or not all(map(str.isdecimal, domain[label])))
    ):
        raise DoppelError(
            "methods.label_not_digits",
            f"text_label = {label!r} is no label whose values are numbers, which render:digits could write",
            name="text_label",
            value=label,
            remedy="name such a label of label_domain, or set text_label: null, which writes a digit that is drawn",
        )


METHOD = Method(
    title="random pictures",
    arm=DRAWS,
    records="pictures",
    making=making,
    settings=(*MAKING, "samples"),
    as_before={"model_sha256": None},
    checks={DRAWS: check_random_images},
    corpus_checks={DRAWS: check_written},
    model="api",
    colour="#6d7f6d",
)
