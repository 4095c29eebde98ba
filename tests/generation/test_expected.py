"""What asking a model is expected to come to."""

from lib.generation.expected import Expected, tokens


def test_calls_and_tokens_of_all_steps_add_up_and_cost_what_the_prices_say() -> None:
    one = Expected(1, 100, 50) + Expected(2, 300, 150)
    assert one == Expected(3, 400, 200) and one.times(1000) == Expected(3000, 400_000, 200_000)
    assert one.times(1000).cost({"input": 0.5, "output": 2.0}) == 0.6
    assert one.times(0).cost({"input": 0.5, "output": 2.0}) == 0


def test_it_says_what_it_will_cost_or_that_nobody_named_prices() -> None:
    told = Expected(3000, 400_000, 200_000).told("openai:small", {"input": 0.5, "output": 2.0})
    assert (
        "openai:small 3,000 times" in told and "400,000" in told and "200,000" in told and told.endswith("about $0.60")
    )
    assert "prices: says 0" in Expected(1, 1, 1).told("x", {"input": 0.0, "output": 0.0})


def test_a_token_has_about_four_characters() -> None:
    assert tokens(4000) == 1000
