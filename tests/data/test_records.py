"""Records on disk: the first bad line is named, and private text never shows."""

import pytest

from lib.common.errors import DoppelError
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
    ("line", "reason"),
    [
        ("{oops\n", "not JSON"),
        ('["a"]\n', "a line holds one object"),
        ('{"id": "b", "labels": {}}\n', "'text' must be str, found nothing"),
        ('{"id": 3, "text": "x", "labels": {}}\n', "'id' must be str, found int"),
        ('{"id": "b", "text": "x", "labels": {"stars": 4}}\n', "label value must be a string"),
        ('{"id": "b", "text": "x", "labels": {}, "mood": 1}\n', "unknown keys"),
        ('{"id": "b", "text": "x", "labels": {}, "user": 7}\n', "'user' must be a string"),
        (GOOD, "the id of line 1 again"),
        ('{"id": "b", "text": "half a \\ud83d pair", "labels": {}}\n', "surrogate"),
        (b'{"id": "b", "text": "caf\xe9", "labels": {}}\n', "not UTF-8 at byte"),
        ('{"id": "b", "text": "' + "x" * 1_000_001 + '", "labels": {}}\n', "at most 1,000,000"),
    ],
)
def test_a_bad_line_is_refused_by_file_and_number(tmp_path, line, reason):
    path = written(tmp_path, GOOD, "\n", line)  # an empty line counts, and is passed over
    with pytest.raises(DoppelError) as refusal:
        records.read(path)
    assert f"{path}, line 3" in str(refusal.value) and reason in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DoppelError, match="no such file"):
        records.read(tmp_path / "none.jsonl")


def test_a_label_outside_the_domain_is_refused_without_its_value(tmp_path):
    (one,) = records.read(written(tmp_path, GOOD))
    records.check_labels([one], {"stars": ["4", "5"]})
    records.check_labels([one], {"stars": records.CATALOGUE})
    with pytest.raises(DoppelError, match="outside the declared domain") as refusal:
        records.check_labels([one], {"stars": ["1", "2"]})
    assert "'4'" not in str(refusal.value)
    with pytest.raises(DoppelError, match=r"the domain declares .*; name the same labels in both"):
        records.check_labels([one], {"rating": ["4"]})


def test_private_text_shows_its_length_alone():
    text = PrivateText(SECRET)
    record = Record("a", text, {"name": SECRET}, SECRET)
    for shown in (repr(text), str(text), f"{text}", repr([text]), repr(record), f"{record}"):
        assert SECRET not in shown
    assert text.reveal() == SECRET and len(text) == len(SECRET)
    assert text == PrivateText(SECRET) and text != SECRET


def test_users_are_numbered_and_a_record_without_one_is_its_own():
    made = [Record(id, PrivateText("x"), {}, user) for id, user in (("a", "u"), ("b", None), ("c", "u"), ("d", "t"))]
    numbers = records.owner_numbers(made)
    assert numbers[0] == numbers[2] and sorted(set(numbers)) == [0, 1, 2]


def test_user_level_needs_the_user_of_every_record():
    known = [Record(str(i), PrivateText(SECRET), {}, "ann") for i in range(3)]
    records.check_users(known, "user")
    some = [*known, Record("9", PrivateText(SECRET), {}), Record("10", PrivateText(SECRET), {})]
    records.check_users(some, "record")
    with pytest.raises(DoppelError, match=r"unit: user, but 2 of 5 records name no user; .*columns: \{user: COLUMN\}"):
        records.check_users(some, "user")
