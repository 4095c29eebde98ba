"""Packs of labelled text: from public data alone, or passed on from another arm; and what a forger would change."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.errors import codes
from support.release_world import ARM, CORPUS, TRAINING, World, loads, rehash

from lib.common.errors import DoppelError
from lib.common.files import sha256
from lib.release import certificate, verify
from lib.release.candidate import Candidate
from lib.release.gate import copies
from lib.release.pack import pack

STAGE = "40_pii_text"
TEXTS = ["Ann called.", "Write to Bob, or to Ann."]


def build(world: World, *, inputs: str, ledger: str) -> None:
    """A notebook that writes and labels texts: a toy of the real one."""
    rows = [
        {
            "id": f"synthetic-{i:06d}",
            "source_text": text,
            "privacy_mask": [
                {"value": name, "start": text.index(name), "end": text.index(name) + 3, "label": "FIRSTNAME"}
                for name in sorted({"Ann", "Bob"}, key=text.find)
                if name in text
            ],
        }
        for i, text in enumerate(TEXTS)
    ]
    made = [{"id": row["id"], "text": row["source_text"], "labels": {"field": "bank"}} for row in rows]
    writer = "arm" if "arm" in inputs else "grammar"
    world.project.notebook(
        STAGE,
        f'inputs: dict[str, str] = {inputs}\nwriter: str = "{writer}"\nmodel: str | None = None\nsamples: int = 2\n'
        'mode: str = "iterate"\nfields: list[str] = []\nstyles: list[str] = []\n'
        'locales: dict[str, float] = {"en_US": 1.0}\nvalues: str = "plausible"\nreference: str = "2026-01-31"\n'
        "negatives: float = 0.0\nmessy: float = 0.0\n"
        "temperature: float = 1.0\ntop_p: float = 1.0\ntop_k: int = 0\nmax_new_tokens: int = 60\nseed: int = 0\n",
        f"import json\n\nmade = {made!r}\nrows = {rows!r}\n"
        "for name, lines in (('synthetic', made), ('labelled', rows)):\n"
        "    stage.path(f'{name}.jsonl').write_text(''.join(json.dumps(line) + '\\n' for line in lines))",
        f"from lib.privacy.ledger import NO_UNIT, Ledger, inherit\n\nledger = {ledger}\n"
        "stage.finish({'records': 2}, ledger.statement(stage.id))",
    )
    world.play(STAGE)


@pytest.fixture
def public(world: World) -> Path:
    """A pack of an arm that read no private record."""
    build(world, inputs="{}", ledger="Ledger(NO_UNIT, 0)")
    return pack(Candidate(world.run, STAGE))


@pytest.fixture
def passed_on(world: World) -> Path:
    """A pack of an arm that passes on the texts of another, which read private records."""
    build(world, inputs=f'{{"arm": "{ARM}"}}', ledger="inherit(list(stage.inputs.values()))")
    return pack(Candidate(world.run, STAGE))


def wrong(folder: Path) -> set[str]:
    return {reason.code for reason in verify.check(folder)[1]}


def test_an_arm_of_public_data_has_epsilon_0_and_a_card_that_says_why(world: World, public: Path) -> None:
    whole = loads(public / certificate.NAME)
    assert (whole["epsilon"], whole["guarantee"]["epsilon"], whole["unit"], whole["events"]) == (0.0, 0.0, "none", [])
    assert (
        wrong(public) == set()
        and (public / "labelled.jsonl").read_bytes() == (world.run / STAGE / "labelled.jsonl").read_bytes()
    )
    card = (public / "README.md").read_text()
    assert "no private record was read" in card and "token-classification" in card and "add or remove" not in card
    assert {row["what"] for row in whole["decisions"]} >= {"no stage that it was made from reads a private record"}
    assert copies(Candidate(world.run, STAGE), {"x": TEXTS}) == []


def test_an_arm_that_passes_texts_on_has_the_privacy_of_their_arm(world: World, passed_on: Path) -> None:
    whole, before = loads(passed_on / certificate.NAME), loads(world.run / ARM / "privacy.json")
    assert whole["epsilon"] == before["epsilon"] > 0 and whole["events"] and wrong(passed_on) == set()
    assert whole["ancestors"].keys() == {CORPUS, TRAINING, ARM}
    card = (passed_on / "README.md").read_text()
    assert "post-processing, which costs no epsilon" in card and f"The texts of `{ARM}` were made as follows." in card


def test_what_the_texts_that_are_passed_on_copied_still_counts(world: World, passed_on: Path) -> None:
    assert Candidate(world.run, STAGE).copy_count == 3
    world.play(ARM, noisy_count=10_000)
    world.play(STAGE)
    with pytest.raises(DoppelError) as error:
        pack(Candidate(world.run, STAGE))
    assert "copies" in error.value.value


def test_an_arm_without_a_target_is_passed_on_to_nobody(world: World) -> None:
    world.play(TRAINING, target_epsilon=None)
    world.play(ARM)
    build(world, inputs=f'{{"arm": "{ARM}"}}', ledger="inherit(list(stage.inputs.values()))")
    with pytest.raises(DoppelError) as error:
        pack(Candidate(world.run, STAGE))
    assert codes(error.value) == ["release.refused"] and "not for release" in error.value.value


def without_its_arm(whole: dict) -> None:
    """The forger says that nobody's text was passed on."""
    whole["code"] = {STAGE: whole["code"][STAGE]}
    whole["code"][STAGE]["settings"]["inputs"] = {}
    whole |= {"ancestors": {}, "events": [], "unit": "none", "units": 0, "delta": 0.0, "epsilon": 0.0}
    whole["neighbours"] = "no private record was read"
    whole["guarantee"] = {
        "covers": "this arm", "epsilon": 0.0, "epsilon_replacing": 0.0, "unit": "none", "charges": 0, "mechanisms": [],
    }  # fmt: skip


