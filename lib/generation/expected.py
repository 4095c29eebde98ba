"""What asking a model is expected to come to, before anything is asked."""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.common import formatting

CHARACTERS = 4.0  # of a token, in English text


@dataclass(frozen=True)
class Expected:
    """Calls and tokens, where nothing is asked twice.

    Attributes:
        calls: requests.
        prompt_tokens: of all requests, roughly.
        completion_tokens: of all replies, roughly.
    """

    calls: int
    prompt_tokens: int
    completion_tokens: int

    def __add__(self, other: "Expected") -> "Expected":
        return Expected(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )

    def times(self, records: int) -> "Expected":
        """What it comes to for a number of records.

        Args:
            records: at least 0.
        """
        return Expected(self.calls * records, self.prompt_tokens * records, self.completion_tokens * records)

    def cost(self, prices: Mapping[str, float]) -> float:
        """The money, in the currency of the prices.

        Args:
            prices: of a million tokens: ``input`` and ``output``.
        """
        return (self.prompt_tokens * prices["input"] + self.completion_tokens * prices["output"]) / 1e6

    def told(self, model: str, prices: Mapping[str, float]) -> str:
        """A sentence about it.

        Args:
            model: its name.
            prices: as `cost` takes them; all 0 where nobody named them.
        """
        money = f"about {formatting.dollars(self.cost(prices))}" if any(prices.values()) else "prices: says 0"
        return (
            f"asks {model} {self.calls:,} times or more: about {self.prompt_tokens:,} tokens of requests and "
            f"{self.completion_tokens:,} of replies, {money}"
        )


def tokens(characters: float) -> int:
    """About how many tokens a text has.

    Args:
        characters: of the text.
    """
    return round(characters / CHARACTERS)
