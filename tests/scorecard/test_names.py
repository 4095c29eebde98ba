"""Display names: the local name of an arm, the method of a group of replicas, and no two alike."""

from lib.scorecard.names import choose, display_name
from lib.scorecard.pairwise import Entrant


def arm(stage: str, method: str, target: float | None) -> dict:
    return {"stage": stage, "method": method, "privacy": {"target_epsilon": target}}


ARMS = [arm("11_generate.a", "DP-LoRA", 8.0), arm("11_generate.b", "DP-LoRA", 8.0), arm("12_aug_pe", "Aug-PE", None)]
LOCAL = {"first": "11_generate.a", "second": "11_generate.b", "evolved": "12_aug_pe"}


def test_arms_have_their_local_names_and_replicas_that_of_their_method() -> None:
    replicas = Entrant("recipe 1", ("11_generate.a", "11_generate.b"))
    names = choose(LOCAL, ARMS, [replicas, Entrant("12_aug_pe", ("12_aug_pe",)), Entrant("recipe 2", ("12_aug_pe",))])
    assert names == {stage: name for name, stage in LOCAL.items()} | {
        "recipe 1": "DP-LoRA at epsilon 8",
        "recipe 2": "Aug-PE",
    }


def test_replicas_of_one_method_are_told_apart() -> None:
    recipes = [Entrant("recipe 1", ("11_generate.a",)), Entrant("recipe 2", ("11_generate.b",))]
    names = choose(LOCAL, ARMS, recipes)
    assert (names["recipe 1"], names["recipe 2"]) == ("DP-LoRA at epsilon 8", "DP-LoRA at epsilon 8 (second)")
    assert choose(LOCAL | {"DP-LoRA at epsilon 8": "12_aug_pe"}, ARMS, recipes[:1])["recipe 1"].endswith(" (first)")


def test_what_has_no_name_stands_for_itself() -> None:
    card = {"names": {"11_generate.a": "first"}}
    assert (display_name(card, "11_generate.a"), display_name(card, "x")) == ("first", "x")
    assert display_name({}, "x") == display_name({"names": None}, "x") == "x"
