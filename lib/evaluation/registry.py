"""What metrics are called before readers, and what they say: each in a sentence or two."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Word(NamedTuple):
    """A thing as readers meet it, and what it says."""

    title: str
    says: str


METRICS: Mapping[str, Word] = {
    # embeddings: both sets as clouds of points
    "frechet": Word("Fréchet distance", "How far apart the two clouds of embeddings lie, each taken as a Gaussian."),
    "frechet_infinity": Word("Fréchet distance, n to ∞", "The same, extrapolated to endlessly many records."),
    "mmd": Word("MMD", "Maximum mean discrepancy: how well one smooth function can tell the two sets apart."),
    "sinkhorn": Word("Sinkhorn divergence", "What it costs to move one cloud of embeddings onto the other."),
    "precision": Word("Precision", "Share of synthetic records that lie where real ones lie."),
    "recall": Word("Recall", "Share of real records that lie where synthetic ones lie."),
    "density": Word("Density", "How crowded with real records the places are where synthetic ones lie."),
    "coverage": Word("Coverage", "Share of real records with a synthetic one among their nearest."),
    "mauve": Word("MAUVE", "Overlap of the two sets over clusters of embeddings; 1 is full overlap."),
    "kl": Word(
        "KL divergence", "Over clusters of embeddings: how surprising the synthetic histogram is to the real one."
    ),
    "tv": Word("Total variation", "Share of one histogram that would have to move to make the other."),
    "two_sample_accuracy": Word("Told apart", "How often a classifier tells real from synthetic; 0.5 is guessing."),
    "vendi": Word(
        "Vendi score",
        "How many different records the set is worth, as one encoder sees them; only sets of one size in the same "
        "encoder compare.",
    ),
    # the texts themselves
    "record_length_w1": Word("Length of records", "Distance of the two distributions of record lengths, in words."),
    "sentence_length_w1": Word(
        "Length of sentences", "Distance of the two distributions of sentence lengths, in words."
    ),
    "word_jsd": Word("Words used", "Jensen-Shannon divergence of the commonest words' frequencies."),
    "distinct_1": Word("Distinct words", "Different words, as a share of all words; it falls as a set grows."),
    "distinct_2": Word("Distinct pairs", "Different pairs of neighbouring words, as a share of all pairs."),
    "distinct_3": Word("Distinct triples", "Different triples of neighbouring words, as a share of all triples."),
    "self_bleu": Word("Self-BLEU", "How much each record repeats phrases of the others; high is monotonous."),
    "broken": Word(
        "Broken",
        "Share of records with control signs or markup, without a letter, or stuck in repetition; it does not read for "
        "sense.",
    ),
    "non_text": Word(
        "Not text", "Share of records with control signs, broken characters or markup, or without a letter."
    ),
    "repetitive": Word("Repetitive", "Share of records that got stuck repeating themselves."),
    "abrupt": Word(
        "Abrupt", "Share of records without a sign at their end that closes a sentence; many real texts lack it, too."
    ),
    # utility
    "accuracy": Word("Accuracy", "Trained on this arm, tested on held-out real records: share of labels told right."),
    "macro_f1": Word("Macro-F1", "The same, with every label counting equally however rare it is."),
    "reverse_accuracy": Word("Accuracy, reversed", "Trained on real records, tested on this arm's."),
    "reverse_macro_f1": Word("Macro-F1, reversed", "The same, with every label counting equally."),
    "importance_rank_correlation": Word(
        "Words that matter, in order", "Do models of synthetic and of real text rank the importance of words alike?"
    ),
    "importance_top20_jaccard": Word("Words that matter, top 20", "Overlap of the 20 most important words."),
    "perplexity": Word("Perplexity", "Between how many tokens a model adapted on this arm hesitates in real text."),
    "token_accuracy": Word("Next token", "How often a model adapted on this arm guesses the next token of real text."),
    "quality": Word("Quality, by people", "Well written and whole, 1 to 5."),
    "fits": Word("Fits its labels, by people", "1 to 5."),
    "held_out_loss": Word("Held-out loss", "How surprised the arm's model is by unseen real records, in nats a token."),
}


def metric(name: str) -> Word:
    """A metric's title and meaning; one that is not known here keeps its own name."""
    return METRICS.get(name, Word(name.replace("_", " "), ""))


def title(name: str) -> str:
    """What readers call a metric."""
    return metric(name).title


def explained(names: Iterable[str]) -> list[Word]:
    """The metrics among ``names`` that have an explanation, each once, in the order of this file."""
    wanted = set(names)
    return [word for name, word in METRICS.items() if name in wanted]
