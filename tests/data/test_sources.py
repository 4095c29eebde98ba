"""Sources: every loader on small files in its published layout, and every way in which a file can be wrong."""

import csv
import gzip
import json
import random
from pathlib import Path

import datasets
import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.common.errors import DoppelError
from lib.common.paths import ROOT
from lib.data.records import Record, from_json
from lib.data.sources import SOURCES, amazon_reviews, load, parse
from lib.data.sources.sentiment_snippets import sentiment

SECRET = "the marked private words"
MAPPING = {"text": "Review", "labels.rating": "Stars", "user": "Author", "id": "Key"}
ROWS = [
    {"Key": "a", "Author": "ann", "Stars": 4.0, "Review": f"{SECRET}, on\ntwo lines", "Other": 1},
    {"Key": "b", "Author": "bob", "Stars": 5.0, "Review": 'it says "good"', "Other": 2},
]
YELP = ROOT / "../shared/data/yelp/dev.csv"


def as_dicts(records: list[Record]) -> list[dict]:
    return [record.as_json() for record in records]


def write_csv(path: Path, rows: list[dict]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def write_jsonl(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_parquet(path: Path, rows: list[dict]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


WRITERS = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}


def refusal(source: str, **settings) -> str:
    """The words of the refusal; private text must not be among them."""
    with pytest.raises(DoppelError) as error:
        load(source, **settings)
    assert SECRET not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_table_with_a_mapping(kind, tmp_path):
    path = WRITERS[kind](tmp_path / f"mine.{kind}", ROWS)
    corpus = load(f"{kind}:{path}", columns=MAPPING)
    assert as_dicts(corpus.records) == [
        {"id": "a", "text": ROWS[0]["Review"], "labels": {"rating": "4"}, "user": "ann"},
        {"id": "b", "text": ROWS[1]["Review"], "labels": {"rating": "5"}, "user": "bob"},
    ]
    assert corpus.catalogue == [] and corpus.note == f"2 of 2 records of mine.{kind}"
    assert SECRET not in repr(corpus)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_table_without_a_mapping_is_read_by_the_names_of_the_fields(kind, tmp_path):
    rows = [{"text": "one", "user": 7.0, "stars": 4}, {"text": "two", "user": None, "stars": 4}]
    corpus = load(f"{kind}:{WRITERS[kind](tmp_path / 'x', rows)}")
    assert as_dicts(corpus.records) == [
        {"id": "1", "text": "one", "labels": {}, "user": "7"},
        {"id": "2", "text": "two", "labels": {}},
    ]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_missing_column_names_those_found_and_the_nearest(kind, tmp_path):
    path = WRITERS[kind](tmp_path / "x", ROWS)
    said = refusal(f"{kind}:{path}", columns=MAPPING | {"labels.rating": "Star"})
    assert "no column 'Star' for labels.rating" in said and "did you mean Stars?" in said and "Author" in said
    assert "no column 'text' for text" in refusal(f"{kind}:{path}")


@pytest.mark.parametrize("kind", WRITERS)
def test_ids_must_differ_and_be_there(kind, tmp_path):
    rows = [ROWS[0], ROWS[1] | {"Key": "a"}]
    assert "ids must differ" in refusal(f"{kind}:{WRITERS[kind](tmp_path / 'x', rows)}", columns=MAPPING)
    rows = [ROWS[0], ROWS[1] | {"Key": None}]
    assert "no id" in refusal(f"{kind}:{WRITERS[kind](tmp_path / 'x', rows)}", columns=MAPPING)


@pytest.mark.parametrize("kind", WRITERS)
def test_an_enormous_text_is_refused_and_an_empty_one_is_read(kind, tmp_path):
    rows = [{"text": "", "n": 1}, {"text": None, "n": 2}, {"text": "x" * 900_000, "n": 3}]
    corpus = load(f"{kind}:{WRITERS[kind](tmp_path / 'x', rows)}")
    assert [len(record.text) for record in corpus.records] == [0, 0, 900_000]
    said = refusal(f"{kind}:{WRITERS[kind](tmp_path / 'x', [{'text': 'x' * 1_000_001, 'n': 1}])}")
    assert "1000000" in said or "1,000,000" in said


def test_an_empty_label_is_left_out_so_that_the_domain_check_finds_it(tmp_path):
    path = write_csv(tmp_path / "x.csv", [{"text": "one", "stars": " "}, {"text": "two", "stars": "3.0"}])
    assert [r.labels for r in load(f"csv:{path}", columns={"labels.stars": "stars"}).records] == [{}, {"stars": "3"}]


def test_a_field_that_no_record_has(tmp_path):
    path = write_csv(tmp_path / "x.csv", ROWS)
    assert "did you mean text?" in refusal(f"csv:{path}", columns={"txt": "Review"})
    assert "'labels.'" in refusal(f"csv:{path}", columns={"labels.": "Stars"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f'text,stars\none,1\n"two\nlines",2\n{SECRET},3,4\n', "line 5: 3 cells, the header has 2"),
        (f'text,stars\none,1\n"{SECRET}" x,2\n', "line 3: not CSV"),
        (f'text,stars\none,1\n"{SECRET},2\nnever closed,3\n', "line 3: not CSV"),
        (f"text,stars\none,1\n\n{SECRET} caf\u00e9,2\n".encode("latin-1"), "line 4: not UTF-8 at byte 28"),
        ("text,text\none,1\n", "2 columns are called 'text'"),
        ("", "no column 'text'"),
        ("text\n", "holds no record"),
    ],
)
def test_a_malformed_csv_is_named_by_line(content, said, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert said in refusal(f"csv:{path}")


def test_a_csv_with_a_byte_order_mark(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbftext\none\n")
    assert as_dicts(load(f"csv:{tmp_path / 'x.csv'}").records) == [{"id": "1", "text": "one", "labels": {}}]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f'{{"text": "{SECRET}"', "line 3: not JSON"),
        (f'["{SECRET}"]', "line 3: a line holds one object, not list"),
        ('{"stars": 1}', "line 3: no 'text'"),
        ('{"text": 3, "stars": 1}', "line 3: 'text' must be str, found int"),
        ('{"text": "x", "stars": [1]}', "line 3: labels.stars holds a list"),
        (b'{"text": "caf\xe9", "stars": 1}', "line 3: not UTF-8 at byte 13"),
    ],
)
def test_a_malformed_jsonl_is_named_by_line(line, said, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"text": "one", "stars": 1}\n\n' + (line if isinstance(line, bytes) else line.encode()) + b"\n")
    assert said in refusal(f"jsonl:{path}", columns={"text": "text", "labels.stars": "stars"})


