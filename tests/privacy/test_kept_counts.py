"""The label counts: one draw for one charge, wherever the stage is killed."""

import pytest
from support.budgets import CORPUS, begin, entries, set_terms
from support.errors import refused
from support.project import Project

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.privacy import kept_counts, mechanisms
from lib.privacy.accounting import DiscreteGaussian
from lib.privacy.ledger import Event, Ledger
from lib.stage.stage import Stage

ROWS = [Record(str(number), PrivateText("It works."), {"sentiment": "positive"}) for number in range(300)]
CLEAN = [0, 0, 300]


def release(stage: Stage, rows: list[Record] = ROWS, scale: float = 1e4) -> list[int]:  # two draws are never alike
    event = Event(stage.id, "label histogram", DiscreteGaussian(scale))
    return kept_counts.release(stage, event, Ledger("record", len(ROWS)), CLEAN, rows)


def killed(*given: object) -> None:
    raise KeyboardInterrupt


def test_a_draw_that_may_have_been_seen_is_shown_again_and_charged_once(house: Project) -> None:
    stage = begin(CORPUS)
    first = release(stage)
    assert release(stage) == release(begin(CORPUS)) == first  # the cell was run again; the stage was killed
    assert len(first) == len(CLEAN) and len(entries()) == 1


@pytest.mark.parametrize("owner, step", [(mechanisms, "noisy_counts"), (kept_counts, "write_json")])
def test_what_was_charged_and_not_kept_is_drawn_under_the_same_charge(
    house: Project, monkeypatch: pytest.MonkeyPatch, owner: object, step: str
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(owner, step, killed)
        release(begin(CORPUS))
    first = release(begin(CORPUS))
    assert release(begin(CORPUS)) == first and len(entries()) == 1


def test_other_records_are_charged_and_drawn_for_themselves(house: Project) -> None:
    first = release(begin(CORPUS))
    other = release(begin(CORPUS), ROWS[1:])  # a dataset that changed where no file shows it
    assert other != first and len(entries()) == 2
    assert release(begin(CORPUS)) == first and len(entries()) == 2


def test_a_draw_that_was_finished_costs_again(house: Project) -> None:
    stage = begin(CORPUS)
    first = release(stage)
    stage.finish({}, {})
    assert release(begin(CORPUS)) != first and len(entries()) == 2


def test_what_the_budget_refuses_is_not_drawn(house: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    set_terms(epsilon=0.1)
    monkeypatch.setattr(mechanisms, "noisy_counts", lambda *given: pytest.fail("noise was drawn"))
    with refused("privacy.budget_exceeded", value=0.1):
        release(begin(CORPUS), scale=1.0)
    assert not list(house.root.rglob(kept_counts.KEPT))
