"""The type of an entry: everything that Doppel knows about a source, in one place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.data.records import Record
from lib.data.sources.corpus import Corpus, SourceRequest


def _all_of_it(argument: str) -> str:
    return argument


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source of records.

    Attributes:
        form: how a parameter writes it: ``KIND``, ``KIND:ARGUMENT``, or ``KIND[:ARGUMENT]`` where the argument may be
            left out. An argument that is the path of a file is called ``PATH``.
        load: reads the source.
        glance: what can be checked before the source is read. It returns the first record as ``load`` reads it, or None
            where that cannot be had cheaply, and raises DoppelError for what ``load`` would refuse. It runs before a
            kernel starts, so it must be quick.
        own_columns: whether the columns are the user's own, and the parameter ``columns`` says what they hold.
        knows_users: whether records may name a user; False where nobody knows who wrote what.
        title: what the corpus is, in the words of a public dataset card; None leaves the card silent about it.
        images: whether its records are pictures, which 00_process_images reads.
        public_text: whether anybody can read the text, or see the pictures, so that a budget needs no limit.
        same_texts: kinds of other entries that hold many of the same texts.
        language: a code of Hugging Face (``en``); None where it is not known.
        default_path: the file that is read where no path is given, from the data folder on.
        corpus_name: the part of an argument that names the corpus for its budget; an empty string where all arguments
            name parts of one corpus. It is not used where the argument is a path: a file is known by its path.
    """

    form: str
    load: Callable[[SourceRequest], Corpus]
    glance: Callable[[SourceRequest], Record | None] | None = None
    own_columns: bool = False
    knows_users: bool = True
    title: str | None = None
    images: bool = False
    public_text: bool = False
    same_texts: Sequence[str] = ()
    language: str | None = None
    default_path: str | None = None
    corpus_name: Callable[[str], str] = _all_of_it

    @property
    def takes_argument(self) -> bool:
        """Whether an argument may stand behind a colon."""
        return ":" in self.form

    @property
    def needs_argument(self) -> bool:
        """Whether an argument must stand behind a colon."""
        return self.takes_argument and "[" not in self.form.partition(":")[0]

    @property
    def takes_path(self) -> bool:
        """Whether the argument is the path of a file."""
        return "PATH" in self.form
