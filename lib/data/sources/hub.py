"""Records from a dataset of the Hugging Face hub."""

from collections.abc import Iterator
from typing import Any

from lib.common import network
from lib.common.errors import DoppelError
from lib.data.sources.columns import Cells, resolve
from lib.data.sources.corpus import Corpus, SourceRequest, draw
from lib.data.sources.table_files import python_values, to_records

BATCH = 1000  # rows that are in memory at once


def load_hub(request: SourceRequest) -> Corpus:
    """Load a dataset; columns are mapped as those of a file.

    With a share below 1 the dataset is streamed, so that what is not drawn takes no space. A column of class numbers
    gives the names of its classes. Columns that are not mapped are not decoded: sound and pictures need packages that
    Doppel does without.

    Args:
        request: its ``argument`` is ``OWNER/NAME[:CONFIG][:SPLIT]``, with the split ``train`` unless another is named
            (``OWNER/NAME::test``).

    Raises:
        DoppelError: where the dataset cannot be read, or lacks a column.
    """
    kept, counts = draw(to_records(cells(request)), request)
    return Corpus(kept, [], request.argument.partition(":")[0], f"{counts} read from the hub: {request.argument}")


def cells(request: SourceRequest) -> Iterator[Cells]:
    """The rows of a dataset.

    Args:
        request: as `load_hub` takes it.

    Raises:
        DoppelError: as `load_hub` does.
    """
    source, number, first = f"hub:{request.argument}", 0, {}
    try:
        data = _open(request)
        features = data.features or {}
        for table in data.with_format("arrow").iter(batch_size=BATCH):
            mapping = resolve(request.columns, table.column_names, source)
            first = first or mapping
            if changed := set(first) ^ set(mapping):  # who wrote a record must not depend on where it stands
                name, sentence = min(changed), "some files have this column, others lack it"
                remedy = f"map it: columns: {{{name}: COLUMN}}, or put the dataset into one file"
                raise DoppelError("data.key_missing", sentence, name=name, remedy=remedy, where=source)
            values = {f: python_values(table[c], f, source, number) for f, c in mapping.items()}
            names = {f: _class_names(values[f], features.get(c)) for f, c in mapping.items()}
            for row in range(table.num_rows):
                number += 1
                yield f"{source}, row {number}", {field: names[field][row] for field in mapping}
    except DoppelError:
        raise
    except Exception as error:  # the hub, the disk and each dataset's format raise exceptions of their own
        raise DoppelError(
            "data.hub_unreadable",
            f"{source} cannot be read ({type(error).__name__})",
            name="source",
            value=source,
            remedy="check its name, configuration and split, the network and, for a gated dataset, your login; one "
            "that a script of its own loads is read by nobody any more: put it into a file and name that as csv:PATH, "
            "jsonl:PATH or parquet:PATH",
        ) from None


def _open(request: SourceRequest) -> Any:
    """The dataset, or with a share below 1 a stream of it."""
    import datasets  # takes a second to import

    name, _, rest = request.argument.partition(":")
    network.check_hub_name(name, "source")
    config, _, split = rest.partition(":")
    return datasets.load_dataset(name, config or None, split=split or "train", streaming=request.share < 1)


def _class_names(values: list[Any], feature: Any) -> list[Any]:
    """The names of classes, where a column holds class numbers; -1 means that there is none."""
    if not hasattr(feature, "int2str"):
        return values
    return [None if value is None or value < 0 else feature.int2str(value) for value in values]
