"""40_pii_text by hand: from the grammar to a pack, and with the texts of an arm that may not be shown."""

import json

import pytest
from support.errors import refused
from support.project import Project

from lib.data import records
from lib.pii.classes import classes
from lib.pii.exports import ai4privacy
from lib.pii.exports.registry import FORMATS
from lib.pii.slots import parse
from lib.pii.spans import problems
from lib.release import verify
from lib.release.candidate import Candidate
from lib.release.pack import pack

STAGE, ARM = "40_pii_text", "11_generate"
SECRET = "Quixotic Zebra Sanatorium"


def labelled(house: Project, name: str = STAGE) -> list:
    return ai4privacy.read(house.stage(name, "quick") / "labelled.jsonl")


def test_the_grammar_writes_a_set_that_is_right_and_can_be_packed(house: Project) -> None:
    formats = list(FORMATS)
    house.play(STAGE, samples=110, exports=formats, tokenizer=None, negatives=0.5)
    folder = house.stage(STAGE, "quick")
    made, examples = records.read(folder / "synthetic.jsonl"), labelled(house)
    assert [(one.id, one.filled.text) for one in examples] == [(record.id, record.text.reveal()) for record in made]
    assert len({(record.labels["field"], record.labels["style"]) for record in made}) == 99 and len(made) == 110
    for one in examples:
        assert one.language == "en" and one.template and not problems(one.filled, classes())
    figures = json.loads((folder / "metrics.json").read_text())
    assert (
        figures["records"] == 110 and figures["problems"] == 0 and figures["values_checked"] == figures["values_valid"]
    )
    for name in formats:
        path = folder / "exports" / f"{name}{FORMATS[name].suffix}"
        assert len(FORMATS[name].read(path)) == 110
    assert json.loads((folder / "privacy.json").read_text())["epsilon"] == 0.0
    assert verify.check(pack(Candidate(folder.parent, STAGE)))[1] == []


def test_a_changed_seed_changes_the_set_and_the_same_one_does_not(house: Project) -> None:
    settings = {"samples": 4, "fields": ["bank"], "styles": ["chat", "note"], "tokenizer": None}
    made = []
    for seed in (1, 1, 2):
        house.play(STAGE, **settings, seed=seed)
        made.append((house.stage(STAGE, "quick") / "labelled.jsonl").read_bytes())
    assert made[0] == made[1] != made[2]


def arm(house: Project, event: str) -> None:
    """An arm whose texts have slots, and a word that nobody may see where it is not private."""
    texts = [f"[FIRSTNAME] was at the {SECRET} on [DATE].", f"No slot, but the {SECRET}.", "[FIRSTNAME]: a@b.org"]
    house.notebook(
        ARM,
        "",
        "from lib.data.private_text import PrivateText\nfrom lib.data.records import Record, write\n\n"
        f"texts = {texts!r}\nmade = [Record(str(i), PrivateText(text), {{}}) for i, text in enumerate(texts)]\n"
        "write(stage.path('synthetic.jsonl'), made)",
        "from lib.privacy.accounting import Gaussian, NonPrivate\nfrom lib.privacy.ledger import Event, Ledger\n\n"
        f"ledger = Ledger('record', 1000, events=[Event(stage.id, 'training', {event})])\n"
        "stage.finish({}, ledger.statement(stage.id))",
    )
    house.play(ARM)


@pytest.mark.parametrize("event", ["NonPrivate()", "Gaussian(2.0)"])
def test_an_arm_s_texts_are_filled_at_its_epsilon_and_shown_only_where_it_is_private(
    house: Project, event: str, capsys: pytest.CaptureFixture
) -> None:
    arm(house, event)
    left = house.play(STAGE, writer="arm", inputs={"arm": ARM}, tokenizer=None)
    assert left["visible"] == (event != "NonPrivate()")
    assert SECRET not in "".join(capsys.readouterr())
    (one,) = labelled(house)
    assert SECRET in one.filled.text and [span.label for span in one.filled.spans] == ["FIRSTNAME", "DATE"]
    assert left["texts"].written.rejected == {"no slot": 1, "outside slots: EMAIL": 1}
    told, before = (json.loads((house.stage(name, "quick") / "privacy.json").read_text()) for name in (STAGE, ARM))
    assert told["epsilon"] == before["epsilon"] and told["events"] == before["events"] and ARM in told["ancestors"]
    text = parse(left["made"][0].filled.text, classes())
    assert not text.slots


def test_a_batch_stops_with_what_comes_next(house: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib.pii.writing import batch

    monkeypatch.setattr(batch, "DATA", house.root / "data")
    with refused("pii.batch_waits") as error:
        house.play(STAGE, writer="batch", model="bedrock:amazon.nova-lite-v1:0", samples=100, tokenizer=None)
    assert "aws s3 cp" in error.value.sentence
    assert list((house.root / "data/batches/quick" / STAGE / "requests").glob("*.jsonl"))
    assert not (house.stage(STAGE, "quick") / "done.json").exists()
