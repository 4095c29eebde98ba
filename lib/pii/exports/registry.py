"""The formats: a new one is a file beside this one and an entry here."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lib.pii.classes import classes, mapping
from lib.pii.exports import ai4privacy, conll, huggingface, presidio, spacy, tab
from lib.pii.exports.examples import Example
from lib.pii.spans import relabel

Examples = Sequence[Example]


class Format(NamedTuple):
    """A file format for labelled texts.

    Attributes:
        title: as a person calls it.
        suffix: of its files.
        loses: what does not come back.
        read: the labelled texts of a file.
        write: texts with our own classes to a file; what its module's `write` returns.
    """

    title: str
    suffix: str
    loses: str
    read: Callable[[Path], list[Example]]
    write: Callable[[Path, Examples], object]


def _huggingface(path: Path, examples: Examples) -> int:
    return huggingface.write(path, examples, classes())


def _presidio(path: Path, examples: Examples) -> None:
    names = mapping("presidio")
    presidio.write(path, [one._replace(filled=relabel(one.filled, names, {"PERSON"})) for one in examples])


def _tab(path: Path, examples: Examples) -> None:
    kinds = {name: tab.Kind(entry.tab, entry.identifier) for name, entry in classes().items()}
    tab.write(path, examples, kinds, "train")


FORMATS: Mapping[str, Format] = {
    "ai4privacy": Format("ai4privacy's columns", ".jsonl", ai4privacy.LOSES, ai4privacy.read, ai4privacy.write),
    "huggingface": Format("Hugging Face BIO dataset", ".parquet", huggingface.LOSES, huggingface.read, _huggingface),
    "spacy": Format("spaCy's training data", ".json", spacy.LOSES, spacy.read, spacy.write),
    "presidio": Format("presidio-evaluator's samples", ".json", presidio.LOSES, presidio.read, _presidio),
    "conll": Format("CoNLL-2003", ".conll", conll.LOSES, conll.read, conll.write),
    "tab": Format("Text Anonymization Benchmark", ".json", tab.LOSES, tab.read, _tab),
}
