"""A language model says what a text tells; what it names is looked for in the text, and dropped if it is not there."""

import re
from collections.abc import Mapping

from lib.generation.json_reply import read_object, texts
from lib.generation.workflow import Steps, Unusable, ask
from lib.pii.spans import Filled
from lib.private_records.places import located
from lib.private_records.schema import Attribute, Group, Place
from lib.sanitization.annotators import Told
from lib.sanitization.case import Original
from lib.sanitization.chunks import chunks
from lib.sanitization.prompting import Prompts
from lib.sanitization.rule_table import RuleTable, table

CHARACTERS = 4_000  # of a text that is read at once; a longer one is read in parts
DIRECT = 2  # rank of a kind that names or reaches a person by itself
MOST_GROUPS = 8


class Asked:
    """Asks a model for the attributes of each text.

    Args:
        prompts: what it is asked.
        tries: how often, until a reply can be used; at least 1.
        rules: say which kinds are direct, and group what the model does not.
    """

    def __init__(self, prompts: Prompts, tries: int, rules: RuleTable | None = None):
        self._prompts, self._tries, self._rules = prompts, tries, rules or table()

    def annotate(self, original: Original) -> Steps[Told]:
        """See `lib.sanitization.sanitize.Annotator`.

        Args:
            original: the record.
        """
        found: dict[str, Attribute] = {}
        grouped: dict[str, tuple[str, ...]] = {}
        for start, end in chunks(original.text, CHARACTERS):
            part = original.text[start:end]
            named, groups = yield from ask(self._prompts.call("annotate", text=part), _read, self._tries)
            given = [self._attribute(name, value) for name, value in named.items()]
            for one in located(Filled(part, ()), given)[0]:
                places = tuple(Place(place.start + start, place.end + start) for place in one.places)
                _add(found, one, places)
            for title, names in groups.items():
                grouped[title] = (*grouped.get(title, ()), *names)
        kept = [
            Group(title, held)
            for title, names in grouped.items()
            if (held := tuple(dict.fromkeys(name for name in names if name in found)))
        ]
        attributes = tuple(sorted(found.values(), key=lambda one: one.places))
        return attributes, tuple(kept[:MOST_GROUPS]) or self._rules.grouped(attributes)

    def _attribute(self, name: str, value: str) -> Attribute:
        one = Attribute(name, value, "text", False)
        direct = self._rules.kinds[self._rules.kind(one)].rank <= DIRECT
        return Attribute(name, value, "text", direct)


def _add(found: dict[str, Attribute], one: Attribute, places: tuple[Place, ...]) -> None:
    """An attribute of a part; one of the same name and value is the same, another value gets a name of its own."""
    for number in range(1, len(found) + 2):
        name = one.name if number == 1 else f"{one.name}_{number}"
        if name not in found or found[name].value == one.value:
            before = found[name].places if name in found else ()
            found[name] = Attribute(name, one.value, one.category, one.direct, (*before, *places))
            return


def _read(reply: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Attributes and groups of a reply."""
    given = read_object(reply)
    inner = given.get("attributes")
    named = texts(inner if isinstance(inner, Mapping) else {k: v for k, v in given.items() if k != "groups"})
    if not named:
        raise Unusable("no attributes")
    groups = given.get("groups")
    titled = groups.items() if isinstance(groups, Mapping) else ()
    return (
        {_name(name): value for name, value in named.items() if _name(name)},
        {str(title): tuple(map(_name, map(str, names))) for title, names in titled if isinstance(names, list)},
    )


def _name(written: str) -> str:
    """A name as attributes have it: small letters and underscores."""
    return re.sub(r"\W+", "_", written.strip().lower()).strip("_")[:60]
