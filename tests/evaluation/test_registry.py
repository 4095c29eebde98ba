"""A metric is one entry: it names its function, and the suite, rows and tables take everything else from it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.errors import refused
from support.fidelity_toys import compared, records, sentences

from lib.evaluation import metric_rows, registry
from lib.evaluation.entry import Entry
from lib.evaluation.estimate import Estimate
from lib.evaluation.fidelity import measure, text_metrics
from lib.evaluation.fidelity.metric_input import TextPair
from lib.evaluation.views import CEILING
from lib.stage import fingerprint

ROOT = Path(__file__).resolve().parents[2]

EXCLAMATIONS = Entry(
    "exclamations",
    "text",
    "match",
    "fidelity.text_metrics:exclamations",
    title="Exclamations",
    meaning="Share of records that end with an exclamation mark.",
    real_text=False,
    headline=True,
    share=True,
)


def exclamations(pair: TextPair) -> dict[str, Estimate]:
    """The function of the toy metric."""
    excited = np.array([text.endswith("!") for text in pair.synthetic], float)
    return pair.estimate(lambda _, rows: {"exclamations": excited[rows].mean()})


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two things that adding a metric takes: its function in a module, and its entry."""
    monkeypatch.setattr(text_metrics, "exclamations", exclamations, raising=False)
    monkeypatch.setitem(registry.METRICS, "exclamations", EXCLAMATIONS)


@pytest.mark.usefixtures("added")
def test_a_new_text_metric_is_computed_placed_and_shown_from_its_entry_alone():
    excited = [text.replace(".", "!") for text in sentences(20, 3)]
    sides = compared(floor=records(sentences(20, 4)), arm=records(excited))
    rows, same = sides.rows(seed=0), {"seed": 0, "draws": 9}
    texts = measure.texts(sides, rows, **same)
    assert list(texts["arm"]) == [entry.name for entry in registry.family("text")]
    assert texts["arm"]["exclamations"].value == 1 and texts["arm"]["exclamations"].share_of == 20
    count = {name: len(chosen) for name, chosen in rows.items()}
    table = metric_rows.placed("texts", texts, floor="floor", used=count, of=sides.sizes, headline=True)
    (row,) = [row for row in table if (row["metric"], row["arm"]) == ("exclamations", "arm")]
    assert (row["value"], row["direction"], row["real_text"], row["headline"]) == (1, "match", False, True)
    assert row["value_low"] == pytest.approx(0.025 ** (1 / 20))  # the exact interval of a share
    wide = metric_rows.wide(table)
    assert wide.loc[("texts", "Exclamations"), "better"] == "as ceiling"
    assert registry.explained(["exclamations"]) == [("Exclamations", EXCLAMATIONS.meaning)]
    spaces = {"toy": {name: np.random.default_rng(0).normal(size=(len(one), 3)) for name, one in sides.records.items()}}
    known = {"toy": measure.embeddings(sides, spaces["toy"], rows, metrics=registry.headline("embedding"), **same)}
    views = measure.headline_views(sides, spaces, known, texts, seeds=1, **same)
    (view, *_) = [view for view in views if view.metric == "exclamations"]
    assert view.direction == "match" and view.estimates["arm"].value == 1 and CEILING in view.estimates


def test_the_module_of_every_metric_is_in_the_fingerprint_of_a_stage_that_imports_the_suite():
    counted = fingerprint.modules(ROOT, ["from lib.evaluation.fidelity import suite"])
    assert {entry.module for entry in registry.METRICS.values()} <= set(counted)


def test_every_entry_names_a_function_and_says_what_it_means():
    for entry in registry.METRICS.values():
        assert callable(entry.function()), entry.name
        assert entry.title and entry.meaning.endswith((".", "?")), entry.name
        assert not entry.headline or registry.headline(entry.family).count(entry.name) == 1
    assert len({entry.title for entry in registry.METRICS.values()}) == len(registry.METRICS)


def test_no_metric_of_the_synthetic_text_alone_is_marked_as_private_and_no_other_is_free_to_release():
    own = {"vendi", "distinct_1", "distinct_2", "distinct_3", "self_bleu", "broken", "non_text", "repetitive", "abrupt"}
    assert {name for name, entry in registry.METRICS.items() if not entry.real_text} == own


def test_the_registry_loads_no_numerical_library():
    heavy = ("numpy", "scipy", "sklearn", "torch", "pandas")
    code = f"import sys, lib.evaluation.registry; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_a_name_without_an_entry_is_refused_where_it_is_computed_and_shown_as_it_is():
    with refused("evaluation.unknown_metric", name="metric", value="frecht") as refusal:
        registry.entry("frecht")
    assert "frechet" in refusal.value.remedy
    with refused("evaluation.metric_not_in_family", name="metrics", value="frechet"):
        registry.family("text", ["word_jsd", "frechet"])
    assert registry.metric("of_an_older_run") == ("of an older run", "")
    assert registry.explained(["vendi", "unknown", "frechet"]) == [registry.metric("frechet"), registry.metric("vendi")]
