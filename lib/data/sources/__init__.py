"""Where records come from: the entries of all sources, and how a source is read.

To add a source, write its loader, ``load(request) -> Corpus``, in a file beside this one, and its entry in `SOURCES`.
Pre-flight, budgets and release packs ask the entry too, so a loader's file must be light to import: import what is slow
to import (duckdb, datasets, pyarrow) inside the functions that use it.
"""

from collections.abc import Mapping
from pathlib import Path

from lib.common.errors import DoppelError, nearest
from lib.common.paths import DATA
from lib.data.records import Record
from lib.data.sources import amazon_reviews, aug_pe_corpora, hub, sentiment_snippets, table_files
from lib.data.sources.corpus import Corpus, Request
from lib.data.sources.source import Source

__all__ = ["SOURCES", "Corpus", "Source", "glance", "load", "parse"]

SOURCES = {  # by kind: what stands before the colon
    "amazon-snippets": Source(
        form="amazon-snippets",
        load=sentiment_snippets.load_snippets,
        title="3,708 sentences from customers' reviews of electronic products (Hutto & Gilbert, ICWSM 2014), "
        "which are public and stand in for a private corpus",
        public_text=True,
        language="en",
    ),
    "movie-snippets": Source(
        form="movie-snippets",
        load=sentiment_snippets.load_snippets,
        knows_users=False,
        title="10,605 sentences from film reviews (Hutto & Gilbert, ICWSM 2014), which are public and stand in "
        "for a private corpus",
        public_text=True,
        language="en",
    ),
    "csv": Source(form="csv:PATH", load=table_files.load_table, glance=table_files.first_record, own_columns=True),
    "jsonl": Source(form="jsonl:PATH", load=table_files.load_table, glance=table_files.first_record, own_columns=True),
    "parquet": Source(
        form="parquet:PATH", load=table_files.load_table, glance=table_files.first_record, own_columns=True
    ),
    "hub": Source(
        form="hub:OWNER/NAME[:CONFIG][:SPLIT]",
        load=hub.load_hub,
        own_columns=True,
        corpus_name=hub.dataset_name,
    ),
    "amazon-2023": Source(form="amazon-2023:CATEGORY", load=amazon_reviews.load_amazon, language="en"),
    "yelp": Source(
        form="yelp[:PATH]",
        load=aug_pe_corpora.load_aug_pe,
        glance=aug_pe_corpora.find_file,
        knows_users=False,
        language="en",
        default_path="raw/yelp/train.csv",
    ),
    "openreview": Source(
        form="openreview[:PATH]",
        load=aug_pe_corpora.load_aug_pe,
        glance=aug_pe_corpora.find_file,
        knows_users=False,
        language="en",
        default_path="raw/openreview/train.csv",
    ),
    "pubmed": Source(
        form="pubmed[:PATH]",
        load=aug_pe_corpora.load_aug_pe,
        glance=aug_pe_corpora.find_file,
        knows_users=False,
        language="en",
        default_path="raw/pubmed/train.csv",
    ),
}


def parse(source: str) -> tuple[str, str]:
    """Split a source into its kind and its argument, without reading anything.

    Args:
        source: as a parameter writes it: ``csv:reviews.csv``.

    Returns:
        a key of `SOURCES`, and what stands behind the colon, or an empty string.

    Raises:
        DoppelError: for an unknown kind, and for an argument that is missing or one too many.
    """
    kind, colon, argument = source.partition(":")
    if kind not in SOURCES:
        raise DoppelError(
            "data.unknown_source",
            f"unknown source {kind!r}",
            name="source",
            value=kind,
            remedy=nearest(kind, SOURCES),
        )
    entry = SOURCES[kind]
    if (entry.needs_argument and not argument) or (colon and not entry.takes_argument):
        raise DoppelError(
            "data.source_form", f"source {source!r} must be written as {entry.form}", name="source", value=source
        )
    return kind, argument


def glance(source: str, columns: table_files.Columns = None) -> Record | None:
    """Refuse what can be refused before a source is read: its form, its columns, a file that is not there.

    Args:
        source: as a parameter writes it.
        columns: as in `load`.

    Returns:
        the first record as `load` reads it, where the source is a file of the user's own; else None.
    """
    request = _request(source, columns)
    check = SOURCES[request.kind].glance
    return None if check is None else check(request)


def load(
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    seed: int = 0,
    root: Path = DATA,
) -> Corpus:
    """Read a source.

    Args:
        source: as a parameter writes it: ``amazon-snippets``, ``csv:reviews.csv``.
        columns: field of a record -> column, for the sources whose columns are the user's own:
            ``{"text": "Review", "labels.rating": "Stars", "user": "Author"}``.
        limit: draw that many records, at least 1, by a hash of ``seed`` and the record, so that their order in the file
            does not matter; None reads all.
        seed: fixes the draw.
        root: the data folder, where fetched files are kept.

    Raises:
        DoppelError: for everything that cannot be read, with file and line where there is one.
    """
    request = _request(source, columns, limit, seed, root)
    if limit is not None and limit < 1:
        raise DoppelError(
            "data.out_of_range",
            f"limit is {limit}, it must be at least 1",
            name="limit",
            value=limit,
            remedy="leave it out to read every record",
        )
    return SOURCES[request.kind].load(request)


def _request(
    source: str, columns: table_files.Columns, limit: int | None = None, seed: int = 0, root: Path = DATA
) -> Request:
    kind, argument = parse(source)
    entry = SOURCES[kind]
    if columns is not None and not entry.own_columns:
        kinds = ", ".join(sorted(name for name, other in SOURCES.items() if other.own_columns))
        raise DoppelError(
            "data.columns_not_taken",
            f"columns: {source} has columns of its own; columns are for {kinds}",
            name="columns",
            remedy="leave columns out",
        )
    table_files.check_fields(columns)
    default = None if entry.default_path is None else root / entry.default_path
    return Request(kind, argument, columns, limit, seed, root, default)
