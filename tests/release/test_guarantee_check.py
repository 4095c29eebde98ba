"""A guarantee follows from what it composes: figures against the accountant, and what it may leave out."""

import copy

import pytest
from support.release_world import TRAINING, forge, loads, rehash, with_
from support.release_world import codes as in_pack

from lib.privacy.accounting import ACCOUNTANT, Gaussian, Mechanism, epsilon_replacing
from lib.privacy.composition import merged, spent
from lib.privacy.ledger import Event
from lib.release import certificate, guarantee_check

DELTA, STAGE = 1e-4, "10_finetune_dp_lora.a"
OWN, OTHER = Gaussian(4.0), Gaussian(2.0)


def stated(covers: str, *mechanisms: Mechanism, named: bool = True) -> dict:
    """A certificate of one event, with a guarantee of these mechanisms."""
    own = spent("this arm", [OWN], delta=DELTA, own=0.0) or spent("all that was charged", [OWN], delta=DELTA, own=0.0)
    composed = merged(mechanisms)
    return {
        "unit": "record",
        "epsilon": own,
        "delta": DELTA,
        "accountant": ACCOUNTANT,
        "events": [Event(STAGE, "training", OWN).as_json() | {"sampler": OWN.sampler}],
        "code": {"00_process_data": {"settings": {}}, STAGE: {"settings": {"for_release": named}}},
        "guarantee": {
            "covers": covers,
            "epsilon": spent(covers, composed, delta=DELTA, own=own),
            "epsilon_replacing": epsilon_replacing(tuple(composed), DELTA),
            "mechanisms": [mechanism.as_json() for mechanism in composed],
        },
    }


def codes(certificate: dict) -> list[str]:
    return [reason.code for reason in guarantee_check.wrong(certificate)]


@pytest.mark.parametrize(
    ("covers", "named"), [("this arm", True), ("all arms named for release", True), ("all that was charged", False)]
)
def test_what_follows_is_accepted_and_a_smaller_figure_is_not(covers: str, named: bool) -> None:
    whole = stated(covers, *([OWN] if covers == "this arm" else [OWN, OTHER]), named=named)
    assert codes(whole) == []
    for figure in ("epsilon", "epsilon_replacing"):
        better = copy.deepcopy(whole)
        better["guarantee"][figure] *= 0.999
        assert codes(better) == ["release.guarantee_wrong"], figure


def test_an_arm_that_was_not_named_keeps_nothing_less_than_all_charges() -> None:
    for covers in ("this arm", "all arms named for release"):
        assert "release.not_named" in codes(stated(covers, OWN, named=False))
    nobody_says = stated("this arm", OWN)
    del nobody_says["code"][STAGE]["settings"]["for_release"]
    assert "release.not_named" in codes(nobody_says)


def test_a_guarantee_of_the_arm_composes_its_events_and_no_others() -> None:
    assert "release.guarantee_of_others" in codes(stated("this arm", OTHER))


@pytest.mark.parametrize(
    "figures",
    [{}, {"kind": "Trust"}, {"kind": "NonPrivate"}, {"kind": "Gaussian", "noise_multiplier": 1e-9}],
    ids=["nothing", "no kind", "no noise", "too costly"],
)
def test_what_is_no_mechanism_or_too_costly_is_not_composed(figures: dict) -> None:
    whole = stated("this arm", OWN)
    whole["guarantee"]["mechanisms"] = [figures]
    assert codes(whole) == ["release.guarantee_unreadable"]


def test_what_read_no_private_record_states_nothing() -> None:
    nothing = {"unit": "none", "guarantee": dict(guarantee_check.NOTHING)}
    assert codes(nothing) == []
    assert codes(nothing | {"guarantee": guarantee_check.NOTHING | {"charges": 1}}) == ["release.guarantee_wrong"]


def test_a_guarantee_that_does_not_follow_from_what_it_composes_is_seen(packed):
    whole = loads(packed / certificate.NAME)
    noise = whole["guarantee"]["mechanisms"][0]
    for path, value, found in (
        ("epsilon", 1.0, "release.guarantee_wrong"),
        ("epsilon_replacing", 1.0, "release.guarantee_wrong"),
        ("mechanisms", whole["guarantee"]["mechanisms"][1:], "release.guarantee_of_others"),
        ("mechanisms", [noise | {"kind": "Trust"}], "release.guarantee_unreadable"),
        ("mechanisms", [{"kind": "DiscreteGaussian", "scale": 1e9}], "release.guarantee_unreadable"),
        ("mechanisms", [{"kind": "NonPrivate"}], "release.guarantee_unreadable"),
    ):
        rehash(packed, with_(whole, f"guarantee/{path}", value))
        assert found in in_pack(packed), path
    own = {
        "covers": "all that was charged",
        "epsilon": 0.5,
        "mechanisms": [{"kind": "Gaussian", "noise_multiplier": 9.0}],
    }
    rehash(packed, whole | {"guarantee": whole["guarantee"] | own})  # less than the arm by itself
    assert "release.guarantee_wrong" in in_pack(packed)


def test_an_arm_that_was_not_named_cannot_keep_its_own_epsilon(packed):
    whole = loads(packed / certificate.NAME)
    forge(packed, with_(whole, f"code/{TRAINING}/settings/for_release", False))
    assert in_pack(packed) == ["release.not_named"]
