"""Evolves an Aug-PE arm again on a corpus with text canaries, and attacks its votes.

The calls are those of notebook 12, with the arm's own parameters. Unit, neighbours, sampler and mechanism are those of
`lib.methods.private_evolution.evolution`; the noise is calibrated again, because with canaries there are more units.
*Evaluation only.*

The guarantee covers all that evolution releases: every candidate and every noisy histogram of votes. So the strongest
attack reads the votes, and knows all that the guarantee allows an attacker to know: every other record. It subtracts
the votes of the others, and estimates from the rest which canaries voted. The texts alone say far less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lib.audit.canaries import Canary
from lib.audit.linear_estimate import coins_of
from lib.audit.target import Arm, Bars, CanariedCorpus, MadeAgain
from lib.common.files import read_json
from lib.data import labels
from lib.data.records import Record
from lib.methods.method import noise_multiplier
from lib.methods.private_evolution import start
from lib.methods.private_evolution.candidates import Generation
from lib.methods.private_evolution.evolution import FIRST, Evolution, Iteration, Voters
from lib.methods.private_evolution.method import METHOD
from lib.methods.private_evolution.modalities import open_modality
from lib.methods.private_evolution.modality import Modality
from lib.methods.private_evolution.nearest_neighbours import nearest
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.voting import VOTE, ballot, vote
from lib.privacy.ledger import Event, Ledger


@dataclass(frozen=True)
class Evolved:
    """A finished private evolution on the corpus with canaries. It is kept only in the checkpoints of its stage.

    Attributes:
        evolution: the run, with its voters.
        history: its iterations, in order.
        noise_multiplier: as in `Settings`; None where the arm is not private.
    """

    evolution: Evolution
    history: Sequence[Iteration]
    noise_multiplier: float | None

    @property
    def texts(self) -> list[str]:
        """The synthetic texts; of other items what says how each was made."""
        return [str(item) for item, _ in self.evolution.result(self.history[-1])]


def make_again(arm: Arm, corpus: CanariedCorpus, folder: Path, bars: Bars) -> MadeAgain:
    """Evolve an arm's texts again, with the corpus with canaries as voters.

    Args:
        arm: the arm to be audited.
        corpus: the private records with canaries behind them.
        folder: of the checkpoints; a killed run goes on from there.
        bars: makes a progress bar.

    Returns:
        The score ``votes`` of the m canaries that came once, (m,): with noise as ``single``, and without as
        ``unnoised``. No scores where there are no such canaries.

    Raises:
        DoppelError: the target epsilon cannot be reached with this many units, or the model gave no usable text.
    """
    ledger, train, planted = corpus.ledger(arm), corpus.train, corpus.planted
    modality = open_modality(METHOD.as_before | dict(arm.parameters), arm.parameters_of("corpus"))
    vectors, known = embedded(modality, corpus.records, train, planted.everyone)
    evolved = evolve(arm, train, vectors, ledger, corpus.folder, folder, modality, bars)
    statement = ledger.statement(arm.stage, target_epsilon=arm.parameters["target_epsilon"])
    if not planted.single:
        return MadeAgain({}, evolved.texts, statement)
    single = planted.single
    votes, unnoised = (
        vote_scores(evolved, single, known[: len(single)], first=len(corpus.records), noise=noise)
        for noise in (True, False)
    )
    return MadeAgain({}, evolved.texts, statement, single={"votes": votes}, unnoised={"votes": unnoised})


def evolve(
    arm: Arm,
    train: Sequence[Record],
    vectors: np.ndarray,
    ledger: Ledger,
    corpus: Path,
    folder: Path,
    modality: Modality,
    progress: Bars,
) -> Evolved:
    """Evolve an arm's texts again.

    It starts from the candidates that the arm started with: they were written before any vote, so no coin has an effect
    on them. Where another arm wrote them, which never saw a canary, what that arm spent makes the noise what it was;
    what the canaries are promised is that of the votes alone.

    Args:
        arm: the arm; its parameters are used.
        train: the n records that vote, canaries included. Private.
        vectors: embeddings of ``train`` by the encoder of ``modality``, float32, shape (n, width).
        ledger: of the corpus; the event of the votes is added to it.
        corpus: folder of the corpus stage, with its label histogram and catalogue.
        folder: of the checkpoints; a killed run goes on from there.
        modality: what the arm evolves, opened with its own parameters.
        progress: makes a progress bar.

    Returns:
        The finished evolution.

    Raises:
        DoppelError: the target epsilon cannot be reached, or the model gave no usable text.
    """
    given = METHOD.as_before | dict(arm.parameters)
    histogram, catalogue = (read_json(corpus / f"{name}.json") for name in ("label_histogram", "catalogue"))
    cells = [dict(cell) for cell in histogram["cells"]]
    before = start.spent_before(arm.folder, arm.inputs.get("start"), ledger)
    mechanism = start.mechanism(given, ledger, before)
    noise = noise_multiplier(mechanism)
    evolution = Evolution(
        modality,
        Voters.of(vectors, train, cells, ledger.unit),
        cells=cells,
        shares=labels.probabilities(histogram["noisy_counts"]),
        catalogue=catalogue,
        settings=Settings.of(given, noise),
        folder=folder,
    )
    evolution.begin_with(Generation.unpacked(read_json(arm.folder / FIRST), modality.shelf, arm.folder / FIRST))
    history = evolution.run(progress)
    ledger.events.append(Event(arm.stage, "audited again on canaries: votes", mechanism, given["privacy_seed"]))
    return Evolved(evolution, history, noise)


def embedded(
    modality: Modality, records: Sequence[Record], train: Sequence[Record], canaries: Sequence[Canary]
) -> tuple[np.ndarray, np.ndarray]:
    """Embed the train set and the canaries.

    The vectors of the private records come from the cache that the arm filled. Each canary is embedded once, so that
    the vector that votes is the one that the attack looks for, to the last bit.

    Args:
        modality: with the arm's own encoder.
        records: the private records.
        train: ``records``, and behind them the canaries that are in.
        canaries: all c canaries.

    Returns:
        Vectors of ``train``, float32, shape (n, width), and of ``canaries``, shape (c, width).
    """
    known = modality.encoder.encode([modality.private(canary.record) for canary in canaries])
    row = {modality.private(canary.record): number for number, canary in enumerate(canaries)}
    planted = known[[row[modality.private(record)] for record in train[len(records) :]]]
    return np.concatenate([modality.voters(records), planted]), known


def vote_scores(
    run: Evolved, canaries: Sequence[Canary], vectors: np.ndarray, *, first: int, noise: bool = True
) -> np.ndarray:
    """How likely each of m canaries voted: the best linear estimate of its coin from all released histograms.

    In iteration t a canary that is in adds its ballot to its k_nn nearest candidates. All iterations together are read
    (`lib.audit.linear_estimate.coins_of`).

    Private: clean votes are counted here. They leave this function only as scores of canaries.

    Args:
        run: the evolution in which the canaries voted.
        canaries: those that came once, m of them; each is a unit of its own.
        vectors: their embeddings, float32, shape (m, width).
        first: number of the first canary among the voters; those that are in follow each other from there.
        noise: True reads the released votes. False counts the votes for the same candidates again without noise, which
            is the violation that a positive control plants.

    Returns:
        The estimates, shape (m,); about 1 for a canary that is in and 0 for one that is out.
    """
    voters, settings = run.evolution.voters, run.evolution.settings
    others = _without(voters, slice(first, first + sum(canary.included for canary in canaries)))
    cells = labels.cell_numbers([canary.record for canary in canaries], run.evolution.cells)
    ballots, remaining = [], []
    for iteration in run.history:
        candidates = np.load(run.evolution.vectors_file(iteration.number))
        candidate_cells = np.array(iteration.generation.cells)
        released = iteration.noisy if noise else _votes(voters, candidates, candidate_cells, settings)
        ballots.append(_ballots(vectors, cells, candidates, candidate_cells, settings))
        remaining.append(released - _votes(others, candidates, candidate_cells, settings))
    table, votes = np.concatenate(ballots), np.concatenate(remaining)
    spread = (run.noise_multiplier or 0.0) * settings.k_nn**0.5 if noise else 0.0
    return coins_of(table, votes, spread)


def _votes(voters: Voters, candidates: np.ndarray, candidate_cells: np.ndarray, settings: Settings) -> np.ndarray:
    """The clean votes of each candidate, in votes. Private."""
    clean = vote(
        voters.vectors,
        candidates,
        private_cells=voters.cells,
        candidate_cells=candidate_cells,
        k_nn=settings.k_nn,
        weights=settings.vote_weights,
        owners=voters.owners,
    )
    return clean / VOTE


def _without(voters: Voters, gone: slice) -> Voters:
    owners = None if voters.owners is None else np.delete(voters.owners, gone)
    return Voters(np.delete(voters.vectors, gone, axis=0), np.delete(voters.cells, gone), owners)


def _ballots(
    vectors: np.ndarray, cells: np.ndarray, candidates: np.ndarray, candidate_cells: np.ndarray, settings: Settings
) -> np.ndarray:
    """The votes that each canary gives each candidate if it is in, (candidates, canaries)."""
    given = ballot(settings.k_nn, settings.vote_weights) / VOTE
    table = np.zeros((len(candidates), len(vectors)))
    for cell in np.unique(candidate_cells):
        members, rows = np.flatnonzero(candidate_cells == cell), np.flatnonzero(cells == cell)
        if len(rows):
            chosen = nearest(vectors, candidates[members], settings.k_nn, rows=rows)
            table[members[chosen], rows[:, None]] = given[: chosen.shape[1]]
    return table
