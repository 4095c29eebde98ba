"""Files in which a private record holds a mark, each with something wrong that reading them must refuse."""

import io
import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

MARK = "Zyxwv0451Quill"  # one word, so that it could pass for a name
DOMAIN = {"stars": ["1", "2"]}
COLUMNS = {"text": "Review", "labels.stars": "Stars", "id": "Key"}
GOOD = {"Key": "a", "Review": "good", "Stars": "1"}


def csv_of(*lines: str | bytes) -> bytes:
    return b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\n"


def jsonl_of(*rows: dict | bytes) -> bytes:
    return csv_of(*(row if isinstance(row, bytes) else json.dumps(row) for row in rows))


def parquet_of(*rows: dict, **columns: pa.Array) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns) if columns else pa.Table.from_pylist(rows), out)
    return out.getvalue()


NOT_UTF8 = pc.cast(
    pa.array([f"{MARK} \xe9".encode("latin-1")]), options=pc.CastOptions(pa.string(), allow_invalid_utf8=True)
)
HEADER = "Key,Review,Stars"
MARKED = {  # by kind of source and what is wrong: a file in which a private record holds the mark
    ("csv", "no header"): csv_of(f"{MARK},4", "b,5"),
    ("csv", "no header, one cell"): csv_of(MARK, "b"),
    ("csv", "semicolons"): csv_of(f"{MARK};4", "b;5"),
    ("csv", "a first line of JSON"): jsonl_of(GOOD | {"Review": MARK}),
    ("csv", "a row too long"): csv_of(HEADER, f"a,{MARK},1,2"),
    ("csv", "the last row too short"): csv_of(HEADER, "a,good,1", MARK),
    ("csv", "a quote inside"): csv_of(HEADER, f'a,"{MARK}" x,1'),
    ("csv", "a quote that stays open"): csv_of(HEADER, f'a,"{MARK},1'),
    ("csv", "not UTF-8"): csv_of(HEADER, f"a,{MARK} \xe9,1".encode("latin-1")),
    ("csv", "not UTF-8 in the header"): csv_of(f"{MARK} \xe9,4".encode("latin-1")),
    ("csv", "read as latin1"): csv_of(HEADER, f"a,{MARK}\x92s,1"),
    ("csv", "a long text"): csv_of(HEADER, f"a,{MARK}{'x' * 1_000_000},1"),
    ("csv", "the same id"): csv_of(HEADER, f"{MARK},good,1", f"{MARK},good,1"),
    ("csv", "no id"): csv_of(HEADER, f",{MARK},1"),
    ("csv", "a column twice"): csv_of("Key,Review,Stars,Review", f"a,{MARK},1,{MARK}"),
    ("csv", "a column missing"): csv_of("Key,Review", f"a,{MARK}"),
    ("csv", "another label"): csv_of(HEADER, f"a,good,{MARK}"),
    ("csv", "no label"): csv_of(HEADER, f"a,{MARK},"),
    ("csv", "UTF-16"): f"{HEADER}\na,{MARK},1".encode("utf-16"),
    ("jsonl", "CSV"): csv_of(f"{MARK},4", "b,5"),
    ("jsonl", "an array"): json.dumps([GOOD | {"Review": MARK}]).encode(),
    ("jsonl", "a line cut off"): jsonl_of(GOOD, json.dumps({"Review": MARK})[:-1].encode()),
    ("jsonl", "a wrong escape"): jsonl_of(GOOD, f'{{"Review": "\\x{MARK}"}}'.encode()),
    ("jsonl", "a line of text"): jsonl_of(GOOD, f'"{MARK}"'.encode()),
    ("jsonl", "not UTF-8"): jsonl_of(GOOD, f'{{"Review": "{MARK} \xe9"}}'.encode("latin-1")),
    ("jsonl", "a text of another type"): jsonl_of(GOOD | {"Review": [MARK]}),
    ("jsonl", "a label of another type"): jsonl_of(GOOD | {"Stars": {MARK: MARK}}),
    ("jsonl", "half a pair"): jsonl_of(GOOD | {"Review": MARK + " \ud83d"}),
    ("jsonl", "a column missing"): jsonl_of({"Key": "a", "Review": MARK}),
    ("jsonl", "a column missing later"): jsonl_of(GOOD, {"Key": MARK, "Review": MARK}),
    ("jsonl", "a user later"): jsonl_of(GOOD, GOOD | {"Key": "b", "user": MARK}),
    ("jsonl", "another label"): jsonl_of(GOOD | {"Stars": MARK}),
    ("jsonl", "too deep"): jsonl_of(GOOD, f'{{"Review": "{MARK}", "x": {"[" * 100_000}'.encode()),
    ("parquet", "CSV"): csv_of(f"{MARK},4"),
    ("parquet", "cut off"): parquet_of(GOOD | {"Review": MARK})[:-30],
    ("parquet", "numbers for text"): parquet_of(GOOD | {"Review": 1, "Other": MARK}),
    ("parquet", "a list of text"): parquet_of(GOOD | {"Review": [MARK]}),
    ("parquet", "a struct as label"): parquet_of(GOOD | {"Stars": {"x": MARK}}),
    ("parquet", "not UTF-8"): parquet_of(Key=NOT_UTF8, Review=NOT_UTF8, Stars=NOT_UTF8),
    ("parquet", "bytes"): parquet_of(Key=pa.array(["a"]), Review=pa.array([MARK.encode()]), Stars=pa.array(["1"])),
    ("parquet", "a column missing"): parquet_of({"Review": MARK}),
    ("parquet", "another label"): parquet_of(GOOD | {"Stars": MARK}),
    ("yelp", "no header"): csv_of(f"{MARK},Business Category: x,Review Stars: 1"),
    ("yelp", "other labels"): csv_of("text,label1,label2", f"good,{MARK},{MARK}"),
}
