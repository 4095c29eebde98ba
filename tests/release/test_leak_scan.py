"""Private text is found in every file format and spelling, and common text is not taken for it."""

import json
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.scripts import SENTENCES, same_sentences

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.release import leak_scan

LONG = "my sister told me on the phone that the old house by the river was sold to her neighbour in spring"


def record(text: str, name: str = "a", user: str | None = None) -> Record:
    return Record(name, PrivateText(text), {}, user)


def kinds(text: str, train: list[Record], held_out: list[Record] = ()) -> list[str]:
    return [finding.kind for finding in leak_scan.search({"file": [text]}, train, list(held_out))]


@pytest.mark.parametrize(
    ("written", "private", "found"),
    [
        ("Eight words are enough to be a sentence!", "no. eight words are enough, to be a sentence. yes", True),
        ("seven words are not enough to tell", "seven words are not enough to tell", False),
        (f"he says {' '.join(LONG.split()[2:18])} or so", LONG, True),  # a run of sixteen
        (f"he says {' '.join(LONG.split()[2:17])} or so", LONG, False),
        ("it works. i like it. so good. yes", "it works. i like it. so good. yes", True),  # whole, of short sentences
        ("eight words are enough to be a different sentence", "eight words are enough to be a sentence", False),
    ],
)
def test_sentences_runs_and_whole_records_are_found(written, private, found):
    assert kinds(written, [record(private)]) == (["sentences or runs of words"] if found else [])


def test_what_three_users_or_held_out_records_say_is_common():
    assert kinds(LONG, [record(LONG, str(i), user="same") for i in range(5)])
    assert kinds(LONG, [record(LONG, str(i), user=str(i)) for i in range(2)])
    assert not kinds(LONG, [record(LONG, str(i), user=str(i)) for i in range(3)])
    assert not kinds(LONG, [record(LONG)], [record(f"they say {LONG} too")])


@pytest.mark.parametrize(
    ("written", "private", "kind"),
    [
        ("write to ANN@example.org.", "ann@example.org", "emails"),
        ("see https://example.org/ann?x=1", "at https://example.org/ann?x=1", "web addresses"),
        ("**https://Example.org/ann/**", "[https://example.org/ann]", "web addresses"),
        ("+49 (170) 555 1234", "call 49170-555-1234", "phone numbers"),
        ("4111 1111 1111 1111", "4111111111111111", "card numbers"),
    ],
)
def test_addresses_and_numbers_are_found_however_they_are_spelled(written, private, kind):
    assert kind in kinds(written, [record(private)])
    assert kind not in kinds(written, [record(private)], [record(private)])
    assert kind not in kinds(written, [record(private, str(i), str(i)) for i in range(3)])
    assert kinds(written, [record("nothing")]) == []


@pytest.mark.parametrize(
    ("written", "private"),
    [
        ("ab@example.org", "a.b@example.org"),
        ("see https://example.org/xy", "see https://example.org/x-y"),
        ("see https://example.org/xy", "see https://example.org/x/y"),
    ],
)
def test_another_address_is_not_found_though_its_letters_are_the_same(written, private):
    assert kinds(written, [record(private)]) == []


@pytest.mark.parametrize(
    ("name", "written", "found"),
    [
        ("213_18", "as in 213_18.", True),
        ("213_18", "as in 2130_18 or 1213_18", False),
        ("AG3D6O4S", "by AG3D6O4S: good", True),
        ("ann smith, 4", "from ann smith, 4 days", True),
        ("213", "it has 213 buttons", False),  # a number
        ("ann", "said ann", False),  # a name that is also a word
        ("synthetic-000003", "synthetic-000003", False),  # of our own making
        ("battery", "the battery", False),  # a word of held-out records
    ],
)
def test_ids_are_found_where_they_can_be_told_from_words_and_numbers(name, written, found):
    held_out = [record("the battery is good", "other")]
    assert bool(kinds(written, [record("nothing", name)], held_out)) is found
    assert bool(kinds(written, [record("nothing", "another", user=name)], held_out)) is found


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (range(100_000, 160_000), False),  # rows of a file without ids
        (range(1, 300_000, 50), False),  # one row in fifty was kept
        (range(149_980, 150_010, 10), True),  # three customers whose numbers have six digits
        (range(150_000, 900_000_000, 150_001), True),  # thousands, whose numbers have nine
    ],
)
def test_a_plain_number_is_an_id_only_where_few_numbers_are(ids, found):
    """Ids of records and of users alike; ids that are no plain numbers are looked for all the same."""
    written = "We drove 150000 miles in it." if 150_000 in ids else "We drove 100001 miles in it."
    assert int(written.split()[2]) in ids
    for rows in (
        [record("nothing", str(number)) for number in ids],
        [record("nothing", f"r{row}", user=str(number)) for row, number in enumerate(ids)],
    ):
        assert bool(kinds(written, rows)) is found
        assert kinds("by AG3D6O4S", [*rows, record("nothing", "AG3D6O4S")]) == ["ids of records or users"]


