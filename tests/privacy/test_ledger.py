"""The ledger composes an arm's events, and the offline check catches whatever was changed."""

import copy
import json
import math
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from lib.common.errors import DoppelError
from lib.common.files import read_json, write_json
from lib.privacy import statement_check
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate, epsilon
from lib.privacy.ledger import Event, Ledger, inherit
from lib.release import verify as command

HISTOGRAM = Event("00_process_data", "label histogram", DiscreteGaussian(10.0))
TRAINING = Event("10_finetune_dp_lora.eps8", "DP-SGD", Gaussian(0.9, 0.1, 12), checked=True)


def write_stage(root: Path, stage: str, inputs: list[str], event: Event | None = None, **changes) -> Path:
    ledger = inherit([root / name for name in inputs]) if inputs else Ledger("record", 2000)
    for name, value in changes.items():
        setattr(ledger, name, value)
    ledger.events += [event] if event else []
    write_json(root / stage / "privacy.json", ledger.statement(stage))
    return root / stage


@pytest.fixture
def chain(tmp_path):
    """00 -> 01 -> 02, where 02 reads 00 too: the histogram is reached twice."""
    write_stage(tmp_path, "00_process_data", [], HISTOGRAM)
    write_stage(tmp_path, "10_finetune_dp_lora.eps8", ["00_process_data"], TRAINING)
    return write_stage(tmp_path, "11_generate.eps8", ["00_process_data", "10_finetune_dp_lora.eps8"])


def test_an_arm_composes_label_histogram_and_training_once_each(chain):
    ledger = inherit([chain])
    assert ledger.events == [HISTOGRAM, TRAINING]
    together = epsilon([HISTOGRAM.mechanism, TRAINING.mechanism], delta=ledger.delta)
    assert ledger.epsilon == together > epsilon([TRAINING.mechanism], delta=ledger.delta)
    assert read_json(chain / "privacy.json")["epsilon"] == together
    assert ledger.delta == pytest.approx(1 / (2000 * math.log(2000)))


def test_a_statement_over_its_target_is_refused():
    ledger = Ledger("record", 2000, events=[HISTOGRAM, TRAINING])
    assert ledger.statement("x", target_epsilon=ledger.epsilon)["target_epsilon"] == ledger.epsilon
    with pytest.raises(DoppelError, match="over its target"):
        ledger.statement("x", target_epsilon=0.99 * ledger.epsilon)


def test_a_non_private_arm_has_no_epsilon_and_is_not_for_release():
    statement = Ledger("record", 2000, events=[HISTOGRAM, Event("01", "training", NonPrivate())]).statement("02")
    assert statement["epsilon"] is None
    assert statement["not_for_release"] == ["01: training is not private"]
    assert statement_check.problems(statement) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"privacy_seed": 3}, "privacy_seed"), ({"checked": False}, "not checked")],
)
def test_what_may_not_be_released_says_why(change, reason):
    event = Event(**{**vars(TRAINING), **change})
    assert reason in Ledger("record", 2000, events=[event]).statement("x")["not_for_release"][0]
    assert Ledger("record", 2000, events=[TRAINING]).statement("x")["not_for_release"] == []


@pytest.mark.parametrize("delta", [0.0, -1e-5, 1.0, 1 / 1999])
def test_a_delta_that_promises_nothing_is_refused(delta):
    with pytest.raises(DoppelError, match="delta"):
        Ledger("record", 2000, delta)


def test_inputs_that_do_not_belong_together_are_refused(tmp_path):
    write_stage(tmp_path, "a", [], HISTOGRAM)
    write_stage(tmp_path, "b", ["a"], TRAINING)
    for name, value in (("unit", "user"), ("units", 1999), ("delta", 1e-6)):
        write_stage(tmp_path, "c", [], **{name: value})
        with pytest.raises(DoppelError, match=name):
            inherit([tmp_path / "b", tmp_path / "c"])
    write_stage(tmp_path, "a", [], Event("a", "label histogram", DiscreteGaussian(20.0)))  # a ran again, b did not
    with pytest.raises(DoppelError, match="another run of a"):
        inherit([tmp_path / "a", tmp_path / "b"])


def test_a_stage_without_a_ledger_is_refused(tmp_path):
    with pytest.raises(DoppelError, match=r"privacy\.json"):
        inherit([tmp_path / "missing"])
    with pytest.raises(DoppelError, match="without inputs"):
        inherit([])


def test_verify_accepts_a_chain_and_sees_a_changed_ancestor(chain):
    def run():
        command = [sys.executable, "-m", "lib.release.verify", str(chain)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    good = run()
    assert good.returncode == 0 and "VERIFIED" in good.stdout
    write_stage(chain.parent, "00_process_data", [], Event("00_process_data", "label histogram", DiscreteGaussian(9.0)))
    assert run().returncode == 1 and "has changed since" in run().stdout


def changed(statement: dict, path: tuple, value: object) -> dict:
    statement = copy.deepcopy(statement)
    place = statement
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return statement


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("epsilon",), 1.0),
        (("epsilon",), None),
        (("target_epsilon",), 0.1),
        (("delta",), 1e-4),
        (("unit",), "user"),
        (("neighbours",), "replace one record"),
        (("events", 0, "mechanism", "scale"), 12.0),
        (("events", 1, "mechanism", "noise_multiplier"), 1.0),
        (("events", 1, "mechanism", "sampling_probability"), 0.05),
        (("events", 1, "mechanism", "count"), 11),
        (("events", 1, "mechanism", "kind"), "DiscreteGaussian"),
        (("events", 1, "privacy_seed"), 1),
        (("events", 1, "checked"), None),
        (("events",), []),
        (("not_for_release",), ["because"]),
    ],
)
def test_verify_sees_every_changed_claim(chain, path, value):
    statement = read_json(chain / "privacy.json")
    assert statement_check.problems(statement) == []
    with suppress(DoppelError):  # a statement that cannot even be read is refused too
        assert statement_check.problems(changed(statement, path, value))


def test_another_accountant_may_be_looser_and_never_states_less(chain):
    statement = read_json(chain / "privacy.json")
    other = changed(statement, ("accountant",), statement["accountant"] | {"library": "dp-accounting 9"})
    assert statement_check.problems(other) == []
    spent = statement["epsilon"]
    assert any("is stated" in one for one in statement_check.problems(changed(other, ("epsilon",), 0.999 * spent)))
    assert not any("is stated" in one for one in statement_check.problems(changed(other, ("epsilon",), 1.009 * spent)))
    assert any("is stated" in one for one in statement_check.problems(changed(other, ("epsilon",), 1.02 * spent)))


def test_verify_reads_nothing_but_the_statement(chain, tmp_path_factory, capsys):
    elsewhere = tmp_path_factory.mktemp("certificate") / "privacy.json"
    elsewhere.write_text((chain / "privacy.json").read_text())
    assert command.main([str(elsewhere)]) == 0
    elsewhere.write_text("{}")
    assert command.main([str(elsewhere)]) == 1
    elsewhere.write_text(json.dumps({"events": []}))
    assert command.main([str(elsewhere)]) == 1
    assert "WRONG" in capsys.readouterr().out
