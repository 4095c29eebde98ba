"""The part of a card that says what the pack guarantees, what it does not, and what decided that it was handed out."""

from collections.abc import Iterator, Mapping, Sequence

from lib.privacy import copy_count
from lib.privacy.ledger import NO_UNIT
from lib.release import kinds
from lib.release.certificate import NOT_COUNTED, guarantee, mechanism_of, rounded_up
from lib.stage.notebook_roles import TABLE, current_name, notebook_of


def promise(certificate: Mapping) -> str:
    """The guarantee of a ``certificate``, what it covers, and what it means in plain words."""
    kind, whole = kinds.of_stage(certificate["stage"]), certificate["guarantee"]
    unit = kind.unit(certificate["unit"])
    if unit == NO_UNIT:
        return (
            f"**Epsilon 0: no private record was read.** Nobody's data went into these {kind.many}, so they can tell "
            "of nobody's. That follows from the stages and settings that the certificate lists, if they are told as "
            "they were."
        )
    epsilon, delta = rounded_up(whole["epsilon"], 3), rounded_up(certificate["delta"], 2)
    tells = kind.tells[certificate["unit"]]
    return (
        f"**{guarantee(certificate)}.**\n\n{_covers(certificate)}\n\nIn plain words: take one {unit} out of the "
        f"corpus, or put one in, and do it all again. The chance that these {kind.many} come out changes by no more "
        f"than a factor of e^{epsilon}, except for a chance of {delta}. That limits what anybody can learn from them "
        f"about whether one {unit} was there, or about what {tells}, as long as the alternative is its absence, "
        "whatever else they know, now or later. If the alternative is another one in its place, and the number of all "
        "is known, that is a removal and an addition: epsilon is then at most "
        f"{rounded_up(whole['epsilon_replacing'], 3)}, at the same delta. The smaller epsilon is, the stronger the "
        "guarantee: at 1 the factor is 2.7, at 8 it is 2,981.\n\n"
        f"Epsilon was computed by {certificate['accountant']['library']} ({certificate['accountant']['method']}). "
        "Where the table says Poisson, the batches that were drawn were tested for it."
    )


def _covers(certificate: Mapping) -> str:
    """What the guarantee composes beside the events of the table."""
    whole, own = certificate["guarantee"], f"By itself this arm spent epsilon {rounded_up(certificate['epsilon'], 6)}"
    if whole["covers"] == "this arm":
        return (
            "It is that of the events in the table. The arm was named for release before it was made, and whoever made "
            "it did not choose it by what other arms of this corpus came out as."
        )
    if whole["covers"] == "all arms named for release":
        return (
            f"{own}. It was named for release with others before any of them was made, and this is what all of them "
            f"spent: {whole['charges']:,} draws."
        )
    return (
        f"{own}. It was not named for release before it was made, so it may have been chosen by what other arms of the "
        "same corpus came out as. The guarantee covers any such choice: it is that of all "
        f"{whole['charges']:,} draws that were ever charged to the corpus"
        + (f", for a {whole['unit']}." if whole["unit"] != certificate["unit"] else ".")
    )


def limits(certificate: Mapping) -> Iterator[str]:
    """What the guarantee of a ``certificate`` does not cover, and what it assumes, a sentence or two each."""
    kind = kinds.of_stage(certificate["stage"])
    unit = kind.unit(certificate["unit"])
    if unit == NO_UNIT:
        yield "If a language model wrote them, what it was trained on is outside this statement."
        yield from _of_any(certificate)
        return
    yield f"Treated as public: {', '.join(certificate['public'])}."
    yield f"What many {unit}s share is meant to be learned. A secret that is in many {unit}s is protected less."
    if certificate["unit"] == "record":
        yield (
            f"It protects one {unit}. Somebody who {kind.whose} k of them is protected only at k times that epsilon, "
            "and at a larger delta."
        )
    yield "With another pack of the same corpus, epsilons and deltas add up, unless this guarantee covers it too."
    yield f"It is assumed that no model or encoder that was used had been trained on these {kind.piece}s before."
    if not stable(certificate):
        yield (
            "The guarantee is about the corpus after cleaning, and cleaning compared records with each other to remove "
            "near-duplicates."
        )
    yield from dict.fromkeys(filter(None, (mechanism_of(event).rounding for event in certificate["events"])))
    for decision in certificate["decisions"]:
        if decision["counted"] == NOT_COUNTED:
            yield f"Epsilon does not cover this decision: {decision['what']}."
    yield from _of_any(certificate)


def _of_any(certificate: Mapping) -> Iterator[str]:
    """What is not promised of any synthetic record."""
    kind = kinds.of_stage(certificate["stage"])
    yield kind.invented
    if kind.copied and any(event["what"] == copy_count.WHAT for event in certificate["events"]):
        yield kind.copied
    elif kind.copied:
        yield f"Nobody counted which private {kind.piece}s these {kind.many} repeat; only the guarantee limits it."
    if any(code["dirty"] for code in certificate["code"].values()):
        yield "The code had changes that were not committed; the hashes in the certificate are of the code that ran."


def decided(decisions: Sequence[Mapping]) -> Iterator[str]:
    """The lines of a table of the ``decisions`` that a certificate lists."""
    yield "| what decided | and epsilon |\n|---|---|"
    yield from (f"| {decision['what']} | {decision['counted']} |" for decision in decisions)


def attacks(certificate: Mapping) -> str:
    """What may be said about the audit of a ``certificate``."""
    audit, many = certificate["audit"], kinds.of_stage(certificate["stage"]).many
    if certificate["unit"] == NO_UNIT:
        return "There is nothing to attack: an audit looks for traces of private records."
    if not audit["attacked"]:
        return f"**No audit tested these {many}:** {audit['because']}. The guarantee rests on the mechanism alone."
    if audit["because"] is not None:
        return f"**An audit was run, and says nothing about these {many}:** {audit['because']}."
    return (
        "An audit sent dummy records through the mechanism that was run, with no private record among them, and tried "
        "to tell which of them took part. Had it shown more than is claimed, there would be no pack. An ideal attack "
        f"with as many dummy records could have shown an epsilon of {audit['ceiling']:.2f}."
    )


def stable(certificate: Mapping) -> bool:
    """Whether one unit more changes the cleaned corpus by one at most.

    Args:
        certificate: its settings tell. Versions of 00_process_data without ``share`` had other rules; their stages have
            none, or None. A table has no share, and its rules look at one unit alone.
    """
    return any(
        current_name(notebook_of(stage)) == TABLE or code["settings"].get("share") is not None
        for stage, code in certificate["code"].items()
    )
