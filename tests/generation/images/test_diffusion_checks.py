"""What pre-flight refuses of a diffusion model."""

from pathlib import Path

from support.errors import refused
from support.image_toys import CORPUS

from lib.generation.images.diffusion_checks import check_prompt, locate


def test_what_does_not_fit_the_corpus() -> None:
    corpus = CORPUS | {"colours": True, "label_domain": {"kind": ["cat", "dog"]}}
    check_prompt("a {kind}", corpus)
    with refused("generation.image_prompt_label", name="prompt", value="breed"):
        check_prompt("a {breed}", corpus)
    with refused("generation.diffusion_in_colours"):
        check_prompt("a {kind}", corpus | {"colours": False})


def test_where_a_model_is(tmp_path: Path) -> None:
    assert locate("hub:owner/name") == "owner/name"
    with refused("generation.diffusion_model_unknown", name="model", value=str(tmp_path)):
        locate(str(tmp_path))
    (tmp_path / "model_index.json").write_text("{}")
    assert locate(str(tmp_path)) == tmp_path
