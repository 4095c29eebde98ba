"""What can be refused about a diffusion model before it is opened. Light: pre-flight imports it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.common import network
from lib.common.errors import DoppelError
from lib.data.images.decoding import Shape
from lib.models.templates import label_fields


def locate(model: str) -> Path | str:
    """Where diffusers finds a model.

    Args:
        model: ``hub:OWNER/NAME``, or a folder that diffusers saved.

    Returns:
        The folder, or the id OWNER/NAME.

    Raises:
        DoppelError: ``model`` is neither.
    """
    kind, _, rest = model.partition(":")
    if kind == "hub" and rest:
        network.check_hub_name(rest, "model")
        return rest
    if not (Path(model) / "model_index.json").is_file():
        raise DoppelError(
            "generation.diffusion_model_unknown",
            f"model = {model!r} is no model of diffusers",
            name="model",
            value=model,
            remedy="name hub:OWNER/NAME, or a folder with a model_index.json",
        )
    return Path(model)


def check_prompt(prompt: str, corpus: Mapping[str, Any]) -> None:
    """Refuse a prompt with a label that the corpus does not have, and a corpus of grey pictures.

    Args:
        prompt: what a model is asked for, with labels in braces.
        corpus: parameters of the corpus stage.

    Raises:
        DoppelError: for the first of these.
    """
    check_colours(Shape.of(corpus))
    domain = sorted(corpus["label_domain"])
    for name in sorted(label_fields(prompt)):
        if name not in domain:
            raise DoppelError(
                "generation.image_prompt_label",
                f"prompt: {{{name}}} is no label of the corpus",
                name="prompt",
                value=name,
                remedy=f"its labels are {', '.join(domain) or 'none'}",
            )


def check_colours(shape: Shape) -> None:
    """Refuse a ``shape`` of grey pictures, which a diffusion model does not draw."""
    if shape.mode != "RGB":
        raise DoppelError(
            "generation.diffusion_in_colours",
            "diffusion models draw in colours, and the corpus declares grey pictures",
            name="colours",
            value=False,
            remedy="set colours: true in the corpus, or name another api",
        )
