"""A scorecard's conclusions in sentences: which arm to use at an epsilon, which not to use, whether utility shows the
price of privacy at all, and what each arm guarantees.

Which arm is better than which, and in what, is a table: the scorecard's ``pairs`` (`lib.scorecard.pairwise.verdicts`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lib.audit.verdict import Verdict
from lib.common import formatting
from lib.evaluation.registry import title
from lib.methods.registry import titled
from lib.privacy.neighbours import NO_UNIT
from lib.scorecard.names import display_name
from lib.scorecard.pairwise import Entrant

CHEAPER = 2.0  # ratio of times from which an arm counts as cheaper: each was timed once, perhaps beside other work


def answers(card: Mapping[str, Any], entrants: Sequence[Entrant]) -> list[str]:
    """All sentences, the most useful ones first.

    Args:
        card: a scorecard, still without ``answers``.
        entrants: what its ``comparisons`` compare.
    """
    if card["corpus"]["unit"] == NO_UNIT:
        nothing = "Nothing was compared: no arm read a private record, and each stage measures for itself what it made."
        return [nothing, *guarantees(card)]
    if not card["comparisons"]:
        nothing = "No headline metric was measured, so nothing can be said about which arm is better."
        return [nothing, *guarantees(card)]
    adviser = _Adviser(card, entrants)
    advice = [sentence for target in adviser.targets for sentence in adviser.advice(target)]
    return [*advice, *adviser.for_less(), *adviser.price_of_privacy(), *guarantees(card)]


def guarantees(card: Mapping[str, Any]) -> list[str]:
    """What each arm guarantees; arms of which the same can be said share a sentence, where the first of them stands.

    It follows from the ledgers alone, so it may be public.

    Args:
        card: a scorecard, or its ``arms`` and ``names``.
    """
    alike: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for arm in card["arms"]:
        name, privacy = f"{display_name(card, arm['stage'])} ({arm['method']})", arm["privacy"]
        # what is said of an arm, but for its name and epsilon
        of_any = _guarantee([("", privacy | {"epsilon": privacy["epsilon"] and 0.0})])
        alike.setdefault(of_any, []).append((name, privacy))
    return [_guarantee(arms) for arms in alike.values()]


def _guarantee(arms: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """The sentence about arms, at least one, whose ledgers differ in epsilon alone."""
    names, privacy, several = _listed([name for name, _ in arms]), arms[0][1], len(arms) > 1
    they = "they" if several else "it"
    if privacy["epsilon"] is None:
        return f"{names} {'have' if several else 'has'} no privacy guarantee, so {they} must not be released."
    if privacy["unit"] == NO_UNIT:
        return f"{names} read no private record, so {they} spent no epsilon and may be released."
    (name, _), *others = arms
    each = [f"{name} guarantees epsilon {formatting.number(privacy['epsilon'])}"]
    each += [f"{name} {formatting.number(of['epsilon'])}" for name, of in others]
    sentence = f"{_listed(each)} at delta {formatting.number(privacy['delta'], 2)} for each {privacy['unit']}"
    if reasons := privacy["not_for_release"]:
        return f"{sentence}, but {they} must not be released: {'; '.join(reasons)}."
    released = privacy.get("released")  # scorecards of earlier versions lack it
    return f"{sentence}; {_released(released, several)}." if released else f"{sentence}."


def _released(released: Mapping[str, Any], several: bool) -> str:
    """What handing out an arm, or any of several, costs: more than the arm where it is chosen among others."""
    it, one = ("any of them", "each") if several else ("it", "it")
    if released["covers"] == "this arm":
        return f"{one} was named for release before it was made, so that is what releasing {it} costs"
    epsilon = formatting.number(released["epsilon"])
    if released["covers"] == "all arms named for release":
        return f"{one} was named for release with others, which together cost epsilon {epsilon}"
    draws = f"{released['charges']:,} draw{'' if released['charges'] == 1 else 's'}"
    return (
        f"releasing {it} costs epsilon {epsilon}, that of everything charged to {'their' if several else 'its'} corpus "
        f"({draws}), since {'none' if several else 'it'} was {'' if several else 'not '}named before it was made"
    )


def together(card: Mapping[str, Any]) -> str:
    """What all private arms spend if every one of them is released. It follows from the ledgers alone.

    Args:
        card: a scorecard, whole or public; its ``together`` is None where no arm is private.
    """
    spent = card["together"]
    if spent is None:
        nobody = card["corpus"]["unit"] == NO_UNIT
        return "No private record was read, so no budget was spent." if nobody else "No arm is private."
    return f"Released together, all private arms spend {_budget(spent)}; what several of them share is counted once."


def _budget(spent: Mapping[str, Any]) -> str:
    epsilon, delta = formatting.number(spent["epsilon"]), formatting.number(spent["delta"], 2)
    return f"epsilon {epsilon} at delta {delta} for each {spent['unit']}"


class _Adviser:
    """Advice about a scorecard's private arms."""

    def __init__(self, card: Mapping[str, Any], entrants: Sequence[Entrant]):
        self._card = card
        self._entrants = list(entrants)
        self._arms = {entrant.id: [arm for arm in card["arms"] if arm["stage"] in entrant.arms] for entrant in entrants}
        self._floor = next((entrant for entrant in entrants if card["floor"] in entrant.arms), None)

    @property
    def targets(self) -> list[float]:
        """The epsilons that arms were made for."""
        targets = {self._target(entrant) for entrant in self._entrants}
        return sorted(target for target in targets if target is not None)

    def advice(self, target: float) -> Iterator[str]:
        """Which arm to use at an epsilon and why, and which not to use."""
        made = [entrant for entrant in self._entrants if self._target(entrant) == target]
        refused = {entrant.id: reason for entrant in made if (reason := self._refused(entrant))}
        if usable := [entrant for entrant in made if entrant.id not in refused]:
            yield f"At epsilon {target:g}, {self._choice(usable)}"
        for entrant in made:
            if entrant.id in refused:
                yield f"At epsilon {target:g}, do not use {self._called(entrant)}: {refused[entrant.id]}."

    def for_less(self) -> Iterator[str]:
        """Arms that drew no noise of their own, with the private arms that spent more and are not shown to be better.

        The floor is left out, which the choice of an arm names already (`_beside_floor`).
        """
        private = [entrant for entrant in self._entrants if self._target(entrant) is not None]
        for cheap in self._entrants:
            spent = self._spent(cheap)
            drew = titled(self._arms[cheap.id][0]["method"]).spends is not None
            if drew or spent is None or cheap is self._floor:  # one without a guarantee has spent no number
                continue
            dearer = [entrant for entrant in private if (self._spent(entrant) or 0) > spent]
            rows = {entrant.id: self._between(cheap, entrant) for entrant in dearer}
            equal = [
                display_name(self._card, id)
                for id, of in rows.items()
                if of and not any(row["better"] == id for row in of)
            ]
            if equal:
                name, epsilon = display_name(self._card, cheap.id), formatting.number(spent)
                yield (
                    f"{name} spent epsilon {epsilon} alone, and no headline metric shows {_listed(equal)} to be "
                    "better: at this sample size nothing says that the larger epsilon was worth spending."
                )

    def price_of_privacy(self) -> Iterator[str]:
        """Where utility shows what privacy costs, for each arm that was made without it.

        A private arm can lose to privacy only what the same method teaches without it. Where an arm without privacy
        does not beat the floor, nothing was learned that noise could have taken away.
        """
        for entrant in self._entrants:
            if self._floor is None or any(arm["privacy"]["epsilon"] is not None for arm in self._arms[entrant.id]):
                continue
            rows = [row for row in self._between(entrant, self._floor) if row["group"] == "utility"]
            name, floor = display_name(self._card, entrant.id), display_name(self._card, self._floor.id)
            shown = [_metric(row) for row in rows if row["better"] == entrant.id]
            silent = [_metric(row) for row in rows if row["better"] != entrant.id]
            if silent:
                yield (
                    f"Utility says nothing about the price of privacy in {_listed(silent)}: there even {name}, made "
                    f"without privacy, is not shown to beat the floor, {floor}. What a private arm lacks there cannot "
                    "be blamed on privacy."
                )
            if shown:
                yield (
                    f"Utility shows the price of privacy in {_listed(shown)}: there {name}, made without privacy, "
                    f"beats the floor, {floor}, so what a private arm of the same method lacks beside {name} is what "
                    "privacy costs."
                )

    def _choice(self, usable: Sequence[Entrant]) -> str:
        ids = {entrant.id for entrant in usable}
        rows = [row for row in self._card["comparisons"] if set(row["arms"]) <= ids]
        won = Counter(row["better"] for row in rows if row["better"])
        lost = Counter(entrant for row in rows if row["better"] for entrant in row["arms"] if entrant != row["better"])
        if len(usable) == 1:
            only = f"{self._called(usable[0])} is the only private arm that can be used."
            return f"{only} Making it took {self._cost(usable[0])}." + self._beside_floor(usable[0])
        best = [entrant for entrant in usable if won[entrant.id] and not lost[entrant.id]]
        if len(best) == 1:
            count = sum(best[0].id in row["arms"] for row in rows)
            return (
                f"use {self._called(best[0])}: in headline metrics it beats the other private arms in "
                f"{won[best[0].id]} of {count} comparisons and loses none. Making it took {self._cost(best[0])}."
                + self._beside_floor(best[0])
            )
        costs = "; ".join(f"{self._called(entrant)} took {self._cost(entrant)}" for entrant in usable)
        if won:
            return f"no private arm is best in every comparison, so choose by the metrics that matter to you. {costs}."
        cheapest = self._cheapest(usable)
        price = "None of them is clearly the cheapest, for each was timed once"
        if cheapest:
            price = f"{self._called(cheapest)} is the cheapest, in under half the time of any other"
        return f"no headline metric separates {_listed([*map(self._called, usable)])}. {price}: {costs}."

    def _refused(self, entrant: Entrant) -> str | None:
        for arm in self._arms[entrant.id]:
            if reasons := arm["privacy"]["not_for_release"]:
                return f"it must not be released ({'; '.join(reasons)})"
            if arm["privacy"]["audit"].get("verdict") == Verdict.VIOLATED:
                return "its audit showed a larger epsilon than it claims"
        return None

    def _beside_floor(self, entrant: Entrant) -> str:
        """A warning where the arm beats the floor in nothing."""
        if self._floor is None:
            return ""
        rows = self._between(entrant, self._floor)
        if not rows or any(row["better"] == entrant.id for row in rows):
            return ""
        floor = display_name(self._card, self._floor.id)
        return f" It shows no significant improvement over the floor, {floor}, at this sample size."

    def _between(self, entrant: Entrant, other: Entrant) -> list[Mapping[str, Any]]:
        """Their comparisons."""
        return [row for row in self._card["comparisons"] if set(row["arms"]) == {entrant.id, other.id}]

    def _spent(self, entrant: Entrant) -> float | None:
        return self._arms[entrant.id][0]["privacy"]["epsilon"]

    def _target(self, entrant: Entrant) -> float | None:
        return self._arms[entrant.id][0]["privacy"]["target_epsilon"]

    def _called(self, entrant: Entrant) -> str:
        name, method = display_name(self._card, entrant.id), self._arms[entrant.id][0]["method"]
        if len(entrant.arms) > 1:
            return f"{name} over {len(entrant.arms)} seeds"
        return name if titled(method).spends is None else f"{name} ({method})"

    def _cheapest(self, usable: Sequence[Entrant]) -> Entrant | None:
        for entrant in usable:
            if all(self._cheaper(entrant, other) for other in usable if other is not entrant):
                return entrant
        return None

    def _cheaper(self, entrant: Entrant, other: Entrant) -> bool:
        """Whether it clearly is: much less time on the same machines, and no more tokens or money."""
        faster = self._mean(other, "seconds") > CHEAPER * self._mean(entrant, "seconds")
        same_machines = self._machines(entrant) == self._machines(other)
        return (
            same_machines
            and faster
            and all(self._mean(entrant, cost) <= self._mean(other, cost) for cost in ("tokens", "money"))
        )

    def _machines(self, entrant: Entrant) -> set[str]:
        return {machine for arm in self._arms[entrant.id] for machine in arm["cost"]["machines"]}

    def _mean(self, entrant: Entrant, cost: str) -> float:
        """Over replicas; money that was not paid counts as 0."""
        return float(np.mean([arm["cost"][cost] or 0 for arm in self._arms[entrant.id]]))

    def _cost(self, entrant: Entrant) -> str:
        """Means over replicas, and the largest memory."""
        costs = [arm["cost"] for arm in self._arms[entrant.id]]
        memory = formatting.memory(max(cost["peak_memory_mb"] for cost in costs))
        time, tokens = formatting.duration(self._mean(entrant, "seconds")), round(self._mean(entrant, "tokens"))
        paid = [cost["money"] for cost in costs if cost["money"] is not None]
        money = f" and {formatting.dollars(float(np.mean(paid)))}" if paid else ""
        return f"{time}, {formatting.number(tokens)} tokens and {memory} of memory{money}"


def _metric(row: Mapping[str, Any]) -> str:
    return f"{title(row['metric'])} ({row['task']})"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
