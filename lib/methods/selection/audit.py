"""Holds the votes of a hybrid arm again on a corpus with canaries, and attacks them. *Evaluation only.*

The candidates stay as they are. They came from other arms, whose own audits make those again; here the votes alone are
tested, so what is shown is about the arm's own event, and a text of the candidates says nothing about a canary. The
noise is the arm's: every unit takes part in every vote, so it does not depend on how many units there are.

Attack and reasons are those of `lib.methods.private_evolution.audit`: it reads the noisy histograms, and knows every
record but the canaries.
"""

from pathlib import Path

from lib.audit.target import Arm, Bars, CanariedCorpus, MadeAgain
from lib.common.files import read_json
from lib.data import labels
from lib.methods.method import noise_multiplier
from lib.methods.private_evolution.audit import Evolved, embedded, vote_scores
from lib.methods.private_evolution.evolution import Voters
from lib.methods.private_evolution.modality import text_modality
from lib.methods.private_evolution.settings import Settings
from lib.methods.selection import candidates
from lib.methods.selection.selection import Selection
from lib.models import encoders
from lib.privacy import copy_count
from lib.privacy import ledger as ledgers
from lib.privacy.ledger import Event


def make_again(arm: Arm, corpus: CanariedCorpus, folder: Path, bars: Bars) -> MadeAgain:
    """Hold an arm's votes again, with the canaries among the voters.

    Args:
        arm: the arm to be audited.
        corpus: the private records with canaries behind them.
        folder: of the checkpoints; a killed run goes on from there.
        bars: makes a progress bar; not used, because a vote takes seconds.

    Returns:
        The score ``votes`` of the m canaries that came once, (m,): with noise as ``single``, and without as
        ``unnoised``. The statement holds the events that the candidates came from as the arm had them.

    Raises:
        DoppelError: with canaries the arm's delta would promise nothing.
    """
    given, ledger, train, planted = arm.parameters, corpus.ledger(arm), corpus.train, corpus.planted
    spent = ledgers.read(arm.folder).events
    mechanism = next(e.mechanism for e in spent if e.stage == arm.stage and e.what != copy_count.WHAT)
    histogram = read_json(corpus.folder / "label_histogram.json")
    cells = [dict(cell) for cell in histogram["cells"]]
    encoder = encoders.open_encoder(given["encoder"], dtype="float32")
    vectors, known = embedded(text_modality(None, encoder), corpus.records, train, planted.everyone)
    generation = candidates.read(arm.folder, cells).generation
    noise = noise_multiplier(mechanism)
    selection = Selection(
        generation,
        encoder.encode(generation.items),
        Voters.of(vectors, train, cells, ledger.unit),
        cells=cells,
        shares=labels.probabilities(histogram["noisy_counts"]),
        settings=Settings.of(given, noise, iterations=given["votes"]),
        folder=folder,
    )
    held = Evolved(selection, selection.run(), noise)
    single = planted.single
    votes, unnoised = (
        vote_scores(held, single, known[: len(single)], first=len(corpus.records), noise=noisy)
        for noisy in (True, False)
    )
    again = Event(arm.stage, "audited again on canaries: votes", mechanism, given["privacy_seed"])
    ledger.events = [*(event for event in spent if event.stage != arm.stage), again]
    statement = ledger.statement(arm.stage, target_epsilon=given["target_epsilon"])
    return MadeAgain({}, held.texts, statement, single={"votes": votes}, unnoised={"votes": unnoised})
