"""What a card says of the guarantee: what it covers and what not, and what the audit may be told of."""

import pytest
from support.release_world import ARM, AUDIT, CORPUS, TRAINING, card_of, loads

from lib.audit.verdict import Verdict
from lib.release import card, card_guarantee, certificate, leak_scan
from lib.release.candidate import Candidate


def test_the_card_says_whether_cleaning_is_covered_by_the_guarantee(world):
    card_of(world)
    whole, rows = loads(world.pack / certificate.NAME), Candidate(world.run, ARM).records
    covered, not_covered = (
        "guarantee holds for the corpus as it was before",
        "guarantee is about the corpus after cleaning",
    )
    text = card.write(whole, rows)
    assert covered in text and not_covered not in text
    del whole["code"][CORPUS]["settings"]["share"]  # as in an older version
    text = card.write(whole, rows)
    assert not_covered in text and covered not in text


def audited(world, case: str) -> None:
    """Put the run into a case of the next test."""
    if case == "no audit":
        return
    if case == "of another arm":
        world.play(AUDIT, verdict="consistent", inputs={"corpus": CORPUS, "mine": TRAINING})
        return
    verdicts = {"no score": None, "arm made again": "consistent", "not done": "consistent"}
    world.play(AUDIT, verdict=verdicts.get(case, case))
    if case == "arm made again":
        world.change_texts("synthetic", {0: "something else"})
        world.play(ARM)
    if case == "not done":
        (world.run / AUDIT / "done.json").unlink()


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("consistent", None),
        ("inconclusive", None),
        ("no score", "release.no_bound"),
        ("no audit", "release.no_audit"),
        ("arm made again", "release.audit_of_earlier_run"),
        ("not done", "release.audit_not_done"),
        ("of another arm", "release.not_attacked"),
    ],
)
def test_card_and_certificate_state_that_there_was_an_audit_or_why_none_and_no_verdict(world, case, code):
    audited(world, case)
    text, found = card_of(world), Candidate(world.run, ARM).audit
    stated = loads(world.pack / certificate.NAME)["audit"]
    assert (found.because and found.because.code) == code
    assert stated["attacked"] is (found.stage is not None)
    assert stated["because"] == (None if code is None else str(found.because))
    shown = {
        None: "An audit sent dummy records through the mechanism",
        "release.no_audit": "**No audit tested these texts:**",
        "release.not_attacked": "**No audit tested these texts:**",
    }.get(code, "**An audit was run, and says nothing about these texts:**")
    assert shown in text and (code is None) == ("an epsilon of 2.50" in text)
    everything = str(leak_scan.strings_of(world.pack))
    assert "0.5" not in str(stated)  # what the attack showed
    assert not any(f"**{verdict}**" in everything or f"'{verdict}'" in everything for verdict in Verdict)


def test_a_user_and_the_choice_among_all_arms_are_told(packed_once):
    whole = loads(packed_once / certificate.NAME)
    assert "named for release" in card_guarantee.promise(whole) and "It protects one record." in " ".join(
        card_guarantee.limits(whole)
    )
    chosen = whole["guarantee"] | {"covers": "all that was charged", "unit": "user with one record"}
    told = card_guarantee.promise(whole | {"guarantee": chosen})
    assert "may have been chosen" in told and "for a user with one record" in told
    of_user = " ".join(card_guarantee.limits(whole | {"unit": "user"}))
    assert "in many users is protected less" in of_user and "It protects one" not in of_user


def test_where_no_private_record_was_read_nobody_is_protected_and_nothing_was_attacked(packed_once):
    nobody = loads(packed_once / certificate.NAME) | {"unit": "none"}
    assert "no private record was read" in card_guarantee.promise(nobody)
    assert card_guarantee.attacks(nobody).startswith("There is nothing to attack")
    assert not any("Treated as public" in limit for limit in card_guarantee.limits(nobody))
