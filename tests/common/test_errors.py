"""Refusals: how they read, and that several travel together."""

import pickle

import pytest

from lib.common.errors import DoppelError, Faults, SeveralErrors, nearest


def steps(value: int) -> DoppelError:
    sentence = f"steps = {value} is too small"
    return DoppelError("stage.steps", sentence, name="steps", value=value, remedy="set it to 1 or more")


def test_a_refusal_says_where_what_and_what_to_do() -> None:
    placed = steps(0).at("params/a.yaml").at("preset a")
    assert str(placed) == "preset a: params/a.yaml: steps = 0 is too small; set it to 1 or more"
    assert (placed.code, placed.name, placed.value) == ("stage.steps", "steps", 0)


def test_several_refusals_are_raised_together_each_once() -> None:
    faults = Faults()
    for value in (0, -1, 0):
        with faults:
            raise steps(value)
    with pytest.raises(SeveralErrors) as error:
        faults.raise_any("params/a.yaml")
    assert [fault.value for fault in error.value.faults] == [0, -1]
    assert all(line.startswith("params/a.yaml: ") for line in str(error.value).splitlines())


def test_the_only_refusal_is_raised_itself_and_none_raises_nothing() -> None:
    faults = Faults()
    faults.raise_any()
    faults.add(steps(0))
    with pytest.raises(DoppelError) as error:
        faults.raise_any()
    assert not isinstance(error.value, SeveralErrors) and error.value.code == "stage.steps"


@pytest.mark.parametrize("error", [steps(0).at("a"), SeveralErrors([steps(0), steps(-1)])], ids=["one", "several"])
def test_refusals_reach_another_process(error: DoppelError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and [fault.code for fault in again.faults] == [fault.code for fault in error.faults]


def test_the_nearest_name_is_offered_or_all_of_them() -> None:
    assert nearest("stpes", ["steps", "seed"]) == "did you mean steps?"
    assert nearest("x", ["steps", "seed"]) == "known: seed, steps"
