"""What is sent to servers of many makers, and what is read from their replies."""

import pytest
from support.chat_server import ABSENT, Answer, ChatServer, fine, without
from support.endpoints import SAMPLING, asks, one_try_each, replies
from support.errors import refused

from lib.generation.engines.base import Completion

TEXT = {"type": "text", "text": "It is short."}


@pytest.mark.parametrize(
    ("answer", "ended", "tokens"),
    [
        *((fine(reason), True, 7) for reason in ("stop", "eos_token", "eos", "stop_sequence", "end_turn", "STOP")),
        *((fine(reason), False, 7) for reason in ("length", "max_tokens", "model_length", "MAX_TOKENS")),
        *((fine(reason), True, 7) for reason in (None, ABSENT, "", "unheard_of", 3)),
        *((fine(reason, {"completion_tokens": 16}), False, 16) for reason in (None, ABSENT, "unheard_of")),
        (fine("stop", {"completion_tokens": 16}), True, 16),
        *((fine("stop", usage), True, 0) for usage in (None, ABSENT, [], {"completion_tokens": None})),
        *((fine("length", usage), False, 0) for usage in (None, {"completion_tokens": -1})),
        (fine(None, None, content="A longer reply."), True, 0),
        (fine(None, {"completion_tokens": 7.0}), True, 7),
    ],
)
def test_how_a_reply_ended_is_read_from_what_servers_send(
    answer: Answer, ended: bool, tokens: int, open_endpoint, server: ChatServer
):
    server.usual = answer
    endpoint = open_endpoint()
    (reply,) = replies(endpoint, asks(1)).values()
    assert (reply.ended, reply.tokens, reply.refused) == (ended, tokens, False)
    assert (endpoint.usage.requests, endpoint.usage.retries, endpoint.usage.unsure) == (1, 0, 0)


@pytest.mark.parametrize("reason", ["refusal", "SAFETY"])
def test_a_reply_that_ends_in_a_refusal_is_one(reason: str, open_endpoint, server: ChatServer):
    server.usual = fine(reason)
    assert replies(open_endpoint(), asks(1))[0].refused


def test_a_reply_that_says_neither_how_it_ended_nor_its_length_is_taken_as_whole_and_counted(open_endpoint, server):
    server.script["p1"] = [fine(None, None, content="so many words and no word of how it ended")]
    endpoint = open_endpoint()
    assert replies(endpoint, asks(3))[1].ended
    assert endpoint.usage.unsure == 1


@pytest.mark.parametrize(
    ("parts", "text", "refused"),
    [
        ([{"type": "text", "text": "It is "}, {"type": "output_text", "text": "short."}], "It is short.", False),
        (
            [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "A"}],
            "A",
            False,
        ),
        (["It is ", "short."], "It is short.", False),
        ([{"type": "refusal", "refusal": "I will not."}], "", True),
        ([{"type": "image_url"}, None, {"type": "text"}], "", False),
        ([], "", False),
    ],
    ids=["parts", "reasoning", "strings", "refusal", "other parts", "none"],
)
def test_of_a_list_of_parts_the_text_is_read(parts: list, text: str, refused: bool, open_endpoint, server: ChatServer):
    server.usual = fine(content=parts)
    assert replies(open_endpoint(), asks(1))[0] == Completion(text, 7, ended=True, refused=refused)


def test_a_field_of_reasoning_is_not_part_of_the_text(open_endpoint, server: ChatServer):
    server.usual = fine(content="A", reasoning_content="Hm.", reasoning="Hm.")
    assert replies(open_endpoint(), asks(1))[0] == Completion("A", 7, ended=True)


@pytest.mark.parametrize("word", ["unsupported_parameter", "unknown_parameter", None])
def test_a_limit_that_the_server_does_not_know_goes_by_its_other_name(word, open_endpoint, server: ChatServer):
    server.usual = without("max_tokens", known=fine(), word=word)
    endpoint = open_endpoint(concurrency=1)
    assert len(replies(endpoint, asks(5))) == 5
    assert server.tries == one_try_each(5, p0=2)
    assert [body.get("max_completion_tokens") for body in server.bodies] == [None, *[16] * 5]
    assert (endpoint.usage.requests, endpoint.usage.retries) == (5, 0)


def test_requests_in_flight_all_learn_the_other_name(open_endpoint, server: ChatServer):
    server.usual = without("max_tokens", known=fine())
    assert len(replies(open_endpoint(concurrency=8), asks(16))) == 16


def test_a_server_that_knows_no_name_of_the_limit_is_reported(open_endpoint, server: ChatServer):
    server.usual = without("max_tokens", known=without("max_completion_tokens", known=fine()))
    with refused("generation.endpoint_failed", value=0) as error:
        list(open_endpoint(concurrency=1).reply(asks(3), SAMPLING))
    assert "HTTP 400 (unsupported_parameter: max_completion_tokens)" in error.value.sentence
    assert "length_parameter" in error.value.remedy and server.tries == {"p0": 2}


def test_the_name_of_the_limit_and_the_seed_can_be_set(open_endpoint, server: ChatServer):
    replies(open_endpoint(length_parameter="max_completion_tokens", send_seed=False), asks(2))
    assert all(body["max_completion_tokens"] == 16 for body in server.bodies)
    assert not any({"max_tokens", "seed"} & body.keys() for body in server.bodies)
    replies(open_endpoint(), asks(2))
    assert server.tries == one_try_each(2), "how a reply is asked for is not in its key"
    server.usual = without("max_tokens", known=fine())
    with refused("generation.endpoint_failed"):
        list(open_endpoint(length_parameter="max_tokens").reply(asks(3), SAMPLING))
    with refused("generation.length_parameter_unknown", name="length_parameter", value="max_length"):
        open_endpoint(length_parameter="max_length")
