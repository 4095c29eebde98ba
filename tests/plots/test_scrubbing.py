"""Pictures of a scrubbed corpus: bars by class add up, also where nothing was found."""

import matplotlib.pyplot as plt

from lib.plots import scrubbing


def test_bars_add_up_by_class():
    counts = {("rules", "EMAIL"): 3, ("spacy", "FIRSTNAME"): 7, ("rules", "FIRSTNAME"): 1}
    figure = scrubbing.found(counts)
    (panel,) = figure.axes
    assert [label.get_text() for label in panel.get_yticklabels()] == ["EMAIL", "FIRSTNAME"]
    assert sum(bar.get_width() for bar in panel.patches) == 11
    assert [text.get_text().strip() for text in panel.texts] == ["3", "8"]
    plt.close(figure)


def test_nothing_found_is_an_empty_picture():
    figure = scrubbing.found({})
    assert not figure.axes[0].patches
    plt.close(figure)


def test_shares_of_made_up_values():
    figure = scrubbing.of_made_up({"EMAIL": 4, "ZIPCODE": 1}, 4)
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.25, 1.0]
    plt.close(figure)
