"""Private text that cannot be printed by accident."""


class PrivateText:
    """A private string: ``repr``, ``str`` and f-strings show nothing of it; `reveal` gives the text.

    Review every call of `reveal`: its result may go into a model, a file marked private or a comparison, never into
    an output.

    Args:
        text: the private string.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str):
        self._text = text

    def reveal(self) -> str:
        """The private string itself."""
        return self._text

    def __repr__(self) -> str:
        return "<private text>"

    def __len__(self) -> int:
        return len(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrivateText) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)
