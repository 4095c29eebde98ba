"""The entry of private prediction: its recipe meets the target, and refusals before anything is loaded."""

import pytest
from support.errors import refused
from support.project import ROOT

from lib.methods.private_prediction.method import METHOD, PREDICTS, check_prediction, check_with_corpus
from lib.pipeline.stage_checks import CHECKS, WITH_CORPUS
from lib.privacy import copy_count
from lib.privacy.accounting import DiscreteGaussian, Exponential, NonPrivate, default_delta, epsilon
from lib.stage.parameters import read_spec

UNITS = 3184
DELTA = default_delta(UNITS)
HISTOGRAM = DiscreteGaussian(10.0)
DEFAULTS = {name: p.default for name, p in read_spec(ROOT / "notebooks" / f"{PREDICTS}.ipynb").items()}
FILE = {"prompt": None, "prompt_with_record": None, "prompts": "prompts/rotten-tomatoes.yaml", "chat": True}
CORPUS = {"label_domain": {"kind": ["a", "b"]}, "topics": None}


@pytest.mark.parametrize(("target", "reserve"), [(2.0, 0.0), (8.0, 0.05)])
def test_tokens_histogram_and_count_of_copies_meet_the_target(target, reserve):
    given = DEFAULTS | {"target_epsilon": target, "reserve": reserve, "max_new_tokens": 12}
    own = METHOD.mechanism(given, units=UNITS, delta=DELTA, others=[HISTOGRAM])
    assert own == Exponential(own.noise_multiplier, 12)
    spent = epsilon([HISTOGRAM, own, copy_count.mechanism(given, DELTA)], delta=DELTA)
    assert 0.98 * (1 - reserve) * target <= spent <= (1 - reserve) * target


def test_many_texts_cost_no_more_than_one_and_none_has_a_batch_to_share():
    few, many = (DEFAULTS | {"samples": samples, "expected_batch": 8.0} for samples in (1, 398))
    assert METHOD.recipe(few, UNITS, 2.0) == METHOD.recipe(many, UNITS, 2.0) == Exponential(2.0, 48)
    with refused("methods.too_few_units", name="samples", value=399):
        METHOD.recipe(DEFAULTS | {"samples": 399, "expected_batch": 8.0}, UNITS, 2.0)
    assert METHOD.mechanism(DEFAULTS | {"target_epsilon": None}, units=UNITS, delta=DELTA) == NonPrivate()


@pytest.mark.parametrize(
    ("changes", "code", "name"),
    [
        ({"model": "openai:gpt-4o-mini"}, "generation.records_to_endpoint", "model"),
        ({"model": "bedrock:a.b"}, "generation.records_to_endpoint", "model"),
        ({"inputs": {"corpus": "00_process_data", "arm": "11_generate.a"}}, "stage.unknown_input", "arm"),
        ({"inputs": {}}, "stage.no_corpus_input", "inputs"),
        ({"prompt_with_record": "One {kind}."}, "methods.no_place_for_record", "prompt_with_record"),
        ({"prompt": "One {kind}: {text}"}, "models.placeholder_is_text", "text"),
        ({"prompt": "One {text}", "prompt_with_record": "One {text}"}, "models.placeholder_is_text", "text"),
        ({"prompt": None}, "methods.no_prompt", "prompt"),
        ({"prompts": FILE["prompts"]}, "methods.two_prompts", "prompt"),
        (FILE | {"prompt_with_record": "One: {text}"}, "methods.two_prompts", "prompt_with_record"),
        (FILE | {"chat": "bare"}, "methods.unfit_for_prompt_file", "chat"),
    ],
)
def test_what_cannot_be_written_is_refused(changes, code, name):
    with refused(code):
        CHECKS[PREDICTS](DEFAULTS | changes)
    check_prediction(DEFAULTS)
    check_prediction(DEFAULTS | FILE)


@pytest.mark.parametrize(
    ("changes", "corpus", "code", "name"),
    [
        ({"prompt": "One {tone}."}, {}, "models.placeholder_unknown", "tone"),
        ({"prompt_with_record": "One {tone}: {text}"}, {}, "models.placeholder_unknown", "tone"),
        ({}, {"label_domain": {"kind": "catalogue"}}, "methods.catalogue_label", "kind"),
        ({}, {"topics": 8}, "models.topic_unsaid", "topic"),
    ],
)
def test_templates_fit_the_labels_of_the_corpus(changes, corpus, code, name):
    with refused(code, name=name):
        WITH_CORPUS[PREDICTS](DEFAULTS | changes, CORPUS | corpus)
    check_with_corpus(DEFAULTS, CORPUS)


def test_a_prompt_file_fits_the_labels_of_the_corpus(monkeypatch):
    monkeypatch.chdir(ROOT)
    kinds = {"label_domain": {"kind": ["positive review", "negative review", "plot summary"]}, "topics": None}
    check_with_corpus(DEFAULTS | FILE, kinds)
    with refused("generation.draw_value_missing", name="kind", value="a"):
        check_with_corpus(DEFAULTS | FILE, CORPUS)


def test_a_card_says_what_was_read_and_how_it_was_asked():
    written = "\n".join(METHOD.making(DEFAULTS, DEFAULTS, "user"))
    assert "private users" in written and DEFAULTS["prompt"] in written and "never trained" in written
    assert "as the answer to the request" in written and "None" not in written
    showing = DEFAULTS | {"prompt_with_record": "One {kind}: {text}"}
    assert "`One {kind}: {text}`" in "\n".join(METHOD.making(showing, showing, "user"))
    written = "\n".join(METHOD.making(DEFAULTS | FILE, DEFAULTS | FILE, "record"))
    assert FILE["prompts"] in written and "None" not in written
