"""The settings that a certificate spells out, of stages that an older version made too."""

from support.project import ROOT

from lib.release import claims
from lib.release.settings import of_stage
from lib.stage.parameters import read_spec

STAGE = "10_finetune_dp_lora.a"
TODAY = {name: p.default for name, p in read_spec(ROOT / "notebooks" / "10_finetune_dp_lora.ipynb").items()}


def test_a_stage_that_is_older_than_a_parameter_has_its_default() -> None:
    older = {name: value for name, value in TODAY.items() if name != "reserve"} | {
        "steps": 99,
        "model": "/home/me/model",
    }
    spelled = claims.settings(STAGE, older)
    assert set(spelled) == set(of_stage(STAGE)) == set(claims.settings(STAGE, TODAY))
    assert (spelled["reserve"], spelled["steps"], spelled["model"]) == (0.0, 99, "withheld")


def test_a_stage_of_no_method_spells_nothing_out() -> None:
    assert claims.settings("21_fidelity", {"seed": 0}) == {}
