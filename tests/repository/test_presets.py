"""Presets: each passes pre-flight, which looks at its prompts too, and the published settings are what they say."""

from functools import cache
from pathlib import Path

import pytest
import yaml
from support.errors import refused
from support.project import ROOT

from lib.data import labels, processing, records, sources
from lib.methods.private_evolution.published import STUDIES
from lib.methods.private_evolution.settings import Settings
from lib.pipeline import preflight
from lib.pipeline.budget_check import check_budget
from lib.pipeline.graph import Graph

pytestmark = pytest.mark.usefixtures("unfingerprinted")

PRESETS = sorted(path.name for path in (ROOT / "params").iterdir() if path.is_dir())
DEV = ROOT.parent / "shared" / "data" / "yelp" / "dev.csv"

# Xie et al. 2024, with models from Hugging Face: iterations, samples, temperature, longest reply, encoder
PUBLISHED = {
    "yelp": (20, 5000, 1.4, 64, "stsb-roberta-base-v2"),
    "openreview": (10, 2000, 1.2, 448, "stsb-roberta-base-v2"),
    "pubmed": (10, 2000, 1.0, 448, "sentence-t5-base"),
}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Only the presets that say so in their name may need a key."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    if "gpt35" in request.node.name or "llm" in request.node.name:
        monkeypatch.setenv("OPENAI_API_KEY", "none")


@cache
def checked(preset: str, *changes: str) -> Graph:
    """A preset after pre-flight."""
    return preflight.preflight(preset, "check", changes)


@pytest.fixture(params=PRESETS)
def graph(request: pytest.FixtureRequest, tmp_path: Path) -> Graph:
    if request.param == "celeba-avatar":
        pytest.importorskip("python_avatars", reason="needs pip install -e .[images]")
        pytest.importorskip("resvg_py")
    return checked(request.param, *(elsewhere(tmp_path) if request.param == "yelp-dev" else []))


def elsewhere(folder: Path) -> list[str]:
    """Some other file as the source: pre-flight looks whether it is there."""
    (folder / "dev.csv").write_text("text,label1,label2\n")
    return [f"00_process_data.source=yelp:{folder / 'dev.csv'}"]


def test_the_presets_are_all_there() -> None:
    assert {"test", "quick", "amazon-llama", "yelp", "yelp-dev", "openreview", "pubmed"} <= set(PRESETS)


def test_every_preset_has_a_corpus_and_a_floor_unless_it_is_of_public_text_alone(graph: Graph) -> None:
    if graph.preset.startswith(("pii", "private-records")):
        made = "40_pii_text" if graph.preset.startswith("pii") else "50_private_records"
        assert made in graph.nodes and not any(node.notebook.startswith(("0", "1")) for node in graph.nodes.values())
        return
    corpus, floor = "00_process_data", "11_generate.base"
    if graph.preset == "tables":  # the floor is drawn where it is measured
        corpus = floor = "00_process_table"
    if graph.preset == "images" or graph.preset in STUDIES:
        corpus, floor = "00_process_images", "11_random_images"
    assert corpus in graph.nodes and (floor in graph.nodes or graph.preset.endswith("-gpt35"))
    for node in graph.nodes.values():
        assert not {"sigma", "noise", "noise_multiplier"} & set(node.parameters)  # calibrated, never given


def test_published_settings_of_images_and_what_is_said_of_them() -> None:
    """Votes, pictures, look-ahead and threshold of DPSDA's examples; the noise follows from the targets."""
    published = {
        "cifar10-pe1": (20, 50_000, 10, (0.98, 0.6)),
        "camelyon17-pe1": (29, 302_436, 4, (1.0, 0.25)),
        "cat-pe1": (17, 200, 2, (0.98, 0.4)),
        "mnist-simpe": (4, 60_000, 1, (0.8, 0.0)),
        "celeba-avatar": (7, 60_000, 1, (0.8, 0.06)),
        "celeba-digiface": (6, 60_000, 1, (1000, 20)),
    }
    assert published.keys() == STUDIES.keys() <= {*PRESETS}
    for preset, (votes, samples, threshold, (first, last)) in published.items():
        variant = "example" if preset.endswith("-pe1") else "eps10"
        arm = yaml.safe_load((ROOT / "params" / preset / f"15_image_evolution.{variant}.yaml").read_text())
        study, degrees = STUDIES[preset], arm["degrees"]
        given = [arm[name] for name in ("iterations", "samples", "threshold", "lookahead_degree", "final")]
        assert given == [votes, samples, threshold, 8, "varied"]
        assert (study.votes, study.epsilon) == (votes, arm["target_epsilon"])
        assert (len(degrees), degrees[0], degrees[-1]) == (votes, first, last)
        assert degrees == sorted(degrees, reverse=True)
        assert Settings.of(arm, None).asked == samples * (9 * votes + 1)  # 9.05 million of CIFAR-10


