"""The entry of private evolution of images: what can run, what is refused, and an arm that is audited by its votes."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from support.errors import refused
from support.image_toys import ARM, CELLS, CORPUS, private, record
from support.project import ROOT

from lib.audit import attack, target
from lib.audit.canaries import Canary
from lib.audit.canary_set import CanarySet, coins
from lib.common.files import write_json
from lib.data.images.decoding import Shape
from lib.generation.images.digits import Digits
from lib.methods.private_evolution import audit, evolution, modalities
from lib.methods.private_evolution.image_method import METHOD, check_image_evolution
from lib.privacy.accounting import epsilon
from lib.privacy.ledger import Ledger
from lib.stage.parameters import read_spec

DEFAULTS = {name: p.default for name, p in read_spec(ROOT / "notebooks" / "15_image_evolution.ipynb").items()}


def test_the_defaults_of_the_notebook_can_evolve_and_spend_their_target() -> None:
    check_image_evolution(DEFAULTS)
    mechanism = METHOD.mechanism(DEFAULTS, units=4000, delta=3e-5)
    assert 0.98 * 8 < epsilon([mechanism], delta=3e-5) <= 8
    assert {*METHOD.settings} <= {*DEFAULTS}


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ({"inputs": {"corpus": "00_process_data"}}, "stage.input_of_another_notebook", "corpus"),
        ({"inputs": {}}, "stage.no_corpus_input", "inputs"),
        ({"inputs": {"corpus": "00_process_images", "start": "11_generate"}}, "stage.unknown_input", "start"),
        ({"encoder": "bundled:all-minilm-l6-v2"}, "models.image_encoder_unknown", "encoder"),
        ({"encoder": "pixels:-1"}, "models.image_encoder_unknown", "encoder"),
        ({"degrees": [0.5, 0.2]}, "methods.not_one_for_each_vote", "degrees"),
        ({"degrees": 1.5}, "methods.degree_out_of_range", "degrees"),
        ({"api": "nearest", "public_pictures": "public:images:x", "degrees": 0.5}, "methods.degree_out_of_range", None),
        ({"api": "nearest"}, "methods.public_pictures_of_nearest", "public_pictures"),
        ({"api": "diffusers"}, "methods.model_of_diffusers", "model"),
        ({"model": "hub:a/b"}, "methods.model_of_diffusers", "model"),
        ({"api": "diffusers", "model": "hub:a/b", "degrees": 0.01}, "methods.degree_out_of_range", "degrees"),
        ({"public_pictures": "public:images:x"}, "methods.public_pictures_of_nearest", "public_pictures"),
        ({"fonts": ["Helvetica"]}, "generation.no_font", "fonts"),
        ({"variants": [1, 4, 4, 4, 4, 4]}, "methods.nothing_varied", "variants"),
    ],
)
def test_what_cannot_evolve_is_refused(change: dict, code: str, name: str | None) -> None:
    with refused(code) as error:
        check_image_evolution(DEFAULTS | change)
    assert name is None or error.value.name == name


def test_the_attack_on_votes_covers_pictures(tmp_path: Path) -> None:
    """An arm evolved again with canaries that are pictures: without noise they are caught, with much noise not."""
    rng, digits = np.random.default_rng(3), Digits(Shape.of(CORPUS))
    canaries = [
        Canary(
            record(f"canary-{n:05d}", digits.render(digits.random(CELLS[n % 2]["digit"], rng)), CELLS[n % 2]),
            bool(rng.integers(2)), "drawing", {},
        )
        for n in range(24)
    ]  # fmt: skip
    folder, corpus = tmp_path / "15_image_evolution.a", tmp_path / "00_process_images"
    ledger = Ledger("record", 60)
    for stage, given in ((folder, ARM | {"target_epsilon": 0.2}), (corpus, CORPUS)):
        stage.mkdir()
        (stage / "params.yaml").write_text(yaml.safe_dump(given))
        write_json(stage / "privacy.json", ledger.statement(stage.name))
    write_json(corpus / "label_histogram.json", {"cells": CELLS, "noisy_counts": [30, 30]})
    write_json(corpus / "catalogue.json", [])
    opened = modalities.open_modality(ARM, CORPUS)
    run = audit.Evolution(
        opened, None, cells=CELLS, shares=np.array([0.5, 0.5]), catalogue=[],
        settings=audit.Settings.of(ARM, 1.0), folder=tmp_path,
    )  # fmt: skip
    first = run.writer.first(lambda what, total: lambda done: None)
    (folder / "evolution").mkdir()
    write_json(folder / evolution.FIRST, first.packed(opened.shelf, folder / evolution.FIRST))
    arm = target.Arm(folder, ARM | {"target_epsilon": 0.2}, 0.2, ledger.delta, [])
    planted = CanarySet(canaries, [], [])
    again = audit.make_again(
        arm, target.CanariedCorpus(corpus, private(60), planted), tmp_path / "again", lambda *_: lambda done: None
    )
    inside = coins(planted.single)
    assert attack.auc(again.unnoised["votes"], inside).value > 0.8
    assert attack.auc(again.single["votes"], inside).value < 0.75
    assert len(again.texts) == 12 and again.texts[0].startswith("Drawing(")
