"""Questions at the terminal, each with an answer that Enter or ``--yes`` takes."""

from collections.abc import Callable
from typing import TypeVar

from lib.common.errors import DoppelError
from lib.common.printable import printable

Answer = TypeVar("Answer")
NONE = "-"  # the answer that means none of them


class Dialog:
    """Asks whoever sits at the terminal.

    Args:
        accepts: whether every question is answered with what is proposed, unasked.
    """

    def __init__(self, *, accepts: bool):
        self.accepts = accepts

    def ask(self, question: str, proposed: str | None, read: Callable[[str], Answer]) -> Answer:
        """The answer to a question, asked again until it can be read.

        Args:
            question: to be put, without a question mark.
            proposed: what Enter answers; None: the question needs an answer.
            read: makes the answer what is wanted; what it refuses is shown.

        Raises:
            DoppelError: the input ended, or nothing may be asked and ``read`` refuses what is proposed.
        """
        if self.accepts:
            if proposed is None:
                raise DoppelError("cli.no_guess", f"{question}: nothing to guess", remedy="give the option for it")
            return read(proposed)
        while True:
            answer = self._line(question + ("" if proposed is None else f" [{printable(proposed)}]") + ": ").strip()
            try:
                if answer or proposed is not None:
                    return read(answer or str(proposed))
            except DoppelError as error:
                print(f"  {error}")

    def agrees(self, question: str) -> bool:
        """Whether the answer to a question is yes; anything but yes and no is asked again.

        Args:
            question: to be put, without a question mark.
        """
        if self.accepts:
            return True
        while (answer := self._line(f"{question}? (yes/no): ").strip().lower()) not in ("yes", "y", "no", "n"):
            pass
        return answer.startswith("y")

    @staticmethod
    def _line(question: str) -> str:
        try:
            return input(question)
        except EOFError:
            print()
            raise DoppelError(
                "cli.input_ended", "the input ended before all was answered", remedy="answer, or give options"
            ) from None
