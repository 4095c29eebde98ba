"""An Aug-PE arm evolved again on a canaried corpus, and what its votes say of a canary.

The calls are those of notebook 03, with the arm's own parameters: unit, neighbours and mechanism are
`lib.methods.private_evolution.evolution`'s. *Evaluation only.*

The guarantee covers all that evolution releases: every candidate and every noisy histogram of votes. So the strongest
attack reads the votes, and is given all that the guarantee allows an attacker to know: every other record. It takes the
votes of the others off, and estimates from what is left which canaries voted. Text alone tells far less.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lib.audit.canaries import Canary
from lib.audit.target import Arm, Bars, CanariedCorpus, MadeAgain
from lib.common.files import read_json
from lib.data import labels
from lib.data.records import Record, owner_numbers
from lib.methods.method import noise_multiplier
from lib.methods.private_evolution import text_api
from lib.methods.private_evolution.evolution import FIRST, Evolution, Generation, Iteration, Voters
from lib.methods.private_evolution.method import METHOD
from lib.methods.private_evolution.nearest_neighbours import nearest
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.voting import VOTE, vote
from lib.models import encoders
from lib.models.encoders import Encoder
from lib.privacy.ledger import Event, Ledger


@dataclass(frozen=True)
class Evolved:
    """Private evolution on the canaried corpus, to its end. Never saved beyond the checkpoints of its stage."""

    evolution: Evolution
    history: Sequence[Iteration]
    noise_multiplier: float | None

    @property
    def texts(self) -> list[str]:
        return [text for text, _ in self.evolution.result(self.history[-1])]


def make_again(arm: Arm, corpus: CanariedCorpus, folder: Path, bars: Bars) -> MadeAgain:
    """Evolve an arm's texts again with the canaried corpus as voters.

    Args:
        arm: to be audited.
        corpus: the private records with canaries behind them.
        folder: of the checkpoints, from which a killed attempt goes on.
        bars: makes a progress bar.

    Returns:
        The score ``votes`` of the canaries that came once, (m,), with noise and without.
    """
    ledger, train, planted = corpus.ledger(arm), corpus.train, corpus.planted
    encoder = encoders.open_encoder(arm.parameters["encoder"], dtype="float32")
    vectors, known = embedded(encoder, corpus.records, train, planted.everyone)
    evolved = evolve(arm, train, vectors, ledger, corpus.folder, folder, encoder.encode, bars)
    single = planted.single
    votes, unnoised = (
        vote_scores(evolved, single, known[: len(single)], first=len(corpus.records), noise=noise)
        for noise in (True, False)
    )
    statement = ledger.statement(arm.stage, target_epsilon=arm.parameters["target_epsilon"])
    return MadeAgain({}, evolved.texts, statement, single={"votes": votes}, unnoised={"votes": unnoised})


def evolve(
    arm: Arm,
    train: Sequence[Record],
    vectors: np.ndarray,
    ledger: Ledger,
    corpus: Path,
    folder: Path,
    embed: Callable[[Sequence[str]], np.ndarray],
    progress: Bars,
) -> Evolved:
    """Evolve again with ``train`` as voters; the event is added to ``ledger``. Resumable from ``folder``.

    It begins with the candidates that the arm began with: they came before any vote, so no coin moves them.
    ``vectors`` (n, d) are the embeddings of ``train`` by ``embed``, the arm's own encoder.
    """
    given = arm.parameters
    histogram, catalogue = (read_json(corpus / f"{name}.json") for name in ("label_histogram", "catalogue"))
    cells = [dict(cell) for cell in histogram["cells"]]
    users = np.array(owner_numbers(train)) if ledger.unit == "user" else None
    mechanism = METHOD.mechanism(given, units=ledger.units, delta=ledger.delta, others=ledger.mechanisms)
    noise = noise_multiplier(mechanism)
    names = Settings.__dataclass_fields__.keys() & given.keys()
    evolution = Evolution(
        text_api.open_api(given),
        embed,
        Voters(vectors, labels.cell_numbers(train, cells), users),
        cells=cells,
        shares=labels.probabilities(histogram["noisy_counts"]),
        catalogue=catalogue,
        settings=Settings(noise_multiplier=noise, **{name: given[name] for name in names}),
        folder=folder,
    )
    evolution.begin_with(Generation(**read_json(arm.folder / FIRST)))
    history = evolution.run(progress)
    ledger.events.append(Event(arm.stage, "audited again on canaries: votes", mechanism, given["privacy_seed"]))
    return Evolved(evolution, history, noise)


def embedded(
    encoder: Encoder, records: Sequence[Record], train: Sequence[Record], canaries: Sequence[Canary]
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of ``train`` (the records, canaries behind them), (n, d), and of all ``canaries``, (c, d).

    Those of the private records come from the cache that the arm filled. Each canary is embedded once: what votes is
    what the attack looks for, to the last bit.
    """
    known = encoder.encode([canary.record.text for canary in canaries])
    place = {canary.record.text: row for row, canary in enumerate(canaries)}
    behind = known[[place[record.text] for record in train[len(records) :]]]
    private = encoders.embed_private(encoder, [record.text for record in records])
    return np.concatenate([private, behind]), known


