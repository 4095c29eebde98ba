"""Records from a dataset of the Hugging Face hub."""

from collections.abc import Iterator
from typing import Any

from lib.common.errors import DoppelError
from lib.data.sources.corpus import Corpus, Request, draw
from lib.data.sources.table_files import Cells, resolve, to_records

SHUFFLE_BUFFER = 10_000  # rows of a stream that are held at once to draw from


def load_hub(request: Request) -> Corpus:
    """``OWNER/NAME[:CONFIG][:SPLIT]``, split ``train`` unless named (``OWNER/NAME::test``); columns as for a file.

    With a limit the dataset is streamed: shuffled through a buffer, then cut after ``limit`` rows. A column of
    class labels gives the names of its classes. Raises DoppelError where the dataset cannot be read.
    """
    kept, counts = draw(to_records(_cells(request)), request)
    return Corpus(kept, [], request.argument.partition(":")[0], f"{counts} read from the hub: {request.argument}")


def _cells(request: Request) -> Iterator[Cells]:
    mapping: dict[str, str] = {}
    try:
        data = _open(request)
        kinds = data.features or {}
        for number, row in enumerate(data, 1):
            mapping = mapping or resolve(request.columns, list(row), f"hub:{request.argument}")
            cells = {name: _named(row[column], kinds.get(column)) for name, column in mapping.items()}
            yield f"hub:{request.argument}, row {number}", cells
    except DoppelError:
        raise
    except Exception as error:  # the hub, the disk and a dataset's own form each raise their own kinds
        raise DoppelError(
            f"hub:{request.argument} cannot be read ({type(error).__name__}). Check its name, configuration and split, "
            "and the network; or put it into a file and name that as csv:PATH, jsonl:PATH or parquet:PATH"
        ) from None


def _open(request: Request) -> Any:
    """The dataset, or a stream of it where only a part is wanted."""
    import datasets  # a second to import: only when the hub is asked

    name, _, rest = request.argument.partition(":")
    config, _, split = rest.partition(":")
    stream = request.limit is not None
    data = datasets.load_dataset(name, config or None, split=split or "train", streaming=stream)
    if stream:
        data = data.shuffle(seed=request.seed, buffer_size=SHUFFLE_BUFFER).take(request.limit)
    return data


def _named(value: Any, kind: Any) -> Any:
    """The name of a class, where the column holds class numbers; -1 says that there is none."""
    if not hasattr(kind, "int2str") or value is None:
        return value
    return kind.int2str(value) if value >= 0 else None
