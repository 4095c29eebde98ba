"""Refusals are recognised, and genuine texts are not taken for refusals."""

import csv

import pytest
from support.project import ROOT

from lib.generation.refusals import is_refusal

YELP = ROOT.parent / "shared" / "data" / "yelp" / "dev.csv"

REFUSALS = [
    "I'm sorry, I can't assist with that request.",
    "I’m sorry, but I can’t help with that.",
    "Sorry, but I cannot fulfill your request.",
    "I apologize, but I cannot create explicit content of that kind.",
    "I apologize for the confusion, but I am unable to generate a review about this topic.",
    "I cannot fulfill this request. Is there something else you would like to talk about?",
    "I can't help you with this request.",
    "I cannot provide a response that promotes harm.",
    "I can't write this review.",
    "I can't generate content of that kind. Can I help you with something else?",
    "I'm unable to assist with creating false statements.",
    "Unfortunately, I am not able to complete this request.",
    "I am not able to rewrite that text.",
    "I won't be able to comply with that.",
    "I'm not comfortable writing this review.",
    "I'm not comfortable with writing that.",
    "I cannot rephrase the given sentence, as it is offensive.",
    "I can't answer that question.",
    "I must respectfully decline to answer.",
    "I must decline your request.",
    "As an AI, I don't have taste buds, but the noodles look lovely.",
    "As an AI language model, I have never been to a restaurant.",
    "As a large language model trained by a company, I cannot visit shops.",
    "I'm just an AI, it's not within my guidelines to write such things.",
    "I am an AI assistant and I do not own a camera.",
    "I'm a language model, so I can't taste food.",
    "Thank you for asking! I do not have personal opinions or experiences.",
    "It would not be appropriate for me to write a fake review.",
    "That goes against my programming.",
    "This request violates our content policy.",
    "**I cannot assist** with this.",
]

TEXTS = [
    "I'm sorry I bought this.",
    "I'm sorry, but I can't recommend this product to anyone.",
    "I can't recommend this highly enough.",
    "Sorry, but I cannot give this place more than two stars.",
    "I can't help but love this little cafe.",
    "I cannot help myself, I go back every week.",
    "I can't write enough good things about this place!",
    "I can't write a bad review of the owner, she was lovely.",
    "I cannot provide a better review than five stars.",
    "I can't say enough about the staff.",
    "Unfortunately, I cannot use it with my camera.",
    "Unfortunately I was unable to create playlists on this player.",
    "I'm unable to hear anything through the left earbud.",
    "I won't be back.",
    "I will not be able to eat anywhere else now.",
    "\"I'm sorry, I can't help you with that,\" said the man at the desk, and turned away.",
    "The clerk said he was sorry but he could not assist us.",
    "They would not answer my request for a refund.",
    "As an AI researcher I bought this card for my work.",
    "I am an AI engineer and I bought it for a project.",
    "As a mother of two, I can't praise it enough.",
    "As a large language model grows, its few-shot accuracy rises.",
    "We study whether a language model can refuse; as an AI system it is hard to align.",
    "I don't have personal experience with other brands.",
    "It is against my religion to eat here, but my friends liked it.",
    "It was not appropriate to seat us next to the kitchen.",
    "The manager violated our trust and the parking policy.",
    "I apologize to my neighbours for the noise of this blender.",
    "My apologies to the chef: best ramen in town.",
    "I cannot complete the task of cleaning with this vacuum.",
    "I decline to pay forty dollars for a salad.",
    "",
    "   ",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_recognised(text: str):
    assert is_refusal(text)
    assert is_refusal(f"  {text.upper()}\n")


@pytest.mark.parametrize("text", TEXTS)
def test_a_genuine_text_is_no_refusal(text: str):
    assert not is_refusal(text)


@pytest.mark.skipif(not YELP.is_file(), reason="the Yelp reviews are not on this machine")
def test_none_of_thousands_of_real_reviews_is_a_refusal():
    with YELP.open(newline="", encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    refusals = sum(map(is_refusal, texts))
    assert (refusals, len(texts) > 1000) == (0, True), "counts only: the texts stay private"


def test_time_is_linear_in_the_length_of_a_text():
    assert not is_refusal("sorry " * 20_000)
    assert not is_refusal("i can't write " + "very " * 20_000)
