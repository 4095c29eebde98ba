"""The card of a pack: what the hub reads, what it states, and that nothing in it is markup of somebody else's."""

import re
from importlib.metadata import version

import yaml
from support.release_world import ARM, CORPUS, TRAINING, card_of, loads

from lib.release import card, certificate

EVIL = "![x](https://evil.example/p.png) <img src=x> [a](javascript:x) `` | www.evil.example"


def test_the_card_has_the_front_matter_that_the_hub_reads(world):
    front = yaml.safe_load(card_of(world, licence="cc-by-4.0", language="de").split("---")[1])
    assert front["license"] == "cc-by-4.0" and front["language"] == ["de"]
    assert front["task_categories"] == ["text-generation", "text-classification"]
    assert front["size_categories"] == "n<1K" and {"synthetic", "differential-privacy"} <= set(front["tags"])
    undecided = yaml.safe_load(card_of(world).split("---")[1])
    assert undecided["license"] == "other" and undecided["license_name"]
    assert "language" not in undecided  # nothing is made up


def test_the_card_states_the_guarantee_the_mechanisms_and_how_to_check(world):
    text = card_of(world)
    whole = loads(world.pack / certificate.NAME)
    assert certificate.guarantee(whole) in text
    assert f"by no more than a factor of e^{certificate.rounded_up(whole['epsilon'], 3)}," in text
    assert "Poisson, probability 0.2" in text and "| training | Gaussian |" in text
    assert "discrete Gaussian | 5 |" in text
    assert "./run_all.sh verify FOLDER" in text and "python -m lib.release.verify FOLDER" in text
    assert f"pip install dp-accounting=={version('dp-accounting')} pyarrow" in text
    assert "does not show who made the pack" in text
    assert all(f"## {section}" in text for section in ("What is in it", "How it was made", "The guarantee", "Licence"))
    world.play(CORPUS, unit="user")
    world.play(TRAINING, ARM)
    text = card_of(world)
    assert "add or remove one user" in text and "It protects one record" not in text


def test_no_text_that_a_model_or_a_user_wrote_is_markup_in_the_card(world):
    world.change_texts("synthetic", {0: f"{EVIL} \x1b[8m\u202e"})
    world.change_texts("synthetic", {i: {"mood": EVIL} for i in range(40)}, key="labels")
    world.play(TRAINING, prompt=EVIL)
    world.play(ARM)
    lines = card_of(world).splitlines()
    holding = [line for line in lines if "evil.example" in line]
    assert len(holding) == 5  # the prompt, the label, three records
    for line in holding:
        outside_code = "" if line.startswith("    ") else re.sub("`[^`]*`", "", line)
        assert not {"<", "[", "]", "`"} & set(outside_code) and "evil.example" not in outside_code
        assert not {"\x1b", "\u202e"} & set(line)


def test_rows_of_real_text_and_rows_without_a_value_are_not_public() -> None:
    row = {"group": "fidelity", "task": "words", "metric": "distinct", "value": 0.5, "real_text": False}
    row |= {"value_low": None, "value_high": None, "direction": "higher", "encoder": None}
    rows = [row, row | {"real_text": True}, row | {"value": None}, row | {"floor": 0.1, "because": "a secret"}]
    assert card.public_rows(rows) == [row, row]
