"""Writes an arm's texts again by private prediction on a corpus with text canaries, and attacks them.

*Evaluation only.* Unit, neighbours, sampler and mechanism are those of `lib.methods.private_prediction.prediction`; the
clip is calibrated again, because with canaries there are more units. A text is written for each batch that a canary
which came once picks, whether it is in or out, so that no canary goes unseen.

The guarantee covers every token of a text, and an attacker may know all but one record. So the strongest attack reads
the text of the canary's batch and knows all other records behind it: it asks how much likelier the tokens are with the
canary than without.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from lib.audit.target import Arm, Bars, CanariedCorpus, MadeAgain
from lib.common.files import read_json
from lib.data import labels
from lib.data.records import Record
from lib.methods.method import noise_multiplier
from lib.methods.private_evolution.selection import quotas
from lib.methods.private_prediction import batches
from lib.methods.private_prediction.batches import Batch
from lib.methods.private_prediction.method import METHOD
from lib.methods.private_prediction.prediction import Prediction
from lib.methods.private_prediction.side_by_side import Rule, Writing
from lib.methods.private_prediction.writer import Writer, kept_key
from lib.privacy.ledger import Event

LOUD = 1000.0  # times the arm's mean, and no clip: next to what records say, the draw is no noise


def make_again(arm: Arm, corpus: CanariedCorpus, folder: Path, bars: Bars) -> MadeAgain:
    """Write an arm's texts again, with the canaries among the private records.

    Args:
        arm: the arm to be audited.
        corpus: the private records with canaries behind them.
        folder: of the checkpoints; a killed run goes on from there.
        bars: makes a progress bar.

    Returns:
        The score ``tokens`` of the m canaries that came once, (m,): as the arm draws as ``single``, and with what the
        records say `LOUD`, not clipped and never at its end, so without privacy, as ``unnoised``. No scores where there
        are no such canaries.

    Raises:
        DoppelError: the target epsilon cannot be reached, or there are not enough units for so many texts.
    """
    given, ledger = METHOD.as_before | dict(arm.parameters), corpus.ledger(arm)
    train, planted = corpus.train, corpus.planted
    histogram = read_json(corpus.folder / "label_histogram.json")
    cells, shares = [dict(cell) for cell in histogram["cells"]], labels.probabilities(histogram["noisy_counts"])
    mechanism = METHOD.mechanism(given, units=ledger.units, delta=ledger.delta, others=ledger.mechanisms)
    wanted = quotas(shares, given["samples"])
    plan = batches.plan(shares, wanted, units=ledger.units, expected_batch=given["expected_batch"])
    present = {record.id: record for record in train}
    single = [present.get(canary.record.id, canary.record) for canary in planted.single]
    out = [record for record in single if record.id not in present]
    writer, parts = Writer.open(given, cells[0]), {"unit": ledger.unit, "key": kept_key(folder, given["privacy_seed"])}
    parted = batches.assign(train, cells, plan, **parts)
    picked = batches.assign([*train, *out], cells, plan, **parts)
    place = {record.id: batch for batch, units in picked.items() for unit in units for record in unit}
    written = sorted({*plan.written, *(place[record.id] for record in single if record.id in place)})
    rule = writer.rule(given, noise_multiplier(mechanism))
    loud = replace(rule, clip=math.inf, divisor=rule.divisor / LOUD, stops=frozenset())
    rules = {"single": rule, "unnoised": loud}
    drawn = {}
    for name in rules if single else ("single",):
        run = Prediction(
            writer.model, writer.requests, cells, written, parted, rule=rules[name],
            privacy_seed=given["privacy_seed"], folder=folder / name,
        )  # fmt: skip
        drawn[name] = run.run(bars(f"texts, {name}", len(written)))
    ledger.events.append(Event(arm.stage, "audited again on canaries: tokens", mechanism, given["privacy_seed"]))
    statement = ledger.statement(arm.stage, target_epsilon=given["target_epsilon"])
    drawn_texts = writer.texts(drawn["single"], written, cells, trim=given["unfinished"] == "trim")
    made = MadeAgain({}, [drawn_texts.items[number] for number in sorted(drawn_texts.items)], statement)
    if not single:
        return made
    scores = {}
    for name, ids in drawn.items():
        again = Again(writer, rules[name], cells, parted, place, dict(zip(written, ids, strict=True)))
        scores[name] = {"tokens": np.array([again.score(record) for record in single])}
    return replace(made, **scores)


@dataclass(frozen=True)
class Again:
    """Texts that were written again. Private.

    Attributes:
        writer: model and requests.
        rule: how tokens were drawn.
        cells: labels of each cell, name -> value.
        parted: the units behind each text, each with its records.
        place: the batch that each record picks, by its id, be it in or out.
        texts: token ids of the text of each batch.
    """

    writer: Writer
    rule: Rule
    cells: Sequence[Mapping[str, str]]
    parted: Mapping[Batch, Sequence[Sequence[Record]]]
    place: Mapping[str, Batch]
    texts: Mapping[Batch, Sequence[int]]

    @torch.inference_mode()
    def score(self, canary: Record) -> float:
        """Log likelihood ratio of the text of a ``canary``'s batch, with the canary against without, in nats."""
        if canary.id not in self.place:  # a user's record of another label than the user's
            return 0.0
        batch = self.place[canary.id]
        others = [unit for unit in self.parted.get(batch, ()) if all(record.id != canary.id for record in unit)]
        without = np.arange(len(others) + 1) < len(others)
        asked = [self.writer.requests.asked(self.cells[batch.cell], batch)]
        units = [[*others, [canary]]]
        writing = Writing(self.writer.model, self.writer.requests, asked, units, [[]], self.rule.rows)
        ratio, tokens = 0.0, self.texts[batch]
        for number, token in enumerate(tokens):
            for sign, counted in ((1, None), (-1, without)):
                scores, columns = writing.scores(self.rule, counted)
                chances = (scores[0] / self.rule.temperature).log_softmax(-1)
                ratio += sign * float(chances[columns == token].sum())  # of none, where rounding no longer keeps it
            writing.tokens[0].append(token)
            if number + 1 < len(tokens):
                writing.extend(torch.tensor([token], device=columns.device), [0])
        return ratio
