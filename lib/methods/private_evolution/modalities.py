"""Opens what a stage evolves: the one place that names the kinds of data."""

from collections.abc import Mapping
from typing import Any

from lib.data.images.decoding import Shape
from lib.data.tables.domain import columns_of
from lib.methods.private_evolution.image_api import open_images
from lib.methods.private_evolution.modality import Modality
from lib.methods.private_evolution.table_api import table_modality
from lib.methods.private_evolution.text_api import open_texts


def open_modality(parameters: Mapping[str, Any], corpus: Mapping[str, Any]) -> Modality:
    """Open the kind of data that a stage evolves, with its API and its encoder.

    Args:
        parameters: of the stage, resolved.
        corpus: those of its corpus stage, which say what kind it is: of pictures the shape is declared, of a table the
            domain.

    Raises:
        DoppelError: a model, an encoder or a file that they name cannot be used.
    """
    if "missing" in corpus:  # the domain of a table
        return table_modality(columns_of(corpus["columns"], corpus["missing"]), parameters["seed"])
    if "width" in corpus:  # the shape of pictures
        return open_images(parameters, Shape.of(corpus))
    return open_texts(parameters)
