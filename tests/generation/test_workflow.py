"""Conversations side by side: results, further tries, failures that end one record alone, draws that are its own."""

from collections.abc import Iterator

import pytest
from support.errors import refused

from lib.generation import workflow
from lib.generation.engines.base import Completion, Request, Sampling, Usage
from lib.generation.workflow import ENOUGH, FAILED, Call, GaveUp, Steps, Unusable, answer, ask, run


class Model:
    """Answers with the request's last words and stream; requests with a word of ``broken`` in them fail."""

    name = "toy"

    def __init__(self, *broken: str):
        self.broken, self.usage, self.rounds = broken, Usage(), []

    def reply(self, requests, sampling, failed=None) -> Iterator[tuple[int, Completion]]:
        self.rounds.append((sampling.temperature, sampling.seed, len(requests)))
        for position in reversed(range(len(requests))):
            request: Request = requests[position]
            if any(word in request.messages[-1][1] for word in self.broken):
                failed[position] = "HTTP 500"
            else:
                yield position, Completion(f"{request.messages[-1][1]} {request.stream}", 3, ended=True)


def call(words: str, temperature: float = 1.0, step: str = "step") -> Call:
    return Call(step, (("user", words),), 16, temperature)


def talk(name: str, turns: int) -> Steps[list[str]]:
    said = []
    for turn in range(turns):
        said.append((yield call(f"{name}.{turn}", turn / 2, f"turn {turn}")).text)
    return said


def test_each_conversation_gets_its_own_replies_in_order():
    outcome = run({name: talk(name, turns) for name, turns in (("a", 3), ("b", 1), ("c", 0))}, Model(), Sampling())
    assert {name: [text.split()[0] for text in said] for name, said in outcome.results.items()} == {
        "a": ["a.0", "a.1", "a.2"], "b": ["b.0"], "c": [],
    }  # fmt: skip
    assert outcome.calls == {"turn 0": 2, "turn 1": 1, "turn 2": 1} and not outcome.failures


def test_draws_depend_on_seed_id_and_number_alone():
    together = run({name: talk(name, 3) for name in "abcd"}, Model(), Sampling(seed=5)).results
    assert run({"c": talk("c", 3)}, Model(), Sampling(seed=5)).results["c"] == together["c"]
    assert run({"c": talk("c", 3)}, Model(), Sampling(seed=6)).results["c"] != together["c"]
    streams = [int(text.split()[1]) for said in together.values() for text in said]
    assert len(set(streams)) == 12 and 0 not in streams


def test_requests_of_a_round_are_asked_by_temperature():
    model = Model()

    def once(temperature: float) -> Steps[str]:
        return (yield call(f"at {temperature}", temperature)).text

    outcome = run({str(t): once(t) for t in (1.2, 0.7, 1.2)} | {"x": once(0.7)}, model, Sampling(seed=3))
    assert [round[0] for round in model.rounds] == [0.7, 1.2]
    assert {round[1] for round in model.rounds} == {0}, "an endpoint's draws are told by the stream alone"
    assert all(f"at {name}" in text for name, text in outcome.results.items() if name != "x")


def test_a_local_model_is_seeded_by_the_round(monkeypatch):
    model = Model()
    monkeypatch.setattr(workflow, "_local", lambda _: True)
    run({"a": talk("a", 3)}, model, Sampling(seed=3))
    assert len({seed for _, seed, _ in model.rounds}) == 3


def test_a_reply_that_cannot_be_used_is_asked_for_again_with_other_draws():
    seen = []

    def read(text: str) -> str:
        seen.append(text)
        if len(seen) < 3:
            raise Unusable("too short")
        return text

    def asking(tries: int) -> Steps[str]:
        return (yield from ask(call("what"), read, tries))

    outcome = run({"a": asking(3)}, Model(), Sampling())
    assert outcome.results["a"] == seen[2] and len(set(seen)) == 3 and outcome.calls == {"step": 3}
    seen.clear()
    failure = run({"a": asking(2)}, Model(), Sampling()).failures["a"]
    assert (failure.step, failure.reasons) == ("step", ("too short", "too short"))


def test_a_request_that_fails_ends_its_conversation_alone():
    closed = []

    def careful(name: str) -> Steps[str]:
        try:
            yield call("fine")
            yield call(f"{name} asks", step="second")
            return name
        finally:
            closed.append(name)

    outcome = run({name: careful(name) for name in "abc"}, Model("b asks"), Sampling())
    assert outcome.results == {"a": "a", "c": "c"}
    assert (outcome.failures["b"].step, outcome.failures["b"].reasons) == ("second", (FAILED,))
    assert sorted(closed) == ["a", "b", "c"]
    assert outcome.calls["second"] == 3


@pytest.mark.parametrize("count", [1, ENOUGH - 1])
def test_few_requests_that_all_fail_are_failures(count):
    outcome = run({str(i): talk("bad", 1) for i in range(count)}, Model("bad"), Sampling())
    assert len(outcome.failures) == count and not outcome.results


def test_a_round_in_which_all_fails_is_a_server_that_is_down():
    with refused("generation.all_failed", value=ENOUGH) as error:
        run({str(i): talk("bad", 1) for i in range(ENOUGH)}, Model("bad"), Sampling())
    assert "HTTP 500" in error.value.sentence and "bad" not in str(error.value)
    some = {str(i): talk("bad", 1) for i in range(ENOUGH)} | {"good": talk("good", 1)}
    assert len(run(some, Model("bad"), Sampling()).failures) == ENOUGH


def test_a_conversation_may_ask_nothing_or_give_up_at_once():
    def silent() -> Steps[int]:
        return 7
        yield

    def hopeless() -> Steps[int]:
        raise GaveUp("profile", ("no events",))
        yield

    outcome = run({"a": silent(), "b": hopeless()}, None, Sampling())
    assert outcome.results == {"a": 7} and outcome.failures["b"].reasons == ("no events",) and not outcome.calls


def test_a_fault_of_our_own_is_not_a_failed_record():
    def broken() -> Steps[int]:
        yield call("fine")
        raise KeyError("bug")

    with pytest.raises(KeyError):
        run({"a": broken()}, Model(), Sampling())


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        (Completion(" a text \n", 3, ended=True), "a text"),
        (Completion("<think>I should not say {}.</think>\na text", 9, ended=True), "a text"),
        (Completion("a te", 3, ended=False), "truncated"),
        (Completion("<think>I should", 3, ended=True), "truncated"),
        (Completion(" \n", 1, ended=True), "empty"),
        (Completion("", 0, ended=True, refused=True), "refusal"),
        (Completion("I'm sorry, but I can't help with that request.", 9, ended=True), "refusal"),
        (Completion("I'm sorry, but I can't assist with", 9, ended=False), "refusal"),
    ],
)
def test_an_answer_is_whole_or_has_a_reason(completion, expected):
    try:
        assert answer(completion) == expected
    except Unusable as unusable:
        assert unusable.reason == expected
