"""Where records come from: one name of a source in, a `Corpus` out."""

from collections.abc import Callable, Mapping
from pathlib import Path

from lib.common.errors import DoppelError, nearest
from lib.common.paths import DATA
from lib.data.records import Record
from lib.data.sources.amazon_reviews import load_amazon
from lib.data.sources.aug_pe_corpora import LAYOUTS, load_aug_pe
from lib.data.sources.corpus import Corpus, Request
from lib.data.sources.hub import load_hub
from lib.data.sources.sentiment_snippets import load_snippets
from lib.data.sources.table_files import READERS, Columns, check_fields, first_record, load_table, locate

__all__ = ["FORMS", "Corpus", "glance", "load", "parse"]

FORMS: dict[str, tuple[str, Callable[[Request], Corpus]]] = {  # how the source is written, and who reads it
    "amazon-snippets": ("amazon-snippets", load_snippets),
    "movie-snippets": ("movie-snippets", load_snippets),
    "csv": ("csv:PATH", load_table),
    "jsonl": ("jsonl:PATH", load_table),
    "parquet": ("parquet:PATH", load_table),
    "hub": ("hub:OWNER/NAME[:CONFIG][:SPLIT]", load_hub),
    "amazon-2023": ("amazon-2023:CATEGORY", load_amazon),
    "yelp": ("yelp[:PATH]", load_aug_pe),
    "openreview": ("openreview[:PATH]", load_aug_pe),
    "pubmed": ("pubmed[:PATH]", load_aug_pe),
}
MAPPED = {"csv", "jsonl", "parquet", "hub"}  # the kinds whose columns are the user's own
WITHOUT_USERS = {"movie-snippets", *LAYOUTS}  # the kinds of which nobody knows who wrote what


def parse(source: str) -> tuple[str, str]:
    """Kind and argument of a source, checked without reading anything."""
    kind, colon, argument = source.partition(":")
    if kind not in FORMS:
        raise DoppelError(f"unknown source {kind!r}; {nearest(kind, FORMS)}")
    form = FORMS[kind][0]
    if (":" in form and "[" not in form.partition(":")[0] and not argument) or (colon and ":" not in form):
        raise DoppelError(f"source {source!r} must be written as {form}")
    return kind, argument


def glance(source: str, columns: Columns = None) -> Record | None:
    """Refuse what can be refused before a source is read: its form, its ``columns``, a file that is not there.

    Of a file of one's own the first record is read, as `load` reads it, and given back.
    """
    kind, argument = _checked(source, columns)
    if kind in READERS:
        return first_record(Request(kind, argument, columns))
    if kind in LAYOUTS and argument:
        locate(argument)
    return None


def load(
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    seed: int = 0,
    root: Path = DATA,
) -> Corpus:
    """Read a source.

    ``columns`` maps fields of a record to columns, ``{"text": "Review", "labels.rating": "Stars", "user": "Author"}``,
    for the sources whose columns are yours (csv, jsonl, parquet, hub). ``limit`` draws that many records by a hash of
    ``seed`` and the record, so the order of the file does not matter. Fetched files are kept under ``root``.
    Raises DoppelError for everything that cannot be read, with file and line where there is one.
    """
    kind, argument = _checked(source, columns)
    if limit is not None and limit < 1:
        raise DoppelError(f"limit is {limit}, it must be at least 1; leave it out to read every record")
    return FORMS[kind][1](Request(kind, argument, columns, limit, seed, root))


def _checked(source: str, columns: Columns) -> tuple[str, str]:
    kind, argument = parse(source)
    if columns is not None and kind not in MAPPED:
        raise DoppelError(f"columns: {source} has columns of its own; columns are for {', '.join(sorted(MAPPED))}")
    check_fields(columns)
    return kind, argument