def test_a_pack_that_leaves_its_arm_out_is_seen(passed_on: Path) -> None:
    whole = loads(passed_on / certificate.NAME)
    without_its_arm(whole)
    rehash(passed_on, whole)
    assert "release.ancestor_left_out" in wrong(passed_on)


def test_no_other_arm_can_say_that_it_read_nothing(world: World) -> None:
    folder = pack(Candidate(world.run, ARM))
    whole = loads(folder / certificate.NAME)
    whole["code"] = {ARM: whole["code"][ARM]}
    whole["code"][ARM]["settings"] |= {"inputs": {}, "base_model": "bundled:x"}
    whole |= {"ancestors": {}, "events": [], "unit": "none", "units": 0, "delta": 0.0, "epsilon": 0.0}
    rehash(folder, whole)
    assert "release.ancestor_left_out" in wrong(folder)


@pytest.mark.parametrize("figure", ["epsilon", "charges"])
def test_a_guarantee_of_nothing_is_nothing(public: Path, figure: str) -> None:
    whole = loads(public / certificate.NAME)
    whole["guarantee"] |= {figure: 1}
    rehash(public, whole)
    assert "release.guarantee_wrong" in wrong(public)


def changed(folder: Path, change: Callable[[list[dict]], None]) -> set[str]:
    """What is wrong after a forger changed the labels, and all hashes with them."""
    path = folder / "labelled.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    change(rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    whole = loads(folder / certificate.NAME)
    whole["files"]["labelled.jsonl"] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    rehash(folder, whole)
    return wrong(folder)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda rows: rows[0]["privacy_mask"][0].update(start=1, end=4), "release.labels_wrong"),  # off by one
        (lambda rows: rows[1]["privacy_mask"].reverse(), "release.labels_wrong"),
        (lambda rows: rows[0]["privacy_mask"][0].update(value="Eve"), "release.labels_wrong"),
        (lambda rows: rows[0].update(privacy_mask="none"), "release.labels_wrong"),
        (lambda rows: rows[0].update(source_text="Ann called!"), "release.labels_of_others"),
        (lambda rows: rows.pop(), "release.labels_of_others"),
        (lambda rows: rows.reverse(), "release.labels_of_others"),
    ],
)
def test_labels_that_do_not_fit_the_texts_are_seen(public: Path, change: Callable, code: str) -> None:
    assert changed(public, lambda rows: None) == set()
    assert code in changed(public, change)


def test_a_pack_without_its_labels_is_not_whole(public: Path) -> None:
    (public / "labelled.jsonl").unlink()
    assert "release.file_missing" in wrong(public)
