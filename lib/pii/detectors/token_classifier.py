"""A detector that learns from labelled text: a transformer encoder with a linear head that tags each token.

Tags are BIO of the classes that it was trained on. What is saved is a model of Hugging Face's
``AutoModelForTokenClassification`` with its tokenizer beside it, which other programs can load too. They must give it
the shapes of words (`lib.pii.detectors.shapes`) as ``token_type_ids``: an encoder of small letters, as the bundled one,
would not see otherwise that *may* and *May* differ.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from transformers import AutoModelForTokenClassification, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.common.files import read_json, write_json
from lib.models import loading
from lib.models.examples import by_length
from lib.models.pretrained import from_pretrained
from lib.pii.alignment import OUTSIDE, align, spans_of
from lib.pii.detectors.shapes import SHAPES, shapes
from lib.pii.spans import Filled, Span

SETTINGS = "detector.json"  # in the detector's folder, beside Hugging Face's files
TOKENS_AT_ONCE = {"cpu": 2048, "cuda": 65536}  # of texts that are read together, padding among them
OVERLAP = 32  # tokens that two neighbouring windows of a long text share

_SURROGATES = re.compile("[\ud800-\udfff]")
_IMPOSSIBLE = -1e9  # the score of a tag that cannot stand here


class Piece(NamedTuple):
    """A text, or a window of one, as an encoder reads it; special tokens are not among it.

    Attributes:
        ids: of the tokens.
        shapes: of their words, places in `SHAPES`.
    """

    ids: Sequence[int]
    shapes: Sequence[int]

    def window(self, start: int, width: int) -> "Piece":
        """So many tokens from ``start`` on."""
        return Piece(self.ids[start : start + width], self.shapes[start : start + width])


class TokenClassifier:
    """A trained detector, one of `lib.pii.detectors.detector.Detector`.

    A text that is longer than ``max_tokens`` is read in windows that share `OVERLAP` tokens, so that its length has no
    limit and each token has others on both sides.

    Args:
        model: with a head whose labels are BIO tags, named in its config.
        tokenizer: the model's own, a fast one.
        max_tokens: the most tokens that are read at once, special ones among them.
        dtype: of matrix products; in bfloat16 the other texts of a call may change what is found.

    Raises:
        DoppelError: ``pii.detector_tags``: the model's labels are no BIO tags; ``pii.detector_window``: the model
            cannot read so many tokens at once, or they are too few for windows.
    """

    name = "trained"
    scheme = "doppel"

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        max_tokens: int,
        dtype: torch.dtype = torch.float32,
    ):
        self.model, self.tokenizer, self.max_tokens, self.dtype = model, tokenizer, max_tokens, dtype
        self.tags = [model.config.id2label[number] for number in range(model.config.num_labels)]
        if self.tags[0] != OUTSIDE or not all(name[:2] in ("B-", "I-") for name in self.tags[1:]):
            raise DoppelError(
                "pii.detector_tags",
                "the model's labels are no BIO tags",
                name="detector",
                remedy="give the folder detector/ of a stage of 41_pii_check",
            )
        self._before, self._behind = _special_ids(tokenizer)
        special = len(self._before) + len(self._behind)
        most = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", max_tokens))
        if not special + 2 * OVERLAP <= max_tokens <= most:
            raise DoppelError(
                "pii.detector_window",
                f"max_tokens is {max_tokens}",
                name="max_tokens",
                value=max_tokens,
                remedy=f"choose {special + 2 * OVERLAP} to {most}",
            )
        self.window = max_tokens - special
        self.sees_shapes = getattr(model.config, "type_vocab_size", 0) == len(SHAPES)

    @classmethod
    def load(cls, folder: Path, *, device: loading.Device = "auto") -> "TokenClassifier":
        """A detector that `save` wrote.

        Args:
            folder: ``detector/`` of a finished stage of 41_pii_check.
            device: where it runs.

        Raises:
            DoppelError: ``pii.no_detector``: there is none in the folder; or it cannot be loaded.
        """
        if not (folder / SETTINGS).is_file():
            raise DoppelError(
                "pii.no_detector",
                f"no {SETTINGS} there",
                name="detector",
                remedy="give the folder detector/ of a stage of 41_pii_check",
                where=str(folder),
            )
        model = from_pretrained(AutoModelForTokenClassification, folder).to(loading.resolve_device(device))
        return cls(model, from_pretrained(AutoTokenizer, folder), read_json(folder / SETTINGS)["max_tokens"])

    def save(self, folder: Path) -> None:
        """Write model, tokenizer and settings, which is all that `load` needs.

        Args:
            folder: made where it is missing.
        """
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        write_json(folder / SETTINGS, {"max_tokens": self.max_tokens, "scheme": self.scheme})

    def find(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        """The personal data in some texts.

        Args:
            texts: any; half a surrogate pair is read as an unknown character.

        Returns:
            For each text its spans, disjoint, in order, whole words, in code points; persons are None.
        """
        plain = [_SURROGATES.sub("\ufffd", text) for text in texts]
        aligned = [align(Filled(text, ()), self.tokenizer) for text in plain]
        windows = [(text, start) for text, one in enumerate(aligned) for start in starts(len(one.ids), self.window)]
        whole = [Piece(one.ids, shapes(text, one.offsets)) for text, one in zip(plain, aligned, strict=True)]
        pieces = [whole[text].window(start, self.window) for text, start in windows]
        widths = [len(piece.ids) for piece in pieces]
        scores = [np.zeros((len(one.ids), len(self.tags)), np.float32) for one in aligned]
        self.model.eval()
        for group in by_length([1] * len(pieces), widths, TOKENS_AT_ONCE[self.model.device.type]):
            with torch.inference_mode():
                read = self.logits([pieces[item] for item in group]).log_softmax(-1).cpu().numpy()
            for item, rows in zip(group, read, strict=True):
                text, start = windows[item]
                skipped = OVERLAP // 2 if start else 0  # these have more around them in the window before
                scores[text][start + skipped : start + widths[item]] = rows[skipped : widths[item]]
        return [
            _joined(text, spans_of(text, one.offsets, self._tags(score), whole_words=True))
            for text, one, score in zip(plain, aligned, scores, strict=True)
        ]

    def logits(self, pieces: Sequence[Piece]) -> torch.Tensor:
        """Scores of tags for the tokens of several texts.

        Args:
            pieces: of at most `window` tokens each.

        Returns:
            (texts, tokens of the longest, tags), float32; what stands behind a shorter text means nothing.
        """
        before, behind, device = self._before, self._behind, self.model.device
        ids = _padded([[*before, *piece.ids, *behind] for piece in pieces], -1).to(device)
        mask = (ids >= 0).long()
        given = {"input_ids": ids.masked_fill(mask == 0, self.tokenizer.pad_token_id or 0), "attention_mask": mask}
        if self.sees_shapes:
            rows = [[*[0] * len(before), *piece.shapes, *[0] * len(behind)] for piece in pieces]
            given["token_type_ids"] = _padded(rows, 0).to(device)
        with torch.autocast(device.type, self.dtype, enabled=self.dtype != torch.float32):
            logits = self.model(**given).logits.float()
        return logits[:, len(before) : logits.shape[1] - len(behind)]

    def _tags(self, scores: np.ndarray) -> list[str]:
        """The most probable tags of a text, of those in which no I- stands without its B- (Viterbi 1967).

        Args:
            scores: (tokens, tags), in nats.
        """
        insides = np.array([name.startswith("I-") for name in self.tags])
        begins = [self.tags.index(f"B-{name[2:]}") if name[0] == "I" else 0 for name in self.tags]
        best = np.where(insides, _IMPOSSIBLE, 0.0)
        back = np.zeros(scores.shape, int)
        for token, row in enumerate(scores):
            # an I- may follow its B- or itself alone, every other tag whatever is best
            after = np.where(best[begins] > best, begins, np.arange(len(best)))
            back[token] = np.where(insides, after, best.argmax())
            best = row + (best[back[token]] if token else best)
        path = [int(best.argmax())] if len(scores) else []
        for token in range(len(scores) - 1, 0, -1):
            path.append(int(back[token, path[-1]]))
        return [self.tags[number] for number in reversed(path)]


def starts(tokens: int, window: int) -> range:
    """Where the windows begin in which a text is read.

    Args:
        tokens: of the text.
        window: the most tokens of a window, over `OVERLAP`.
    """
    return range(0, max(1, tokens - OVERLAP), window - OVERLAP) if tokens else range(0)


def _padded(rows: Sequence[Sequence[int]], padding: int) -> torch.Tensor:
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=padding)


def _special_ids(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """The ids that the tokenizer puts before and behind each text."""
    encoded = tokenizer("a", return_special_tokens_mask=True)
    mask = encoded["special_tokens_mask"]
    first = mask.index(0)
    last = len(mask) - mask[::-1].index(0)
    return encoded["input_ids"][:first], encoded["input_ids"][last:]


def _joined(text: str, spans: Sequence[Span]) -> tuple[Span, ...]:
    """Neighbours of one class with nothing between them as one: a tag in the middle of an address began a second."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and last.label == span.label and last.end == span.start:
            joined[-1] = last._replace(end=span.end, value=text[last.start : span.end])
        else:
            joined.append(span)
    return tuple(joined)
