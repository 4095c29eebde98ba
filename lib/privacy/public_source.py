"""Sources that somebody declares public, so that what is made from their texts is not counted in epsilon.

The prefix is the declaration: whoever writes ``public:csv:PATH`` says that anybody may know these texts. Whether that
is true nothing here can see. What can be seen is refused: the source of the corpus itself, under whatever kind; a
corpus that comes with Doppel and holds the same texts; and what a run made, which was paid for where it was made. A
copy of a file under another name is not seen.
"""

from lib.common.errors import DoppelError
from lib.data import sources
from lib.privacy.budget_account import Account
from lib.privacy.disclosure import PUBLIC


def undeclared(parameter: str, declared: str, *, own: str | None) -> str:
    """The source without its declaration.

    Args:
        parameter: whose value it is, a name in `lib.privacy.disclosure.USED`.
        declared: the value.
        own: the source of the corpus, which is private; None where there is no corpus.

    Raises:
        DoppelError: the declaration is missing, or cannot be true.
    """
    if not declared.startswith(PUBLIC):
        raise DoppelError(
            "privacy.source_not_declared",
            f"{parameter} = {declared!r} is not declared public, so what is made from it would have to be counted",
            name=parameter,
            value=declared,
            remedy=f"where anybody may know these texts, declare it: {PUBLIC}{declared}",
        )
    source = declared.removeprefix(PUBLIC)
    kind, _ = sources.parse(source)
    account = Account.of(source)
    if own and (account == Account.of(own) or sources.parse(own)[0] in sources.SOURCES[kind].same_texts):
        raise DoppelError(
            "privacy.source_is_the_corpus",
            f"{parameter} = {declared!r} holds the texts of the corpus ({own}), which are what is protected",
            name=parameter,
            value=declared,
            remedy="name a source with other texts, or leave it out",
        )
    if account.source.startswith("file:results/"):
        raise DoppelError(
            "privacy.source_made_by_a_run",
            f"{parameter} = {declared!r} was made by a run, and is counted where it was made",
            name=parameter,
            value=declared,
            remedy="name a source from outside results/, or leave it out",
        )
    return source
