"""A finished run of pictures, and one of rows, by the real notebooks at sizes of seconds."""

from support.image_toys import private
from support.project import Project

CORPUS, ARM = "00_process_images", "15_image_evolution.eps8"
TABLE, ROWS = "00_process_table", "16_table_evolution.eps8"
EVOLVE = {"samples": 12, "iterations": 2, "degrees": 0.2, "copy_share": 0.2, "for_release": True, "tracking": "off"}


def pictures(house: Project, **changes: object) -> None:
    """A folder of digits, the corpus of it, and an arm, the last with other values of its parameters."""
    for record in private(160):
        folder = house.root / "digits" / record.labels["digit"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{record.id}.png").write_bytes(record.image.reveal())
    shape = {"width": 14, "height": 14, "label_domain": {"label": ["1", "7"]}}
    house.play(CORPUS, source="images:digits", tracking="off", **shape)
    house.play(ARM.partition(".")[0], **EVOLVE | {"text_label": "label", "judge": "pixels:0"} | changes)


def table(house: Project, **changes: object) -> None:
    """A public table of scikit-learn, and an arm of rows."""
    house.play(TABLE, tracking="off")
    house.play(ROWS.partition(".")[0], **EVOLVE | changes)