@pytest.mark.parametrize("preset", PUBLISHED)
def test_published_settings(preset: str) -> None:
    nodes = checked(preset).nodes
    iterations, samples, temperature, length, encoder = PUBLISHED[preset]
    for epsilon in (1, 2, 4):
        arm = nodes[f"12_aug_pe.gpt2_eps{epsilon}"].parameters
        given = [arm[name] for name in ("iterations", "samples", "temperature", "max_new_tokens", "encoder")]
        assert given == [iterations, samples, temperature, length, f"hub:sentence-transformers/{encoder}"]
        assert (arm["variants"], arm["top_k"], arm["top_p"], arm["no_repeat_ngram_size"]) == (7, 50, 0.9, 2)
        given = [arm[name] for name in ("variation", "selection", "keep_parents", "lookahead_degree", "word_var_scale")]
        assert given == ["rephrase", "rank", True, 0, 0]
        trained = nodes[f"10_finetune_dp_lora.gpt2_eps{epsilon}"].parameters
        assert arm["target_epsilon"] == trained["target_epsilon"] == epsilon
        assert arm["model"] == trained["model"] == "hub:openai-community/gpt2"  # the methods differ, not the model
        written = nodes[f"11_generate.gpt2_eps{epsilon}"].parameters
        assert written["samples"] == samples and written["inputs"]["model"] == f"10_finetune_dp_lora.gpt2_eps{epsilon}"


@pytest.mark.parametrize(
    ("preset", "length", "scale", "tokens", "probability", "keep"),
    [("yelp", 128, 40, 1.2, 0.5, False), ("openreview", 1000, 60, 5, 0.5, True), ("pubmed", 1000, 60, 5, 0.6, True)],
)
def test_published_settings_of_gpt35(
    preset: str, length: int, scale: float, tokens: float, probability: float, keep: bool
) -> None:
    nodes = checked(f"{preset}-gpt35").nodes
    iterations, samples, _, _, encoder = PUBLISHED[preset]
    for epsilon in (1, 2, 4):
        arm = nodes[f"12_aug_pe.gpt35_eps{epsilon}"].parameters
        given = [arm[n] for n in ("iterations", "samples", "variants", "variation", "min_words", "target_epsilon")]
        assert given == [iterations, samples, 4, "fill", 25, epsilon]
        given = [arm[n] for n in ("max_new_tokens", "word_var_scale", "max_token_word_scale", "mask_probability")]
        assert given == [length, scale, tokens, probability]
        assert arm["keep_parents"] == keep and arm["encoder"] == f"hub:sentence-transformers/{encoder}"


@pytest.mark.parametrize("preset", PUBLISHED)
def test_a_run_of_both_presets_has_one_corpus(preset: str) -> None:
    made = [
        yaml.safe_load((ROOT / "params" / name / "00_process_data.yaml").read_text())
        for name in (preset, f"{preset}-gpt35")
    ]
    assert made[0] == made[1]


def test_the_settings_of_simulated_digits_are_those_of_the_paper() -> None:
    """Lin et al. 2025: 60,000 pictures, four votes that look ahead by 8, threshold 1, drawn, and varied at the end."""
    for epsilon in (1, 10):
        arm = checked("mnist-simpe").nodes[f"15_image_evolution.eps{epsilon}"].parameters
        given = [arm[name] for name in ("samples", "iterations", "lookahead_degree", "threshold", "selection", "final")]
        assert given == [60000, 4, 8, 1.0, "sample", "varied"] and arm["degrees"] == [0.8, 0.4, 0.2, 0.0]
        assert (arm["target_epsilon"], arm["variants"], arm["keep_parents"]) == (epsilon, 1, False)


