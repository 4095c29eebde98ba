"""The prompt file: every step has its places, and a file that lacks one is refused."""

from pathlib import Path

import pytest

from lib.common.errors import DoppelError
from lib.sanitization.prompting import FILE, PLACES, Prompts


def test_every_step_is_filled_in():
    prompts = Prompts()
    for step, places in PLACES.items():
        call = prompts.call(step, **dict.fromkeys(places, "{name} of it"))
        assert call.step == step and "{name} of it" in call.messages[1][1] and call.max_new_tokens > 0
        assert prompts.characters(step) > 100


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("  rank: #", "  order: #", "sanitization.prompt_step"),
        ("{attributes}\n\n      Order", "{names}\n\n      Order", "sanitization.prompt_place"),
        ("temperature: 1.2", "temperature: hot", "pii.file_shape"),
    ],
)
def test_a_file_that_cannot_work_is_refused(tmp_path: Path, old: str, new: str, code: str):
    path = tmp_path / "model.yaml"
    path.write_text(FILE.read_text().replace(old, new))
    with pytest.raises(DoppelError) as refusal:
        Prompts(path)
    assert refusal.value.code == code
