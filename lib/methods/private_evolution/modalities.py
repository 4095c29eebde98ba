"""Opens what a stage evolves: the one place that names the kinds of data."""

from collections.abc import Mapping
from typing import Any

from lib.data.image_processing import shape_of
from lib.methods.private_evolution.image_api import open_images
from lib.methods.private_evolution.modality import Modality, text_modality
from lib.methods.private_evolution.text_api import open_api
from lib.models import encoders


def open_modality(parameters: Mapping[str, Any], corpus: Mapping[str, Any]) -> Modality:
    """Open the kind of data that a stage evolves, with its API and its encoder.

    Args:
        parameters: of the stage, resolved.
        corpus: those of its corpus stage; of pictures the declared shape is read.

    Raises:
        DoppelError: a model, an encoder or a file that they name cannot be used.
    """
    if "api" in parameters:
        return open_images(parameters, shape_of(corpus))
    encoder = encoders.open_encoder(parameters["encoder"], device=parameters["device"], dtype="float32")
    return text_modality(open_api(parameters), encoder)
