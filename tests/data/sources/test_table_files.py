"""Files of the user's own: mapped, malformed in every way, and drawn from whatever their order."""

import random
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from support.source_files import SECRET, WRITERS, as_dicts, refusal, write_csv, write_jsonl, write_parquet

from lib.common.paths import ROOT
from lib.data.sources import glance, load

MAPPING = {"text": "Review", "labels.rating": "Stars", "user": "Author", "id": "Key"}
ROWS = [
    {"Key": "a", "Author": "ann", "Stars": 4.0, "Review": f"{SECRET}, on\ntwo lines", "Other": 1},
    {"Key": "b", "Author": "bob", "Stars": 5.0, "Review": 'it says "good"', "Other": 2},
]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_table_with_a_mapping(kind: str, tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path / f"mine.{kind}", ROWS)
    corpus = load(f"{kind}:{path}", columns=MAPPING)
    assert as_dicts(corpus.records) == [
        {"id": "a", "text": ROWS[0]["Review"], "labels": {"rating": "4"}, "user": "ann"},
        {"id": "b", "text": ROWS[1]["Review"], "labels": {"rating": "5"}, "user": "bob"},
    ]
    assert corpus.catalogue == [] and corpus.note == f"2 of 2 records of mine.{kind}" and corpus.files == (path,)
    assert SECRET not in repr(corpus)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_table_without_a_mapping_is_read_by_the_names_of_the_fields(kind: str, tmp_path: Path) -> None:
    rows = [{"text": "one", "user": 7.0, "stars": 4}, {"text": "two", "user": None, "stars": 4}]
    corpus = load(f"{kind}:{WRITERS[kind](tmp_path / 'x', rows)}")
    assert as_dicts(corpus.records) == [
        {"id": "1", "text": "one", "labels": {}, "user": "7"},
        {"id": "2", "text": "two", "labels": {}},
    ]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_missing_column_names_those_present_and_the_nearest(kind: str, tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path / "x", ROWS)
    error = refusal("data.column_missing", f"{kind}:{path}", columns=MAPPING | {"labels.rating": "Star"})
    assert (error.name, error.value) == ("labels.rating", "Star")
    assert "Author" in error.sentence and "did you mean Stars?" in error.remedy
    error = refusal("data.column_missing", f"{kind}:{path}")
    assert (error.name, error.value) == ("text", "text") and "did you mean" not in error.remedy
    assert ("Author" in error.sentence) == (kind != "csv")  # whose first line may be a record


@pytest.mark.parametrize("kind", WRITERS)
def test_ids_must_differ_and_be_there(kind: str, tmp_path: Path) -> None:
    rows = [ROWS[0], ROWS[1] | {"Key": "a"}]
    refusal("data.duplicate_id", f"{kind}:{WRITERS[kind](tmp_path / 'x', rows)}", columns=MAPPING)
    rows = [ROWS[0], ROWS[1] | {"Key": None}]
    refusal("data.id_missing", f"{kind}:{WRITERS[kind](tmp_path / 'x', rows)}", columns=MAPPING)


@pytest.mark.parametrize("kind", WRITERS)
def test_an_enormous_text_is_refused_and_an_empty_one_is_read(kind: str, tmp_path: Path) -> None:
    rows = [{"text": "", "n": 1}, {"text": None, "n": 2}, {"text": "x" * 900_000, "n": 3}]
    corpus = load(f"{kind}:{WRITERS[kind](tmp_path / 'x', rows)}")
    assert [len(record.text) for record in corpus.records] == [0, 0, 900_000]
    path = WRITERS[kind](tmp_path / "x", [{"text": "x" * 1_000_001, "n": 1}])
    refusal("data.text_too_long", f"{kind}:{path}")


@pytest.mark.parametrize("kind", WRITERS)
def test_a_cell_of_any_length_may_stand_in_a_column_that_is_not_read(kind: str, tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path / "x", [{"text": "one", "page": "x" * 1_000_001}])
    assert as_dicts(load(f"{kind}:{path}").records) == [{"id": "1", "text": "one", "labels": {}}]


