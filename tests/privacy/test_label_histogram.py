"""What the label counts draw: one event, for labels and topics alike, and none for one cell."""

import pytest
from support.errors import refused

from lib.privacy.accounting import DiscreteGaussian
from lib.privacy.label_histogram import mechanism

MOODS = {"mood": ["bad", "good"]}


@pytest.mark.parametrize("topics", [{}, {"topics": None}, {"topics": 16}])
def test_topics_change_nothing_of_the_event(topics: dict) -> None:
    assert mechanism({"label_histogram_scale": 4.0, "label_domain": MOODS} | topics) == DiscreteGaussian(4.0)


@pytest.mark.parametrize("domain", [{}, {"mood": ["good"], "title": "catalogue"}])
def test_one_cell_needs_no_noise_and_topics_make_more_of_it(domain: dict) -> None:
    parameters = {"label_histogram_scale": 4.0, "label_domain": domain}
    assert mechanism(parameters) is None
    assert mechanism(parameters | {"topics": 2}) == DiscreteGaussian(4.0)


def test_counts_of_topics_are_never_declared_public() -> None:
    parameters = {"label_histogram_scale": None, "label_domain": MOODS}
    assert mechanism(parameters) is None
    with refused("privacy.topics_without_noise", name="label_histogram_scale"):
        mechanism(parameters | {"topics": 2})
