"""Steers again on a corpus with text canaries, writes the texts again, and attacks. *Evaluation only.*

Unit, neighbours, sampler and mechanism are those of `lib.methods.steering.total`; the noise is calibrated again,
because with canaries there are more units. The guarantee covers the noisy sums, of which the texts are post-processing.
So the attack reads these sums, and knows every record but the canaries: it takes off what the others add, and looks for
the canaries' own vectors in what remains (`lib.audit.linear_estimate`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from lib.audit.linear_estimate import coins_of
from lib.audit.target import Arm, Bars, CanariedCorpus, MadeAgain
from lib.common.files import read_json
from lib.data import labels
from lib.data.records import Record
from lib.methods.method import noise_multiplier
from lib.methods.prompting import written_again
from lib.methods.steering import steering
from lib.methods.steering.method import METHOD
from lib.methods.steering.states import Public
from lib.methods.steering.total import Total
from lib.models.hidden_states import Directions
from lib.privacy.ledger import Event


def make_again(arm: Arm, corpus: CanariedCorpus, folder: Path, bars: Bars) -> MadeAgain:
    """Steer and write again, with the canaries among the private records.

    Args:
        arm: the arm to be audited.
        corpus: the private records with canaries behind them.
        folder: of the checkpoints; a killed run goes on from there.
        bars: makes a progress bar.

    Returns:
        The score ``states`` of the m canaries that came once, (m,): with noise as ``single``, and without as
        ``unnoised``. No scores where there are no such canaries.

    Raises:
        DoppelError: the target epsilon cannot be reached.
    """
    given, ledger = arm.parameters_of("steer"), corpus.ledger(arm)
    mechanism = METHOD.mechanism(given, units=ledger.units, delta=ledger.delta, others=ledger.mechanisms)
    private, clip, noise = given["target_epsilon"] is not None, given["clip"], noise_multiplier(mechanism)
    histogram, catalogue = (read_json(corpus.folder / f"{name}.json") for name in ("label_histogram", "catalogue"))
    cells = [dict(cell) for cell in histogram["cells"]]
    asked = steering.Asked.open(given, ledger.unit)
    reader = asked.reader(given["layers"], given["tokens_at_once"], labels.whole_sets(cells, catalogue))
    written = asked.public_texts(cells, catalogue, given["references"], given["seed"])
    public = Public.of(reader, asked.examples(written), labels.cell_numbers(written, cells), len(cells))

    def summed(records: Sequence[Record], progress: Callable[[int], object] = lambda done: None) -> Total:
        rows = labels.cell_numbers(records, cells)
        return steering.summed(reader, public, asked.examples(records), rows, clip if private else None, progress)

    train, single = corpus.train, [canary.record for canary in corpus.planted.single]
    total = summed(train, bars("records read", len(train)))
    noisy = steering.released(total, noise, given["privacy_seed"], folder)
    moves = steering.directions(noisy, public, histogram, clip, noise)
    asked.engine.steering = Directions(reader.layers, torch.from_numpy(moves)).times(arm.parameters["strength"])
    count = corpus.texts or len(arm.texts)
    texts = written_again.texts(
        asked.engine, asked.template, arm.parameters, corpus.folder, count, bars(f"{arm.stage} texts", count),
        lambda wanted: steering.numbers(wanted, cells),
    )  # fmt: skip
    ledger.events.append(Event(arm.stage, "audited again on canaries: states", mechanism, given["privacy_seed"]))
    made = MadeAgain({}, texts, ledger.statement(arm.stage, target_epsilon=given["target_epsilon"]))
    if not single:
        return made
    first, included = len(corpus.records), sum(canary.included for canary in corpus.planted.single)
    inside = train[first : first + included]  # those with copies come behind them, and are known
    known = total.exact - (summed(inside).exact if inside else 0)  # what all others add, to the bit
    parts = np.stack([summed([record]).exact.ravel() for record in single], axis=1)
    scores, scale = {}, clip if private else 1.0  # of what one unit adds
    for name, released, spread in (("single", noisy, noise or 0.0), ("unnoised", total.exact, 0.0)):
        scores[name] = {"states": coins_of(parts / scale, (released - known).ravel() / scale, spread)}
    return replace(made, **scores)