def test_an_empty_label_is_left_out_so_that_the_domain_check_finds_it(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", [{"text": "one", "stars": " "}, {"text": "two", "stars": "3.0"}])
    assert [r.labels for r in load(f"csv:{path}", columns={"labels.stars": "stars"}).records] == [{}, {"stars": "3"}]


@pytest.mark.parametrize("field", ["txt", "labels."])
def test_a_field_that_no_record_has(field: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", ROWS)
    error = refusal("data.unknown_field", f"csv:{path}", columns={field: "Review"})
    assert (error.name, error.value) == ("columns", field)
    assert field != "txt" or "did you mean text?" in error.remedy


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (f'text,stars\none,1\n"two\nlines",2\n{SECRET},3,4\n', "data.csv_row_length", 5),
        (f'text,stars\none,1\n"{SECRET}" x,2\n', "data.not_csv", 3),
        (f'text,stars\none,1\n"{SECRET},2\nnever closed,3\n', "data.not_csv", 3),
        (f"text,stars\none,1\n\n{SECRET} caf\u00e9,2\n".encode("latin-1"), "common.not_utf8", 4),
        ("text,text\none,1\n", "data.column_twice", None),
        (f'text,stars\none,1\n"{SECRET} \\"good\\"",2\n', "data.not_csv", 3),  # quotes as in C
        ("", "data.empty_file", None),
        ("text\n", "data.no_record", None),
    ],
)
def test_a_malformed_csv_is_named_by_line(content: str | bytes, code: str, line: int | None, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    error = refusal(code, f"csv:{path}")
    if line is not None:
        assert error.where == f"{path}, line {line}"


def test_what_is_wrong_with_a_row_is_told_in_figures(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("text,stars\none,1,2\n")
    error = refusal("data.csv_row_length", f"csv:{tmp_path / 'x.csv'}")
    assert error.value == 3 and "the header has 2" in error.sentence
    (tmp_path / "x.csv").write_bytes(f"text\n{SECRET} caf\u00e9\n".encode("latin-1"))
    assert "at byte 28" in refusal("common.not_utf8", f"csv:{tmp_path / 'x.csv'}").sentence


@pytest.mark.parametrize("content", ["text\none\n", '\n"text"\r\none\r\n', '\n{"text": "one"}\n', '{"text": "one"}'])
def test_a_file_with_a_byte_order_mark_and_empty_lines(content: str, tmp_path: Path) -> None:
    path, kind = tmp_path / "x", "jsonl" if "{" in content else "csv"
    path.write_bytes(b"\xef\xbb\xbf" + content.encode())
    assert as_dicts(load(f"{kind}:{path}").records) == [{"id": "1", "text": "one", "labels": {}}]
    if kind == "jsonl":
        path.write_bytes(b'\xef\xbb\xbf{"id": "a", "text": "one", "labels": {}}\n')
        assert [record.id for record in load(f"jsonl:{path}").records] == ["a"]


CURLY = "I don\u2019t like it \u2013 20 \u20ac a piece"


@pytest.mark.parametrize("kind", WRITERS)
def test_a_text_that_lost_its_quotes_to_latin_1_is_refused(kind: str, tmp_path: Path) -> None:
    """As pandas makes it of a Windows-1252 file; cleaning would remove the control characters without a word."""
    rows = [{"text": "one"}, {"text": CURLY.encode("cp1252").decode("latin-1")}]
    error = refusal("data.read_as_latin1", f"{kind}:{WRITERS[kind](tmp_path / 'x', rows)}")
    assert error.where == f"{tmp_path / 'x'}, record 2" and "cp1252" in error.remedy
    rows[1]["text"] = CURLY + " caf\u00e9\u00a0\u0085"
    assert load(f"{kind}:{WRITERS[kind](tmp_path / 'x', rows)}").records[1].text.reveal() == rows[1]["text"]


@pytest.mark.parametrize(
    ("line", "code", "name", "value"),
    [
        (f'{{"text": "{SECRET}"', "common.not_json", None, None),
        (f'["{SECRET}"]', "common.not_an_object", None, None),
        ('{"stars": 1}', "data.key_missing", "text", None),
        ('{"text": 3, "stars": 1}', "data.field_type", "text", "int"),
        ('{"text": "x", "stars": [1]}', "data.cell_type", "labels.stars", "list"),
        (b'{"text": "caf\xe9", "stars": 1}', "common.not_utf8", None, None),
    ],
)
def test_a_malformed_jsonl_is_named_by_line(
    line: str | bytes, code: str, name: str | None, value: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"text": "one", "stars": 1}\n\n' + (line if isinstance(line, bytes) else line.encode()) + b"\n")
    error = refusal(code, f"jsonl:{path}", columns={"text": "text", "labels.stars": "stars"})
    assert (error.where, error.name, error.value) == (f"{path}, line 3", name, value)


def test_a_jsonl_of_records_needs_no_mapping(tmp_path: Path) -> None:
    rows = [
        {"id": "r1", "text": "one", "labels": {"stars": "1"}, "user": "u"},
        {"id": "r2", "text": "two", "labels": {}},
    ]
    path = write_jsonl(tmp_path / "x.jsonl", rows)
    assert as_dicts(load(f"jsonl:{path}").records) == rows
    write_jsonl(path, [rows[0], rows[1] | {"labels": {"stars": 1}}])
    assert refusal("data.label_type", f"jsonl:{path}").where == f"{path}, line 2"


def test_a_broken_parquet(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "x.parquet", ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    assert refusal("data.not_parquet", f"parquet:{path}").where == str(path)


def as_text(cells: list[bytes]) -> pa.Array:
    """Bytes that are declared to be text, as writers other than Arrow may do."""
    return pc.cast(pa.array(cells), options=pc.CastOptions(pa.string(), allow_invalid_utf8=True))


@pytest.mark.parametrize("field", ["text", "labels.stars"])
def test_parquet_text_that_is_not_utf8(field: str, tmp_path: Path) -> None:
    good = pa.array(["x"] * 1003)
    bad = as_text([b"x"] * 1001 + [f"{SECRET} caf\u00e9".encode("latin-1"), b"x"])
    table = {"text": good, "stars": good} | {field.rpartition(".")[2]: bad}
    pq.write_table(pa.table(table), tmp_path / "x.parquet")
    error = refusal("data.text_not_utf8", f"parquet:{tmp_path / 'x.parquet'}", columns={"labels.stars": "stars"})
    assert error.where == f"{tmp_path / 'x.parquet'}, row 1002" and error.name == field
    assert len(load(f"parquet:{tmp_path / 'x.parquet'}").records) == 1003 if field != "text" else True


def test_a_parquet_time_that_python_cannot_hold(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["x"], "when": pa.array([2**53], pa.timestamp("ms"))}), tmp_path / "x.parquet")
    error = refusal("data.cell_type", f"parquet:{tmp_path / 'x.parquet'}", columns={"labels.when": "when"})
    assert (error.name, error.where) == ("labels.when", f"{tmp_path / 'x.parquet'}, row 1")


@pytest.mark.parametrize("kind", WRITERS)
def test_labels_are_read_as_the_domain_spells_them(kind: str, tmp_path: Path) -> None:
    rows = [
        {"text": "one", "stars": 1.0, "kept": True, "day": "2024-01-31T00:00:00"},
        {"text": "two", "stars": 1.5, "kept": False, "day": "2024-02-01 00:00:00"},
    ]
    domain = {"stars": ["1.0", "1.50"], "kept": ["True", "false"], "day": ["2024-01-31", "2024-02-01"]}
    columns = {f"labels.{name}": name for name in domain}
    corpus = load(f"{kind}:{WRITERS[kind](tmp_path / 'x', rows)}", columns=columns, label_domain=domain)
    made = [dict(zip(domain, values, strict=True)) for values in zip(*domain.values(), strict=True)]
    assert [record.labels for record in corpus.records] == made
    assert glance(f"{kind}:{tmp_path / 'x'}", columns, domain).labels == made[0]


@pytest.mark.parametrize("precision", [pa.float16(), pa.float32()])
def test_labels_of_single_precision_are_spelled_as_they_were_written(precision: pa.DataType, tmp_path: Path) -> None:
    stars = pa.array([1.1, 2.0, None, float("nan")], precision)
    pq.write_table(pa.table({"text": list("abcd"), "stars": stars}), tmp_path / "x.parquet")
    corpus = load(f"parquet:{tmp_path / 'x.parquet'}", columns={"labels.stars": "stars"})
    assert [record.labels for record in corpus.records] == [{"stars": "1.1"}, {"stars": "2"}, {}, {}]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["4", "5"]).dictionary_encode(),  # as pandas writes a categorical column
        pa.array(["4", "5"], pa.large_string()),
        pa.array(["4", "5"], pa.string_view()),
        pa.array([4, 5], pa.uint8()),
        pa.array([Decimal("4.00"), Decimal("5.00")]),
    ],
    ids=lambda column: str(column.type),
)
def test_every_parquet_type_of_text_and_whole_numbers_gives_the_same_labels(column: pa.Array, tmp_path: Path) -> None:
    texts = pa.array(["one", "two"]).cast(column.type) if pa.types.is_large_string(column.type) else ["one", "two"]
    pq.write_table(pa.table({"text": texts, "stars": column}), tmp_path / "x.parquet")
    corpus = load(f"parquet:{tmp_path / 'x.parquet'}", columns={"labels.stars": "stars"})
    assert [record.labels["stars"] for record in corpus.records] == ["4", "5"]