def vote_scores(
    run: Evolved, canaries: Sequence[Canary], vectors: np.ndarray, *, first: int, noise: bool = True
) -> np.ndarray:
    """How likely each canary voted, shape (m,): the best linear estimate of its coin from all released histograms.

    ``vectors`` (m, d) are the canaries' embeddings; those that are in stand one behind the other from voter number
    ``first`` on. In iteration t a canary that is in adds a vote to each of its k_nn
    nearest candidates: with x the coins (0 or 1), A_t the ballots (candidates x canaries) and N(0, s^2) the noise, the
    released votes less those of all others are A_t x + noise. For fair coins the least mean squared error is that of
    x = 1/2 + (A'A + 4 s^2)^-1 A' (votes - A/2), over all iterations at once.

    With ``noise=False`` the same candidates are voted for again without noise: the planted violation.

    Private: clean votes are counted here. They leave this function as scores of canaries alone.
    """
    voters, settings = run.evolution.voters, run.evolution.settings
    others = _without(voters, slice(first, first + sum(canary.included for canary in canaries)))
    cells = labels.cell_numbers([canary.record for canary in canaries], run.evolution.cells)
    ballots, left = [], []
    for one in run.history:
        candidates, of = np.load(run.evolution._vectors(one.number)), np.array(one.generation.cells)
        released = one.noisy if noise else _votes(voters, candidates, of, settings.k_nn)
        ballots.append(_ballots(vectors, cells, candidates, of, settings.k_nn))
        left.append(released - _votes(others, candidates, of, settings.k_nn))
    table, rest = np.concatenate(ballots), np.concatenate(left)
    spread = (run.noise_multiplier or 0.0) * settings.k_nn**0.5 if noise else 0.0
    ridge = max(4 * spread**2, 1e-6) * np.eye(len(canaries))
    return 0.5 + np.linalg.solve(table.T @ table + ridge, table.T @ (rest - table.sum(axis=1) / 2))


def _votes(voters: Voters, candidates: np.ndarray, of: np.ndarray, k_nn: int) -> np.ndarray:
    clean = vote(
        voters.vectors,
        candidates,
        private_cells=voters.cells,
        candidate_cells=of,
        k_nn=k_nn,
        owners=voters.owners,
    )
    return clean / VOTE


def _without(voters: Voters, gone: slice) -> Voters:
    owners = None if voters.owners is None else np.delete(voters.owners, gone)
    return Voters(np.delete(voters.vectors, gone, axis=0), np.delete(voters.cells, gone), owners)


def _ballots(vectors: np.ndarray, cells: np.ndarray, candidates: np.ndarray, of: np.ndarray, k_nn: int) -> np.ndarray:
    """Who would vote for what, (candidates, canaries), 0 or 1."""
    table = np.zeros((len(candidates), len(vectors)))
    for cell in np.unique(of):
        members, rows = np.flatnonzero(of == cell), np.flatnonzero(cells == cell)
        if len(rows):
            chosen = nearest(vectors, candidates[members], k_nn, rows=rows)
            table[members[chosen].ravel(), np.repeat(rows, chosen.shape[1])] = 1
    return table
