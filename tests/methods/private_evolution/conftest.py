"""Fixtures of the tests of private evolution."""

from pathlib import Path

import pytest
from support.evolution_toys import PROMPTS

from lib.generation import prompt_file


@pytest.fixture
def prompts(tmp_path: Path) -> prompt_file.PromptFile:
    (tmp_path / "plane.yaml").write_text(PROMPTS)
    return prompt_file.load(tmp_path / "plane.yaml")