def test_a_parquet_time_of_an_unknown_zone_is_refused_by_row(tmp_path: Path) -> None:
    when = pa.array([0], pa.timestamp("us", tz="Mars/Olympus"))
    pq.write_table(pa.table({"text": ["x"], "when": when}), tmp_path / "x.parquet")
    error = refusal("data.cell_type", f"parquet:{tmp_path / 'x.parquet'}", columns={"labels.when": "when"})
    assert error.where == f"{tmp_path / 'x.parquet'}, row 1"


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("text,stars\rone,1\rtwo,2\r", ["one", "two"]),  # line ends of old Macs
        ('text,stars\r\n"one\r\nmore",1\r\n', ["one\r\nmore"]),
        ("text,stars\none\u2028two\x0bthree,1\n", ["one\u2028two\x0bthree"]),  # line ends to Python, not to CSV
        ("text,stars\none\x00two,1\n", ["one\x00two"]),
        ('text,stars\n"it says ""good""",1\n', ['it says "good"']),
    ],
)
def test_line_ends_and_null_bytes_within_a_csv(content: str, texts: list[str], tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(content.encode())
    assert [record.text.reveal() for record in load(f"csv:{tmp_path / 'x.csv'}").records] == texts


def test_a_bound_on_users_is_not_lost_where_the_first_line_names_none(tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "user": f"u{i % 20}"} for i in range(120)]
    del rows[0]["user"]
    error = refusal("data.key_missing", f"jsonl:{write_jsonl(tmp_path / 'x.jsonl', rows)}")
    assert (error.name, error.where) == ("user", f"{tmp_path / 'x.jsonl'}, line 2")
    write_jsonl(tmp_path / "x.jsonl", [rows[0] | {"user": None}, *rows[1:]])
    assert len({record.user for record in load(f"jsonl:{tmp_path / 'x.jsonl'}").records}) == 21  # and one of no name


