"""What may be shown to anybody: text, decided from the ledger, and values of parameters."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib.privacy.ledger import Event

WITHHELD = "withheld"
PUBLIC = "public:"  # in front of a source: whoever writes it declares that anybody may know what it holds
USED = {  # by parameter
    "warm_source": "that the model learned first",
    "topic_texts": "that topics were made from",
    "public_pictures": "that pictures were taken from",
    "seeds": "that persons were drawn from",
}

# of a model; an ARN, which Bedrock takes too, names an account
_MODEL = re.compile(r"(bundled|hub|openai|azure):[\w./-]+|bedrock:(?!arn:)[\w.:-]+")
_NAMED = {  # by parameter: names that anybody knows; all else may be a path on somebody's machine
    "model": _MODEL,
    "base_model": _MODEL,
    "encoder": re.compile(r"(hidden:)?(bundled|hub):[\w./-]+|pixels:[\d.]+|renders:\d+|efficientnet-lite0"),
    "topic_encoder": re.compile(r"(hidden:)?(bundled|hub):[\w./-]+"),
    "gliner": re.compile(r"hub:[\w./-]+"),
    "prompts": re.compile(r"prompts/[\w.-]+"),
}
_FONT = re.compile(r"[\w -]+")  # the name of one, and no path
_DECLARED = re.compile(r"public:(hub:[\w./:-]+|[\w-]+)")  # a source that was declared public, without a path


def may_be_shown(events: Iterable["Event"]) -> bool:
    """Whether synthetic text may be shown, in a notebook say: it is post-processing of mechanisms with a guarantee.

    This is the only place that decides it. It is less than being fit for release: a recorded ``privacy_seed`` or
    unchecked batches forbid that (`lib.privacy.ledger.not_for_release`), and the epsilon may be any finite one.

    Args:
        events: all events of the ledger of whatever wrote the text, its own included. None at all: it saw no private
            record.

    Returns:
        True when every event is private; False when one has no guarantee (`NonPrivate`, or no noise), for the text may
        then repeat private records.
    """
    return not any(event.mechanism.unbounded for event in events)


def declared_public(parameter: str, source: str) -> str:
    """The public fact that a ledger states of a source that was declared public: its kind, and no path.

    Args:
        parameter: a name in `USED`.
        source: as the parameter has it, or as a certificate shows it.
    """
    kind = source.removeprefix(PUBLIC).partition(":")[0]
    held = "pictures" if parameter == "public_pictures" else "texts"
    return f"{held} of a source ({kind}) that {parameter} declares public, and {USED[parameter]}"


def public_detectors(detectors: Sequence[str], stage: str | None) -> str:
    """The public fact that a ledger states of the detectors that scrubbed a corpus before anything learned from it.

    Args:
        detectors: their names.
        stage: id of the stage that trained one of them, without private records; None: none was trained.
    """
    trained = f", trained by {stage} without any private record" if stage is not None else ""
    return f"the detectors that took personal data out ({', '.join(detectors)}{trained})"


def public_value(parameter: str, value: object) -> object:
    """The value of a parameter as anybody may see it: a path on somebody's machine is not shown.

    Args:
        parameter: its name.
        value: as it was set; None is shown.

    Returns:
        ``value`` itself, but of a ``source`` its kind alone (``csv``), of one that is declared public the name of a
        dataset of the hub or the kind alone (``public:csv``), and `WITHHELD` for a model, encoder, font or prompt file
        whose name is not a public one.
    """
    if parameter == "source":
        return str(value).partition(":")[0]
    if parameter in USED and value is not None:
        found = _DECLARED.match(str(value))
        return WITHHELD if found is None else found[0]
    if parameter == "fonts":
        return [font if _FONT.fullmatch(str(font)) else WITHHELD for font in value]
    if value is not None and parameter in _NAMED and not _NAMED[parameter].fullmatch(str(value)):
        return WITHHELD
    return value
