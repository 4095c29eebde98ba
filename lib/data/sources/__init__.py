"""Where records come from: the entries of all sources, and how a source is read.

To add a source, write its loader, ``load(request) -> Corpus``, in a file beside this one, and its entry in `SOURCES`.
Pre-flight, budgets and release packs ask the entry too, so this file must be light to import: an entry imports its
loader when that is called.
"""

from pathlib import Path

from lib.common.errors import DoppelError, nearest
from lib.common.paths import DATA
from lib.data.records import Domain, Record
from lib.data.sources.corpus import Columns, Corpus, SourceRequest, check_fields
from lib.data.sources.source import Source

__all__ = ["SOURCES", "Corpus", "Source", "glance", "load", "parse"]


def _load_snippets(request: SourceRequest) -> Corpus:
    from lib.data.sources.sentiment_snippets import load_snippets

    return load_snippets(request)


def _load_rotten_tomatoes(request: SourceRequest) -> Corpus:
    from lib.data.sources.rotten_tomatoes import load_rotten_tomatoes

    return load_rotten_tomatoes(request)


def _check_rotten_tomatoes(request: SourceRequest) -> None:
    from lib.data.sources.rotten_tomatoes import check_part

    check_part(request)


def _load_table(request: SourceRequest) -> Corpus:
    from lib.data.sources.table_files import load_table

    return load_table(request)


def _first_record(request: SourceRequest) -> Record:
    from lib.data.sources.table_files import first_record

    return first_record(request)


def _load_hub(request: SourceRequest) -> Corpus:
    from lib.data.sources.hub import load_hub

    return load_hub(request)


def _load_amazon(request: SourceRequest) -> Corpus:
    from lib.data.sources.amazon_reviews import load_amazon

    return load_amazon(request)


def _load_aug_pe(request: SourceRequest) -> Corpus:
    from lib.data.sources.aug_pe_corpora import load_aug_pe

    return load_aug_pe(request)


def _load_mnist(request: SourceRequest) -> Corpus:
    from lib.data.sources.mnist import load_mnist

    return load_mnist(request)


def _load_images(request: SourceRequest) -> Corpus:
    from lib.data.sources.image_folder import load_images

    return load_images(request)


def _check_images(request: SourceRequest) -> None:
    from lib.data.sources.image_folder import check_images

    check_images(request)


def _load_hub_images(request: SourceRequest) -> Corpus:
    from lib.data.sources.hub_images import load_hub_images

    return load_hub_images(request)


def _load_public_table(request: SourceRequest) -> Corpus:
    from lib.data.sources.rows import load_public_table

    return load_public_table(request)


def _check_table(request: SourceRequest) -> None:
    from lib.data.sources.rows import check_table

    check_table(request.argument)


def _find_file(request: SourceRequest) -> None:
    if request.argument:
        from lib.data.sources.source_file import locate

        locate(request.argument, request.kind)


def _aug_pe(kind: str) -> Source:
    return Source(
        form=f"{kind}[:PATH]",
        load=_load_aug_pe,
        glance=_find_file,
        knows_users=False,
        language="en",
        default_path=f"raw/{kind}/train.csv",
    )


def _studied_images(kind: str) -> Source:
    """Pictures of a published study, which a hub does not have: the user puts them where they are looked for."""
    return Source(
        form=f"{kind}[:PATH]", load=_load_images, glance=_check_images, images=True, default_path=f"raw/{kind}"
    )


