"""The dataset as others open it: tags with names, the same in every split."""

from pathlib import Path

import pyarrow
from datasets import Dataset
from pyarrow import parquet
from support.errors import refused
from support.pii_toys import spanned

from lib.pii.exports import huggingface
from lib.pii.exports.examples import Example

TEXT = spanned("Hi Bob\nJones", ("Bob", "FIRSTNAME", 1), ("Jones", "LASTNAME", 1))


def test_the_names_of_the_tags_are_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    assert huggingface.write(path, [Example("a", "en", TEXT)], ["LASTNAME", "FIRSTNAME", "CITY"]) == 0
    opened = Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "cache"))
    names = opened.features["ner_tags"].feature.names
    assert names == ["O", "B-CITY", "I-CITY", "B-FIRSTNAME", "I-FIRSTNAME", "B-LASTNAME", "I-LASTNAME"]
    assert opened[0]["tokens"] == ["Hi", "Bob", "Jones"]
    assert [names[number] for number in opened[0]["ner_tags"]] == ["O", "B-FIRSTNAME", "B-LASTNAME"]


def test_a_file_of_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    parquet.write_table(pyarrow.table({"id": ["a"], "tokens": [["a"]]}), path)
    with refused("pii.export_columns", name="language"):
        huggingface.read(path)
    whole = {"id": ["a"], "language": [""], "text": ["a"], "offsets": [[[0, 1]]], "ner_tags": [[0]]}
    parquet.write_table(pyarrow.table(whole), path)
    with refused("pii.export_columns", name="ner_tags' names"):
        huggingface.read(path)
