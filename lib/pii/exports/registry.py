"""The formats: a new one is a file beside this one and an entry here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from lib.pii.exports import ai4privacy, conll, huggingface, presidio, spacy, tab
from lib.pii.exports.examples import Example


class Format(NamedTuple):
    """A file format for labelled texts. Its module has `write`, whose arguments differ.

    Attributes:
        title: as a person calls it.
        suffix: of its files.
        loses: what does not come back.
        read: the labelled texts of a file.
    """

    title: str
    suffix: str
    loses: str
    read: Callable[[Path], list[Example]]


FORMATS: Mapping[str, Format] = {
    "ai4privacy": Format("ai4privacy's columns", ".jsonl", ai4privacy.LOSES, ai4privacy.read),
    "huggingface": Format("Hugging Face BIO dataset", ".parquet", huggingface.LOSES, huggingface.read),
    "spacy": Format("spaCy's training data", ".json", spacy.LOSES, spacy.read),
    "presidio": Format("presidio-evaluator's samples", ".json", presidio.LOSES, presidio.read),
    "conll": Format("CoNLL-2003", ".conll", conll.LOSES, conll.read),
    "tab": Format("Text Anonymization Benchmark", ".json", tab.LOSES, tab.read),
}
