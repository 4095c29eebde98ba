"""Amazon Reviews 2023: joined, drawn within bounded memory, and every way in which its files can be wrong."""

import gzip
import random
from collections import Counter
from pathlib import Path

import huggingface_hub
import pytest
from support.source_files import SECRET, as_dicts, refusal, write_jsonl

from lib.data.records import from_json
from lib.data.sources import amazon_reviews, load


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
    first = load("amazon-2023:Gift_Cards", root=tmp_path / "a", share=0.2, seed=3)
    random.Random(0).shuffle(reviews)
    write_amazon(tmp_path / "b", reviews, products)
    for path in (tmp_path / "b/raw/amazon-2023").iterdir():
        path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    second = load("amazon-2023:Gift_Cards", root=tmp_path / "b", share=0.2, seed=3)
    assert as_dicts(first.records) == as_dicts(second.records) and 30 < len(first.records) < 90
    other = load("amazon-2023:Gift_Cards", root=tmp_path / "a", share=0.2, seed=4)
    assert {record.id for record in other.records} != {record.id for record in first.records}
    everything = [load("amazon-2023:Gift_Cards", root=tmp_path / side) for side in "ab"]
    assert as_dicts(everything[0].records) == as_dicts(everything[1].records)
    assert everything[0].note.startswith("300 of 300 reviews; 0 have")


def test_an_amazon_draw_reads_no_more_than_it_keeps(tmp_path, monkeypatch):
    write_amazon(tmp_path, [review(i, "A") for i in range(1000)], [product("A")])
    read = []
    monkeypatch.setattr(amazon_reviews, "from_json", lambda line, where: read.append(where) or from_json(line, where))
    assert len(load("amazon-2023:Gift_Cards", root=tmp_path, share=0.1).records) == len(read)
    assert 50 < len(read) < 150  # 100 on average, with a deviation of 9.5


@pytest.mark.parametrize("unit", ["record", "user"])
def test_an_amazon_draw_looks_at_one_review_or_one_user_alone(unit, tmp_path):
    reviews = [review(i, "A", user_id=f"U{i // 4}") for i in range(400)]
    write_amazon(tmp_path / "all", reviews, [product("A")])
    write_amazon(tmp_path / "half", reviews[200:], [product("A")])
    drawn = [
        as_dicts(load("amazon-2023:Gift_Cards", root=tmp_path / n, share=0.3, unit=unit).records)
        for n in ("all", "half")
    ]
    assert drawn[1] == [row for row in drawn[0] if int(row["user"][1:]) >= 50]
    of_a_user = Counter(row["user"] for row in drawn[0])
    assert 70 < len(drawn[0]) < 170 and (set(of_a_user.values()) == {4}) == (unit == "user")


def test_the_amazon_join_is_bounded_in_memory_and_spills_to_the_data_folder(tmp_path):
    with amazon_reviews.connect(tmp_path) as db:
        bound, spill = db.execute(
            "SELECT current_setting('memory_limit'), current_setting('temp_directory')"
        ).fetchone()
    assert bound == "1.8 GiB" and spill == str(tmp_path)


def test_reviews_that_differ_in_any_field_are_all_kept(tmp_path):
    """If one of two stood for both, a review more could take the place of another."""
    alike = [review(0, "A"), review(0, "A", rating=1.0), review(0, "A", parent_asin="B"), review(0, "A", title=None)]
    write_amazon(
        tmp_path, [*alike, review(0, "A"), review(0, "A", title="Text 0", text=None)], [product("A"), product("B")]
    )
    assert len(load("amazon-2023:Gift_Cards", root=tmp_path).records) == 5


def test_a_share_of_amazon_is_drawn(tmp_path):
    write_amazon(tmp_path, [review(i, "A") for i in range(80)], [product("A")])
    assert 10 < len(load("amazon-2023:Gift_Cards", root=tmp_path, share=0.34).records) < 45
    assert refusal("data.none_drawn", "amazon-2023:Gift_Cards", root=tmp_path, share=1e-6).name == "share"


@pytest.mark.parametrize(("line", "code"), [('{"text": "%s"', "common.not_json"), ('"%s"', "common.not_an_object")])
@pytest.mark.parametrize("broken", ["Gift_Cards.jsonl", "meta_Gift_Cards.jsonl"])
def test_a_malformed_amazon_line_is_named(broken, line, code, tmp_path):
    write_amazon(tmp_path, [review(i, "A") for i in range(3)], [product("A"), product("B"), product("C")])
    path = tmp_path / "raw/amazon-2023" / broken
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], line % SECRET, lines[2]]))
    assert refusal(code, "amazon-2023:Gift_Cards", root=tmp_path).where == f"{path}, line 2"


@pytest.mark.parametrize("broken", ["Gift_Cards.jsonl", "meta_Gift_Cards.jsonl"])
def test_a_fetch_of_amazon_that_was_cut_off_is_named(broken, tmp_path):
    write_amazon(tmp_path, [review(i, "A") for i in range(300)], [product(str(i)) for i in range(300)])
    path = tmp_path / "raw/amazon-2023" / broken
    packed = gzip.compress(path.read_bytes())
    path.unlink()
    path.with_suffix(".jsonl.gz").write_bytes(packed[: len(packed) // 2])
    assert refusal("common.gzip_cut_off", "amazon-2023:Gift_Cards", root=tmp_path).where == f"{path}.gz"


def test_amazon_files_that_do_not_fit_each_other(tmp_path):
    write_amazon(tmp_path, [review(0, "A")], [product("B")])
    error = refusal("data.no_product", "amazon-2023:Gift_Cards", root=tmp_path)
    assert error.where.endswith("/Gift_Cards.jsonl") and "none of its 1 reviews" in error.sentence
    write_amazon(tmp_path, [review(0, "A")], [product("A", categories={"x": SECRET})])
    refusal("data.amazon_unreadable", "amazon-2023:Gift_Cards", root=tmp_path)


def test_amazon_without_files_asks_the_hub_and_says_what_to_put_where(tmp_path, monkeypatch):
    fetched = []

    def download(repository, name, repo_type):
        fetched.append(name)
        if name.startswith("raw/meta"):
            raise ConnectionError("no https://index.example")
        return str(tmp_path / "review.jsonl")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    error = refusal("data.file_not_fetched", "amazon-2023:Gift_Cards", root=tmp_path)
    assert fetched == ["raw/review_categories/Gift_Cards.jsonl", "raw/meta_categories/meta_Gift_Cards.jsonl"]
    assert error.name == "meta_Gift_Cards.jsonl" and "ConnectionError" in error.sentence
    assert str(tmp_path / "raw/amazon-2023") in error.sentence and "index.example" not in str(error)


def test_an_unknown_category_names_the_nearest() -> None:
    error = refusal("data.unknown_category", "amazon-2023:Gift_Card")
    assert error.value == "Gift_Card" and error.remedy == "did you mean Gift_Cards?"
