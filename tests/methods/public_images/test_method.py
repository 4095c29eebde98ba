"""Random pictures: what can make them, and what is refused."""

import pytest
from support.errors import refused
from support.project import ROOT

from lib.methods.public_images.method import METHOD, check_random_images, check_written
from lib.stage.parameters import read_spec

DEFAULTS = {name: p.default for name, p in read_spec(ROOT / "notebooks" / "11_random_images.ipynb").items()}
CORPUS = {
    "source": "mnist-5k",
    "background": 0,
    "label_domain": {"digit": ["0", "1"], "kind": ["a"], "title": "catalogue"},
}


def test_the_defaults_of_the_notebook_can_make_pictures() -> None:
    check_random_images(DEFAULTS)
    check_written(DEFAULTS, CORPUS)
    check_written(DEFAULTS | {"text_label": None}, CORPUS)
    with refused("stage.input_of_another_notebook", name="corpus"):
        check_random_images(DEFAULTS | {"inputs": {"corpus": "00_process_data"}})


@pytest.mark.parametrize("label", ["kind", "title", "none"])
def test_a_label_that_digits_cannot_write_is_refused(label: str) -> None:
    with refused("methods.label_not_digits", name="text_label", value=label):
        check_written(DEFAULTS | {"text_label": label}, CORPUS)


def test_ink_of_the_colour_of_the_background_is_refused() -> None:
    with refused("methods.ink_not_seen", name="ink", value=255):
        check_written(DEFAULTS, CORPUS | {"background": 255})


@pytest.mark.parametrize(
    ("declared", "code"),
    [("mnist-5k", "privacy.source_not_declared"), ("public:mnist-5k", "privacy.source_is_the_corpus")],
)
def test_private_pictures_are_no_public_set(declared: str, code: str) -> None:
    with refused(code, name="public_pictures"):
        check_written(DEFAULTS | {"api": "nearest", "public_pictures": declared}, CORPUS)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"model": "hub:a/b"}, "methods.model_of_diffusers"),
        ({"api": "diffusers"}, "methods.model_of_diffusers"),
        ({"api": "improved-diffusion", "model": "mine.pt"}, "generation.no_checkpoint"),
        ({"public_pictures": "public:mnist-5k"}, "methods.public_pictures_of_nearest"),
    ],
)
def test_what_cannot_make_pictures_is_refused_before_anything_runs(change: dict, code: str) -> None:
    with refused(code):
        check_random_images(DEFAULTS | change)
    check_random_images(DEFAULTS | {"api": "improved-diffusion"})  # the usual checkpoint, which may come yet
    with refused("generation.diffusion_in_colours"):
        check_written(
            DEFAULTS | {"api": "improved-diffusion"}, CORPUS | {"width": 8, "height": 8, "colours": False, "fit": "pad"}
        )


@pytest.mark.parametrize("api", ["render:digits", "avatars", "nearest"])
def test_a_card_says_what_made_them(api: str) -> None:
    (words,) = METHOD.making({"api": api, "public_pictures": "public:images"}, {}, "record")
    assert ("public:images" in words) == (api == "nearest")
