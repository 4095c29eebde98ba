"""The metrics, one entry each: what it is called, what it means, which direction is better and what computes it.

To add a metric, write its function into a module of its family and its entry below; tables, views and the report take
it from there. `lib.evaluation.fidelity.metric_input` shows how for embedding and text metrics.

Importing this module loads no numerical library: the report and the release read it.
"""

from collections.abc import Collection, Iterable

from lib.common.errors import DoppelError, nearest
from lib.evaluation.entry import Direction, Entry, Family, Word

# fmt: off
_ENTRIES = (
    # Embeddings: both sets are clouds of points.
    Entry("frechet", "embedding", "lower", "fidelity.frechet_mmd:frechet", headline=True,
          title="Fréchet distance",
          meaning="How far apart the two clouds of embeddings lie, each taken as a Gaussian."),
    Entry("frechet_infinity", "embedding", "lower", "fidelity.frechet_mmd:frechet_at_infinity",
          title="Fréchet distance, n to ∞", meaning="The Fréchet distance extrapolated to infinitely many records."),
    Entry("mmd", "embedding", "lower", "fidelity.frechet_mmd:mmd_of_subsamples",
          title="MMD", meaning="Maximum mean discrepancy: how well one smooth function can tell the two sets apart."),
    Entry("sinkhorn", "embedding", "lower", "fidelity.sinkhorn:sinkhorn",
          title="Sinkhorn divergence", meaning="What it costs to move one cloud of embeddings onto the other."),
    Entry("precision", "embedding", "higher", "fidelity.precision_recall:neighbour_scores",
          title="Precision", meaning="Share of synthetic records that lie where real ones lie."),
    Entry("recall", "embedding", "higher", "fidelity.precision_recall:neighbour_scores",
          title="Recall", meaning="Share of real records that lie where synthetic ones lie."),
    Entry("density", "embedding", "match", "fidelity.precision_recall:neighbour_scores",
          title="Density", meaning="How crowded with real records the places are where synthetic ones lie."),
    Entry("coverage", "embedding", "higher", "fidelity.precision_recall:neighbour_scores",
          title="Coverage", meaning="Share of real records with a synthetic one among their nearest."),
    Entry("mauve", "embedding", "higher", "fidelity.mauve:cluster_scores", headline=True,
          title="MAUVE", meaning="Overlap of the two sets over clusters of embeddings; 1 is full overlap."),
    Entry("kl", "embedding", "lower", "fidelity.mauve:cluster_scores",
          title="KL divergence",
          meaning="Over clusters of embeddings: how surprising the synthetic histogram is to the real one."),
    # Also measured between the values of a label: `lib.evaluation.fidelity.suite.label_estimate`.
    Entry("tv", "embedding", "lower", "fidelity.mauve:cluster_scores",
          title="Total variation", meaning="Share of one histogram that would have to move to make the other."),
    Entry("two_sample_accuracy", "embedding", "lower", "fidelity.two_sample_test:length_matched_accuracy",
          title="Told apart", meaning="How often a classifier tells real from synthetic; 0.5 is guessing."),
    Entry("vendi", "embedding", "match", "fidelity.diversity:vendi", real_text=False,
          title="Vendi score",
          meaning="How many different records the set is worth, as one encoder sees them; compare only sets of the "
                  "same size in the same encoder."),
    # The texts themselves.
    Entry("record_length_w1", "text", "lower", "fidelity.text_metrics:length_distances",
          title="Length of records", meaning="Distance of the two distributions of record lengths, in words."),
    Entry("sentence_length_w1", "text", "lower", "fidelity.text_metrics:length_distances",
          title="Length of sentences", meaning="Distance of the two distributions of sentence lengths, in words."),
    Entry("word_jsd", "text", "lower", "fidelity.text_metrics:word_divergence", headline=True,
          title="Words used", meaning="Jensen-Shannon divergence of the most frequent words' frequencies."),
    Entry("distinct_1", "text", "match", "fidelity.diversity:distinct_words", real_text=False,
          title="Distinct words", meaning="Different words, as a share of all words; it falls as a set grows."),
    Entry("distinct_2", "text", "match", "fidelity.diversity:distinct_pairs", real_text=False,
          title="Distinct pairs", meaning="Different pairs of neighbouring words, as a share of all pairs."),
    Entry("distinct_3", "text", "match", "fidelity.diversity:distinct_triples", real_text=False,
          title="Distinct triples", meaning="Different triples of neighbouring words, as a share of all triples."),
    Entry("self_bleu", "text", "match", "fidelity.diversity:mean_self_bleu", real_text=False,
          title="Self-BLEU", meaning="How much each record repeats phrases of the others; high is monotonous."),
    Entry("broken", "text", "match", "fidelity.text_metrics:defect_shares", real_text=False, share=True,
          title="Broken",
          meaning="Share of records that contain control characters or markup, have no letter, or are stuck in "
                  "repetition; whether they make sense is not judged."),
    Entry("non_text", "text", "match", "fidelity.text_metrics:defect_shares", real_text=False, share=True,
          title="Not text",
          meaning="Share of records that contain control characters, broken characters or markup, or have no letter."),
    Entry("repetitive", "text", "match", "fidelity.text_metrics:defect_shares", real_text=False, share=True,
          title="Repetitive", meaning="Share of records that got stuck repeating themselves."),
    Entry("abrupt", "text", "match", "fidelity.text_metrics:defect_shares", real_text=False, share=True,
          title="Abrupt",
          meaning="Share of records that do not end with a mark that closes a sentence; many real texts do not, "
                  "either."),
    # Utility: models trained on an arm, judged by held-out real records. Macro-F1 is the headline: accuracy flatters
    # a classifier that always predicts the most frequent label. The reversed metrics are to match their ceiling:
    # synthetic text whose labels are easier to read than those of real text lies beyond it.
    Entry("accuracy", "transfer", "higher", "utility.tstr:accuracy",
          title="Accuracy",
          meaning="Trained on this arm, tested on held-out real records: share of labels predicted correctly."),
    Entry("macro_f1", "transfer", "higher", "utility.tstr:macro_f1", headline=True,
          title="Macro-F1",
          meaning="Trained on this arm, tested on held-out real records: mean F1 of the labels, each counting "
                  "equally however rare it is."),
    Entry("reverse_accuracy", "transfer", "match", "utility.tstr:accuracy",
          title="Accuracy, reversed",
          meaning="Trained on real records, tested on this arm's: share of labels predicted correctly."),
    Entry("reverse_macro_f1", "transfer", "match", "utility.tstr:macro_f1",
          title="Macro-F1, reversed",
          meaning="Trained on real records, tested on this arm's: mean F1 of the labels, each counting equally."),
    Entry("importance_correlation", "importance", "higher", "utility.feature_importance:correlation", headline=True,
          title="Words that matter",
          meaning="Pearson's correlation of the importance of words to models of synthetic and of real text."),
    Entry("importance_rank_correlation", "importance", "higher", "utility.feature_importance:rank_correlation",
          title="Words that matter, in order",
          meaning="Do models of synthetic and of real text rank the importance of words alike?"),
    Entry("importance_top20_jaccard", "importance", "higher", "utility.feature_importance:top_jaccard", headline=True,
          title="Words that matter, top 20",
          meaning="Jaccard index of the 20 most important words of models of synthetic and of real text."),
    Entry("perplexity", "next_token", "lower", "utility.next_token:perplexity", headline=True,
          title="Perplexity",
          meaning="Among how many tokens a model adapted on this arm hesitates, on average, when it reads real text."),
    Entry("token_accuracy", "next_token", "higher", "utility.next_token:token_accuracy",
          title="Next token", meaning="How often a model adapted on this arm guesses the next token of real text."),
    # People who rate texts without knowing where they come from.
    Entry("quality", "people", "higher", "human.rating_sheet:mean_ratings",
          title="Quality, by people", meaning="Well written and whole, 1 to 5."),
    Entry("fits", "people", "higher", "human.rating_sheet:mean_ratings",
          title="Fits its labels, by people", meaning="1 to 5."),
    # The arm's own language model.
    Entry("held_out_loss", "loss", "lower", "bootstrap:mean_loss",
          title="Held-out loss", meaning="How surprised the arm's model is by unseen real records, in nats a token."),
)
# fmt: on
METRICS: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}  # by name, in the order of tables