def test_a_path_is_taken_from_the_project_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    error = refusal("data.no_file", "csv:no/such.csv")
    assert (error.name, error.value) == ("source", "no/such.csv") and f"{ROOT}/no/such.csv" in error.sentence


@pytest.mark.parametrize("kind", WRITERS)
def test_a_share_draws_the_same_records_from_any_order(kind: str, tmp_path: Path) -> None:
    rows = [{"id": f"r{i}", "text": f"text {i}"} for i in range(200)]
    drawn = []
    for order in range(2):
        random.Random(order).shuffle(rows)
        path = WRITERS[kind](tmp_path / "x", rows)
        drawn.append({record.id for record in load(f"{kind}:{path}", share=0.2, seed=1).records})
    assert drawn[0] == drawn[1] and 20 < len(drawn[0]) < 60
    assert {record.id for record in load(f"{kind}:{path}", share=0.2, seed=2).records} != drawn[0]
    assert load(f"{kind}:{path}", share=0.2, seed=1).note == f"{len(drawn[0])} of 200 records of x"
    assert refusal("data.none_drawn", f"{kind}:{path}", share=1e-9).name == "share"


@pytest.mark.parametrize("kind", WRITERS)
def test_a_share_of_users_is_drawn_whole_whoever_else_is_there(kind: str, tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "user": f"u{i // 3}"} for i in range(240)]
    drawn = []
    for count in (240, 120):
        path = WRITERS[kind](tmp_path / "x", rows[-count:])
        drawn.append(Counter(record.user for record in load(f"{kind}:{path}", share=0.5, unit="user").records))
    assert drawn[1] == {user: n for user, n in drawn[0].items() if int(user[1:]) >= 40}
    assert set(drawn[0].values()) == {3} and 25 < len(drawn[0]) < 55
