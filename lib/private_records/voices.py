"""Sentences that are written once and told by the person, to the person or about the person.

{i} {me} {my} {mine} {myself}      I, me, my, mine, myself; you, ...; a name or a noun first, then he, she or they
{am} {was} {have} {do} {s} {es}    am, was, have, do and the endings of a verb, as they go with the last {i}
"""

import re
from collections.abc import Sequence
from random import Random
from typing import Literal

Voice = Literal["i", "you", "they"]

START = "\x02"  # begins a sentence: its first letter becomes a capital
PRONOUNS = ("i", "me", "my", "mine", "myself")
VERBS = ("am", "was", "have", "do", "s", "es")
PLURAL = ("we", "us", "our")
MARKS = (*PRONOUNS, *PLURAL, *VERBS)

_WORDS = {
    "i": ("I", "me", "my", "mine", "myself"),
    "you": ("you", "you", "your", "yours", "yourself"),
    "male": ("he", "him", "his", "his", "himself"),
    "female": ("she", "her", "her", "hers", "herself"),
    "other": ("they", "them", "their", "theirs", "themselves"),
}
_PLURAL = {"i": PLURAL, "you": ("you", "you", "your"), "they": ("they", "them", "their")}
_FORMS = {
    "i": ("am", "was", "have", "do", "", ""),
    "you": ("are", "were", "have", "do", "", ""),
    "one": ("is", "was", "has", "does", "s", "es"),
}
_MARK = re.compile(rf"\{{({'|'.join(MARKS)})\}}|\n|{START}")
NAMED_AGAIN = 0.35  # share of later lines and paragraphs that name the person again


def tell(text: str, voice: Voice, sex: str, names: Sequence[str], rng: Random) -> str:
    """The text in a voice.

    Args:
        text: with marks, and with `START` before each sentence.
        voice: who tells it.
        sex: of the person, ``female`` or ``male``; any other is told of as *they*.
        names: what the person is called where somebody tells about them: the first is used first, and any of them
            where a later line or paragraph names the person again. They take an *'s*.
        rng: draws which.
    """
    pronouns = _WORDS[voice] if voice != "they" else _WORDS.get(sex, _WORDS["other"])
    forms = _FORMS["one" if voice == "they" and sex in ("female", "male") else "i" if voice == "i" else "you"]
    told: list[str] = []
    done, fresh, named, capital = 0, True, False, False
    agree = forms

    def put(piece: str) -> None:
        nonlocal capital
        if piece:
            told.append(piece[0].upper() + piece[1:] if capital else piece)
            capital = piece.endswith((". ", "! ", "? "))

    for match in _MARK.finditer(text):
        put(text[done : match.start()])
        done = match.end()
        mark = match[1]
        if mark is None:
            if match[0] == START:
                capital = True
            else:
                told.append("\n")
                fresh = True
        elif mark in VERBS:
            put(agree[VERBS.index(mark)])
        elif mark in PLURAL:
            put(_PLURAL[voice][PLURAL.index(mark)])
        elif voice == "they" and mark in ("i", "me", "my") and fresh and (not named or rng.random() < NAMED_AGAIN):
            name = rng.choice(names) if named else names[0]
            put(name if mark != "my" else f"{name}'s")
            fresh, named, agree = False, True, _FORMS["one"]
        else:
            put(pronouns[PRONOUNS.index(mark)])
            fresh, agree = False, forms
    put(text[done:])
    return "".join(told)
