"""The ledger composes an arm's events, and the offline check catches whatever was changed."""

import copy
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from support.errors import refused

from lib.common.files import read_json, write_json
from lib.privacy import statement_check
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate, epsilon
from lib.privacy.ledger import NO_UNIT, Event, Ledger, from_statement, inherit, not_for_release
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
    with refused("privacy.over_target", name="target_epsilon", value=0.99 * ledger.epsilon) as error:
        ledger.statement("x", target_epsilon=0.99 * ledger.epsilon)
    assert error.value.where == "x"


def test_a_non_private_arm_has_no_epsilon_and_is_not_for_release():
    statement = Ledger("record", 2000, events=[HISTOGRAM, Event("01", "training", NonPrivate())]).statement("02")
    assert statement["epsilon"] is None
    assert statement["not_for_release"] == ["01: training is not private"]  # sentences alone, which old files hold too
    assert statement_check.problems(statement) == []
    assert json.loads(json.dumps(statement)) == statement


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"privacy_seed": 3}, "privacy.seed_recorded"),
        ({"checked": False}, "privacy.batches_unchecked"),
        ({"mechanism": NonPrivate()}, "privacy.not_private"),
        ({"mechanism": Gaussian(0.0, 0.1, 12)}, "privacy.not_private"),
    ],
)
def test_what_may_not_be_released_says_why(change, code):
    event = Event(**{**vars(TRAINING), **change})
    (reason,) = not_for_release([event])
    assert reason.code == code
    assert Ledger("record", 2000, events=[event]).statement("x")["not_for_release"] == [reason.sentence]
    assert Ledger("record", 2000, events=[TRAINING]).statement("x")["not_for_release"] == []


def test_each_reason_against_a_release_is_listed():
    event = Event("x", "training", NonPrivate(), privacy_seed=3, checked=False)
    codes = [reason.code for reason in not_for_release([TRAINING, event])]
    assert codes == ["privacy.not_private", "privacy.seed_recorded", "privacy.batches_unchecked"]


@pytest.mark.parametrize("delta", [0.0, -1e-5, 1.0, 1 / 1999])
def test_a_delta_that_promises_nothing_is_refused(delta):
    with refused("privacy.delta_above_units", name="delta", value=delta):
        Ledger("record", 2000, delta)


def test_an_unknown_unit_is_refused():
    with refused("privacy.unknown_unit", name="unit", value="users") as error:
        Ledger("users", 2000)
    assert "user" in error.value.remedy


def test_inputs_that_do_not_belong_together_are_refused(tmp_path):
    write_stage(tmp_path, "a", [], HISTOGRAM)
    write_stage(tmp_path, "b", ["a"], TRAINING)
    for name, value in (("unit", "user"), ("units", 1999), ("delta", 1e-6)):
        write_stage(tmp_path, "c", [], **{name: value})
        with refused("privacy.inputs_differ", name=name, value=value):
            inherit([tmp_path / "b", tmp_path / "c"])
    write_stage(tmp_path, "a", [], Event("a", "label histogram", DiscreteGaussian(20.0)))  # a ran again, b did not
    with refused("privacy.ancestor_differs", name="a"):
        inherit([tmp_path / "a", tmp_path / "b"])


def test_a_stage_without_a_ledger_is_refused(tmp_path):
    with refused("privacy.no_ledger", name="privacy.json"):
        inherit([tmp_path / "missing"])
    with refused("privacy.no_inputs"):
        inherit([])


@pytest.mark.parametrize("key", ["unit", "units", "delta", "events", "public", "ancestors"])
def test_a_statement_that_lacks_a_field_is_refused(key):
    statement = Ledger("record", 2000, events=[HISTOGRAM]).statement("x")
    del statement[key]
    with refused("privacy.statement_incomplete", name=key):
        from_statement(statement)


@pytest.mark.parametrize(
    "mechanism", [{}, {"kind": "Gausian"}, {"kind": "Gaussian"}, {"kind": "NonPrivate", "x": 1}, 3]
)
def test_an_event_that_cannot_be_read_is_refused(mechanism):
    with refused("privacy.event_unreadable"):
        Event.from_json({**HISTOGRAM.as_json(), "mechanism": mechanism})


def test_verify_accepts_a_chain_and_sees_a_changed_ancestor(chain, capsys):
    command_line = [sys.executable, "-m", "lib.release.verify", str(chain)]
    good = subprocess.run(command_line, capture_output=True, text=True, check=False)
    assert good.returncode == 0 and "VERIFIED" in good.stdout
    write_stage(chain.parent, "00_process_data", [], Event("00_process_data", "label histogram", DiscreteGaussian(9.0)))
    assert command.main([str(chain)]) == 1 and "has changed since" in capsys.readouterr().out


def changed(statement: dict, path: tuple, value: object) -> dict:
    statement = copy.deepcopy(statement)
    place = statement
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return statement


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (("epsilon",), 1.0, "privacy.epsilon_wrong"),
        (("epsilon",), None, "privacy.epsilon_missing"),
        (("target_epsilon",), 0.1, "privacy.over_target"),
        (("delta",), 1e-4, "privacy.epsilon_wrong"),
        (("unit",), "user", "privacy.neighbours_wrong"),
        (("neighbours",), "replace one record", "privacy.neighbours_wrong"),
        (("accountant", "method"), "moments", "privacy.other_accountant"),
        (("events", 0, "mechanism", "scale"), 12.0, "privacy.epsilon_wrong"),
        (("events", 0, "mechanism", "scale"), "12", "privacy.impossible_mechanism"),
        (("events", 1, "mechanism", "noise_multiplier"), 1.0, "privacy.epsilon_wrong"),
        (("events", 1, "mechanism", "sampling_probability"), 0.05, "privacy.epsilon_wrong"),
        (("events", 1, "mechanism", "count"), 11, "privacy.epsilon_wrong"),
        (("events", 1, "mechanism", "count"), 12.0, "privacy.impossible_mechanism"),
        (("events", 1, "privacy_seed"), 1, "privacy.not_for_release_wrong"),
        (("events", 1, "checked"), None, "privacy.poisson_unchecked"),
        (("events",), [], "privacy.epsilon_wrong"),
        (("not_for_release",), ["because"], "privacy.not_for_release_wrong"),
    ],
)
def test_verify_sees_every_changed_claim(chain, path, value, code):
    statement = read_json(chain / "privacy.json")
    assert statement_check.problems(statement) == []
    assert code in [reason.code for reason in statement_check.problems(changed(statement, path, value))]