SOURCES = {  # by kind: what stands before the colon
    "amazon-snippets": Source(
        form="amazon-snippets",
        load=_load_snippets,
        title="3,708 sentences from customers' reviews of electronic products (Hutto & Gilbert, ICWSM 2014), "
        "which are public and stand in for a private corpus",
        public_text=True,
        language="en",
    ),
    "movie-snippets": Source(
        form="movie-snippets",
        load=_load_snippets,
        knows_users=False,
        title="10,605 sentences from film reviews (Hutto & Gilbert, ICWSM 2014), which are public and stand in "
        "for a private corpus",
        public_text=True,
        same_texts=("rotten-tomatoes",),  # 99% of its sentences, but for capitals and punctuation
        language="en",
    ),
    "rotten-tomatoes": Source(
        form="rotten-tomatoes[:reviews]",
        load=_load_rotten_tomatoes,
        glance=_check_rotten_tomatoes,
        title="18,576 snippets of film reviews and sentences of plot summaries (Pang & Lee, ACL 2004), which are "
        "public and stand in for a private corpus",
        public_text=True,
        same_texts=("movie-snippets",),
        language="en",
        corpus_name=lambda argument: "",  # the reviews are a part of the whole
    ),
    "csv": Source(form="csv:PATH", load=_load_table, glance=_first_record, own_columns=True),
    "jsonl": Source(form="jsonl:PATH", load=_load_table, glance=_first_record, own_columns=True),
    "parquet": Source(form="parquet:PATH", load=_load_table, glance=_first_record, own_columns=True),
    "hub": Source(
        form="hub:OWNER/NAME[:CONFIG][:SPLIT]",
        load=_load_hub,
        own_columns=True,
        corpus_name=lambda argument: argument.partition(":")[0].lower(),  # splits of one dataset may overlap
    ),
    "amazon-2023": Source(form="amazon-2023:CATEGORY", load=_load_amazon, language="en"),
    "yelp": _aug_pe("yelp"),
    "openreview": _aug_pe("openreview"),
    "pubmed": _aug_pe("pubmed"),
    "mnist-5k": Source(
        form="mnist-5k",
        load=_load_mnist,
        images=True,
        knows_users=False,
        title="5,000 handwritten digits of MNIST (LeCun et al. 1998), 500 of each, which are public and stand in for a "
        "private corpus",
        public_text=True,
    ),
    "sklearn": Source(
        form="sklearn:NAME",
        load=_load_public_table,
        glance=_check_table,
        knows_users=False,
        title="a small table that comes with scikit-learn, which is public and stands in for a private one",
        public_text=True,
    ),
    "images": Source(form="images:PATH", load=_load_images, glance=_check_images, images=True),
    "camelyon17": _studied_images("camelyon17"),
    "cat-cookie-doudou": _studied_images("cat-cookie-doudou"),
    "digiface1m": _studied_images("digiface1m"),
    "hub-images": Source(
        form="hub-images:OWNER/NAME[:CONFIG][:SPLIT]",
        load=_load_hub_images,
        images=True,
        corpus_name=lambda argument: argument.partition(":")[0].lower(),  # as of hub
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


def glance(source: str, columns: Columns = None, label_domain: Domain | None = None) -> Record | None:
    """Refuse what can be refused before a source is read: its form, its columns, a file that is not there.

    Args:
        source: as a parameter writes it.
        columns: as in `load`.
        label_domain: as in `load`.

    Returns:
        the first record as `load` reads it, where the source is a file of the user's own; else None.
    """
    request = _request(source, columns, label_domain)
    check = SOURCES[request.kind].glance
    return None if check is None else check(request)


def load(
    source: str,
    *,
    columns: Columns = None,
    label_domain: Domain | None = None,
    share: float = 1.0,
    unit: str = "record",
    seed: int = 0,
    root: Path = DATA,
) -> Corpus:
    """Read a source, or a part of it.

    Args:
        source: as a parameter writes it: ``amazon-snippets``, ``csv:reviews.csv``.
        columns: field of a record -> column, for the sources whose columns are the user's own:
            ``{"text": "Review", "labels.rating": "Stars", "user": "Author"}``.
        label_domain: the declared values of each label; a value that is spelled in another way (1.0, where "1" is
            declared) is read as the declared one (`lib.data.records.fit_labels`).
        share: the probability that a record is read, in (0, 1], drawn by a hash of ``seed`` and the record alone; 1
            reads all. With ``unit`` user the hash is of the user, whose records are read all or not at all.
        unit: ``record`` or ``user``, the unit of the guarantee.
        seed: fixes the draw.
        root: the data folder, where fetched files are kept.

    Raises:
        DoppelError: for everything that cannot be read, with file and line where there is one.
    """
    request = _request(source, columns, label_domain, share, unit, seed, root)
    if not 0 < share <= 1:
        raise DoppelError(
            "data.out_of_range",
            f"share is {share}, it must be above 0 and at most 1",
            name="share",
            value=share,
            remedy="leave it out to read every record",
        )
    return SOURCES[request.kind].load(request)


def _request(
    source: str,
    columns: Columns,
    label_domain: Domain | None,
    share: float = 1.0,
    unit: str = "record",
    seed: int = 0,
    root: Path = DATA,
) -> SourceRequest:
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
    check_fields(columns)
    default = None if entry.default_path is None else root / entry.default_path
    return SourceRequest(kind, argument, columns, share, unit, seed, label_domain or {}, root, default)
