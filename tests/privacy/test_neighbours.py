"""What a neighbour adds or removes, of texts, pictures and rows."""

import pytest

from lib.privacy.ledger import Ledger, from_statement
from lib.privacy.neighbours import HELD, NEIGHBOURS, NO_UNIT, held, neighbours
from lib.privacy.statement_check import problems


def test_the_words_are_those_of_what_the_corpus_holds() -> None:
    assert neighbours("record") == "add or remove one record (one line of train.jsonl)"  # as it stands in old packs
    assert neighbours("user") == "add or remove one user (all of the user's lines of train.jsonl)"
    assert neighbours("record", "pictures") == "add or remove one record (one picture of train.parquet)"
    assert neighbours("user", "rows") == "add or remove one user (all of the user's rows of train.jsonl)"
    assert neighbours(NO_UNIT, "pictures") == "no private record was read"


@pytest.mark.parametrize("records", HELD)
@pytest.mark.parametrize("unit", NEIGHBOURS)
def test_a_statement_tells_what_its_corpus_holds(unit: str, records: str) -> None:
    statement = Ledger(unit, 2000, records=records).statement("a_stage")
    assert held(unit, statement["neighbours"]) == from_statement(statement).records == records
    assert problems(statement) == []
    other = statement | {"neighbours": "replace one record"}
    assert [reason.code for reason in problems(other)] == ["privacy.neighbours_wrong"]
