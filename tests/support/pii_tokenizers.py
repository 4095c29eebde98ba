"""Small tokenizers of several families, trained on the texts of `support.pii_toys`."""

from collections.abc import Callable, Iterable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from support.pii_toys import TEXTS, filled


def _corpus() -> list[str]:
    return [filled(text, seed).text for text in TEXTS for seed in range(12)]


def _wrapped(tokenizer: Tokenizer, trainer: object, special: Iterable[str]) -> PreTrainedTokenizerFast:
    tokenizer.train_from_iterator(_corpus(), trainer)
    first, last = special
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in special],
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", cls_token=first, sep_token=last)


SPECIAL = ["[UNK]", "[CLS]", "[SEP]"]


def word_piece(*, uncased: bool) -> PreTrainedTokenizerFast:
    """As BERT's; the uncased one also drops accents."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=uncased, strip_accents=uncased)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return _wrapped(
        tokenizer, trainers.WordPieceTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False), SPECIAL[1:]
    )


def byte_level(*, trim_offsets: bool) -> PreTrainedTokenizerFast:
    """As GPT-2's: BPE of bytes, a space belongs to the word behind it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=trim_offsets)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, show_progress=False, initial_alphabet=alphabet
    )
    return _wrapped(tokenizer, trainer, SPECIAL[1:])


def metaspace_bpe() -> PreTrainedTokenizerFast:
    """As Llama 2's: BPE of characters with a mark for each space."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return _wrapped(
        tokenizer, trainers.BpeTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False), SPECIAL[1:]
    )


def unigram(*, nfkc: bool) -> PreTrainedTokenizerFast:
    """As SentencePiece's Unigram (T5, XLM-R), whose normalizer is NFKC; or without it."""
    tokenizer = Tokenizer(models.Unigram())
    if nfkc:
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False, unk_token="[UNK]")
    return _wrapped(tokenizer, trainer, SPECIAL[1:])


def word_level(*, punctuation: bool) -> PreTrainedTokenizerFast:
    """Whole words, between white space and punctuation, or between white space alone."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace() if punctuation else pre_tokenizers.WhitespaceSplit()
    return _wrapped(
        tokenizer, trainers.WordLevelTrainer(vocab_size=200, special_tokens=SPECIAL, show_progress=False), SPECIAL[1:]
    )


def characters() -> PreTrainedTokenizerFast:
    """A token a character, white space too; accents are taken off, ligatures taken apart."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return _wrapped(
        tokenizer, trainers.WordLevelTrainer(vocab_size=500, special_tokens=SPECIAL, show_progress=False), SPECIAL[1:]
    )


TOKENIZERS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "WordPiece, cased": lambda: word_piece(uncased=False),
    "WordPiece, uncased": lambda: word_piece(uncased=True),
    "byte-level BPE": lambda: byte_level(trim_offsets=True),
    "byte-level BPE, offsets with spaces": lambda: byte_level(trim_offsets=False),
    "Metaspace BPE": metaspace_bpe,
    "Unigram": lambda: unigram(nfkc=False),
    "Unigram, NFKC": lambda: unigram(nfkc=True),
    "WordLevel, punctuation apart": lambda: word_level(punctuation=True),
    "WordLevel, white space": lambda: word_level(punctuation=False),
    "characters": characters,
}