def test_a_jsonl_of_records_needs_no_mapping(tmp_path):
    rows = [
        {"id": "r1", "text": "one", "labels": {"stars": "1"}, "user": "u"},
        {"id": "r2", "text": "two", "labels": {}},
    ]
    path = write_jsonl(tmp_path / "x.jsonl", rows)
    assert as_dicts(load(f"jsonl:{path}").records) == rows
    write_jsonl(path, [rows[0], rows[1] | {"labels": {"stars": 1}}])
    assert "line 2: every label value must be a string" in refusal(f"jsonl:{path}")


def test_a_broken_parquet(tmp_path):
    path = write_parquet(tmp_path / "x.parquet", ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    assert "not a whole Parquet file" in refusal(f"parquet:{path}")


def test_a_path_is_taken_from_the_project_root(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert f"{ROOT}/no/such.csv: no such file" in refusal("csv:no/such.csv")


@pytest.mark.parametrize("kind", WRITERS)
def test_a_limit_draws_the_same_records_from_any_order(kind, tmp_path):
    rows = [{"id": f"r{i}", "text": f"text {i}"} for i in range(200)]
    drawn = []
    for order in range(2):
        random.Random(order).shuffle(rows)
        path = WRITERS[kind](tmp_path / "x", rows)
        drawn.append([record.id for record in load(f"{kind}:{path}", limit=20, seed=1).records])
    assert drawn[0] == drawn[1] and len(set(drawn[0])) == 20
    assert {record.id for record in load(f"{kind}:{path}", limit=20, seed=2).records} != set(drawn[0])
    assert load(f"{kind}:{path}", limit=20).note == "20 of 200 records of x"


def test_amazon_snippets():
    corpus = load("amazon-snippets")
    assert len(corpus.records) == 3708 and len({record.user for record in corpus.records}) == 300
    by_id = {record.id: record for record in corpus.records}
    assert by_id["1_15"].as_json() == {
        "id": "1_15",
        "text": "by pressing p/n, you should be able to get a good picture on the screen.",
        "labels": {"sentiment": "positive"},
        "user": "1",
    }
    assert by_id["1_1"].labels == {"sentiment": "negative"} and by_id["1_3"].labels == {"sentiment": "neutral"}


def test_movie_snippets():
    corpus = load("movie-snippets")
    assert len(corpus.records) == 10605 and {record.user for record in corpus.records} == {None}
    texts = "".join(record.text.reveal() for record in corpus.records)
    assert "Touché!" in texts and "Ã" not in texts and "\r" not in texts


def test_sentiment_at_its_bounds():
    assert [sentiment(rating) for rating in (-4, -0.51, -0.5, 0, 0.5, 0.51, 4)] == [
        *["negative"] * 2,
        *["neutral"] * 3,
        *["positive"] * 2,
    ]


@pytest.fixture
def hub(monkeypatch) -> dict:
    """The hub, replaced by one dataset in memory."""
    kinds = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["bad", "good"]),
            "n": datasets.Value("int32"),
        }
    )
    rows = {"text": ["one", "two", "three"], "label": [0, 1, -1], "n": [1, 2, 3]}
    held = {"data": datasets.Dataset.from_dict(rows, features=kinds)}

    def load_dataset(name, config, *, split, streaming):
        held["asked"] = (name, config, split, streaming)
        if "error" in held:
            raise held["error"]
        return held["data"].to_iterable_dataset() if streaming else held["data"]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return held


