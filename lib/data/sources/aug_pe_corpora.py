"""The corpora on which Aug-PE is evaluated (Xie et al. 2024), in the CSV layout of its repository."""

from collections.abc import Iterator
from pathlib import Path

from lib.common.errors import DoppelError
from lib.data.sources.columns import Cells
from lib.data.sources.corpus import Corpus, SourceRequest, draw
from lib.data.sources.source_file import locate
from lib.data.sources.table_files import csv_cells, to_records

# kind -> label -> its column, and the prefix of each of its values
LAYOUTS = {
    "yelp": {"category": ("label1", "Business Category: "), "stars": ("label2", "Review Stars: ")},
    "openreview": {"area": ("label1", "Area: "), "recommendation": ("label2", "Recommendation: ")},
    "pubmed": {},
}


def load_aug_pe(request: SourceRequest) -> Corpus:
    """Load columns ``text,label1,label2`` (pubmed: ``text``) from the named file, or from the default one.

    Labels lose their prefix: yelp has category ('Restaurants') and stars ('1' to '5'), openreview has area and
    recommendation, pubmed has none. Nobody knows which texts are by one person, so no record has a user.

    Args:
        request: its ``kind`` is a key of `LAYOUTS`.

    Raises:
        DoppelError: for a missing file, a file of another layout, and whatever `csv_cells` refuses.
    """
    usual = request.default_path
    if not request.argument and not usual.is_file():
        raise DoppelError(
            "data.no_file",
            f"{usual} is not there",
            name="source",
            value=request.kind,
            remedy=f"put the train.csv that the Aug-PE repository publishes for {request.kind} there, "
            f"or name a file of that layout: {request.kind}:PATH",
        )
    path = locate(request.argument or str(usual), request.kind)
    kept, counts = draw(to_records(_cells(path, request.kind)), request)
    return Corpus(kept, [], request.kind, f"{counts} of {path.name} in the layout of Aug-PE", (path,))


def _cells(path: Path, kind: str) -> Iterator[Cells]:
    layout = LAYOUTS[kind]
    columns = {"text": "text"} | {f"labels.{label}": column for label, (column, _) in layout.items()}
    for where, cells in csv_cells(path, columns):
        for label, (column, prefix) in layout.items():
            value = cells[f"labels.{label}"]
            if not value.startswith(prefix):
                raise DoppelError(
                    "data.other_layout",
                    f"{column} must begin with {prefix.strip()!r}",
                    name=column,
                    remedy="read other layouts as csv:PATH",
                    where=where,
                )
            cells[f"labels.{label}"] = value.removeprefix(prefix)
        yield where, cells
