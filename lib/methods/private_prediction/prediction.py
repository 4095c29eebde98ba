"""Writes texts by private prediction: several at once, each token on the disk before it is used.

Unit, neighbours, sensitivity and mechanism of a token are those of `lib.methods.private_prediction.next_token`; that a
unit is behind one text at most, those of `lib.methods.private_prediction.batches`. For the accountant that is one
`lib.privacy.exponential.Exponential` with a count of ``max_new_tokens``. A text that ends earlier has released less
than that; what is left is not carried over to another one.

Texts are written in passes, as many at once as public numbers say. Of each context keys and values are kept, and what
stands in front of all records of a label is read once. A run that was killed reads the tokens that it has and goes on
behind them: none is drawn twice.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from transformers import PreTrainedModel

from lib.common import system
from lib.data.records import Record
from lib.methods.private_prediction.batches import Batch
from lib.methods.private_prediction.next_token import draw, uniforms
from lib.methods.private_prediction.requests import Requests
from lib.methods.private_prediction.side_by_side import Rule, Writing

JOURNAL = "tokens.jsonl"  # among the checkpoints: a line for each token of the texts of a pass


class Prediction:
    """A run; can be resumed wherever it was killed.

    Args:
        model: a causal language model in eval mode.
        requests: what it is asked.
        cells: labels of each cell, name -> value.
        written: the batch behind each text, cell by cell (`lib.methods.private_prediction.batches.Plan.written`).
        parted: the private records of each batch, unit by unit (`lib.methods.private_prediction.batches.assign`).
        rule: how tokens are drawn.
        privacy_seed: of the draws, as `lib.methods.private_prediction.next_token.uniforms` takes it.
        folder: of the checkpoints; give the same folder to go on.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        requests: Requests,
        cells: Sequence[Mapping[str, str]],
        written: Sequence[Batch],
        parted: Mapping[Batch, Sequence[Sequence[Record]]],
        *,
        rule: Rule,
        privacy_seed: int | None,
        folder: Path,
    ):
        self.model, self.requests, self.cells, self.rule = model, requests, cells, rule
        self.written, self.parted, self.privacy_seed = written, parted, privacy_seed
        self.journal = folder / JOURNAL

    def run(self, on_texts: Callable[[int], object] = lambda ended: None) -> list[list[int]]:
        """Write all texts, or what is left of them.

        Args:
            on_texts: called with the number of texts that newly ended.

        Returns:
            Token ids of each text, with the token that ended it.
        """
        drawn = self._read()
        for numbers in self._passes():
            left = [number for number in numbers if not self.rule.ended(drawn[number])]
            on_texts(len(numbers) - len(left))
            if left:
                self._write(left, drawn, on_texts)
        return drawn

    def _passes(self) -> list[list[int]]:
        """The texts of each pass: at most so many at once, of one cell."""
        passes: list[list[int]] = []
        for number, batch in enumerate(self.written):
            full = not passes or len(passes[-1]) == self.rule.texts_at_once
            if full or self.written[passes[-1][0]].cell != batch.cell:
                passes.append([])
            passes[-1].append(number)
        return passes

    @torch.inference_mode()
    def _write(self, numbers: list[int], drawn: list[list[int]], on_texts: Callable[[int], object]) -> None:
        """Write the texts of a pass to their ends. All of them have the same number of tokens so far."""
        asked = [self.requests.asked(self.cells[self.written[n].cell], self.written[n]) for n in numbers]
        batches = [self.parted.get(self.written[number], ()) for number in numbers]
        so_far = [drawn[number] for number in numbers]
        writing = Writing(self.model, self.requests, asked, batches, so_far, self.rule.rows)
        while numbers:
            scores, columns = writing.scores(self.rule)
            chosen = draw(scores, self.rule.temperature, uniforms(self.privacy_seed, numbers, len(drawn[numbers[0]])))
            tokens = columns[chosen]
            self._append({"texts": numbers, "tokens": tokens.tolist()})
            for number, token in zip(numbers, tokens.tolist(), strict=True):
                drawn[number].append(token)
            going = [place for place, number in enumerate(numbers) if not self.rule.ended(drawn[number])]
            on_texts(len(numbers) - len(going))
            numbers = [numbers[place] for place in going]
            if numbers:
                writing.extend(tokens, going)

    def _append(self, line: Mapping[str, list[int]]) -> None:
        """Write a line of the journal, onto the disk."""
        with system.refusals(self.journal), self.journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> list[list[int]]:
        """The tokens of each text so far. Half a line, of a run that was killed while it wrote, is taken off."""
        drawn: list[list[int]] = [[] for _ in self.written]
        with system.refusals(self.journal):
            self.journal.parent.mkdir(parents=True, exist_ok=True)
            lines = self.journal.read_bytes() if self.journal.exists() else b""
            whole = lines[: lines.rfind(b"\n") + 1]
            if whole != lines:
                os.truncate(self.journal, len(whole))
        for line in map(json.loads, whole.splitlines()):
            for number, token in zip(line["texts"], line["tokens"], strict=True):
                drawn[number].append(token)
        return drawn
