"""What the model is asked: one request without any private record, and the same with one record as an example."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.data.records import Record
from lib.methods.private_prediction.templates import TEXT
from lib.models.prompt import Chat, Prompt

STANDS_IN = ("q", "z")  # for a record; what is the same around both is what stands around any record


@dataclass(frozen=True)
class Around:
    """What stands around a record in the request that shows it; public.

    Attributes:
        before: token ids in front of it, the same for all records of a label cell.
        after: token ids behind it, up to where the model answers.
        gap: what its text begins with, a space where the template has one there.
    """

    before: list[int]
    after: list[int]
    gap: str


@dataclass(frozen=True)
class Requests:
    """Requests as token ids.

    Args:
        tokenizer: the model's own.
        prompt: the request without a record: text with a {label} where a label belongs.
        prompt_with_record: the same request with {text} where the record belongs.
        chat: as `lib.models.prompt.Prompt` takes it.
        max_record_tokens: a record is cut behind this many tokens, at least 1.
    """

    tokenizer: PreTrainedTokenizerBase
    prompt: str
    prompt_with_record: str
    chat: Chat
    max_record_tokens: int

    def public(self, labels: Mapping[str, str]) -> list[int]:
        """Token ids of the request without a record, for ``labels`` (name -> value)."""
        return Prompt(self.prompt, self.chat).build(self.tokenizer, labels)

    def around(self, labels: Mapping[str, str]) -> Around:
        """What stands around the record, for ``labels`` (name -> value).

        Raises:
            DoppelError: the tokens of what is beside {text} are not the same for every record.
        """
        one, other = (
            Prompt(self.prompt_with_record.replace(TEXT, text), self.chat).build(self.tokenizer, labels)
            for text in STANDS_IN
        )
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
        return Around(one[:before], one[len(one) - after :], between[: -len(STANDS_IN[0])])

    def shown(self, around: Around, record: Record) -> list[int]:
        """Token ids of a record as an example, with what stands behind it. Private.

        A special token that is spelled out in the text stays plain characters. The ids follow from the record alone.

        Args:
            around: of the record's labels.
            record: the private record.
        """
        text = around.gap + record.text.reveal()
        ids = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
        return [*ids[: self.max_record_tokens], *around.after]

    def check_room(self, cells: Sequence[Mapping[str, str]], max_new_tokens: int) -> None:
        """Refuse requests that leave no room for a text in the model's context.

        Args:
            cells: labels of each cell, name -> value.
            max_new_tokens: the most tokens of a text.

        Raises:
            DoppelError: the longest request that may occur is too long.
        """
        longest = max(len(a.before) + len(a.after) + self.max_record_tokens for a in map(self.around, cells))
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
