"""Public lists on which a text would break are refused."""

import shutil
from pathlib import Path

import pytest
from support.errors import refused

from lib.private_records import public_lists
from lib.private_records.public_lists import FOLDER


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("events/law.yaml", "title: law\n", "titel: law\n", "pii.file_shape"),
        ("events/law.yaml", "{bitten}", "{beaten}", "private_records.list_name"),
        ("events/law.yaml", "\"Judgment is reserved.\"", '"Judgment of [DATTE]."', "private_records.list_slot"),
        ("events/law.yaml", "\"Judgment is reserved.\"", '"Judgment {is|was."', "pii.phrase"),
        ("events/law.yaml", "dog_breed", "age", "private_records.list_twice"),
        ("events/law.yaml", "Dog bite and damages", "Jury duty of three weeks", "private_records.list_twice"),
        ("record_types.yaml", "layouts: [letter, e-mail]", "layouts: [letter, emial]", "private_records.list_name"),
        ("record_types.yaml", "aims: [dispute]", "aims: [quarrel]", "private_records.list_name"),
        ("formats.yaml", "{bullet} {told}", "{bulet} {told}", "private_records.list_name"),
        ("contexts.yaml", "{i} {was} present", "{i} {wos} present", "private_records.list_name"),
    ],
)  # fmt: skip
def test_lists_on_which_a_text_would_break_are_refused(tmp_path: Path, file, old, new, code) -> None:
    folder = small(tmp_path)
    changed = folder / file
    assert old in changed.read_text()
    changed.write_text(changed.read_text().replace(old, new))
    with refused(code):
        public_lists.load(folder)


def test_lists_of_one_field_are_in_order(tmp_path: Path) -> None:
    assert len(public_lists.load(small(tmp_path)).events) == 20


def small(folder: Path) -> Path:
    """The project's lists with one field of life."""
    (folder / "events").mkdir()
    for path in (*FOLDER.glob("*.yaml"), FOLDER / "events" / "law.yaml"):
        shutil.copy(path, folder / path.relative_to(FOLDER))
    types = folder / "record_types.yaml"
    kept, law = types.read_text().split("\nhealth:")[0], types.read_text().split("\nlaw:")[1].split("\nfamily:")[0]
    types.write_text(f"{kept}\nlaw:{law}\n")
    return folder
