"""The public texts of a warm start: those of an arm that never saw a private record, or of a source declared public.

*An arm.* The floor's texts, which a model wrote from labels alone, are computed from a public model and the noisy label
counts, which the ledger of the training holds already. Learning from them is post-processing of what is released
anyway. The texts of any other arm are refused. They would not be free: their events would have to be counted here.

*A source.* The prefix is the declaration: whoever writes ``warm_source: public:csv:PATH`` says that anybody may know
these texts. Then they are no part of what the guarantee protects, and neighbours differ in none of them. Which texts
are kept, and behind which prompt, follows from them and from parameters alone: no private record is looked at. Whether
the declaration is true nothing here can see. What can be seen is refused (`lib.privacy.public_source`). The ledger's
public facts, the certificate and the card say that the texts were declared public.

Light to import: pre-flight does.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError
from lib.data import labels, processing, records, sources
from lib.data.records import CATALOGUE, Record
from lib.methods.dp_lora.method import WARM_TEXTS
from lib.models import templates
from lib.privacy import ledger as ledgers
from lib.privacy.disclosure import declared_public
from lib.privacy.ledger import Ledger
from lib.privacy.public_source import undeclared
from lib.stage.notebook_roles import Parameters
from lib.stage.original import original
from lib.stage.original import parameters as parameters_of

if TYPE_CHECKING:
    from lib.stage.stage import Stage


def gather(stage: "Stage", ledger: Ledger) -> list[Record]:
    """The texts of a running stage's warm start; its ledger says where they come from.

    Args:
        stage: of 10_finetune_dp_lora. The texts of a source are written to its file `WARM_TEXTS`, and the files of the
            source become part of what the stage is made from: ask for its checkpoints afterwards.
        ledger: of the stage; gets a public fact.

    Returns:
        Records whose labels are those that the prompt names, or none.

    Raises:
        DoppelError: as `of_arm` and `of_source` do.
    """
    corpus = stage.inputs["corpus"]
    if stage.parameters["warm_source"] is None:
        warm = stage.inputs["warm"]
        ledger.public.append(f"the texts of {warm.name}, from labels alone, that the model learned first")
        return of_arm(warm, corpus)
    texts, files = of_source(stage.parameters, parameters_of(original(corpus)))
    for file in files:
        stage.uses(file)
    stage.uses_content(records.digest(texts))
    records.write(stage.path(WARM_TEXTS), texts)
    ledger.public.append(declared_public("warm_source", str(stage.parameters["warm_source"])))
    return texts


def of_arm(warm: Path, corpus: Path) -> list[Record]:
    """The texts of an arm, if no event but those of its corpus stage has touched them.

    Args:
        warm: folder of the arm's stage, finished.
        corpus: folder of the corpus stage that both arms come from.

    Returns:
        The arm's synthetic records.

    Raises:
        DoppelError: the arm comes from another corpus, or its ledger has an event that the corpus' has not.
    """
    counted = ledgers.read(corpus).events
    for event in ledgers.inherit([corpus, warm]).events:
        if event not in counted:
            raise DoppelError(
                "methods.warm_start_saw_records",
                f"inputs: warm: {warm.name} has seen private records ({event.stage}: {event.what})",
                name="warm",
                value=warm.name,
                remedy="name a stage of 11_generate without such an input, which writes from labels alone",
                where=warm.name,
            )
    return records.read(warm / "synthetic.jsonl")


def of_source(parameters: Parameters, corpus: Parameters) -> tuple[list[Record], tuple[Path, ...]]:
    """The texts of a source that is declared public.

    Args:
        parameters: of 10_finetune_dp_lora, with a ``warm_source``. ``warm_columns`` are its columns, ``seed`` fixes the
            draw, and at most ``warm_steps`` x ``warm_batch`` texts are kept, as the training reads no more.
        corpus: of the corpus stage: the texts keep to its lengths and to its label domain.

    Returns:
        The texts without users, with the labels that the ``prompt`` names where the text has all of them with values of
        the domain, else with none; and the files that were read.

    Raises:
        DoppelError: the source is that of the corpus, cannot be read, or has no text of a fitting length; or texts
            without labels have no prompt.
    """
    source = undeclared("warm_source", str(parameters["warm_source"]), own=str(corpus["source"]))
    read = sources.load(source, columns=parameters["warm_columns"], label_domain=corpus["label_domain"])
    lengths = {name: corpus[name] for name in ("min_words", "max_words", "max_characters")}
    kept, _ = processing.clean(read.records, **lengths, seed=parameters["seed"])
    kept = kept[: max(1, int(parameters["warm_steps"] * parameters["warm_batch"]))]
    prompt, domain = str(parameters["prompt"]), labels.declared(corpus)
    texts = [
        Record(f"public-{number:06d}", record.text, _labels(record, prompt, domain))
        for number, record in enumerate(kept)
    ]
    for text in texts:
        _check_prompt(text, prompt)
    unlabelled = sum(not _has_labels(text, prompt) for text in texts)
    print(f"{len(texts):,} of {len(read.records):,} public texts, {unlabelled:,} of them without labels of the domain")
    return texts, read.files


def check(parameters: Parameters, corpus: Parameters) -> None:
    """Refuse a source that is not declared public, is that of the corpus, or cannot be read; before anything runs.

    Args:
        parameters: of 10_finetune_dp_lora, resolved.
        corpus: parameters of its corpus stage.

    Raises:
        DoppelError: for the first of these, and where the first text of a file has no prompt.
    """
    if parameters["warm_source"] is None:
        return
    source = undeclared("warm_source", str(parameters["warm_source"]), own=str(corpus["source"]))
    domain = labels.declared(corpus)
    first = sources.glance(source, parameters["warm_columns"], domain)
    if first is not None:
        prompt = str(parameters["prompt"])
        _check_prompt(replace(first, labels=_labels(first, prompt, domain)), prompt)


def _labels(record: Record, prompt: str, domain: Mapping[str, object]) -> dict[str, str]:
    """The labels that a prompt names, if the record has each of them with a value of the domain; else none."""
    found = {name: record.labels[name] for name in sorted(templates.label_fields(prompt)) if name in record.labels}
    fits = all(domain[name] == CATALOGUE or value in domain[name] for name, value in found.items())
    return found if fits and _has_labels(replace(record, labels=found), prompt) else {}


def _has_labels(record: Record, prompt: str) -> bool:
    return templates.label_fields(prompt) <= record.labels.keys()


def _check_prompt(record: Record, prompt: str) -> None:
    """Refuse a text without labels where the prompt says nothing without them."""
    if _has_labels(record, prompt):
        return
    try:
        templates.unlabelled(prompt)
    except DoppelError:
        raise DoppelError(
            "methods.warm_text_without_prompt",
            "warm_source: a text has no labels of the domain, and without labels the prompt has no word",
            name="warm_source",
            remedy="map its labels, warm_columns: {labels.NAME: COLUMN}, or write a word into the prompt",
        ) from None
