"""What every method can do: its title, its calibrated mechanism, its audit."""

import pytest
from support.errors import refused

from lib.methods.method import Method, model_words, noise_multiplier
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate, epsilon

TOY = Method(
    title="Toy",
    title_without_privacy="Toy without privacy",
    arm="90_toy",
    spends="90_toy",
    recipe=lambda parameters, units, noise: Gaussian(noise, parameters["batch"] / units, parameters["steps"]),
    making=lambda arm, spending, unit: iter(["By hand."]),
    checks={},
    corpus_checks={},
    colour="#000000",
)
PARAMETERS = {"target_epsilon": 2.0, "batch": 20, "steps": 10}
DELTA = 1e-5


def test_a_mechanism_has_the_least_noise_that_keeps_the_arm_within_its_target() -> None:
    others = [Gaussian(3.0)]
    mechanism = TOY.mechanism(PARAMETERS, units=1000, delta=DELTA, others=others)
    assert (mechanism.sampling_probability, mechanism.count) == (0.02, 10)
    assert epsilon([mechanism, *others], delta=DELTA) <= 2.0
    alone = TOY.mechanism(PARAMETERS, units=1000, delta=DELTA)
    assert alone.noise_multiplier < mechanism.noise_multiplier  # what the others spent was taken off
    louder = Gaussian(mechanism.noise_multiplier * 0.98, 0.02, 10)
    assert epsilon([louder, *others], delta=DELTA) > 2.0


def test_without_a_target_a_mechanism_is_not_private() -> None:
    mechanism = TOY.mechanism(PARAMETERS | {"target_epsilon": None}, units=1000, delta=DELTA)
    assert mechanism == NonPrivate() and noise_multiplier(mechanism) is None


def test_a_target_that_the_others_have_spent_already_is_refused() -> None:
    with refused("privacy.target_unreachable", name="target_epsilon", value=2.0):
        TOY.mechanism(PARAMETERS, units=1000, delta=DELTA, others=[Gaussian(0.5)])


def test_an_arm_without_privacy_has_a_title_of_its_own() -> None:
    assert TOY.name(private=True) == "Toy" and TOY.name(private=False) == "Toy without privacy"


def test_a_method_without_an_audit_has_nothing_to_make_again() -> None:
    with refused("methods.nothing_to_audit", name="Toy"):
        TOY.make_again()
    with refused("methods.nothing_to_audit", name="Toy"):
        TOY.send_canaries()


@pytest.mark.parametrize(
    ("name", "words"), [("hub:a/b", "`hub:a/b`"), ("withheld", "a local model"), (None, "a local model")]
)
def test_a_card_names_public_models_alone(name: str | None, words: str) -> None:
    assert model_words(name) == words


def test_only_what_is_not_private_has_no_noise() -> None:
    """None means to train without noise, so another kind of mechanism must not read as None."""
    assert noise_multiplier(NonPrivate()) is None and noise_multiplier(Gaussian(1.5)) == 1.5
    with pytest.raises(AttributeError):
        noise_multiplier(DiscreteGaussian(5.0))
