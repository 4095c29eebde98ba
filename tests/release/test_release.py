"""Packs that were damaged or forged at random: none is verified with a changed claim, none stops verify or hangs it."""

from pathlib import Path

import pytest
from support import pack_fuzz

from lib.release import verify

PACKS = Path(__file__).with_name("packs")


def test_no_random_change_is_verified_with_another_claim(packed_once, tmp_path, capsys):
    *_, counts = pack_fuzz.run(packed_once, tmp_path / "pack", 150)
    assert counts["refused"] > 100, counts
    assert verify.main([str(tmp_path / "pack")]) in (0, 1, 2)


@pytest.mark.parametrize("name", ["aug-pe", "dp-lora"])
def test_nor_a_change_of_a_pack_of_the_former_format(name, tmp_path):
    *_, counts = pack_fuzz.run(PACKS / name, tmp_path / "pack", 25)
    assert counts["refused"] > 15, counts
