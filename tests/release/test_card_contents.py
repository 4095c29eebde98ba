"""A pack is loaded as its card says, and the card counts what is in it."""

import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
from support.release_world import ARM

from lib.data import records
from lib.data.private_text import PrivateText
from lib.release import card_contents, pack, texts
from lib.release.candidate import Candidate


def loaded(card_text: str, folder, tmp_path) -> list[list[dict]]:
    """The records as each line of code in a card loads them, without a network."""
    _, code = card_text.split("```python\n", 1)
    imports, lines = code.partition("```")[0].rsplit("\n\n", 1)
    lines = [line.replace("FOLDER", str(folder)) for line in lines.strip().splitlines()]
    script = f"import json\n{imports}\n" + "\n".join(f"rows = {line}\nprint(json.dumps(list(rows)))" for line in lines)
    env = os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return list(map(json.loads, done.stdout.splitlines()))


def test_the_pack_is_loaded_without_a_network_as_the_card_says(world, tmp_path):
    folder = pack.pack(Candidate(world.run, ARM))
    expected = [record.as_json() for record in records.read(folder / "records.jsonl")]
    assert loaded((folder / "README.md").read_text(), folder, tmp_path) == [expected] * 2


def test_labels_and_texts_that_look_like_dates_are_loaded_as_they_are(tmp_path):
    made = [
        records.Record(str(day), PrivateText(f"2024-01-{day} 10:00:00"), {"day": f"2024-01-{day}", "n": "1.0"})
        for day in range(10, 13)
    ]
    records.write(tmp_path / "records.jsonl", made)
    pq.write_table(texts.table(made), tmp_path / "records.parquet")
    assert loaded(card_contents.LOADING, tmp_path, tmp_path) == [[record.as_json() for record in made]] * 2


def test_texts_are_counted_and_the_first_three_are_shown():
    made = [records.Record(str(i), PrivateText("one two" + " three" * i), {"mood": "glad"}) for i in (0, 0, 1, 4)]
    written = "\n".join(card_contents.contents({"stage": "11_generate"}, made))
    assert "3.2 words on average, 2.5 in the median, 6 at most; 3 of 4 are different." in written
    assert "Label `mood`: `glad` 4." in written and written.count("    glad: one two") == 3


def test_a_table_has_its_domain_and_at_most_twenty_values_of_a_column():
    columns = {"n": {"low": 0, "high": 9, "decimals": 1}, "kind": [f"v{i}" for i in range(30)]}
    settings = {"columns": columns, "missing": ["n"], "label": "kind"}
    whole = {"stage": "16_table_evolution", "code": {"00_process_table": {"settings": settings}}}
    made = [records.Record("", PrivateText('{"n": 1.5, "kind": "v0"}'), {"kind": "v0"})]
    written = "\n".join(card_contents.contents(whole, made))
    assert "| `n` | numbers from 0 to 9, 1 decimals or empty |" in written
    assert "`v19` ... |" in written and "`v20`" not in written and "The label is the column `kind`" in written


def test_nothing_leaves_its_marks():
    assert card_contents.in_marks("a`b | c") == "`a'b / c`" and card_contents.in_marks("") == "` `"
    assert "\x1b" not in card_contents.in_marks("\x1b[8m")
