"""What can be refused about a corpus stage before its kernel starts: of texts, pictures or rows. Light: no torch."""

from lib.common.errors import DoppelError
from lib.privacy import label_histogram
from lib.privacy.public_source import undeclared
from lib.stage.notebook_roles import CORPUS, IMAGES, Parameters


def process_data(parameters: Parameters) -> None:
    """Refuse an unknown source, rules, domains and topics that cannot work, and a file whose first record does not fit.

    Args:
        parameters: of 00_process_data, resolved.
    """
    from lib.data import records, sources

    source, domain = str(parameters["source"]), parameters["label_domain"]
    if parameters["min_words"] > parameters["max_words"]:
        raise DoppelError(
            "pipeline.words_out_of_order",
            f"min_words = {parameters['min_words']} is over max_words = {parameters['max_words']}",
            name="min_words",
            value=parameters["min_words"],
        )
    _check_corpus(parameters, images=False)
    if parameters["topics"] is not None:
        _check_topics(parameters)
    first = sources.glance(source, parameters["columns"], domain)
    if parameters["unit"] == "user" and first is not None and first.user is None:
        raise DoppelError(
            "pipeline.record_without_user",
            f"unit: user, but the first record of {source} names no user",
            name="unit",
            value="user",
            remedy=records.NAME_USERS,
        )
    if first is not None:
        records.check_labels([first], domain)


def process_images(parameters: Parameters) -> None:
    """Refuse a source of texts or one that is not there, and domains and bounds that cannot work.

    Args:
        parameters: of 00_process_images, resolved.
    """
    from lib.data import sources

    _check_corpus(parameters, images=True)
    sources.glance(str(parameters["source"]))


def _check_corpus(parameters: Parameters, *, images: bool) -> None:
    """Refuse what no corpus can have: a source of the other notebook, users that nobody knows, a domain without cells.

    Args:
        parameters: of a corpus stage, resolved.
        images: whether its records are pictures.
    """
    from lib.data import labels, records, sources

    records.check_bound(parameters["max_records_per_user"], parameters["unit"])
    labels.cells(labels.declared(parameters))
    label_histogram.mechanism(parameters)
    kind, _ = sources.parse(str(parameters["source"]))
    if sources.SOURCES[kind].images != images:
        raise DoppelError(
            "pipeline.source_of_other_kind",
            f"source: {kind} holds {'texts' if images else 'pictures'}",
            name="source",
            value=kind,
            remedy=f"read it with {CORPUS if images else IMAGES}, or name another source",
        )
    if parameters["unit"] == "user" and not sources.SOURCES[kind].knows_users:
        raise DoppelError(
            "pipeline.source_without_users",
            f"unit: user, but nobody knows who wrote what in {kind}",
            name="unit",
            value="user",
            remedy="set unit: record",
        )


def _check_topics(parameters: Parameters) -> None:
    """Refuse an unknown locale, and texts to make topics from that cannot be read or cannot be public."""
    from lib.data import sources
    from lib.data.public_words import public_words

    public_words(str(parameters["topic_locale"]))
    if parameters["topic_texts"] is not None:
        declared, own = str(parameters["topic_texts"]), str(parameters["source"])
        sources.glance(undeclared("topic_texts", declared, own=own), parameters["topic_columns"])


def process_table(parameters: Parameters) -> None:
    """Refuse a source that is no table, and domains, labels and bounds that cannot work.

    Args:
        parameters: of 00_process_table, resolved.
    """
    from lib.data import records, sources
    from lib.data.sources.rows import KINDS
    from lib.data.tables import domain, processing

    columns = domain.columns_of(parameters["columns"], parameters["missing"])
    processing.check_label(columns, parameters["label"])
    records.check_bound(parameters["max_records_per_user"], parameters["unit"])
    kind, argument = sources.parse(str(parameters["source"]))
    if kind not in KINDS:
        raise DoppelError(
            "pipeline.source_of_other_kind",
            f"source: {kind} is no table",
            name="source",
            value=kind,
            remedy=f"name one of {', '.join(KINDS)}",
        )
    if kind == "sklearn":
        sources.glance(f"{kind}:{argument}")
    if parameters["unit"] == "user" and parameters["user"] is None:
        raise DoppelError(
            "pipeline.table_without_users",
            "unit: user, but no column names users",
            name="user",
            remedy="name the column, user: COLUMN, or set unit: record",
        )
    if parameters["label"] is None and parameters["label_histogram_scale"] is not None:
        raise DoppelError(
            "pipeline.nothing_to_count",
            "without a label there is nothing to count with noise",
            name="label_histogram_scale",
            value=parameters["label_histogram_scale"],
            remedy="set label_histogram_scale: null, or name a label",
        )