def test_a_preset_that_names_another_file(tmp_path: Path) -> None:
    nodes = checked("yelp-dev", *elsewhere(tmp_path)).nodes
    assert nodes["00_process_data"].parameters["source"] == f"yelp:{tmp_path}/dev.csv"
    with refused("data.no_file", name="source", value="nowhere/dev.csv") as error:
        checked("yelp-dev", "00_process_data.source=yelp:nowhere/dev.csv")
    assert error.value.where.startswith("params/yelp-dev/00_process_data.yaml")


BAD = {  # what pre-flight refuses of 12_aug_pe: code and name
    "iterations=0": ("stage.out_of_range", "iterations"),
    "samples=-5": ("stage.out_of_range", "samples"),
    "threshold=-1": ("stage.out_of_range", "threshold"),
    "mask_probability=0": ("stage.out_of_range", "mask_probability"),
    "max_overlap=0": ("stage.out_of_range", "max_overlap"),
    "vote_weights=thirds": ("stage.wrong_type", "vote_weights"),
    "good_shots=101": ("stage.out_of_range", "good_shots"),
    "schedule=[100, 150]": ("methods.schedule_does_not_fit", "schedule"),
    "variants=1": ("methods.nothing_varied", "variants"),
    "k_nn=900": ("methods.k_nn_too_large", "k_nn"),
    "prompts=prompts/pubmde.yaml": ("generation.prompt_file_missing", "prompts"),
    "prompts=prompts/yelp.yaml": ("generation.prompt_label_unknown", "category"),
    "base_url=http://localhost:1/v1": ("methods.address_of_local_model", "base_url"),
    "model=openai:some-model": ("generation.key_missing", "OPENAI_API_KEY"),
    "timeout=0": ("stage.out_of_range", "timeout"),
    "max_retries=-1": ("stage.out_of_range", "max_retries"),
    "length_parameter=max_length": ("stage.wrong_type", "length_parameter"),
    "send_seed=0": ("stage.wrong_type", "send_seed"),
    "prices={in: 1.0}": ("methods.unknown_price", "prices"),
    "target_epsilon=-1": ("stage.out_of_range", "target_epsilon"),
    "inputs={}": ("stage.no_corpus_input", "inputs"),
}


@pytest.mark.parametrize(("given", "fault"), BAD.items())
def test_aug_pe_with_settings_that_cannot_work_is_refused_before_it_starts(given: str, fault: tuple[str, str]) -> None:
    code, name = fault
    with refused(code, name=name) as error:
        checked("quick", f"12_aug_pe.eps8.{given}")
    assert "12_aug_pe.eps8" in error.value.where


def test_a_budget_that_the_label_histogram_has_spent_is_refused() -> None:
    changes = ["00_process_data.delta=0.0001", "12_aug_pe.eps8.target_epsilon=0.01"]
    with refused("pipeline.target_below_histogram", name="target_epsilon", value=0.01):
        check_budget(checked("quick", *changes), ["12_aug_pe.eps8"])


@pytest.mark.skipif(not DEV.is_file(), reason="needs the 5,000 reviews of Yelp's dev.csv")
def test_the_domain_of_yelp_is_that_of_its_file() -> None:
    given = checked("yelp-dev", f"00_process_data.source=yelp:{DEV}").nodes["00_process_data"].parameters
    corpus = sources.load(f"yelp:{DEV}")
    records.check_labels(corpus.records, given["label_domain"])
    cells = labels.cells(given["label_domain"])
    assert cells == labels.cells(checked("yelp").nodes["00_process_data"].parameters["label_domain"])
    seen = {tuple(sorted(record.labels.items())) for record in corpus.records}
    assert seen <= {tuple(sorted(cell.items())) for cell in cells} and len(seen) == len(cells)
    names = ("min_words", "max_words", "max_characters", "near_duplicate_similarity", "test_fraction")
    done = processing.process(corpus, label_domain=given["label_domain"], **{name: given[name] for name in names})
    assert 1500 < len(done.train) < 2500
