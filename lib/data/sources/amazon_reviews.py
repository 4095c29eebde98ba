"""Amazon Reviews 2023 (Hou et al. 2024): reviews joined to the products they are about, out of core."""

import html
import re
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import duckdb

from lib.common import jsonl
from lib.common.errors import DoppelError, nearest
from lib.data.records import Record, fit_labels, from_json
from lib.data.shelf import Shelf
from lib.data.sources.corpus import Corpus, SourceRequest, check_drawn
from lib.data.sources.table_files import clean

REPOSITORY = "McAuley-Lab/Amazon-Reviews-2023"
# fmt: off
CATEGORIES = (
    "All_Beauty", "Amazon_Fashion", "Appliances", "Arts_Crafts_and_Sewing", "Automotive", "Baby_Products",
    "Beauty_and_Personal_Care", "Books", "CDs_and_Vinyl", "Cell_Phones_and_Accessories", "Clothing_Shoes_and_Jewelry",
    "Digital_Music", "Electronics", "Gift_Cards", "Grocery_and_Gourmet_Food", "Handmade_Products",
    "Health_and_Household", "Health_and_Personal_Care", "Home_and_Kitchen", "Industrial_and_Scientific",
    "Kindle_Store", "Magazine_Subscriptions", "Movies_and_TV", "Musical_Instruments", "Office_Products",
    "Patio_Lawn_and_Garden", "Pet_Supplies", "Software", "Sports_and_Outdoors", "Subscription_Boxes",
    "Tools_and_Home_Improvement", "Toys_and_Games", "Unknown", "Video_Games",
)
# fmt: on

MEMORY = "2GB"  # for DuckDB; what does not fit spills to the data folder
MAX_CATALOGUE = 10_000  # products; enough to draw prompts from
MAX_TITLE = 100  # characters of a product title; the rest repeats search terms

FIELDS = {  # the reader skips every other field
    "reviews": "{rating: 'VARCHAR', title: 'VARCHAR', text: 'VARCHAR', asin: 'VARCHAR', parent_asin: 'VARCHAR', "
    "user_id: 'VARCHAR', timestamp: 'VARCHAR'}",
    "meta": "{main_category: 'VARCHAR', title: 'VARCHAR', categories: 'VARCHAR[]', parent_asin: 'VARCHAR'}",
}
# One row for each product, whatever the order of the file; products without title or category fit no prompt.
PRODUCTS = """
CREATE TEMP TABLE products AS
SELECT parent_asin, min(product) AS product, min_by(category, product) AS category FROM (
    SELECT parent_asin, trim(left(trim(title), {title})) AS product,
           coalesce(nullif(trim(categories[-1]), ''), nullif(trim(main_category), '')) AS category
    FROM {meta}
) WHERE product != '' AND category IS NOT NULL GROUP BY parent_asin
"""
CATALOGUE = """
SELECT product, category FROM (SELECT DISTINCT product, category FROM products)
ORDER BY md5(concat_ws(chr(31), $seed, product, category)) LIMIT $rows
"""
COUNTS = "SELECT count(*), count(p.parent_asin) FROM {reviews} LEFT JOIN products p USING (parent_asin)"
# A review has no id, so a hash of all its fields serves as one: reviews that differ in any are two. The draw compares a
# hash of this id, or of the user, with a threshold, as `lib.data.sources.corpus.draw` does; here it needs no memory.
REVIEWS = """
SELECT * FROM (
    SELECT md5(json_array(user_id, r.asin, parent_asin, timestamp, r.rating, r.title, r.text)::VARCHAR) AS id,
           r.rating, r.title, r.text, p.product, p.category, r.user_id
    FROM {reviews} r JOIN products p USING (parent_asin)
) WHERE md5_number_upper($seed || CASE $unit WHEN 'user' THEN coalesce(user_id, id) ELSE id END) <= $bound
ORDER BY id
"""


def load_amazon(request: SourceRequest) -> Corpus:
    """Load one category, with the labels ``rating`` ('1' to '5'), ``product`` (its title) and ``category``.

    The text is the review's title, a line break, and the review. A review that occurs twice is one record. Reviews of
    products without metadata are dropped and counted. The catalogue comes from the metadata alone, never from the
    reviews.

    Files are taken from ``data/raw/amazon-2023/CATEGORY.jsonl`` and ``meta_CATEGORY.jsonl`` (or ``.gz``) where they are
    there, else fetched from the hub. DuckDB reads, joins and sorts within `MEMORY`, whatever the size of the files.

    Args:
        request: its ``argument`` is one of `CATEGORIES`.

    Raises:
        DoppelError: for an unknown category, and files that are missing, damaged or of another layout.
    """
    if request.argument not in CATEGORIES:
        raise DoppelError(
            "data.unknown_category",
            f"amazon-2023: unknown category {request.argument!r}",
            name="source",
            value=request.argument,
            remedy=nearest(request.argument, CATEGORIES),
        )
    reviews = _file(request, "review", f"{request.argument}.jsonl")
    meta = _file(request, "meta", f"meta_{request.argument}.jsonl")
    request.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=request.root, prefix=".duckdb.") as spill, connect(Path(spill)) as db:
        try:
            return _join(db, request, reviews, meta)
        except duckdb.Error as error:
            error_type = type(error).__name__
    raise _unreadable(error_type, reviews, meta)  # out here, where DuckDB's words are nobody's context


