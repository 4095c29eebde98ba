"""The scorecard in plain sentences: which arm to use, what privacy costs, what no figure can tell."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from lib.audit.verdict import Verdict
from lib.evaluation import registry as metric_words
from lib.methods.registry import PROMPT_ONLY, WITHOUT_PRIVACY
from lib.scorecard.pairwise import Entrant

CLEARLY = 1.25  # how many times longer an arm must take to be called dearer: each time is a single timing


def guarantees(arms: Sequence[Mapping]) -> list[str]:
    """What each arm promises. Follows from the ledger alone, so it may be public."""
    lines = []
    for arm in arms:
        name, privacy = f"{arm['name']} ({arm['method']})", arm["privacy"]
        if privacy["epsilon"] is None:
            lines.append(f"{name} promises nothing: it was made without privacy, and is not for release.")
            continue
        line = (
            f"{name} spends epsilon {privacy['epsilon']:.2f} at delta {privacy['delta']:.1e} for each {privacy['unit']}"
        )
        if privacy["not_for_release"]:
            line += f", but is not for release: {'; '.join(privacy['not_for_release'])}"
        lines.append(f"{line}.")
    return lines


def together(spent: Mapping[str, Any] | None) -> str:
    """What all private arms spend together. Follows from the ledgers alone, so it may be public."""
    if spent is None:
        return "No arm here is private."
    return (
        f"All private arms here together spend epsilon {spent['epsilon']:.2f} at delta {spent['delta']:.1e} for each "
        f"{spent['unit']}; what they share counts once."
    )


def tell(card: Mapping[str, Any], entrants: Sequence[Entrant]) -> list[str]:
    """All sentences of a scorecard, the most wanted first."""
    if not card["comparisons"]:
        return [
            "Nothing is said about which arm is better: no headline metric was measured.",
            *guarantees(card["arms"]),
        ]
    told = _Teller(card, entrants)
    targets = sorted({told.target(one) for one in entrants if told.private(one)})
    return [
        *(line for target in targets for line in told.advice(target)),
        *(line for target in targets for line in told.at(target)),
        *told.costs_of_privacy(),
        *told.against_floor(),
        *told.over_epsilon(targets),
        *guarantees(card["arms"]),
    ]


class _Teller:
    """Sentences about a scorecard's entrants."""

    def __init__(self, card: Mapping[str, Any], entrants: Sequence[Entrant]):
        self._entrants = entrants
        self._arms = {one.name: [arm for arm in card["arms"] if arm["name"] in one.arms] for one in entrants}
        self._rows = card["comparisons"]
        self._groups = list(dict.fromkeys(row["group"] for row in self._rows))
        self._floor = next((one for one in entrants if card["floor"] in one.arms), None)
        named = {(row["group"], row["task"], row["metric"]) for row in self._rows}
        self._often = Counter((group, metric) for group, _, metric in named)

    def target(self, one: Entrant) -> float | None:
        return self._arms[one.name][0]["privacy"]["target_epsilon"]

    def private(self, one: Entrant) -> bool:
        return self._arms[one.name][0]["method"] in WITHOUT_PRIVACY and self.target(one) is not None

    def advice(self, target: float) -> Iterator[str]:
        """Which arm to use at an epsilon, at which cost; and which not to use, and why."""
        refused = {one.name: why for one in self._same(target) if (why := self._refused(one))}
        if fit := self._fit(target):
            chosen, why = self._choice(fit)
            shown = self._beyond_floor(chosen) if chosen else ""
            yield f"At epsilon {target:g} {why}{shown}."
        for name, why in refused.items():
            yield f"At epsilon {target:g} do not use {name}: {why}."

    def _same(self, target: float) -> list[Entrant]:
        return [one for one in self._entrants if self.private(one) and self.target(one) == target]

    def _fit(self, target: float) -> list[Entrant]:
        """The private arms at an epsilon that may be used."""
        return [one for one in self._same(target) if not self._refused(one)]

    def _rows_among(self, some: Sequence[Entrant]) -> list[Mapping]:
        names = {one.name for one in some}
        return [row for row in self._rows if set(row["arms"]) <= names]

    def _choice(self, fit: Sequence[Entrant]) -> tuple[Entrant | None, str]:
        rows = self._rows_among(fit)
        won = Counter(row["better"] for row in rows if row["better"])
        lost = Counter(name for row in rows if row["better"] for name in row["arms"] if name != row["better"])
        best = [one for one in fit if won[one.name] and not lost[one.name]]
        if len(fit) == 1:
            return fit[0], f"the only private arm that may be used is {self._called(fit[0])}, for {self._cost(fit[0])}"
        if len(best) == 1:
            of = len({(row["group"], row["task"], row["metric"]) for row in rows}) * (len(fit) - 1)
            why = f"it is better in {won[best[0].name]} of {of} comparisons with other private arms, and worse in none"
            return best[0], f"use {self._called(best[0])}, for {self._cost(best[0])}: {why}"
        costs = "; ".join(f"{self._called(one)} took {self._cost(one)}" for one in fit)
        if not won:
            cheapest = next((one for one in fit if all(self._cheaper(one, o) for o in fit if o is not one)), None)
            which = f"{self._called(cheapest)} is the cheapest" if cheapest else "none is clearly the cheapest"
            return None, f"no headline metric tells {_list([*map(self._called, fit)])} apart, and {which}: {costs}"
        return None, f"no private arm is best in all, so it depends on what you need: {costs}"

    def _refused(self, one: Entrant) -> str | None:
        for arm in self._arms[one.name]:
            if reasons := arm["privacy"]["not_for_release"]:
                return f"it is not for release ({'; '.join(reasons)})"
            if arm["privacy"]["audit"].get("verdict") == Verdict.VIOLATED:
                return "its audit found the claimed epsilon violated"
        return None

    def _beyond_floor(self, one: Entrant) -> str:
        if self._floor is None or any(self._won(one, self._floor).values()):
            return ""
        return (
            f"; but it is not shown to beat the floor {self._floor.name}: at this size its budget bought nothing sure"
        )

    def at(self, target: float) -> Iterator[str]:
        """Pairs of private arms at one epsilon."""
        fit = self._fit(target)
        untold = [] if any(row["better"] for row in self._rows_among(fit)) else fit  # which the advice says of them
        for a, b in combinations(self._same(target), 2):
            if a not in untold or b not in untold:
                yield f"At epsilon {target:g}, {self._between(a, b)}."

    def over_epsilon(self, targets: Sequence[float]) -> Iterator[str]:
        """What more budget buys within a method."""
        for low, high in combinations(targets, 2):
            for method in WITHOUT_PRIVACY:
                pair = [
                    [one for one in self._entrants if self._method(one) == method and self.target(one) == target]
                    for target in (high, low)
                ]
                for a in pair[0]:
                    for b in pair[1]:
                        yield f"From epsilon {low:g} to {high:g}, {self._between(a, b)}."

    def against_floor(self) -> Iterator[str]:
        for one in self._entrants:
            if self._floor is not None and one.name != self._floor.name and self.private(one):
                yield f"Against the floor, {self._between(one, self._floor)}."

    def costs_of_privacy(self) -> Iterator[str]:
        """Each private arm beside the same method without privacy, in parts of the way from floor to ceiling."""
        for one in self._entrants:
            others = [o for o in self._entrants if self._method(o) == WITHOUT_PRIVACY.get(self._method(one))]
            for other in others if self.private(one) else ():
                for group in self._groups:
                    if line := self._cost_of_privacy(one, other, group):
                        yield line

    def _cost_of_privacy(self, one: Entrant, other: Entrant, group: str) -> str | None:
        taken, unsure, gained, unplaced = [], [], [], []
        for row in self._rows_of(one, other, group):
            name, way = self._metric(row), self._way(other, row)
            if row["better"] == one.name:
                gained.append(name)
            elif row["better"] is None:
                unsure.append(name)
            elif way is None:
                unplaced.append(name)
            else:
                length, whole = way
                low, high = sorted(abs(row[end]) / length for end in ("low", "high"))
                alone = "" if taken else "the method without privacy goes "
                of = "" if taken else " of the way from floor to ceiling"
                privacy = f"of which privacy takes {abs(row['gain']) / length:.2f} [{low:.2f}, {high:.2f}]"
                taken.append(f"on {name} {alone}{whole:.2f}{of}, {privacy}")
        parts = taken
        if unplaced:
            parts.append(f"something on {_list(unplaced)}, whose floor and ceiling do not differ")
        if unsure:
            parts.append(f"no sure cost on {_list(unsure)}")
        if gained:
            parts.append(f"nothing on {_list(gained)}, where the private arm is the better one")
        who = f"{self._called(one)} against {self._called(other)}"
        return f"What privacy costs in {group}, {who}: {'; '.join(parts)}." if parts else None

    def _way(self, other: Entrant, row: Mapping) -> tuple[float, float] | None:
        """Length of the way from floor to ceiling, and how far the arm without privacy goes; None without a place."""
        key = (row["group"], row["task"], row["metric"])
        found = [
            one for arm in self._arms[other.name] for one in arm["metrics"]
            if (one["group"], one["task"], one["metric"]) == key and one["position"] is not None
        ]  # fmt: skip
        if not found:
            return None
        lengths = [abs(one["ceiling"] - one["floor"]) for one in found]
        return float(np.mean(lengths)), float(np.mean([one["position"] for one in found]))

    def _between(self, a: Entrant, b: Entrant) -> str:
        wins = [(x, y, won) for x, y in ((a, b), (b, a)) if (won := self._won(x, y))]
        parts = [
            f"{self._called(x)} beats {self._called(y)} in "
            + _list([f"{group} on {_list(names)}" for group, names in won.items()])
            for x, y, won in wins
        ]
        silent = [group for group in self._groups if not any(group in won for _, _, won in wins)]
        if silent:
            whom = "" if wins else f" between {self._called(a)} and {self._called(b)}"
            parts.append(f"no sure difference{whom} in {_list(silent, 'or')}")
        return "; ".join(parts)

    def _won(self, one: Entrant, other: Entrant) -> dict[str, list[str]]:
        won: dict[str, list[str]] = {}
        for group in self._groups:
            for row in self._rows_of(one, other, group):
                if row["better"] == one.name:
                    won.setdefault(group, []).append(self._metric(row))
        return won

    def _rows_of(self, one: Entrant, other: Entrant, group: str) -> list[Mapping]:
        return [row for row in self._rows if row["group"] == group and set(row["arms"]) == {one.name, other.name}]

    def _metric(self, row: Mapping) -> str:
        alone = self._often[row["group"], row["metric"]] == 1
        title = metric_words.title(row["metric"])
        return title if alone else f"{title} ({row['task']})"

    def _method(self, one: Entrant) -> str:
        return self._arms[one.name][0]["method"]

    def _called(self, one: Entrant) -> str:
        if len(one.arms) > 1:
            return f"{one.name} over {len(one.arms)} seeds"
        return f"{one.name} ({self._method(one)})" if self._method(one) != PROMPT_ONLY else one.name

    def _mean(self, one: Entrant, cost: str) -> float:
        """Over replicas; money that was not paid is none."""
        return float(np.mean([arm["cost"][cost] or 0 for arm in self._arms[one.name]]))

    def _cheaper(self, one: Entrant, other: Entrant) -> bool:
        """Clearly so: far fewer seconds on the same machines, and no more tokens or money."""
        alike = self._machines(one) == self._machines(other)
        faster = self._mean(other, "seconds") > CLEARLY * self._mean(one, "seconds")
        return alike and faster and all(self._mean(one, c) <= self._mean(other, c) for c in ("tokens", "money"))

    def _machines(self, one: Entrant) -> set[str]:
        return {machine for arm in self._arms[one.name] for machine in arm["cost"]["machines"]}

    def _cost(self, one: Entrant) -> str:
        """The mean over replicas."""
        costs = [arm["cost"] for arm in self._arms[one.name]]
        told = f"{self._mean(one, 'seconds'):,.0f} s, {self._mean(one, 'tokens'):,.0f} tokens"
        told += f" and {max(cost['peak_memory_mb'] for cost in costs) / 1000:.1f} GB"
        paid = [cost["money"] for cost in costs if cost["money"] is not None]
        return told + (f" and ${np.mean(paid):.2f}" if paid else "")


def _list(parts: Sequence[str], word: str = "and") -> str:
    return f" {word} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
