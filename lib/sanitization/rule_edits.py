"""Rewrites a text without a model: each place of a target gets vaguer words, or is left out, and the rest stays."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from lib.private_records.schema import Attribute, Place
from lib.sanitization.leaving_out import left_out, whole_lines
from lib.sanitization.rule_table import OTHER, RuleTable
from lib.sanitization.schema import Edit, Strategy, Targets
from lib.sanitization.told import joined, touches
from lib.sanitization.vaguer import VAGUER
from lib.sanitization.wording import Site, closed, fitted

LEVELS = 3  # from the most exact words to the vaguest
STREET = "some street"
PERSON, AGE, ADDRESS, HOUSE, CITY, REGION = "person", "age", "address", "house", "city", "region"  # kinds

_TITLE = re.compile(r"\b(?:(?P<doctor>Dr|Prof|Doctor|Professor)|Mr|Mrs|Ms|Mx|Miss)\b\.?[^\S\n]*$")
_GREETING = re.compile(r"\b(?P<word>dear|dearest|hi|hello|hey|good (?:morning|day|evening))[^\S\n]+$", re.IGNORECASE)
_VOCATIVE = re.compile(
    r"\b(?:you|thanks|hello|hi|sorry|please|bye|yes|no|well|so|love)(?P<comma>,[^\S\n]+)$", re.IGNORECASE
)
_SPEAKER = re.compile(r"[^\S\n]*(?:[-*•–>][^\S\n]*)?(?:\(?\d{1,2}:\d\d\)?[^\S\n]*(?:[-–][^\S\n]*)?)?")
_YEARS = re.compile(r"[- ](?:years?|yrs?)\.?[- ](?:old|of age)\b|[- ]years?\b(?! (?:ago|later|in|at|with|of)\b)", re.I)
_NO_HEAD = (
    r"[a-z]{1,2}|[a-z]+(?:ed|ly)|from|into|off|out|with|without|for|until|since|after|before|because|where|when|how|now|"
    r"then|many|left|lost|kept|found|made|said|sent|told|held|put|taken|given|broken|done|seen|frozen|wore|gave|took|came|went|saw|met|sang|count|back|away|over|under|"
    r"about|against|name"
)
_HEAD = re.compile(rf"(?:^|_)(?!(?:{_NO_HEAD})(?:_|$))([a-z]+)(?:_name)?[_\d]*$")  # bone; of horse_name, horse
_OTHER_PERSON = re.compile(r"_(\d+)$")
_GAP = re.compile(r"[ ,\u00a0]{0,3}|,?\n")  # between pieces of one address


@dataclass(frozen=True)
class _Piece:
    """A part of the text that is rewritten, the attribute whose kind says how, and those side by side with it."""

    start: int
    end: int
    owner: Attribute
    drop: bool
    beside: tuple[Attribute, ...] = ()


class RuleEdits:
    """The edits of one record by the table of rules.

    Args:
        text: the original.
        attributes: of it, with places.
        at: where the text tells each, see `lib.sanitization.told.places`.
        targets: what is to become of them.
        labels: of the record, which say what its person is called.
        rules: the table.
    """

    def __init__(
        self,
        text: str,
        attributes: Sequence[Attribute],
        at: Mapping[str, Sequence[Place]],
        targets: Targets,
        labels: Mapping[str, str],
        rules: RuleTable,
    ):
        self.text, self.at, self.targets, self.rules = text, at, targets, rules
        self._of = {one.name: one for one in attributes}
        self._kinds = {one.name: rules.kind(one) for one in attributes}
        self._role = rules.role(labels.values())

    def strategies(self, level: int) -> tuple[Strategy, ...]:
        """One for each target; all its places get its words, as the sentence around each asks for.

        Args:
            level: how vague, see `edits`.
        """
        return tuple(
            Strategy(name, "drop", "it is left out")
            if name in self.targets.drop
            else Strategy(name, "abstract", self.rules.kinds[self._kinds[name]].how, self._words(self._of[name], level))
            for name in self.targets.names
        )

    def edits(self, level: int) -> tuple[Edit, ...]:
        """The edits, from left to right.

        Args:
            level: how vague, from 0 to `LEVELS` - 1; a higher one is for texts that still tell a target.
        """
        return _apart(self.text, [self._edit(piece, level) for piece in self._pieces])

    @cached_property
    def _hidden(self) -> tuple[Place, ...]:
        """The places of the targets, from left to right and disjoint."""
        return joined(place for name in self.targets.names for place in self.at[name])

    @cached_property
    def _kept(self) -> tuple[Place, ...]:
        """One place of each kept attribute that no target touches, the first: the others may go."""
        free = ([p for p in self._of[name].places if not touches(p, self._hidden)] for name in self.targets.keep)
        return tuple(sorted(places[0] for places in free if places))

    @cached_property
    def _pieces(self) -> tuple[_Piece, ...]:
        """What is rewritten: the places of the targets, with all of another attribute that shares a character."""
        owned = [(place, name) for name, one in self._of.items() for place in one.places]
        touched = [(place, name) for place, name in owned if touches(place, self._hidden)]
        streets = sorted(place for place, name in touched if self._kinds[name] == ADDRESS)
        numbers = [p for p, name in owned if self._kinds[name] == HOUSE and p not in self._kept]
        pairs = ((number, street) for number in numbers for street in streets if self._adjoin(number, street))
        whole = [Place(min(pair).start, max(pair).end) for pair in pairs]
        wide = joined([*self._hidden, *(place for place, _ in touched), *whole])
        asked = [(place, target) for target in self.targets.names for place in self.at[target]]
        inside: dict[Place, list[str]] = {place: [] for place in wide}
        for place, name in [*touched, *asked]:
            inside[wide[bisect_left(wide, (place.end,)) - 1]].append(name)
        pieces: list[_Piece] = []
        for place, names in inside.items():
            owner = max(dict.fromkeys(names), key=lambda name: len(self._of[name].value))
            drop = any(name in self.targets.drop for name in names)
            pieces = self._beside(pieces, _Piece(*place, self._of[owner], drop))
        return tuple(pieces)

    def _adjoin(self, one: Place, other: Place) -> bool:
        """Whether nothing but a space or two stands between two places of a line."""
        first, second = sorted((one, other))
        between = second.start - first.end
        return 0 < between <= 2 and not self.text[first.end : second.start].strip(" \u00a0")

    def _beside(self, pieces: list[_Piece], piece: _Piece) -> list[_Piece]:
        """The pieces with one more, which is one with the last where both are of a family and side by side."""
        last = pieces[-1] if pieces else None
        family = self.rules.family.get(self._kinds[piece.owner.name])
        same = last is not None and family is not None and family == self.rules.family.get(self._kinds[last.owner.name])
        if same and last.drop == piece.drop and _GAP.fullmatch(self.text, last.end, piece.start):
            return [*pieces[:-1], replace(last, end=piece.end, beside=(*last.beside, piece.owner))]
        return [*pieces, piece]

    def _edit(self, piece: _Piece, level: int) -> Edit:
        kind = self._kinds[piece.owner.name]
        site = Site(self.text, piece.start, piece.end)
        if kind == AGE and (years := _YEARS.match(site.right)):
            site = site._replace(end=site.end + years.end())
        if kind == PERSON:
            return self._person(site, piece)
        if kind == ADDRESS and any(self._adjoin(place, Place(*site[1:])) for place in self._kept):
            return fitted(site, STREET)  # behind the number of a house that is kept
        if site.numbers_item:
            return Edit(site.start, site.end + 1, "-")
        if site.in_number:
            return Edit(site.start, site.end, "x" * (site.end - site.start))
        if piece.drop and kind == HOUSE and self._behind(site, r"[ \u00a0]+", ADDRESS):
            return Edit(site.start, site.end, "")
        if piece.drop:
            taken = left_out(site, self._kept) or self._from_address(site, kind)
            return taken or fitted(site, self.rules.kinds[OTHER].field if site.field else self.rules.drop.phrase)
        rule = self.rules.kinds[kind]
        if (site.field or (site.named and rule.field == "on file")) and not (level == 0 and self._exact(piece.owner)):
            return Edit(site.start, site.end, rule.field)
        family = self.rules.family.get(kind)
        if family in {self._kinds[one.name] for one in (piece.owner, *piece.beside)} and piece.beside:
            return fitted(site, self.rules.families[family].text)
        if kind == HOUSE and (street := self._behind(site, r"[ \u00a0]+", ADDRESS)):
            return fitted(site._replace(end=street), f"{rule.text[0]} on ")
        if kind == CITY and level == 0 and (region := self._behind(site, r",[^\S\n]*", REGION)):
            return fitted(site._replace(end=region), f"{rule.text[0]} in ")
        return fitted(site, self._words(piece.owner, level))

    def _from_address(self, site: Site, kind: str) -> Edit | None:
        """A part of an address that goes alone, with the comma beside it; None for what is no address."""
        if kind not in self.rules.families[ADDRESS].kinds:
            return None
        if comma := re.match(r",[^\S\n]*", site.right):
            return Edit(site.start, site.end + comma.end(), "")
        before = re.search(r",?[^\S\n]*$", site.left)
        return Edit(site.start - len(before[0]), site.end, "") if re.match(r"[^\S\n]*(?:[.;)]|$)", site.right) else None

    def _person(self, site: Site, piece: _Piece) -> Edit:
        """A role in place of a name: as it is addressed, as it speaks, as it signs, or as it is told of."""
        left, drop = site.left, piece.drop
        title = _TITLE.search(left)
        start = site.start - (len(title[0]) if title else 0)
        whole = site._replace(start=start)
        role = "doctor" if title and title["doctor"] else self._role_of(piece.owner)
        greeting = _GREETING.search(whole.left)
        if drop and greeting:
            return Edit(start - len(greeting[0]), site.end, self.rules.drop.greeting)
        if greeting:
            return Edit(start, site.end, role)
        if drop and (whole.alone or whole.field) and (taken := left_out(whole, self._kept)):
            return taken
        if whole.alone or whole.field:
            held = self.rules.kinds[PERSON].field
            return Edit(start, site.end, held if whole.field else f"(name {held})")
        if (address := _VOCATIVE.search(whole.left)) and re.match(r"[.!?]", site.right):
            return Edit(start - len(address["comma"]), site.end, "")
        if _SPEAKER.fullmatch(whole.left) and site.right.startswith(":"):
            return Edit(start, site.end, (self.rules.person if drop else role).capitalize())
        return fitted(whole, self.rules.drop.person if drop else f"the {role}")

    def _role_of(self, attribute: Attribute) -> str:
        """What a person is called by a name of theirs."""
        number, others = _OTHER_PERSON.search(attribute.name), self.rules.others
        return others[min(max(int(number[1]) - 2, 0), len(others) - 1)] if number else self._role

    def _behind(self, site: Site, gap: str, kind: str) -> int | None:
        """Where a place of a kind begins that stands behind a piece and is not to be hidden."""
        between = re.match(gap, site.right)
        at = site.end + between.end() if between else -1
        found = (place for name, one in self._of.items() if self._kinds[name] == kind for place in one.places)
        return next((place.start for place in found if place.start == at and not touches(place, self._hidden)), None)

    def _words(self, attribute: Attribute, level: int) -> str:
        """What stands for an attribute at a level of vagueness."""
        rule = self.rules.kinds[self._kinds[attribute.name]]
        if self._kinds[attribute.name] == PERSON:
            return f"the {self._role_of(attribute)}"
        options = [*filter(None, [self._exact(attribute)]), *rule.text]
        head = _HEAD.search(attribute.name)
        options = options if head else [words for words in options if "{head}" not in words]
        return options[min(level, len(options) - 1)].replace("{head}", head[1] if head else "")

    def _exact(self, attribute: Attribute) -> str:
        """The most exact words that may stand for a value; "" where its kind has none but its texts."""
        vaguer = self.rules.kinds[self._kinds[attribute.name]].vaguer
        return VAGUER[vaguer](attribute.value) if vaguer else ""


def _apart(text: str, made: list[Edit]) -> tuple[Edit, ...]:
    """Edits that overlap as one, and what is taken out closed: a sentence that goes takes along what is in it."""
    merged: list[Edit] = []
    for edit in sorted(made):
        while merged and (edit.start < merged[-1].end or _both_out(text, merged[-1], edit)):
            last = merged.pop()
            written = last.written and edit.written and last.written
            edit = Edit(last.start, max(last.end, edit.end), written)
        merged.append(edit)
    done: list[Edit] = []
    for number, edit in enumerate(merged):
        behind = merged[number + 1].start if number + 1 < len(merged) else len(text)
        before = done[-1].end if done else 0
        if not edit.written:
            closing = closed(text, _with_line(text, edit))
            edit = Edit(max(before, closing.start), min(behind, closing.end), closing.written * (closing.end <= behind))
            if closing.end > behind and closing.written[-1:].isupper():
                follows = merged[number + 1]
                merged[number + 1] = follows._replace(written=follows.written[:1].upper() + follows.written[1:])
        done.append(edit)
    return tuple(done)


def _with_line(text: str, edit: Edit) -> Edit:
    """What is taken out, with the line end where nothing else stands on its lines."""
    start, end = text.rfind("\n", 0, edit.start) + 1, text.find("\n", edit.end)
    end = len(text) if end < 0 else end
    alone = not text[start : edit.start].strip() and not text[edit.end : end].strip()
    return whole_lines(text, start, end) if alone and text[edit.end - 1 : edit.end] not in ("", "\n") else edit


def _both_out(text: str, one: Edit, other: Edit) -> bool:
    """Whether two edits take something out, with nothing but spaces between."""
    return not one.written and not other.written and not text[one.end : other.start].strip(" \t")
