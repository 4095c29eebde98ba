"""Models that transformers cannot load: a sentence names the folder, and where it is cheap before anything runs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.errors import refused

from lib.models import loading
from lib.models.bundled import BUNDLED
from lib.models.pretrained import BUNDLED_ENCODERS, BUNDLED_MODELS, check_name, from_pretrained

TINY = "bundled:tiny-random"


def configure(folder: Path, **values: object) -> None:
    """Change entries of a model's config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the tiny model."""
    return shutil.copytree(loading.locate(TINY), tmp_path / "model")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: configure(folder, model_type="nonesuch"),
        lambda folder: configure(folder, model_type="clip"),  # writes no text
        lambda folder: configure(folder, hidden_size=128),
        lambda folder: (folder / "config.json").write_text("[]"),
        lambda folder: (folder / "model.safetensors").write_bytes(b"xx"),
        lambda folder: (folder / "model.safetensors").unlink(),
    ],
    ids=["unknown type", "another kind", "other shapes", "no object", "no weights file", "no weights"],
)
def test_a_model_that_transformers_cannot_load_is_named(folder: Path, spoil: Callable[[Path], object]) -> None:
    spoil(folder)
    with refused("models.model_unloadable", name="model", value=str(folder)):
        loading.load(str(folder), device="cpu", dtype="float32")


def test_weights_of_another_architecture_are_no_weights(folder: Path) -> None:
    """transformers goes on with random ones."""
    configure(folder, model_type="gpt2", n_embd=64, n_head=4, n_layer=1)
    with refused("models.weights_missing", name="model", value=str(folder)):
        loading.load(str(folder), device="cpu", dtype="float32")


def test_a_tokenizer_that_cannot_be_loaded_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    with refused("models.model_unloadable", value=str(folder)):
        loading.load_tokenizer(str(folder))


def test_an_error_without_a_message_is_told_by_its_type(tmp_path: Path) -> None:
    class Loader:
        @staticmethod
        def from_pretrained(*_: object, **__: object) -> None:
            raise KeyError

    with refused("models.model_unloadable") as error:
        from_pretrained(Loader, tmp_path)
    assert "KeyError" in error.value.sentence


@pytest.mark.parametrize("config", ["[]", "{", "{}", '{"model_type": null}'])
def test_a_folder_without_a_type_of_model_is_refused_before_anything_runs(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)
    with refused("models.no_model_type", name="model", value=str(tmp_path)):
        check_name(str(tmp_path))


def test_a_folder_without_a_model_is_refused_before_anything_runs(tmp_path: Path) -> None:
    for name in (str(tmp_path), str(tmp_path / "gone"), "gpt2"):
        with refused("models.no_model", name="model", value=name):
            check_name(name)
    (tmp_path / "x.gguf").touch()
    with refused("models.no_model") as error:
        check_name(str(tmp_path))
    assert "GGUF" in error.value.sentence
    for name in (
        TINY,
        "hub:owner/name",
        "openai:small",
        "azure:mine",
        "bedrock:some.model-v1:0",
        str(loading.locate(TINY)),
    ):
        check_name(name)


def test_a_bundled_model_that_there_is_not_is_refused_before_anything_runs() -> None:
    assert set(BUNDLED_MODELS) == set(BUNDLED)
    with refused("models.unknown_bundled", name="model") as error:
        check_name("bundled:smollm2-135m")
    assert "smollm2-135m-instruct" in error.value.remedy
    check_name("bundled:all-minilm-l6-v2", BUNDLED_ENCODERS)
    with refused("models.unknown_bundled"):
        check_name("bundled:all-minilm-l6-v2")