def test_a_hub_dataset(hub):
    corpus = load("hub:some/reviews", columns={"labels.verdict": "label"})
    assert hub["asked"] == ("some/reviews", None, "train", False)
    assert as_dicts(corpus.records) == [
        {"id": "1", "text": "one", "labels": {"verdict": "bad"}},
        {"id": "2", "text": "two", "labels": {"verdict": "good"}},
        {"id": "3", "text": "three", "labels": {}},
    ]
    load("hub:some/reviews:small:dev")
    assert hub["asked"] == ("some/reviews", "small", "dev", False)
    load("hub:some/reviews::dev")
    assert hub["asked"] == ("some/reviews", None, "dev", False)


def test_a_limited_hub_dataset_is_streamed(hub):
    assert len(load("hub:some/reviews", limit=2).records) == 2
    assert hub["asked"][-1] is True


def test_a_hub_dataset_that_cannot_be_read(hub):
    assert "no column 'Review' for text" in refusal("hub:some/reviews", columns={"text": "Review"})
    hub["error"] = ConnectionError(f"no https://index.example {SECRET}")
    said = refusal("hub:some/reviews")
    assert "ConnectionError" in said and "network" in said and "csv:PATH" in said and "index.example" not in said


def review(number: int, product: str, **other) -> dict:
    """A line of the reviews of Amazon Reviews 2023."""
    line = {"rating": 5.0, "title": f"Title {number}", "text": f"Text {number}", "images": [], "asin": f"v{product}"}
    line |= {"parent_asin": product, "user_id": f"U{number % 3}", "timestamp": 1_600_000_000_000 + number}
    return line | {"helpful_vote": 0, "verified_purchase": True} | other


def product(name: str, **other) -> dict:
    """A line of its metadata."""
    line = {"main_category": "Gifts", "title": f"Product {name}", "average_rating": 4.5, "rating_number": 3}
    line |= {"features": [], "description": ["long"], "price": None, "images": [], "videos": [], "store": None}
    return (
        line
        | {"categories": ["Gifts", "Cards"], "details": {"a": "b"}, "parent_asin": name, "bought_together": None}
        | other
    )


def write_amazon(root: Path, reviews: list[dict], products: list[dict]) -> None:
    write_jsonl(root / "raw/amazon-2023/Gift_Cards.jsonl", reviews)
    write_jsonl(root / "raw/amazon-2023/meta_Gift_Cards.jsonl", products)


def test_amazon_reviews_are_joined_to_their_products(tmp_path):
    reviews = [
        review(0, "A", rating=4.0, text="Good<br />for &#34;gifts&#34;[[VIDEOID:abc]]"),
        review(1, "B"),
        review(2, "no such product"),
        review(3, "C"),
        review(4, "D"),
        review(1, "B"),
        review(5, "E", title=""),
    ]
    products = [
        product("A", title="Long " * 40),
        product("B", categories=[]),
        product("C", title="  "),
        product("D", categories=[], main_category=None),
        product("E"),
        product("E"),
        product("never reviewed"),
    ]
    write_amazon(tmp_path, reviews, products)
    corpus = load("amazon-2023:Gift_Cards", root=tmp_path)
    found = {record["text"]: record for record in as_dicts(corpus.records)}
    assert {text: (record["labels"], record["user"]) for text, record in found.items()} == {
        'Title 0\nGood\nfor "gifts"': ({"rating": "4", "product": ("Long " * 20).strip(), "category": "Cards"}, "U0"),
        "Title 1\nText 1": ({"rating": "5", "product": "Product B", "category": "Gifts"}, "U1"),
        "Text 5": ({"rating": "5", "product": "Product E", "category": "Cards"}, "U2"),
    }
    assert "3 of 7 reviews; 3 have no product title or category" in corpus.note
    assert sorted(row["product"] for row in corpus.catalogue) == [
        ("Long " * 20).strip(),
        "Product B",
        "Product E",
        "Product never reviewed",
    ]
    assert all(set(row) == {"product", "category"} for row in corpus.catalogue)


