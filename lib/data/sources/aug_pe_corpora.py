"""The corpora that Aug-PE is measured on, in the CSV layout of its repository."""

from collections.abc import Iterator
from pathlib import Path

from lib.common.errors import DoppelError
from lib.data.sources.corpus import Corpus, Request, draw
from lib.data.sources.table_files import Cells, csv_cells, locate, to_records

# kind -> label -> its column, and what opens each of its values
LAYOUTS = {
    "yelp": {"category": ("label1", "Business Category: "), "stars": ("label2", "Review Stars: ")},
    "openreview": {"area": ("label1", "Area: "), "recommendation": ("label2", "Recommendation: ")},
    "pubmed": {},
}


def load_aug_pe(request: Request) -> Corpus:
    """Columns ``text,label1,label2`` (pubmed: ``text``), from ``data/raw/<kind>/train.csv`` or the path after a colon.

    Labels lose what opens them: yelp has category ('Restaurants') and stars ('1' to '5'), openreview has area and
    recommendation, pubmed none. Nobody's reviews are known as one person's: no record has a user.
    """
    usual = request.root / "raw" / request.kind / "train.csv"
    if not request.argument and not usual.is_file():
        raise DoppelError(
            f"{usual} is not there. Put the train.csv that the Aug-PE repository publishes for {request.kind} there, "
            f"or name a file of that layout: {request.kind}:PATH"
        )
    path = locate(request.argument or str(usual))
    kept, counts = draw(to_records(_cells(path, request.kind)), request)
    return Corpus(kept, [], request.kind, f"{counts} of {path.name} in the layout of Aug-PE", (path,))


def _cells(path: Path, kind: str) -> Iterator[Cells]:
    layout = LAYOUTS[kind]
    columns = {"text": "text"} | {f"labels.{label}": column for label, (column, _) in layout.items()}
    for where, cells in csv_cells(path, columns):
        for label, (column, opening) in layout.items():
            value = cells[f"labels.{label}"]
            if not value.startswith(opening):
                raise DoppelError(
                    f"{where}: {column} must begin with {opening.strip()!r}; read other layouts as csv:PATH"
                )
            cells[f"labels.{label}"] = value.removeprefix(opening)
        yield where, cells
