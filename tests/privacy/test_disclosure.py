"""Whether text may be shown follows from the ledger's events alone; parameters name no path."""

import pytest

from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate
from lib.privacy.disclosure import WITHHELD, may_be_shown, public_value
from lib.privacy.ledger import Event

HISTOGRAM = Event("00_process_data", "label histogram", DiscreteGaussian(10.0))
TRAINING = Event("10_finetune_dp_lora", "DP-SGD on LoRA", Gaussian(0.9, 0.1, 12), checked=True)
OPEN = Event("10_finetune_dp_lora", "training without noise", NonPrivate())


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ([], True),  # a prompt alone, and labels that are declared public
        ([HISTOGRAM, TRAINING], True),
        ([OPEN], False),
        ([HISTOGRAM, OPEN, TRAINING], False),  # one access without a guarantee is enough
        ([HISTOGRAM, Event("12_aug_pe", "votes", Gaussian(0.0, count=3))], False),  # no noise is no guarantee
    ],
)
def test_text_may_be_shown_when_every_access_was_private(events, shown):
    assert may_be_shown(events) is shown
    assert may_be_shown(iter(events)) is shown


def test_it_is_not_decided_on_words():
    assert may_be_shown([Event("a", "what is not private", Gaussian(0.9))])
    assert not may_be_shown([Event("a", "private", NonPrivate())])


def test_what_is_not_for_release_may_still_be_shown():
    """A recorded seed or unchecked batches forbid a release; who runs the notebook may look at the text."""
    assert may_be_shown([Event("a", "votes", Gaussian(0.9, 0.1, 12), privacy_seed=3, checked=False)])


@pytest.mark.parametrize(
    ("parameter", "value", "public"),
    [
        ("source", "csv:/home/ann/reviews.csv", "csv"),
        ("source", "amazon-snippets", "amazon-snippets"),
        ("model", "bundled:smollm2-135m-instruct", "bundled:smollm2-135m-instruct"),
        ("model", "/home/ann/model", WITHHELD),
        ("model", "azure:deployment", "azure:deployment"),
        ("model", "bedrock:us.amazon.nova-lite-v1:0", "bedrock:us.amazon.nova-lite-v1:0"),
        (
            "model",
            "bedrock:arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
            WITHHELD,
        ),
        ("base_model", None, None),
        ("encoder", "hidden:bundled:smollm2-135m-instruct", "hidden:bundled:smollm2-135m-instruct"),
        ("encoder", "openai:text", WITHHELD),
        ("topic_texts", "public:csv:/home/ann/public.csv", "public:csv"),
        ("topic_texts", None, None),
        ("topic_encoder", "/home/ann/encoder", WITHHELD),
        ("prompts", "prompts/yelp.yaml", "prompts/yelp.yaml"),
        ("prompts", "/home/ann/prompts/yelp.yaml", WITHHELD),
        ("warm_source", None, None),
        ("warm_source", "public:amazon-snippets", "public:amazon-snippets"),
        ("warm_source", "public:hub:owner/name:config:test", "public:hub:owner/name:config:test"),
        ("warm_source", "public:csv:/home/ann/tweets.csv", "public:csv"),
        ("warm_source", "csv:/home/ann/tweets.csv", WITHHELD),
        ("steps", 7, 7),
    ],
)
def test_a_parameter_names_no_path(parameter, value, public):
    assert public_value(parameter, value) == public