def test_the_amazon_catalogue_does_not_depend_on_the_reviews(tmp_path, monkeypatch):
    monkeypatch.setattr(amazon_reviews, "MAX_CATALOGUE", 5)
    products = [product(str(i)) for i in range(30)]
    write_amazon(tmp_path / "a", [review(0, "0")], products)
    write_amazon(tmp_path / "b", [review(i, str(i)) for i in range(30)], products[::-1])
    catalogues = [load("amazon-2023:Gift_Cards", root=tmp_path / side).catalogue for side in "ab"]
    assert catalogues[0] == catalogues[1] and len(catalogues[0]) == 5


def test_an_amazon_draw_does_not_depend_on_order_or_packing(tmp_path):
    reviews = [review(i, str(i % 7)) for i in range(300)]
    products = [product(str(i)) for i in range(7)]
    write_amazon(tmp_path / "a", reviews, products)
    first = load("amazon-2023:Gift_Cards", root=tmp_path / "a", limit=40, seed=3)
    random.Random(0).shuffle(reviews)
    write_amazon(tmp_path / "b", reviews, products)
    for path in (tmp_path / "b/raw/amazon-2023").iterdir():
        path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    second = load("amazon-2023:Gift_Cards", root=tmp_path / "b", limit=40, seed=3)
    assert as_dicts(first.records) == as_dicts(second.records) and len(first.records) == 40
    other = load("amazon-2023:Gift_Cards", root=tmp_path / "a", limit=40, seed=4)
    assert {record.id for record in other.records} != {record.id for record in first.records}
    everything = [load("amazon-2023:Gift_Cards", root=tmp_path / side) for side in "ab"]
    assert as_dicts(everything[0].records) == as_dicts(everything[1].records)
    assert everything[0].note.startswith("300 of 300 reviews; 0 have")


def test_an_amazon_draw_reads_little_more_than_it_keeps(tmp_path, monkeypatch):
    write_amazon(tmp_path, [review(i, "A") for i in range(1000)], [product("A")])
    read = []
    monkeypatch.setattr(amazon_reviews, "from_json", lambda line, where: read.append(where) or from_json(line, where))
    assert len(load("amazon-2023:Gift_Cards", root=tmp_path, limit=100).records) == 100
    assert 100 <= len(read) <= 260  # the bound lets 180 through on average, with a deviation of 12


def test_the_amazon_join_is_bounded_in_memory_and_spills_to_the_data_folder(tmp_path):
    with amazon_reviews.connect(tmp_path) as db:
        bound, spill = db.execute(
            "SELECT current_setting('memory_limit'), current_setting('temp_directory')"
        ).fetchone()
    assert bound == "1.8 GiB" and spill == str(tmp_path)


def test_amazon_without_a_limit_refuses_what_would_not_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(amazon_reviews, "MAX_UNDRAWN", 3)
    write_amazon(tmp_path, [review(i, "A") for i in range(4)], [product("A")])
    assert "has 4 reviews, at most 3" in refusal("amazon-2023:Gift_Cards", root=tmp_path)
    assert len(load("amazon-2023:Gift_Cards", root=tmp_path, limit=2).records) == 2


@pytest.mark.parametrize("broken", ["Gift_Cards.jsonl", "meta_Gift_Cards.jsonl"])
def test_a_malformed_amazon_line_is_named(broken, tmp_path):
    write_amazon(tmp_path, [review(i, "A") for i in range(3)], [product("A"), product("B"), product("C")])
    path = tmp_path / "raw/amazon-2023" / broken
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], f'{{"text": "{SECRET}"', lines[2]]))
    assert f"{path}, line 2: not JSON" in refusal("amazon-2023:Gift_Cards", root=tmp_path)


