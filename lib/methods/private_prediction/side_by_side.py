"""Texts that are written side by side, and the contexts behind them: what the next token of each may be.

A matrix product adds up its terms in an order that depends on its shape, and another order rounds differently: in
bfloat16 by up to a hundredth. If the number of private records, or the longest of them, set the shapes, one unit more
would move the logits of others, and the mean by more than its own clipped term. So private contexts are computed in
blocks of rows whose shape follows from settings and requests alone; free rows are filled up. What remains is that a row
might depend on the contents of the others or on its place: `rows_are_independent` measures that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import torch
from transformers import PreTrainedModel

from lib.data.records import Record
from lib.generation.engines.contexts import Contexts
from lib.methods.private_prediction.batches import Batch
from lib.methods.private_prediction.next_token import kept, mixed
from lib.methods.private_prediction.requests import Asked, Requests

PROBES = 2  # tokens that follow a made-up record where rows are compared


@dataclass(frozen=True)
class Rule:
    """How tokens are drawn.

    Attributes:
        clip: C of `lib.methods.private_prediction.next_token`, above 0; infinity for no privacy.
        divisor: B, the expected number of units behind a text; above 0.
        temperature: tau, above 0.
        top_k: k of `lib.methods.private_prediction.next_token.kept`, at least 0.
        margin: of the tokens that are kept, in nats, at least 0.
        max_new_tokens: T, the most tokens of a text, at least 1.
        rows: of a block of private contexts, at least 1.
        texts_at_once: texts that are written side by side, by public numbers alone; at least 1.
        stops: ids of the tokens that end a text; none of them is its first token.
    """

    clip: float
    divisor: float
    temperature: float
    top_k: int
    margin: float
    max_new_tokens: int
    rows: int
    texts_at_once: int
    stops: frozenset[int]

    def ended(self, tokens: Sequence[int]) -> bool:
        """Whether a text of these ``tokens`` gets no other one."""
        return len(tokens) >= self.max_new_tokens or (bool(tokens) and tokens[-1] in self.stops)


class Writing:
    """Texts that are written side by side. Private, but for their tokens.

    What all their requests begin with is read once.

    Args:
        model: a causal language model in eval mode.
        requests: show it a record.
        asked: the request for each text.
        batches: the units behind each text, each with its records; a batch may be empty.
        tokens: ids that each text has so far, equally many.
        rows: of a block of private contexts, at least 1.

    Attributes:
        tokens: ids of each text that goes on; lists of the caller, which are not changed here.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        requests: Requests,
        asked: Sequence[Asked],
        batches: Sequence[Sequence[Sequence[Record]]],
        tokens: Sequence[list[int]],
        rows: int,
    ):
        pad = requests.tokenizer.pad_token_id
        self.tokens = list(tokens)
        self._texts = np.repeat(np.arange(len(batches)), [len(batch) for batch in batches])  # of each unit
        members = [unit for batch in batches for unit in batch]
        self._units = np.repeat(np.arange(len(members)), [len(unit) for unit in members])  # of each private context
        shared = _common_start([own.before for own in asked])
        own_parts = [own.before[len(shared) :] for own in asked]
        private = [
            [*own_parts[text], *requests.shown(asked[text], record), *tokens[text]]
            for text, unit in zip(self._texts, members, strict=True)
            for record in unit
        ]
        # public contexts have passes of their own: nothing that is computed of them knows of a private one
        start = _common_start([own.alone[:-1] for own in asked])
        own_ends = [[*own.alone[len(start) :], *drawn] for own, drawn in zip(asked, tokens, strict=True)]
        self._public = Contexts(model, own_ends, pad, start)
        longest = max(len(part) + len(own.after) for part, own in zip(own_parts, asked, strict=True))
        shape = (rows, requests.max_record_tokens + longest + len(tokens[0]))
        self._rows, self._blocks = (
            np.arange(len(private)),
            [  # the row that each private context has, over all blocks
                Contexts(model, private[first : first + rows], pad, shared, shape)
                for first in range(0, len(private), rows)
            ],
        )

    def scores(self, rule: Rule, counted: np.ndarray | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """The scores of the next token of each text. PRIVATE, as those of `next_token.mixed`.

        Args:
            rule: how tokens are drawn.
            counted: whether each unit counts, bool, shape (units,), in the order of the batches; None: all do.

        Returns:
            Scores, float64, shape (texts, V), and the token ids of the V columns: those that some text may get.
        """
        public = self._public.logits.float()
        if not self.tokens[0]:
            stops = torch.tensor(sorted(rule.stops), dtype=torch.long, device=public.device)
            public = public.index_fill(1, stops, -torch.inf)
        allowed = kept(public, rule.top_k, rule.margin)
        columns = allowed.any(0).nonzero()[:, 0]
        counted = np.ones(len(self._texts), bool) if counted is None else counted
        rows, device = np.flatnonzero(counted[self._units]), public.device
        logits = torch.cat([public[:0, columns], *(block.logits[:, columns].float() for block in self._blocks)])
        scores = mixed(
            public[:, columns],
            logits[torch.as_tensor(self._rows[rows], device=device)],
            allowed=allowed[:, columns],
            units=torch.as_tensor(self._units[rows], device=device),
            texts=torch.as_tensor(self._texts, device=device),
            clip=rule.clip,
            divisor=rule.divisor,
        )
        return scores, columns

    def extend(self, drawn: torch.Tensor, going: Sequence[int]) -> None:
        """Go on with some of the texts.

        Args:
            drawn: the next token of every text, int, shape (texts,), which its own list in ``tokens`` has already.
            going: places of the texts that go on, rising; at least one.
        """
        self.tokens = [self.tokens[place] for place in going]
        self._public.extend(drawn[list(going)], going)
        of_row = self._texts[self._units]
        next_tokens = torch.zeros(
            sum(len(block.logits) for block in self._blocks), dtype=torch.long, device=drawn.device
        )
        next_tokens[torch.as_tensor(self._rows)] = drawn[torch.as_tensor(of_row, device=drawn.device)]
        staying = np.flatnonzero(np.isin(of_row, going))
        units, self._units = np.unique(self._units[staying], return_inverse=True)
        self._texts, self._rows = np.searchsorted(going, self._texts[units]), self._rows[staying]
        self._extend_blocks(next_tokens)

    def _extend_blocks(self, tokens: torch.Tensor) -> None:
        """Add a token to every row of the blocks, and drop blocks of which no row is left. Their shapes stay."""
        height = len(self._blocks[0].logits) if self._blocks else 1
        used = np.unique(self._rows // height)
        for number in used:
            self._blocks[number].extend(tokens[number * height : (number + 1) * height])
        self._blocks = [self._blocks[number] for number in used]
        self._rows = np.searchsorted(used, self._rows // height) * height + self._rows % height


def _common_start(lists: Sequence[Sequence[int]]) -> list[int]:
    """What all lists begin with."""
    return [items[0] for items in takewhile(lambda items: len(set(items)) == 1, zip(*lists, strict=False))]


@torch.inference_mode()
def rows_are_independent(model: PreTrainedModel, requests: Requests, labels: Mapping[str, str], rows: int) -> bool:
    """Whether a private context's logits have the same bits whoever shares its block, and at whatever row.

    Measured on made-up tokens, so it says nothing about records. It is a measurement at these shapes, no proof for
    others.

    Args:
        model: in eval mode.
        requests: what it is asked.
        labels: of a text, name -> value.
        rows: of a block, at least 1.
    """
    draws, asked = torch.Generator().manual_seed(0), requests.asked(labels, Batch(0, 0))
    vocabulary, longest = model.get_input_embeddings().num_embeddings, requests.max_record_tokens
    shape = (rows, longest + len(asked.after))

    def prompt(length: int) -> list[int]:
        return [*torch.randint(vocabulary, (length,), generator=draws).tolist(), *asked.after]

    def logits(prompts: list[list[int]], row: int) -> list[torch.Tensor]:
        """Of one row, after the prompt and after each further token."""
        block = Contexts(model, prompts, requests.tokenizer.pad_token_id, asked.before, shape)
        seen = [block.logits[row]]
        for _ in range(PROBES):
            block.extend(torch.full((rows,), asked.after[-1] if asked.after else 0, device=model.device))
            seen.append(block.logits[row])
        return seen

    for length in {1, longest}:
        probe, others = prompt(length), [prompt(longest) for _ in range(rows - 1)]
        alone = logits([probe], 0)
        if not all(map(torch.equal, alone, logits([*others, probe], rows - 1))):
            return False
    return True
