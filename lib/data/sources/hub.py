"""Records from a dataset of the Hugging Face hub."""

from collections.abc import Iterator
from typing import Any

from lib.common.errors import DoppelError
from lib.data.sources.columns import cells_by_key
from lib.data.sources.corpus import Corpus, SourceRequest, draw
from lib.data.sources.table_files import to_records


def load_hub(request: SourceRequest) -> Corpus:
    """Load a dataset; columns are mapped as those of a file.

    With a share below 1 the dataset is streamed, so that what is not drawn takes no space. A column of class numbers
    gives the names of its classes.

    Args:
        request: its ``argument`` is ``OWNER/NAME[:CONFIG][:SPLIT]``, with the split ``train`` unless another is named
            (``OWNER/NAME::test``).

    Raises:
        DoppelError: where the dataset cannot be read, or lacks a column.
    """
    kept, counts = draw(to_records(cells_by_key(_rows(request), request.columns)), request)
    return Corpus(kept, [], request.argument.partition(":")[0], f"{counts} read from the hub: {request.argument}")


def _rows(request: SourceRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        data = _open(request)
        features = data.features or {}
        for number, row in enumerate(data, 1):
            named = {column: _class_name(value, features.get(column)) for column, value in row.items()}
            yield f"hub:{request.argument}, row {number}", named
    except Exception as error:  # the hub, the disk and each dataset's format raise exceptions of their own
        raise DoppelError(
            "data.hub_unreadable",
            f"hub:{request.argument} cannot be read ({type(error).__name__})",
            name="source",
            value=f"hub:{request.argument}",
            remedy="check its name, configuration and split, and the network; or put it into a file and name that as "
            "csv:PATH, jsonl:PATH or parquet:PATH",
        ) from None


def _open(request: SourceRequest) -> Any:
    """The dataset, or with a share below 1 a stream of it."""
    import datasets  # takes a second to import

    name, _, rest = request.argument.partition(":")
    config, _, split = rest.partition(":")
    return datasets.load_dataset(name, config or None, split=split or "train", streaming=request.share < 1)


def _class_name(value: Any, feature: Any) -> Any:
    """The name of a class, where the column holds class numbers; -1 means that there is none."""
    if not hasattr(feature, "int2str") or value is None:
        return value
    return feature.int2str(value) if value >= 0 else None
