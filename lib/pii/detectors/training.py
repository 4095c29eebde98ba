"""Trains a token classifier on labelled texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from transformers import AutoModelForTokenClassification, AutoTokenizer, PreTrainedModel, get_scheduler
from transformers.utils import logging

from lib.common.errors import DoppelError
from lib.evaluation.utility.transformer_classifier import batches, locate
from lib.models import loading
from lib.models.examples import by_length
from lib.models.pretrained import from_pretrained
from lib.pii.alignment import IGNORED, align, tag_names, tag_numbers
from lib.pii.detectors.shapes import CASED, SHAPES, shapes
from lib.pii.detectors.token_classifier import Piece, TokenClassifier, starts
from lib.pii.spans import Filled

HEAD_RATE = 10  # learning rate of what is new (the head, the shapes of words), relative to that of the encoder
SMALL = 0.1  # share of texts that are seen as if they were written in small letters, as many people write
TOKENS_A_PASS = {"cpu": 1024, "cuda": 32768}  # padded tokens of one forward and backward pass


@dataclass(frozen=True)
class TokenClassifierSettings:
    """How a detector is trained: AdamW with a linear schedule after a warm-up of a tenth of the steps.

    Args:
        steps: optimizer steps, at least 1.
        batch: texts a step, at least 1.
        learning_rate: of the encoder, in (0, 1); the head's is `HEAD_RATE` times that.
        max_tokens: as `TokenClassifier` has it.
        device: where it runs.
        dtype: of matrix products; weights and their updates are float32.
    """

    steps: int
    batch: int
    learning_rate: float
    max_tokens: int
    device: loading.Device = "auto"
    dtype: loading.Dtype = "auto"


def train(
    texts: Sequence[Filled],
    encoder: str,
    settings: TokenClassifierSettings,
    *,
    seed: int,
    progress: Callable[[int], object] = lambda steps_done: None,
) -> TokenClassifier:
    """Fine-tune an encoder to tag personal data. All its weights learn but the table of word vectors.

    Each step takes the next texts of shuffled passes over all, in passes of texts of similar length. A token across the
    border of a span is tagged as `lib.pii.alignment` says.

    Args:
        texts: labelled, spans in order and disjoint.
        encoder: as `lib.evaluation.utility.transformer_classifier.locate` takes it.
        settings: of the training.
        seed: of the head's weights, dropout and the order of texts; at least 0.
        progress: called with 1 after each step.

    Raises:
        DoppelError: ``pii.nothing_to_learn``: no text has a span; or the encoder cannot be loaded or has no fast
            tokenizer.
    """
    labels = {span.label for filled in texts for span in filled.spans}
    if not labels:
        raise DoppelError(
            "pii.nothing_to_learn",
            f"none of the {len(texts)} texts has a span",
            name="texts",
            value=len(texts),
            remedy="look at the stage that wrote them",
        )
    device = loading.resolve_device(settings.device)
    names = tag_names(labels)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        detector = _untrained(encoder, names, settings, device)
        rows = _examples(texts, detector, names)
        optimizer = torch.optim.AdamW(_groups(detector.model, settings.learning_rate), fused=True)
        schedule = get_scheduler("linear", optimizer, settings.steps // 10, settings.steps)
        detector.model.train()
        rng = np.random.default_rng(seed)
        for batch in batches(len(rows), settings.batch, settings.steps, rng):
            _step(detector, [_small(rows[row]) if rng.random() < SMALL else rows[row] for row in batch])
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            progress(1)
    detector.model.eval()
    return detector


_Row = tuple[Piece, list[int]]  # tokens, and the numbers of their tags


def _step(detector: TokenClassifier, rows: Sequence[_Row]) -> None:
    """The gradient of the mean loss a token of some texts, clipped to a norm of 1."""
    widths = [len(tags) for _, tags in rows]
    passes = by_length([1] * len(rows), widths, TOKENS_A_PASS[detector.model.device.type])
    for group in passes:
        logits = detector.logits([rows[row][0] for row in group])
        targets = [torch.tensor(rows[row][1]) for row in group]
        padded = nn.utils.rnn.pad_sequence(targets, batch_first=True, padding_value=IGNORED).to(logits.device)
        loss = nn.functional.cross_entropy(
            logits.flatten(0, 1), padded.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        (loss / sum(widths)).backward()
    nn.utils.clip_grad_norm_(detector.model.parameters(), 1.0)


def _examples(texts: Sequence[Filled], detector: TokenClassifier, names: Sequence[str]) -> list[_Row]:
    """The texts as token ids and tags, long ones in windows; a text without tokens is left out."""
    rows: list[_Row] = []
    for filled in texts:
        aligned = align(filled, detector.tokenizer)
        tags = tag_numbers(aligned.tags, names)
        whole = Piece(aligned.ids, shapes(filled.text, aligned.offsets))
        for start in starts(len(tags), detector.window):
            rows.append((whole.window(start, detector.window), tags[start : start + detector.window]))
    return rows


def _small(row: _Row) -> _Row:
    """A text as if it were written in small letters, for an encoder that sees capitals by shapes alone."""
    small = SHAPES.index("small")
    changed = [small if SHAPES[shape] in CASED else shape for shape in row[0].shapes]
    return row[0]._replace(shapes=changed), row[1]


def _untrained(
    encoder: str, names: Sequence[str], settings: TokenClassifierSettings, device: torch.device
) -> TokenClassifier:
    """The encoder with a new head."""
    source = locate(encoder)
    options = {"attn_implementation": "eager"} if device.type == "cpu" else {}  # faster backward on a CPU
    tags = {"id2label": dict(enumerate(names)), "label2id": {name: number for number, name in enumerate(names)}}
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # transformers warns that the head is new
    try:
        model = from_pretrained(
            AutoModelForTokenClassification, source, num_labels=len(names), dtype=torch.float32, **tags, **options
        )
    finally:
        logging.set_verbosity(before)
    model.get_input_embeddings().requires_grad_(False)
    _see_shapes(model)
    tokenizer = from_pretrained(AutoTokenizer, source)
    dtype = loading.resolve_dtype(settings.dtype, device)
    return TokenClassifier(model.to(device), tokenizer, settings.max_tokens, dtype)


def _see_shapes(model: PreTrainedModel) -> None:
    """Let the vectors of token types, where an encoder has some, tell the shapes of words; all begin as the first."""
    embeddings = getattr(model.base_model, "embeddings", None)
    types = getattr(embeddings, "token_type_embeddings", None)
    if types is not None:
        embeddings.token_type_embeddings = nn.Embedding.from_pretrained(
            types.weight[:1].detach().repeat(len(SHAPES), 1), freeze=False
        )
        model.config.type_vocab_size = len(SHAPES)


def _groups(model: PreTrainedModel, learning_rate: float) -> list[dict]:
    """What learns, in two groups: the encoder, and what is new, which learns faster."""
    base = dict(model.base_model.named_parameters())
    known = {id(weight) for name, weight in base.items() if "token_type" not in name}
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    encoder = [weight for weight in learning if id(weight) in known]
    new = [weight for weight in learning if id(weight) not in known]
    return [{"params": encoder, "lr": learning_rate}, {"params": new, "lr": learning_rate * HEAD_RATE}]
