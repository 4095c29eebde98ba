"""What 01_scrub refuses: settings that cannot work, and a detector that a private record has touched."""

from pathlib import Path

import pytest
import yaml
from support.errors import refused

from lib.common.files import sha256, write_json
from lib.pii import scrub_stage
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate
from lib.privacy.disclosure import public_detectors
from lib.privacy.ledger import Event, Ledger, inherit

GIVEN = {
    "inputs": {"corpus": "00_process_data"},
    "detectors": ["rules"],
    "gliner": None,
    "classes": ["direct"],
    "mode": "surrogates",
    "locale": "en_US",
    "reference_date": "2026-01-31",
    "ranges": "plausible",
    "seed": 0,
}
HISTOGRAM = Event("00_process_data", "label histogram", DiscreteGaussian(10.0))
DETECTOR = "41_pii_check"


@pytest.mark.parametrize(
    ("changes", "code", "name"),
    [
        ({"inputs": {}}, "stage.no_corpus_input", "inputs"),
        ({"inputs": {"corpus": "01_scrub.a"}}, "stage.input_of_another_notebook", "corpus"),
        ({"inputs": {"corpus": "00_process_data", "arm": "11_generate"}}, "stage.unknown_input", "arm"),
        ({"inputs": GIVEN["inputs"] | {"detector": "11_generate"}}, "stage.input_of_another_notebook", "detector"),
        ({"inputs": {"corpus": "00_process_data", "detector": DETECTOR}}, "pii.detector_not_given", "detectors"),
        ({"detectors": ["trained"]}, "pii.detector_not_given", "detectors"),
        ({"detectors": ["rulez"]}, "pii.unknown_detector", "detectors"),
        ({"detectors": ["spacy"], "locale": "de_DE"}, "pii.detector_language", "locale"),
        ({"detectors": ["gliner"]}, "pii.gliner_model", "gliner"),
        ({"classes": ["EMAL"]}, "pii.unknown_class", "class"),
        ({"locale": "en_XX"}, "pii.unknown_locale", "locale"),
        ({"reference_date": "31.1.2026"}, "pii.no_date", "reference_date"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_before_anything_runs(changes, code, name):
    scrub_stage.check(GIVEN)
    with refused(code, name=name):
        scrub_stage.check(GIVEN | changes)


def stage(folder: Path, events: list[Event], **ancestors: str) -> Path:
    """A finished stage's folder with a ledger."""
    ledger = Ledger("record", 1000, events=events, ancestors=dict(ancestors))
    write_json(folder / "privacy.json", ledger.statement(folder.name))
    return folder


@pytest.mark.parametrize(
    "event",
    [
        Event("10_finetune_dp_lora", "DP-SGD on LoRA", Gaussian(2.0)),  # an arm with a guarantee
        Event("10_finetune_dp_lora", "training", NonPrivate()),  # an arm without one
        Event(DETECTOR, "evaluation only: a reference of one's own", NonPrivate()),
        Event("00_process_data", "label histogram", DiscreteGaussian(9.0)),  # of another corpus
    ],
)
def test_a_detector_that_a_private_record_has_touched_is_refused(tmp_path, event):
    ledger = inherit([stage(tmp_path / "00_process_data", [HISTOGRAM])])
    detector = stage(tmp_path / DETECTOR, [HISTOGRAM, event])
    with refused("pii.detector_saw_records", name="detector", value=DETECTOR):
        scrub_stage.declare(ledger, ["trained"], detector)


def test_a_detector_from_public_texts_or_label_counts_adds_its_ancestry_and_no_event(tmp_path):
    corpus = stage(tmp_path / "00_process_data", [HISTOGRAM])
    digest = sha256(corpus / "privacy.json")
    detector = stage(tmp_path / DETECTOR, [HISTOGRAM], **{"00_process_data": digest, "40_pii_text": "a" * 64})
    ledger = inherit([corpus])
    scrub_stage.declare(ledger, ["rules", "trained"], detector)
    assert ledger.events == [HISTOGRAM]
    assert ledger.ancestors == {
        "00_process_data": digest,
        "40_pii_text": "a" * 64,
        DETECTOR: sha256(detector / "privacy.json"),
    }
    assert public_detectors(["rules", "trained"], DETECTOR) in ledger.public


def test_a_detector_of_another_run_of_the_corpus_is_refused(tmp_path):
    ledger = inherit([stage(tmp_path / "00_process_data", [HISTOGRAM])])
    detector = stage(tmp_path / DETECTOR, [HISTOGRAM], **{"00_process_data": "b" * 64})
    with refused("pii.detector_of_another_run", name="detector"):
        scrub_stage.declare(ledger, ["trained"], detector)


def test_the_scrubber_of_a_stage_is_the_same_whenever_it_is_asked_for(tmp_path):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(GIVEN))
    first, second = scrub_stage.scrubber(tmp_path), scrub_stage.scrubber(tmp_path)
    text = "Mr. Bean, bean@x.org"
    assert first.text(text) == second.text(text) != text
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(GIVEN | {"seed": 1}))
    assert scrub_stage.scrubber(tmp_path).text(text) != first.text(text)


def test_of_made_up_values_those_count_that_are_gone(tmp_path):
    given = GIVEN | {"classes": ["EMAIL", "FIRSTNAME"], "mode": "masks"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(given))
    found = scrub_stage.found_of_made_up(
        scrub_stage.scrubber(tmp_path), locale="en_US", reference="2026-01-31", count=3
    )
    assert found == {"EMAIL": 3, "FIRSTNAME": 0}  # rules know no names
