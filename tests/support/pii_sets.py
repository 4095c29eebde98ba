"""A tiny random encoder, and small labelled sets as a finished stage of 40_pii_text has them."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from lib.pii.classes import classes
from lib.pii.exports import ai4privacy
from lib.pii.exports.examples import Example
from lib.pii.slots import parse
from lib.pii.spans import fill
from lib.pii.values import Values
from lib.privacy.ledger import NO_UNIT, Ledger

NOBODY = Ledger(NO_UNIT, 0)
TEMPLATES = (
    "My name is [FIRSTNAME] [LASTNAME], write to [EMAIL].",
    "[FIRSTNAME] lives in [CITY].",
    "Call [FIRSTNAME] at [PHONENUMBER] before [DATE].",
    "Nothing is wrong with the invoice of May.",
    "[LASTNAME] moved to [STREET], [CITY].",
    "The card [CREDITCARDNUMBER] of [FIRSTNAME] [LASTNAME] is lost.",
)


def examples(count: int, *, seed: int = 0) -> list[Example]:
    """Labelled texts of `TEMPLATES` by turns; each names its template."""
    made = []
    for number in range(count):
        template = number % len(TEMPLATES)
        values = Values(seed * 1000 + number, "en_US", date(2026, 1, 31))
        filled = fill(parse(TEMPLATES[template], classes()), values.value)
        made.append(Example(str(number), "en", filled, f"t{template}"))
    return made


def finished_stage(folder: Path, texts: Sequence[Example], ledger: Ledger = NOBODY) -> None:
    """A stage of 40_pii_text that is done."""
    folder.mkdir(parents=True)
    ai4privacy.write(folder / "labelled.jsonl", texts)
    (folder / "privacy.json").write_text(json.dumps(ledger.statement(folder.name)))
    (folder / "done.json").write_text(json.dumps({"digest": "0", "outputs": {}, "made_from": {}}))


def tiny_encoder(folder: Path) -> Path:
    """A random BERT of one layer with a tokenizer that knows the words of `TEMPLATES`' values, saved in a folder."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([one.filled.text for one in examples(60)], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(token, tokenizer.token_to_id(token)) for token in special[2:]]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=128,
    )  # fmt: skip
    config = BertConfig(
        vocab_size=len(fast), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=128, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
