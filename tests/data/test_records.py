"""Records on disk: the first bad line is named, and private text never shows."""

import pytest
from support.errors import refused

from lib.common.files import sha256
from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record

SECRET = "my neighbour's name is Zebulon"
GOOD = f'{{"id": "a", "text": "{SECRET}", "labels": {{"stars": "4"}}}}\n'


def written(tmp_path, *lines: str | bytes):
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return path


def test_what_is_written_is_read_again(tmp_path):
    made = [
        Record("a", PrivateText("é \u2028 line\nbreak"), {"stars": "4"}, "u1"),
        Record("b", PrivateText(""), {}),
    ]
    records.write(tmp_path / "x.jsonl", made)
    assert records.read(tmp_path / "x.jsonl") == made
    assert made[0].owner == "u1" and made[1].owner == "record b"


@pytest.mark.parametrize(
    ("line", "code", "name", "value"),
    [
        ("{oops\n", "common.not_json", None, None),
        ('["a"]\n', "common.not_an_object", None, None),
        ('{"id": "b", "labels": {}}\n', "data.field_type", "text", "nothing"),
        ('{"id": 3, "text": "x", "labels": {}}\n', "data.field_type", "id", "int"),
        ('{"id": "b", "text": "x", "labels": {"stars": 4}}\n', "data.label_type", "labels", None),
        ('{"id": "b", "text": "x", "labels": {}, "mood": 1}\n', "data.unknown_keys", None, 1),
        ('{"id": "b", "text": "x", "labels": {}, "user": 7}\n', "data.field_type", "user", "int"),
        (GOOD, "data.duplicate_id", "id", None),
        ('{"id": "b", "text": "half a \\ud83d pair", "labels": {}}\n', "data.half_surrogate_pair", None, None),
        (b'{"id": "b", "text": "caf\xe9", "labels": {}}\n', "common.not_utf8", None, None),
        ('{"id": "b", "text": "' + "x" * 1_000_001 + '", "labels": {}}\n', "data.text_too_long", "text", 1_000_001),
    ],
)
def test_a_bad_line_is_refused_by_file_and_number(tmp_path, line, code, name, value):
    path = written(tmp_path, GOOD, "\n", line)  # an empty line is counted and skipped
    with refused(code, name=name, value=value) as error:
        records.read(path)
    assert error.value.where == f"{path}, line 3"
    assert SECRET not in str(error.value)
    assert code != "data.duplicate_id" or "the id of line 1" in error.value.sentence


def test_a_missing_file_is_refused(tmp_path):
    with refused("data.no_file", name="none.jsonl") as error:
        records.read(tmp_path / "none.jsonl")
    assert error.value.where == str(tmp_path / "none.jsonl")


def test_a_label_outside_the_domain_is_refused_without_its_value(tmp_path):
    (record,) = records.read(written(tmp_path, GOOD))
    records.check_labels([record], {"stars": ["4", "5"]})
    records.check_labels([record], {"stars": records.CATALOGUE})
    with refused("data.label_outside_domain", name="stars", value=None) as error:
        records.check_labels([record], {"stars": ["1", "2"]})
    assert "'4'" not in str(error.value) and "['1', '2']" in error.value.sentence
    assert error.value.remedy == "add the value to label_domain, or map it in the source"
    with refused("data.label_outside_domain") as error:
        records.check_labels([record], {"stars": ["four"]})
    assert "such values are numbers, the domain lists words" in error.value.remedy
    with refused("data.labels_differ", name="label_domain", value=["rating"]) as error:
        records.check_labels([record], {"rating": ["4"]})
    assert "columns: {labels.NAME: COLUMN}" in error.value.remedy


def test_a_record_shows_neither_text_nor_id_nor_length():
    text = PrivateText(SECRET)
    record = Record(SECRET, text, {SECRET: SECRET}, SECRET)
    for shown in (repr(text), str(text), f"{text}", repr([text]), repr(record), f"{record}"):
        assert SECRET not in shown and str(len(SECRET)) not in shown
    assert text.reveal() == SECRET and len(text) == len(SECRET)
    assert text == PrivateText(SECRET) and text != SECRET


def test_labels_are_fitted_to_the_domain_and_others_kept():
    made = [Record("a", PrivateText("x"), {"stars": "1", "mood": "Good", "product": "1.0"})]
    fitted = list(records.fit_labels(made, {"stars": ["1.0"], "mood": ["good"], "product": records.CATALOGUE}))
    assert fitted == [Record("a", PrivateText("x"), {"stars": "1.0", "mood": "Good", "product": "1.0"})]
    assert list(records.fit_labels(made, {})) == made


def test_users_are_numbered_and_a_record_without_one_is_its_own():
    made = [
        Record(name, PrivateText("x"), {}, user) for name, user in (("a", "u"), ("b", None), ("c", "u"), ("d", "t"))
    ]
    numbers = records.owner_numbers(made)
    assert numbers[0] == numbers[2] and sorted(set(numbers)) == [0, 1, 2]


def test_equal_records_have_one_digest_and_others_another(tmp_path):
    made = [Record("a", PrivateText("é"), {"stars": "4"}), Record("b", PrivateText("x"), {"stars": "5"})]
    records.write(tmp_path / "train.jsonl", made)
    assert records.digest(made) == sha256(tmp_path / "train.jsonl")
    assert len({records.digest(rows) for rows in (made, made[:1], made[::-1])}) == 3


def test_user_level_needs_the_user_of_every_record():
    known = [Record(str(i), PrivateText(SECRET), {}, "ann") for i in range(3)]
    records.check_users(known, "user")
    partly = [*known, Record("9", PrivateText(SECRET), {}), Record("10", PrivateText(SECRET), {})]
    records.check_users(partly, "record")
    with refused("data.user_missing", name="unit", value="user") as error:
        records.check_users(partly, "user")
    assert "2 of 5 records" in error.value.sentence and "columns: {user: COLUMN}" in error.value.remedy