def connect(spill: Path) -> duckdb.DuckDBPyConnection:
    """Open a database in memory, bounded by `MEMORY`, that spills to the folder ``spill``."""
    settings = {"memory_limit": MEMORY, "temp_directory": str(spill), "preserve_insertion_order": False}
    db = duckdb.connect(config=settings)
    db.execute("SET enable_progress_bar = false")
    return db


def _join(db: duckdb.DuckDBPyConnection, request: SourceRequest, reviews: Path, meta: Path) -> Corpus:
    db.execute(PRODUCTS.format(meta=_table(meta, "meta"), title=MAX_TITLE))
    pairs = db.execute(CATALOGUE, {"seed": str(request.seed), "rows": MAX_CATALOGUE}).fetchall()
    total, joined = db.execute(COUNTS.format(reviews=_table(reviews, "reviews"))).fetchone()
    if not joined:
        raise DoppelError(
            "data.no_product",
            f"none of its {total:,} reviews has a product with title and category in {meta.name}",
            name="source",
            value=f"amazon-2023:{request.argument}",
            remedy=f"put two files of the same category there, as {REPOSITORY} publishes them",
            where=str(reviews),
        )
    rows = db.execute(
        REVIEWS.format(reviews=_table(reviews, "reviews")),
        {"seed": str(request.seed), "unit": request.unit, "bound": int(request.share * 2**64) - 1},
    )
    unique = (next(same) for _, same in groupby(_records(rows, reviews), key=lambda record: record.id))
    records = Shelf(fit_labels(unique, request.label_domain))
    check_drawn(len(records), joined, request)
    note = f"{len(records):,} of {total:,} reviews; {total - joined:,} have no product title or category in {meta.name}"
    catalogue = [{"product": product, "category": category} for product, category in pairs]
    return Corpus(records, catalogue, f"amazon-2023:{request.argument}", note, (reviews, meta))


def _records(drawn: duckdb.DuckDBPyConnection, path: Path) -> Iterator[Record]:
    while rows := drawn.fetchmany(10_000):
        for name, rating, title, text, product, category, user in rows:
            where = f"{path}, review {name}"
            labels = {"rating": clean(rating, "rating", where), "product": product, "category": category}
            labels = {label: value for label, value in labels.items() if value is not None}
            whole = "\n".join(filter(None, (_plain(title), _plain(text))))
            yield from_json({"id": name, "text": whole, "labels": labels, "user": user}, where)


def _plain(text: str | None) -> str:
    """Remove what the shop's pages left in a text: line breaks as tags, HTML entities, references to videos."""
    text = re.sub(r"\[\[VIDEOID:[^\]]*\]\]", "", text or "")
    return html.unescape(re.sub(r"<br\s*/?>", "\n", text)).strip()


def _table(path: Path, content: str) -> str:
    name = str(path).replace("'", "''")
    return f"read_json('{name}', format = 'newline_delimited', columns = {FIELDS[content]})"


def _file(request: SourceRequest, content: str, name: str) -> Path:
    """The file that was put there by hand, packed or not, else the one from the hub."""
    folder = request.root / "raw" / "amazon-2023"
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    import huggingface_hub  # only where a file is missing

    remote = f"raw/{content}_categories/{name}"
    try:
        return Path(huggingface_hub.hf_hub_download(REPOSITORY, remote, repo_type="dataset"))
    except Exception as error:  # no network, no such file, no space: its type is all that a reader needs
        raise DoppelError(
            "data.file_not_fetched",
            f"{name} is not in {folder} and cannot be fetched from the hub ({type(error).__name__})",
            name=name,
            remedy=f"put {remote} of the dataset {REPOSITORY} there by hand, as {name} or {name}.gz",
        ) from None


def _unreadable(error_type: str, *paths: Path) -> DoppelError:
    """The refusal for an error of DuckDB. Its message may quote a line, so a malformed line is looked for here."""
    for path in paths:
        for _ in jsonl.read(path):
            pass
    return DoppelError(
        "data.amazon_unreadable",
        f"amazon-2023: {' or '.join(str(p) for p in paths)} cannot be read ({error_type})",
        name="source",
        remedy=f"expected are the layout of {REPOSITORY} and free space on the disk of {paths[0].anchor}",
    )
