"""A model that rewrites: what cannot be used is asked for again and then fails; chunks and passages that need care."""

import pytest
from support.letters import DEFAULTS, LETTER, Answers, attributes, detail, hide, letter, passage

from lib.generation.engines.base import Sampling
from lib.generation.workflow import run
from lib.private_records.schema import Attribute, Place
from lib.sanitization.case import Case, Original
from lib.sanitization.chunks import chunks
from lib.sanitization.model_rewriter import Model
from lib.sanitization.prompting import Prompts
from lib.sanitization.rules import LEAK
from lib.sanitization.schema import Chunk, Targets, edited

PROMPTS = Prompts()


def rewrite(targets: Targets, original: Original | None = None, longest: int = 512, **replies):
    """The outcome of one record, and the model that was asked."""
    original = original or letter()
    case = Case(original, 0, targets, chunks(original.text, longest))
    model = Answers(**replies)
    return run({"a": Model(PROMPTS, 2).rewrite(case)}, model, Sampling()), model


def test_each_target_is_rewritten_in_each_of_its_chunks():
    outcome, model = rewrite(Targets(("date",), ("clinic",), ("bone",)), longest=200)
    done = outcome.results["a"]
    text = edited(LETTER, done.edits)
    assert "2019" not in text and "St. Brigid" not in text and "left wrist" in text
    assert model.asked == {"strategy": 1, "abstract": 2, "drop": 1}
    assert [one.how for one in done.strategies] == [DEFAULTS["strategy"], "it is left out"]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (passage, LEAK),
        (lambda asked: hide("something")(asked) + " and so on" * 99, "too long"),
        ("All right.", "too short"),
        ("NOTHING", "too short"),
        ("", "empty"),
        ("I cannot help with that request.", "refusal"),
        (hide("[REDACTED]"), "a placeholder"),
        (lambda asked: hide("something")(asked).replace("left wrist", "arm"), "lost what is kept"),
    ],
)
def test_a_reply_that_cannot_be_used_is_asked_for_again_and_then_fails(reply, reason):
    outcome, model = rewrite(Targets(("clinic",), (), ("bone",)), abstract=reply)
    assert outcome.failures["a"].step == "abstract" and outcome.failures["a"].reasons == (reason, reason)
    assert model.asked["abstract"] == 2


def test_a_second_try_is_used():
    replies = iter([passage, hide("something")])
    outcome, model = rewrite(Targets(("clinic",)), abstract=lambda asked: next(replies)(asked))
    assert "Brigid" not in edited(LETTER, outcome.results["a"].edits) and model.asked["abstract"] == 2


@pytest.mark.parametrize(
    "dress", ["Rewritten passage:\n{}", "**Rewritten passage:** {}", "Sure! Here is the rewritten text:\n\n{}", '"{}"']
)
def test_remarks_around_a_reply_are_taken_off(dress):
    text = "I broke my left wrist."
    original = Original("a", text, {}, attributes(text))
    outcome, _ = rewrite(Targets(("bone",)), original, abstract=lambda asked: dress.format(hide("arm")(asked)))
    assert edited(text, outcome.results["a"].edits) == "I broke my arm."


def test_a_label_of_the_text_itself_stays():
    text = "Note: I broke my left wrist."
    outcome, _ = rewrite(Targets(("bone",)), Original("a", text, {}, attributes(text)))
    assert edited(text, outcome.results["a"].edits) == "Note: I broke my something."


def test_a_chunk_of_which_nothing_is_left_goes_and_its_line_ends_stay():
    text = "Hello.\n\nI broke my left wrist.\n\nBye."
    outcome, _ = rewrite(
        Targets((), ("bone",)), Original("a", text, {}, attributes(text)), 26, drop=lambda asked: "NOTHING"
    )
    assert edited(text, outcome.results["a"].edits) == "Hello.\n\n\n\nBye."


def test_a_target_across_two_chunks_is_rewritten_once_with_both():
    text = "x" * 10 + " left wrist " + "y" * 10
    original = Original("a", text, {}, attributes(text))
    assert chunks(text, 16) == (Chunk(0, 16), Chunk(16, 32))
    outcome, model = rewrite(Targets(("bone",)), original, 16)
    assert model.asked["abstract"] == 1 and "wrist" not in edited(text, outcome.results["a"].edits)


def test_equal_chunks_are_each_rewritten():
    text = "I broke my left wrist.\n\n" * 3
    outcome, model = rewrite(Targets(("bone",)), Original("a", text, {}, attributes(text)), 26)
    assert model.asked["abstract"] == 3
    assert edited(text, outcome.results["a"].edits) == "I broke my something.\n\n" * 3


def test_a_value_of_two_attributes_is_rewritten_once():
    text = "I was born in Oslo."
    at = (Place(14, 18),)
    two = (Attribute("city", "Oslo", "profile", False, at), Attribute("birth_place", "Oslo", "text", False, at))
    outcome, model = rewrite(Targets(("city", "birth_place")), Original("a", text, {}, two))
    assert edited(text, outcome.results["a"].edits) == "I was born in something."
    assert model.asked["abstract"] == 1


def test_passages_are_located_and_those_that_are_not_there_are_counted():
    case = Case(letter(), 0, Targets(("bone",)), chunks(LETTER, 512))
    model = Answers(
        passages='["slipped on the ice", "is not in the text"]',
        abstract=lambda asked: hide("arm")(asked).replace("slipped on the ice", "fell"),
    )
    done = run({"a": Model(PROMPTS, 2, passages=True).rewrite(case)}, model, Sampling()).results["a"]
    assert [LETTER[start:end] for start, end in done.at["bone"]] == ["slipped on the ice", "left wrist"]
    assert done.lost == 2 * len(case.chunks) - 1


def test_the_model_is_told_one_value_at_a_time():
    seen = []
    rewrite(Targets(("bill", "bone")), abstract=lambda asked: seen.append(detail(asked)) or hide("x")(asked))
    assert seen == ["$1,250", "left wrist"]


def test_the_order_is_the_models_and_what_it_forgets_comes_last():
    case = Case(letter(), 0)
    names = [one.name for one in case.original.attributes]
    model = Answers(rank=f"Here: {list(reversed(names))[:12]}".replace("'", '"'))
    order = run({"a": Model(PROMPTS, 1).order(case)}, model, Sampling()).results["a"]
    assert order[:12] == names[::-1][:12] and sorted(order) == sorted(names)


def test_an_instruction_that_tells_a_value_is_not_used():
    case = Case(letter(), 0, Targets(("bone",)))
    asking = Model(PROMPTS, 2).instruction(case, {"abstract": ("bone",)})
    outcome = run({"a": asking}, Answers(instruction="Blur my left wrist."), Sampling())
    assert outcome.failures["a"].reasons == ("a value in it",) * 2
