"""The prompts of a new preset: the beginning of a record, a request, and a prompt file of its own.

They are built from the declared domain and the holder's word for a record alone.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from lib.common.errors import DoppelError
from lib.common.printable import printable
from lib.stage import strict_yaml

LONGEST_WHAT = 60  # characters
GENERIC = "prompts/generic.yaml"  # for any corpus: its word for a record is "text"


def check_what(what: str) -> str:
    """A word or two for a record, fit to stand in a template.

    Args:
        what: as it was given.

    Returns:
        it without white space around it.

    Raises:
        DoppelError: it is empty, of more than one line or `LONGEST_WHAT` characters, or has braces or brackets.
    """
    what = what.strip()
    if not 0 < len(what) <= LONGEST_WHAT or printable(what) != what or re.search(r"[\[\]{}]", what):
        raise DoppelError(
            "pipeline.what",
            f"what a record is takes 1 to {LONGEST_WHAT} characters, without braces and brackets",
            name="--what",
            value=what,
            remedy="write it as it would stand behind 'one': customer review",
        )
    return what


def opening(what: str, domain: Mapping[str, Sequence[str]]) -> str:
    """What a record begins with, for a model that goes on from there: ``Customer review, stars: {stars}:``.

    Args:
        what: a record is, in a word or two.
        domain: the declared labels.
    """
    return ", ".join([what[0].upper() + what[1:], *_named(domain)]) + ":"


def request(what: str, domain: Mapping[str, Sequence[str]]) -> str:
    """What a model that follows instructions is asked for: ``Write one customer review (stars: {stars}).``

    Args:
        what: a record is, in a word or two.
        domain: the declared labels.
    """
    return f"Write one {what}" + (f" ({', '.join(_named(domain))})." if domain else ".")


def with_record(asked: str, *, chat: bool) -> str:
    """The same request with a record as an example.

    Args:
        asked: as `request` or `opening` made it.
        chat: whether it is a request; otherwise the model continues the text.

    Returns:
        A template with ``{text}`` once.
    """
    return f"{asked} Here is an example: {{text}}" if chat else f"{{text}}\n{asked}"


def _named(domain: Mapping[str, Sequence[str]]) -> list[str]:
    """A placeholder for each label with the label's name before it, unless its values name themselves (Stars: 5)."""
    said = {name: all(": " in value for value in values) for name, values in domain.items()}
    return [f"{{{name}}}" if said[name] else f"{name.replace('_', ' ')}: {{{name}}}" for name in domain]


def prompt_file(what: str, root: Path, *, one_line: bool) -> dict[str, object]:
    """The content of a prompt file for a corpus: the generic one, with the corpus' word for a record in it.

    Args:
        what: a record is, in a word or two.
        root: the project's folder.
        one_line: whether a reply ends with its first line.
    """
    given = strict_yaml.read(root / GENERIC, GENERIC)
    templates = {key: [_told(template, what) for template in given[key]] for key in ("random", "rephrase", "fill")}
    return given | {"about": what, "one_line": one_line} | templates


def _told(template: str, what: str) -> str:
    """A template of the generic prompt file that says ``what`` for text; the placeholder ``{text}`` stays."""
    template = re.sub(r"(?<!\{)\btext\b", lambda _: what, template)
    return re.sub(r"(?<!\{)\bText\b", lambda _: what[0].upper() + what[1:], template)
