"""Whether the records of an arm are closer to its training records than fresh ones are. *Evaluation only*."""

from collections.abc import Mapping, Sequence
from typing import Any

from lib.audit.copied_records import distances, nearest
from lib.data.images.parquet import pixels
from lib.data.tables.domain import columns_of
from lib.release import copy_tests, kinds
from lib.release.candidate import Candidate
from lib.release.copy_tests import Excess
from lib.stage.original import parameters as parameters_of


def excesses(candidate: Candidate, real: Mapping[str, Sequence[Any]]) -> list[Excess]:
    """The tests of `lib.release.copy_tests` on an arm.

    Args:
        candidate: the arm.
        real: the private records by side, ``train`` and ``test``.

    Returns:
        Of texts shared words, of pictures and rows distances to the nearest private one: of pictures as
        `lib.audit.copied_records` has them, of rows in the space of the votes.
    """
    train, test, made = real["train"], real["test"], candidate.records
    if candidate.kind is kinds.TEXTS:
        train_texts, test_texts = ([record.text.reveal() for record in side] for side in (train, test))
        return copy_tests.excesses(candidate.texts, train_texts, test_texts)
    if candidate.kind is kinds.PICTURES:
        own, held_out = (distances(pixels(side), pixels(train)) for side in (made, test))
        return copy_tests.nearness(own, held_out)
    from lib.methods.private_evolution.table_api import TableEncoder  # here: it imports torch

    declared = parameters_of(candidate.corpus.folder)
    encoder = TableEncoder(columns_of(declared["columns"], declared["missing"]))
    vectors = [encoder.encode([record.text for record in side]) for side in (made, test, train)]
    return copy_tests.nearness(*(nearest(side, vectors[2]) for side in vectors[:2]))