@pytest.mark.parametrize("broken", ["Gift_Cards.jsonl", "meta_Gift_Cards.jsonl"])
def test_a_fetch_of_amazon_that_was_cut_off_is_named(broken, tmp_path):
    write_amazon(tmp_path, [review(i, "A") for i in range(300)], [product(str(i)) for i in range(300)])
    path = tmp_path / "raw/amazon-2023" / broken
    packed = gzip.compress(path.read_bytes())
    path.unlink()
    path.with_suffix(".jsonl.gz").write_bytes(packed[: len(packed) // 2])
    assert f"{path}.gz: packed, and cut off after line" in refusal("amazon-2023:Gift_Cards", root=tmp_path)


def test_amazon_files_that_do_not_fit_each_other(tmp_path):
    write_amazon(tmp_path, [review(0, "A")], [product("B")])
    assert "none of its 1 reviews has a product" in refusal("amazon-2023:Gift_Cards", root=tmp_path)
    write_amazon(tmp_path, [review(0, "A")], [product("A", categories={"x": "y"})])
    assert "layout" in refusal("amazon-2023:Gift_Cards", root=tmp_path)


def test_amazon_without_files_asks_the_hub_and_says_what_to_put_where(tmp_path, monkeypatch):
    fetched = []

    def download(repository, name, repo_type):
        fetched.append(name)
        if name.startswith("raw/meta"):
            raise ConnectionError("no https://index.example")
        return str(tmp_path / "review.jsonl")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    said = refusal("amazon-2023:Gift_Cards", root=tmp_path)
    assert fetched == ["raw/review_categories/Gift_Cards.jsonl", "raw/meta_categories/meta_Gift_Cards.jsonl"]
    assert f"meta_Gift_Cards.jsonl is not in {tmp_path / 'raw/amazon-2023'}" in said and "ConnectionError" in said
    assert "index.example" not in said
    assert "did you mean Gift_Cards?" in refusal("amazon-2023:Gift_Card", root=tmp_path)


AUG_PE = {
    "yelp": ("Business Category: Hotels & Travel", "Review Stars: 5.0", {"category": "Hotels & Travel", "stars": "5"}),
    "openreview": (
        "Area: Theory (eg, control theory, learning theory)",
        "Recommendation: 8: accept, good paper",
        {"area": "Theory (eg, control theory, learning theory)", "recommendation": "8: accept, good paper"},
    ),
}


@pytest.mark.parametrize("kind", AUG_PE)
def test_the_layouts_of_aug_pe(kind, tmp_path):
    first, second, labels = AUG_PE[kind]
    (tmp_path / "raw" / kind).mkdir(parents=True)
    rows = [{"text": 'I said "yes",\nthen no', "label1": first, "label2": second}]
    path = write_csv(tmp_path / "raw" / kind / "train.csv", rows)
    wanted = [{"id": "1", "text": rows[0]["text"], "labels": labels}]
    assert as_dicts(load(kind, root=tmp_path).records) == wanted
    assert as_dicts(load(f"{kind}:{path}").records) == wanted
    write_csv(path, [*rows, {"text": SECRET, "label1": "other", "label2": second}])
    assert "line 4: label1 must begin with" in refusal(kind, root=tmp_path)


def test_pubmed_has_text_alone(tmp_path):
    path = write_csv(tmp_path / "x.csv", [{"text": "An abstract.", "other": 1}])
    assert as_dicts(load(f"pubmed:{path}").records) == [{"id": "1", "text": "An abstract.", "labels": {}}]


def test_aug_pe_without_a_file_says_where_to_put_it(tmp_path):
    assert f"{tmp_path}/raw/yelp/train.csv is not there" in refusal("yelp", root=tmp_path)


@pytest.mark.skipif(not YELP.is_file(), reason="the real Yelp sample is not at hand")
def test_the_real_yelp_sample():
    corpus = load("yelp:../shared/data/yelp/dev.csv")
    assert len(corpus.records) == 5000
    assert {record.labels["stars"] for record in corpus.records} == set("12345")
    assert len({record.labels["category"] for record in corpus.records}) == 10
    assert corpus.records[0].text.reveal().startswith("I am very bias when it comes to this Iron Hill location.")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("amazon-snipets", "did you mean amazon-snippets?"),
        ("csv", "must be written as csv:PATH"),
        ("csv:", "must be written as csv:PATH"),
        ("hub", "must be written as hub:OWNER/NAME"),
        ("movie-snippets:x", "must be written as movie-snippets"),
    ],
)
def test_a_source_that_does_not_exist(source, said):
    assert said in refusal(source)
    with pytest.raises(DoppelError):
        parse(source)


def test_settings_that_a_source_does_not_take():
    assert "columns are for csv, hub, jsonl, parquet" in refusal("amazon-snippets", columns={"text": "x"})
    assert "limit is 0" in refusal("amazon-snippets", limit=0)


def test_the_kinds_of_sources():
    kinds = {"amazon-snippets", "movie-snippets", "csv", "jsonl", "parquet", "hub", "amazon-2023"}
    assert {*SOURCES} == kinds | {"yelp", "openreview", "pubmed"}
    assert [parse(source) for source in ("yelp", "csv:a:b.csv")] == [("yelp", ""), ("csv", "a:b.csv")]