def test_figures_of_another_mechanism_are_not_read(chain):
    statement = changed(read_json(chain / "privacy.json"), ("events", 1, "mechanism", "kind"), "DiscreteGaussian")
    with refused("privacy.event_unreadable"):
        statement_check.problems(statement)


def test_another_accountant_may_be_looser_and_never_states_less(chain):
    statement = read_json(chain / "privacy.json")
    other = changed(statement, ("accountant",), statement["accountant"] | {"library": "dp-accounting 9"})
    assert statement_check.problems(other) == []
    for share, codes in (
        (0.999, ["privacy.epsilon_wrong"]),
        (1.009, []),
        (1.02, ["privacy.epsilon_wrong"]),
    ):
        stated = changed(other, ("epsilon",), share * statement["epsilon"])
        assert [reason.code for reason in statement_check.problems(stated)] == codes


def test_what_is_wrong_with_ancestors_has_a_code(chain):
    def codes():
        return [one.code for one in statement_check.wrong_ancestors(chain, read_json(chain / "privacy.json"))]

    assert codes() == []
    write_json(chain / "done.json", {"made_from": {"inputs": {"00_process_data": "", "30_compare": ""}}})
    assert codes() == ["privacy.ancestor_unnamed"]
    (chain / "done.json").unlink()
    path = chain / "privacy.json"
    statement = read_json(path)
    write_json(path, changed(statement, ("events",), statement["events"][1:]))
    assert codes() == ["privacy.event_left_out"] * 2  # each of the two ancestors has it
    write_stage(chain.parent, "00_process_data", [], Event("00_process_data", "label histogram", DiscreteGaussian(9.0)))
    assert codes() == ["privacy.ancestor_changed", "privacy.event_left_out"]


def test_verify_reads_nothing_but_the_statement(chain, tmp_path_factory, capsys):
    elsewhere = tmp_path_factory.mktemp("certificate") / "privacy.json"
    elsewhere.write_text((chain / "privacy.json").read_text())
    assert command.main([str(elsewhere)]) == 0
    elsewhere.write_text("{}")
    assert command.main([str(elsewhere)]) == 1
    elsewhere.write_text(json.dumps({"events": []}))
    assert command.main([str(elsewhere)]) == 1
    assert "WRONG" in capsys.readouterr().out


def test_a_stage_that_read_no_private_record_says_so_and_costs_nothing(tmp_path):
    statement = Ledger(NO_UNIT, 0).statement("40_pii_text")
    assert (statement["epsilon"], statement["delta"], statement["units"], statement["events"]) == (0.0, 0.0, 0, [])
    assert statement_check.problems(statement) == [] and from_statement(statement) == Ledger(NO_UNIT, 0)
    write_json(tmp_path / "40_pii_text" / "privacy.json", statement)
    assert command.check(tmp_path / "40_pii_text")[1] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"units": 5},
        {"delta": 1e-5},
        {"events": [HISTOGRAM.as_json()]},
        {"unit": "record"},
        {"unit": "record", "units": 2000},
        {"unit": "record", "units": 2, "delta": 0.1},
    ],
)
def test_a_unit_and_its_figures_must_fit(changes):
    statement = Ledger(NO_UNIT, 0).statement("40_pii_text") | changes
    with refused("privacy.statement_malformed"):
        from_statement(statement)


def test_an_arm_that_needs_a_corpus_cannot_say_that_it_read_none(tmp_path):
    for stage, codes in (("11_generate.base", {"release.no_corpus_named"}), ("40_pii_text.x", set())):
        statement = Ledger(NO_UNIT, 0).statement(stage)
        write_json(tmp_path / stage / "privacy.json", statement)
        assert {reason.code for reason in command.check(tmp_path / stage)[1]} == codes
    ledger = Ledger(NO_UNIT, 0, ancestors={"00_process_data": "0" * 64})
    write_json(tmp_path / "x" / "privacy.json", ledger.statement("40_pii_text"))
    assert {reason.code for reason in command.check(tmp_path / "x")[1]} == {"release.corpus_without_unit"}


@pytest.mark.parametrize("order", [1, -1])
def test_a_public_arm_beside_a_corpus_adds_nothing(tmp_path, order):
    write_stage(tmp_path, "00_process_data", [], HISTOGRAM)
    write_json(tmp_path / "40_pii_text" / "privacy.json", Ledger(NO_UNIT, 0).statement("40_pii_text"))
    ledger = inherit([tmp_path / name for name in ("00_process_data", "40_pii_text")][::order])
    assert (ledger.unit, ledger.units, ledger.events) == ("record", 2000, [HISTOGRAM])
    assert ledger.ancestors.keys() == {"00_process_data", "40_pii_text"}


def test_no_ledger_without_a_unit_has_anything_to_count():
    for given in ({"units": 3}, {"delta": 0.1}, {"events": [HISTOGRAM]}):
        with refused("privacy.no_unit", name="unit"):
            Ledger(**({"unit": NO_UNIT, "units": 0} | given))
