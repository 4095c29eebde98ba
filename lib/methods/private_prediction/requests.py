"""What the model is asked for a text: one request without any private record, and the same with one as an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.data.records import Record
from lib.generation import prompt_file
from lib.generation.local_chat import prompt_ids, uses_template
from lib.generation.prompt_file import PromptFile
from lib.methods.private_prediction.batches import Batch
from lib.methods.private_prediction.templates import TEXT
from lib.models.prompt import Chat, Prompt

STANDS_IN = ("q", "z")  # for a record; what is the same around both is what stands around any record


@dataclass(frozen=True)
class Asked:
    """The request for one text; public.

    Attributes:
        text: what the model is told last, in words.
        alone: token ids of the request without a record.
        before: token ids in front of the record in the request that shows one, whichever record it is.
        after: token ids behind it, up to where the model answers.
        gap: what the record begins with, a space where the template has one there.
    """

    text: str
    alone: list[int]
    before: list[int]
    after: list[int]
    gap: str


@dataclass(frozen=True)
class Requests:
    """Requests as token ids: of one prompt, or of a prompt file.

    A private record stands as the answer to the text's own request, which then comes once more, or where a template
    says. A prompt file (`lib.generation.prompt_file`) asks in as many ways as it lists. What is drawn from its lists
    follows from the text's batch, by its cell and number, and so from nothing private.

    Args:
        tokenizer: the model's own.
        prompt: the request without a record: text with a {label} where a label belongs. None with a prompt file.
        prompt_with_record: the same request with {text} where the record belongs; None: the record is its answer.
        chat: as `lib.models.prompt.Prompt` takes it; with a prompt file True or False.
        max_record_tokens: a record is cut behind this many tokens, at least 1.
        prompts: the prompt file, or None.
    """

    tokenizer: PreTrainedTokenizerBase
    prompt: str | None
    prompt_with_record: str | None
    chat: Chat
    max_record_tokens: int
    prompts: PromptFile | None = None

    @classmethod
    def read(cls, tokenizer: PreTrainedTokenizerBase, parameters: Mapping[str, object]) -> Requests:
        """The requests that the ``parameters`` of 14_private_prediction name, for a model with this ``tokenizer``.

        Raises:
            DoppelError: the prompt file is missing or faulty, or there is no chat template for ``chat``.
        """
        given = {name: parameters[name] for name in ("prompt", "prompt_with_record", "chat", "max_record_tokens")}
        if parameters["prompts"] is None:
            return cls(tokenizer, **given)
        given["chat"] = uses_template(tokenizer, parameters["chat"])
        return cls(tokenizer, **given, prompts=prompt_file.load(Path(str(parameters["prompts"]))))

    def asked(self, labels: Mapping[str, str], batch: Batch) -> Asked:
        """The request for a text.

        Args:
            labels: of the text, name -> value.
            batch: behind it.

        Raises:
            DoppelError: the tokens of what is beside the record are not the same for every record, or a label is
                missing.
        """
        text, alone = self._ids(labels, batch, None)
        one, other = (self._ids(labels, batch, stand_in)[1] for stand_in in STANDS_IN)
        same = [a == b for a, b in zip(one, other, strict=False)]
        before = same.index(False) if False in same else len(same)
        behind = [a == b for a, b in zip(one[before:][::-1], other[before:][::-1], strict=False)]
        after = behind.index(False) if False in behind else len(behind)
        between = self.tokenizer.decode(one[before : len(one) - after])
        if between.lstrip() != STANDS_IN[0]:
            raise DoppelError(
                "methods.record_not_apart",
                "prompt_with_record: {text} runs into the words beside it",
                name="prompt_with_record",
                value=self.prompt_with_record,
                remedy="put a space or a line break on both sides of {text}",
            )
        return Asked(text, alone, one[:before], one[len(one) - after :], between[: -len(STANDS_IN[0])])

    def _ids(self, labels: Mapping[str, str], batch: Batch, shown: str | None) -> tuple[str, list[int]]:
        """The last words and the token ids of a request that shows a public text, or none."""
        if self.prompts is None:
            turns, prompt = [], Prompt(self.prompt, self.chat)
            words = prompt.text(labels)
            if shown is None:
                return words, prompt.build(self.tokenizer, labels)
            if self.prompt_with_record is not None:
                prompt = Prompt(self.prompt_with_record.replace(TEXT, shown), self.chat)
                return words, prompt.build(self.tokenizer, labels)
        else:
            *turns, (_, words) = self.prompts.random(labels, np.random.default_rng(batch), None)
        answered = [] if shown is None else [("user", words), ("assistant", shown)]
        return words, prompt_ids(self.tokenizer, [*turns, *answered, ("user", words)], chat=self.chat)

    def shown(self, asked: Asked, record: Record) -> list[int]:
        """Token ids of a record as an example, with what stands behind it. Private.

        A special token that is spelled out in the text stays plain characters. The ids follow from the record alone.

        Args:
            asked: the request that shows it.
            record: the private record.
        """
        text = asked.gap + record.text.reveal()
        ids = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
        return [*ids[: self.max_record_tokens], *asked.after]

    def check_room(self, texts: Sequence[Asked], max_new_tokens: int) -> None:
        """Refuse requests that leave no room for a text in the model's context.

        Args:
            texts: the request for each text.
            max_new_tokens: the most tokens of a text.

        Raises:
            DoppelError: the longest request that may occur is too long.
        """
        longest = max(len(asked.before) + len(asked.after) + self.max_record_tokens for asked in texts)
        context = self.tokenizer.model_max_length
        if longest + max_new_tokens > context:
            raise DoppelError(
                "generation.prompt_too_long",
                f"a request with a record may have {longest} tokens; with max_new_tokens = {max_new_tokens} that "
                f"exceeds the model's {context}",
                name="max_record_tokens",
                value=self.max_record_tokens,
                remedy="lower max_record_tokens or max_new_tokens",
            )
