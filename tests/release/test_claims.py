"""The settings that a certificate spells out, of stages that an older version made too."""

import re
from collections.abc import Collection
from pathlib import Path

from support.project import ROOT
from support.release_world import ARM, CORPUS, TRAINING, World, forge, loads

from lib.release import card_guarantee, certificate, claims, pack, settings, verify
from lib.release.candidate import Candidate
from lib.release.settings import of_stage
from lib.stage.parameters import read_spec

STAGE = "10_finetune_dp_lora.a"
SPEC = read_spec(ROOT / "notebooks" / "10_finetune_dp_lora.ipynb")
TODAY = {name: parameter.default for name, parameter in SPEC.items()}
BEFORE = settings.AS_BEFORE[TRAINING]
KEPT = {"copy_share": 0.0, "for_release": False}  # older than today's format: without a count nothing is released


def cut(notebook: Path, names: Collection[str]) -> None:
    """Take parameters out of a toy notebook, as a version had it that was before them."""
    written = notebook.read_text()
    for name in names:
        written = re.sub(rf"(?<=\\n){name}: .*?\\n", "", written)
    notebook.write_text(written)


def test_a_parameter_that_is_newer_than_a_stage_has_the_value_that_does_what_the_stage_did() -> None:
    assert TODAY["frozen_a"] is True and TODAY["reserve"] > 0  # quick trains in another way today
    given = {name: value for name, value in TODAY.items() if name not in BEFORE} | {"steps": 99, "model": "/home/model"}
    spelled = claims.settings(STAGE, given)
    assert set(spelled) == set(of_stage(STAGE)) == set(claims.settings(STAGE, TODAY))
    assert {name: spelled[name] for name in BEFORE} == dict(BEFORE)
    assert (spelled["steps"], spelled["model"]) == (99, "withheld")
    assert claims.settings(STAGE, TODAY)["frozen_a"] is True  # what a stage has is never replaced


def test_a_stage_of_no_method_spells_nothing_out() -> None:
    assert claims.settings("21_fidelity", {"seed": 0}) == {}


def test_a_pack_of_an_arm_that_is_older_than_parameters_verifies_and_says_what_the_arm_did(world: World) -> None:
    notebooks = {stage: world.project.root / "notebooks" / f"{stage}.ipynb" for stage in (CORPUS, TRAINING)}
    today = {stage: notebook.read_text() for stage, notebook in notebooks.items()}
    for stage, notebook in notebooks.items():
        cut(notebook, settings.AS_BEFORE[stage].keys() - KEPT.keys())
    world.play(CORPUS, TRAINING, ARM)
    for stage, notebook in notebooks.items():  # the parameters come, with defaults that do something else
        notebook.write_text(today[stage].replace("reserve: float = 0.0", "reserve: float = 0.05"))
        had = loads(world.run / stage / "done.json")["made_from"]["parameters"].keys()
        assert had & settings.AS_BEFORE[stage].keys() <= KEPT.keys()
    whole = loads(pack.pack(Candidate(world.run, ARM)) / certificate.NAME)
    for stage in notebooks:
        newer = {name: value for name, value in settings.AS_BEFORE[stage].items() if name not in KEPT}
        assert newer.items() <= whole["code"][stage]["settings"].items()
    assert not verify.check(world.pack)[1] and not card_guarantee.stable(whole)  # nothing is claimed of older rules
    for name in settings.AS_BEFORE[TRAINING]:  # what is left out is missed
        spelled = whole["code"][TRAINING]["settings"]
        left = {key: value for key, value in spelled.items() if key != name}
        forge(world.pack, whole | {"code": whole["code"] | {TRAINING: whole["code"][TRAINING] | {"settings": left}}})
        assert [reason.code for reason in verify.check(world.pack)[1]] == ["release.malformed"], name
