"""Pictures from a dataset of the Hugging Face hub."""

import io
from collections.abc import Iterator
from typing import Any

from lib.common import network
from lib.common.errors import DoppelError
from lib.data.images.private_image import ImageRecord, PrivateImage
from lib.data.sources.corpus import Corpus, SourceRequest, draw


def load_hub_images(request: SourceRequest) -> Corpus:
    """Load the pictures of a dataset: its one column of type Image.

    Every column of class numbers is a label of its name, with the names of the classes; a column ``user`` says whose a
    picture is. Other columns are left alone. With a share below 1 the dataset is streamed.

    Args:
        request: its ``argument`` is ``OWNER/NAME[:CONFIG][:SPLIT]``, with the split ``train`` unless another is named
            (``OWNER/NAME::test``).

    Raises:
        DoppelError: the dataset cannot be read, or has no column of pictures, or several.
    """
    name, _, rest = request.argument.partition(":")
    network.check_hub_name(name, "source")
    config, _, split = rest.partition(":")
    try:
        kept, counts = draw(_records(name, config or None, split or "train", request.share < 1), request, list)
    except DoppelError:
        raise
    except Exception as error:  # the hub, the disk and each dataset's format raise exceptions of their own
        raise DoppelError(
            "data.hub_unreadable",
            f"hub-images:{request.argument} cannot be read ({type(error).__name__})",
            name="source",
            value=request.argument,
            remedy="check its name, configuration and split, the network and, for a gated dataset, your login",
        ) from None
    return Corpus(kept, [], name, f"{counts} read from the hub: {request.argument}")


def _records(name: str, config: str | None, split: str, streaming: bool) -> Iterator[ImageRecord]:
    import datasets  # takes a second to import

    data = datasets.load_dataset(name, config, split=split, streaming=streaming)
    pictures = [column for column, kind in data.features.items() if isinstance(kind, datasets.Image)]
    if len(pictures) != 1:
        sentence = f"{name} has {len(pictures)} columns of pictures, one is needed"
        remedy = "name another dataset, or put the pictures into a folder: images:PATH"
        raise DoppelError("data.no_images", sentence, name="source", value=name, remedy=remedy)
    classes = {column: kind for column, kind in data.features.items() if isinstance(kind, datasets.ClassLabel)}
    for number, row in enumerate(data.cast_column(pictures[0], datasets.Image(decode=False)), 1):
        labels = {column: kind.int2str(row[column]) for column, kind in classes.items()}
        user = row.get("user")
        yield ImageRecord(
            f"{number:06d}", PrivateImage(_content(row[pictures[0]])), labels, None if user is None else str(user)
        )


def _content(picture: dict[str, Any]) -> bytes:
    """The bytes of a picture, which a dataset holds or names a file of."""
    if picture.get("bytes") is not None:
        return picture["bytes"]
    from datasets.utils.file_utils import xopen

    with xopen(picture["path"], "rb") as file:
        return io.BytesIO(file.read()).getvalue()
