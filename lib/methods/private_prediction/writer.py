"""From the parameters of a stage to texts: model, requests and rule of the draws, and what becomes of the tokens."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from transformers import PreTrainedModel

from lib.common.files import read_json, write_json
from lib.data.tokenize import whole_sentences
from lib.generation.engines.base import Completion, completion, line_breaks
from lib.generation.generate import Draws
from lib.generation.prompt_parts import examples
from lib.generation.rejection import plain, rejection
from lib.generation.reply_cleanup import first_line
from lib.methods.private_prediction.batches import Batch, draw_key
from lib.methods.private_prediction.next_token import clip_bound
from lib.methods.private_prediction.requests import Requests
from lib.methods.private_prediction.side_by_side import Rule, rows_are_independent
from lib.models import loading

KEY = "key.json"  # among the checkpoints
BLOCKS = 3  # of private contexts for the texts that are written side by side, on average


@dataclass(frozen=True)
class Writer:
    """A loaded model and how it is asked.

    Args:
        model: in eval mode.
        requests: with and without a record.
        ends: ids of its end tokens.
        breaks: ids of the tokens that end a text of one line; empty where a text may have several.
    """

    model: PreTrainedModel
    requests: Requests
    ends: frozenset[int]
    breaks: frozenset[int]

    @classmethod
    def open(cls, parameters: Mapping[str, object], cell: Mapping[str, str]) -> Writer:
        """Load a model.

        Args:
            parameters: of 14_private_prediction, which name it.
            cell: labels of a text, name -> value.

        Raises:
            DoppelError: it cannot be loaded, or has no chat template for ``chat``; or the prompt file is faulty.
        """
        name = str(parameters["model"])
        tokenizer = loading.load_tokenizer(name)
        breaks = line_breaks(tokenizer) if parameters["one_line"] else frozenset()
        ends = frozenset(loading.end_tokens(name, tokenizer))
        model = loading.load(name, device=parameters["device"], dtype=parameters["dtype"])
        requests = Requests.read(tokenizer, parameters)
        if model.dtype == torch.bfloat16 and not rows_are_independent(model, requests, cell, parameters["batch_size"]):
            model.float()
            print("bfloat16 would let one record move what is computed of others on this machine: float32 is used")
        return cls(model, requests, ends, breaks)

    def rule(self, parameters: Mapping[str, object], noise_multiplier: float | None) -> Rule:
        """How tokens are drawn.

        Args:
            parameters: of 14_private_prediction.
            noise_multiplier: of the calibrated mechanism, above 0; None for no privacy.
        """
        batch, temperature = parameters["expected_batch"], parameters["temperature"]
        clip = clip_bound(noise_multiplier=noise_multiplier, temperature=temperature, expected_batch=batch)
        return Rule(
            clip=clip,
            divisor=batch,
            temperature=temperature,
            top_k=parameters["top_k"],
            margin=0.0 if math.isinf(clip) else parameters["top_k_margin"] * 2 * clip / batch,
            max_new_tokens=parameters["max_new_tokens"],
            rows=parameters["batch_size"],
            texts_at_once=max(1, int(BLOCKS * parameters["batch_size"] / batch)),
            stops=self.ends | self.breaks,
        )

    def texts(
        self,
        drawn: Sequence[Sequence[int]],
        written: Sequence[Batch],
        cells: Sequence[Mapping[str, str]],
        *,
        trim: bool,
    ) -> Draws:
        """What becomes of the tokens: checked texts. It is post-processing: nothing is drawn again.

        Args:
            drawn: token ids of each text.
            written: the batch behind each text.
            cells: labels of each cell, name -> value.
            trim: whether a text that was cut at its limit is cut back to its last whole sentence; else, and where it
                has none, it is rejected.

        Returns:
            The accepted texts, and why others were rejected.
        """
        texts: dict[int, str] = {}
        rejected: Counter[str] = Counter()
        lines, special, prompts = 0, self.requests.tokenizer.all_special_tokens, self.requests.prompts
        copies = examples(prompts.shots) if prompts else set()
        for number, (ids, batch) in enumerate(zip(drawn, written, strict=True)):
            text = self._text(ids, trim)
            asked = self.requests.asked(cells[batch.cell], batch).text
            reason = "copy of an example" if plain(text.text) in copies else rejection(text, asked, special)
            if reason:
                rejected[reason] += 1
                continue
            texts[number] = text.text.strip()
            lines += text.first_line_only
        return Draws(texts, len(drawn), rejected, sum(map(len, drawn)), lines)

    def _text(self, ids: Sequence[int], trim: bool) -> Completion:
        whole = completion(self.requests.tokenizer, ids, self.ends, len(ids), self.breaks)
        whole = first_line(whole) if self.breaks else whole
        if trim and not whole.ended and (kept := whole_sentences(whole.text)):
            whole = replace(whole, text=kept, ended=True)
        return replace(whole, text=self.requests.prompts.clean(whole.text)) if self.requests.prompts else whole


def kept_key(folder: Path, privacy_seed: int | None) -> str:
    """The key of the batches of a run: drawn once, and read again where the run goes on. Private.

    Args:
        folder: of the checkpoints.
        privacy_seed: as `lib.methods.private_prediction.batches.draw_key` takes it.
    """
    file = folder / KEY
    if not file.is_file():
        write_json(file, {"key": draw_key(privacy_seed)})
    return read_json(file)["key"]
