"""Names of spaces."""

from support.errors import refused

from lib.evaluation.images.space_name import check_space


def test_names_of_spaces() -> None:
    assert check_space("renders:7", "judge") == 7 and check_space("pixels:1.0", "judge") is None
    for name in ("renders", "renders:", "renders:-1", "renders:x"):
        with refused("evaluation.space_unknown", name="judge", value=name):
            check_space(name, "judge")
    with refused("models.image_encoder_unknown"):
        check_space("inception", "judge")