def entry(name: str) -> Entry:
    """The entry of a metric by ``name``.

    Raises:
        DoppelError: there is no metric of that name.
    """
    if name not in METRICS:
        raise DoppelError(
            "evaluation.unknown_metric",
            f"there is no metric {name!r}",
            name="metric",
            value=name,
            remedy=nearest(name, METRICS),
        )
    return METRICS[name]


def family(name: Family, metrics: Collection[str] | None = None) -> list[Entry]:
    """The entries of the family ``name`` in the order of `METRICS`: all, or those that ``metrics`` name.

    Raises:
        DoppelError: ``metrics`` names a metric that is not in the family.
    """
    known = {entry.name: entry for entry in METRICS.values() if entry.family == name}
    for metric in metrics or ():
        if metric not in known:
            raise DoppelError(
                "evaluation.metric_not_in_family",
                f"{metric!r} is not a metric of the family {name!r}",
                name="metrics",
                value=metric,
                remedy=nearest(metric, known),
            )
    return [entry for entry in known.values() if metrics is None or entry.name in metrics]


def directions(name: Family) -> dict[str, Direction]:
    """By metric of the family ``name``, which direction is better."""
    return {entry.name: entry.direction for entry in family(name)}


def headline(name: Family) -> tuple[str, ...]:
    """The metrics of the family ``name`` that stand on the first page."""
    return tuple(entry.name for entry in family(name) if entry.headline)


def metric(name: str) -> Word:
    """Title and meaning of the metric ``name``. A metric that has no entry, as of an older run, keeps its own name."""
    if name not in METRICS:
        return Word(name.replace("_", " "), "")
    return Word(METRICS[name].title, METRICS[name].meaning)


def title(name: str) -> str:
    """What readers call the metric ``name``."""
    return metric(name).title


def explained(names: Iterable[str]) -> list[Word]:
    """Title and meaning of the metrics among ``names`` that have an entry, each once, in the order of `METRICS`."""
    wanted = set(names)
    return [metric(name) for name in METRICS if name in wanted]
