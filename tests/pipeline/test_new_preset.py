"""A new preset: the files of another one, with what depends on the corpus replaced, whatever files those are."""

import errno
from pathlib import Path

import pytest
import yaml
from support.errors import refused
from support.project import Project

from lib.common import files, paths
from lib.pipeline import new_preset, preflight
from lib.pipeline.new_preset import Description
from lib.stage import strict_yaml

pytestmark = pytest.mark.usefixtures("unfingerprinted")

CORPUS = {
    "source": "csv:reviews.csv", "columns": {"text": "Review", "labels.mood": "Mood"}, "what": "note",
    "label_domain": {"mood": ["negative", "positive"]}, "unit": "record", "min_words": 1, "max_words": 20,
    "max_characters": 2000, "tokens": 96, "one_line": True, "records": 3000, "units": 3000,
}  # fmt: skip

ADDED = {  # keys that each file has beside those of quick's, by notebook
    "00_process_data": {"columns", "share", "unit", "label_domain", "min_words", "max_words", "max_characters"},
    "10_finetune_dp_lora": {"prompt", "max_tokens"},
    "11_generate": {"max_new_tokens"},
    "12_aug_pe": {"prompts", "max_new_tokens"},
    "20_canary_privacy": set(),
    "21_fidelity": set(),
    "22_utility": {"max_tokens"},
    "30_compare": {"release"},
}


def made(root: Path, **changes: object) -> dict[str, dict]:
    """The files of a new preset, as YAML reads them."""
    content = new_preset.files(Description(**CORPUS | changes), "mine", root)
    return {name: yaml.safe_load(text) for name, text in content.items()}


def test_each_file_has_the_keys_of_the_template_and_those_of_the_corpus(house: Project) -> None:
    written = made(house.root)
    template = {path.name: yaml.safe_load(path.read_text()) for path in (house.root / "params/quick").glob("*.yaml")}
    assert set(written) == set(template)
    for name, values in written.items():
        assert set(values) >= set(template[name]) | ADDED.get(name.partition(".")[0], set())
        fitted = new_preset.Description.__dataclass_fields__.keys() | {"prompt", "prompts", "release", "max_new_tokens"}
        kept = values.keys() - fitted
        assert all(values[key] == template[name][key] for key in kept & template[name].keys()), name


def test_a_corpus_without_labels_has_nothing_to_guide_by(house: Project) -> None:
    unlabelled = made(house.root, label_domain={}, columns={"text": "Review"})
    assert unlabelled["11_generate.eps8.yaml"]["guidance"] == unlabelled["11_generate.nonprivate.yaml"]["guidance"] == 0
    assert "guidance" not in made(house.root)["11_generate.eps8.yaml"]


def test_a_file_and_a_parameter_that_the_template_gets_are_taken_over(house: Project) -> None:
    quick = house.root / "params" / "quick"
    (quick / "11_generate.more.yaml").write_text(
        "inputs: {corpus: 00_process_data}\nbase_model: bundled:tiny-random\nprompt: A film review.\nchat: false\n"
        "samples: 900\ntemperature: 0.5\n"
    )
    written = made(house.root, samples=100)
    more = written["11_generate.more.yaml"]
    assert (more["temperature"], more["prompt"], more["max_new_tokens"]) == (0.5, "Note, mood: {mood}:", 96)
    assert (written["11_generate.base.yaml"]["samples"], more["samples"]) == (100, 300)  # as many times more
    assert written["11_generate.base.yaml"]["prompt"] == "Write one note (mood: {mood})."  # through a chat template


def test_another_epsilon_renames_stages_and_inputs(house: Project) -> None:
    written = made(house.root, epsilon=0.5)
    assert "12_aug_pe.eps0.5.yaml" in written and not any("eps8" in str(item) for item in written.items())
    assert written["10_finetune_dp_lora.eps0.5.yaml"]["target_epsilon"] == 0.5
    assert written["10_finetune_dp_lora.nonprivate.yaml"]["target_epsilon"] is None
    assert written["20_canary_privacy.yaml"]["inputs"]["eps0.5"] == "11_generate.eps0.5"
    new_preset.write(Description(**CORPUS | {"epsilon": 0.5}), "mine", house.root)
    assert "12_aug_pe.eps0.5" in preflight.preflight("mine", "mine").nodes


@pytest.mark.parametrize(("units", "batch"), [(3000, None), (200, 100.0), (130, 60.0)])
def test_a_batch_is_a_part_of_the_units(units: int, batch: float | None, house: Project) -> None:
    trained = made(house.root, units=units, records=units)["10_finetune_dp_lora.eps8.yaml"]
    assert trained.get("expected_batch") == batch


def test_a_trial_keeps_the_limits_of_its_own_model(house: Project) -> None:
    written = made(house.root, small=True)
    assert written["10_finetune_dp_lora.eps8.yaml"]["max_tokens"] == 200
    assert written["00_process_data.yaml"]["share"] == 0.1


def test_a_value_that_no_notebook_takes_is_refused(house: Project) -> None:
    with refused("stage.out_of_range", name="samples") as error:
        made(house.root, samples=0)
    assert error.value.faults[0].where.startswith("params/mine/11_generate.base.yaml")


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(errno.ENOSPC, "full")])
def test_a_preset_is_written_whole_or_not_at_all(
    fault: BaseException, house: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(house.root.rglob("p*/**/*"))
    atomic = files.write_atomic

    def stopped(path: Path, content: str) -> None:
        if path.name == "22_utility.yaml":
            raise fault
        atomic(path, content)

    monkeypatch.setattr(new_preset, "write_atomic", stopped)
    with pytest.raises((KeyboardInterrupt, OSError)):
        new_preset.write(Description(**CORPUS), "mine", house.root)
    assert sorted(house.root.rglob("p*/**/*")) == before
    monkeypatch.setattr(new_preset, "write_atomic", atomic)
    written = [house.root / "params" / "mine", house.root / "prompts" / "mine.yaml"]
    assert new_preset.write(Description(**CORPUS), "mine", house.root) == written
    assert new_preset.write(Description(**CORPUS), "mine", house.root) == written  # and once more over it
    assert sorted(set(house.root.rglob("p*/**/*")) - {*before, *written}) == sorted(written[0].iterdir())


TEXTS = ["plain", "two words", "yes", "No", "null", "~", "1", "1.0", "1e-4", "0x1F", "1_000", "12:30", ".inf", "None",
         "2024-01-31", "a: b", "# c", "- d", "{e}", "[f]", "*g", "&h", "!i", "'j'", '"k"', "caf\u00e9 \u4e2d\u6587",
         "", " l ", "m\nn", "%o", "@p", "`q`", "true", "=", "<<", "\U0001f600"]  # fmt: skip


@pytest.mark.parametrize("wide", [False, True])
def test_all_text_is_read_as_it_was_written(wide: bool) -> None:
    values = {"label_domain": dict.fromkeys(TEXTS, TEXTS), "one": "yes", "number": 8.0, "none": None, "flag": True}
    assert strict_yaml.parse(new_preset.as_yaml(values, wide=wide), "") == values


def test_the_training_of_the_template(house: Project) -> None:
    assert new_preset.training(paths.ROOT)["model"] == "bundled:smollm2-135m-instruct"
    for path in (house.root / "params" / "quick").glob("10_*.yaml"):
        path.unlink()
    assert new_preset.training(paths.ROOT) == {}