def test_many_ids_are_looked_up_and_not_searched_in_each_text():
    rows = [record("nothing", f"B{number:09d}") for number in range(200_000)]
    start = time.process_time()
    assert leak_scan.search({"file": ["nothing of the kind"]}, rows, []) == []
    once = time.process_time() - start
    start = time.process_time()
    assert leak_scan.search({"file": ["nothing of the kind"] * 400}, rows, []) == []
    assert time.process_time() - start < 2 * once + 0.5


def test_a_finding_has_places_and_a_count_and_no_text():
    strings = {"one": ["nothing", LONG, LONG], "two": ["nothing"]}
    (finding,) = leak_scan.search(strings, [record(LONG)], [])
    # the record whole is its only sentence; six runs of sixteen words lie in its twenty-one
    assert (finding.file, finding.count, list(finding.first)) == ("one", 1 + len(LONG.split()) - 15, [1, 2])
    assert "sister" not in str(finding)


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet", "md", "bin"])
def test_every_file_is_read_in_its_own_spelling(tmp_path, kind):
    broken = LONG.replace(" ", "\n") + '" é'  # escapes in JSON; in Parquet it is compressed
    path = tmp_path / "inner" / f"file.{kind}"
    path.parent.mkdir()
    match kind:
        case "jsonl":
            path.write_text(json.dumps({"labels": {"x": broken}}) + "\n")
        case "json":
            path.write_text(json.dumps({"deep": [{broken: 1}]}))
        case "parquet":
            table = pa.table({"a": [{"b": broken}] * 50})
            pq.write_table(table.replace_schema_metadata({"note": "train_000005"}), path, compression="zstd")
        case _:
            path.write_bytes(b"\xff\x00" + broken.encode())
    strings = leak_scan.strings_of(tmp_path)
    assert list(strings) == [f"inner/file.{kind}"]
    found = [finding.kind for finding in leak_scan.search(strings, [record(LONG, "train_000005")], [])]
    assert "sentences or runs of words" in found
    assert ("ids of records or users" in found) is (kind == "parquet")


@pytest.mark.parametrize("script", SENTENCES)
def test_the_same_copies_are_found_in_any_script(script):
    """Two of 20 texts are records, one of them twice; a long record is copied in part, inside another text."""
    made = same_sentences(script)
    train = [record(text, str(i)) for i, text in enumerate(made[:10])]
    (finding,) = leak_scan.search({"file": [*made[10:28], made[3], f"{made[30]} {made[7]} {made[3]}"]}, train, [])
    assert (finding.kind, finding.count, list(finding.first)) == ("sentences or runs of words", 2, [18, 19])
    between = "" if script == "Thai" else " "
    long = between.join(text.rstrip("!！。") for text in made[:3])
    part = long[len(made[0]) // 2 : -len(made[0]) // 2]
    assert kinds(f"{made[20]}{part}", [record(long)]) == ["sentences or runs of words"]
    assert not kinds(made[20], train) and not kinds(made[3], train, [record(made[3], "fresh")])


@pytest.mark.parametrize(
    ("text", "too_short"),
    [("这家餐厅的服务很好我们下次还会", False), ("这家餐厅的服务很好", True), ("กล้องนี้ดีมากครับ", True)],
)
def test_a_few_characters_are_chance(text, too_short):
    assert bool(kinds(text, [record(text)])) is not too_short


@pytest.mark.parametrize(
    ("written", "private", "kind"),
    [
        ("请联系zhang@example.com。", "邮箱zhang@example.com吧", "emails"),
        ("拨打13812345678吧", "电话：１３８１２３４５６７８转", "phone numbers"),
        ("見てhttps://example.com/aですよ", "これhttps://example.com/aを", "web addresses"),
    ],
)
def test_addresses_and_numbers_are_found_between_characters(written, private, kind):
    assert kind in kinds(written, [record(private)])
    assert kinds(written, [record("没有")]) == []


@pytest.mark.parametrize(("name", "written"), [("AG3D6O4S", "用户AG3D6O4S说"), ("快乐的小王子", "我是快乐的小王子。")])
def test_ids_are_found_between_characters(name, written):
    assert kinds(written, [record("nothing", name)]) == ["ids of records or users"]
    assert kinds(written, [record("nothing", name)], [record(f"他叫{name}了", "other")]) == []


def test_texts_that_cannot_be_searched_are_counted():
    texts = [LONG, same_sentences("Chinese")[0], same_sentences("Thai")[0], "so good", "很好", "", "🙂" * 120]
    texts.append("".join(chr(0x12000 + i) for i in range(120)))  # cuneiform: its words cannot be told apart
    assert leak_scan.not_searched(texts) == leak_scan.NotSearched(texts=8, short=5, unreadable=2)
