"""What a stage was begun with, and the corpus that scrubbed records come from.

That corpus' are source, unit, label domain and budget, whatever was scrubbed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def original(corpus: Path) -> Path:
    """The folder of the stage of 00_process_data behind a corpus.

    Args:
        corpus: folder of a finished stage of 00_process_data, which is its own original, or of 01_scrub.
    """
    while (behind := parameters(corpus).get("inputs", {}).get("corpus")) is not None:
        corpus = corpus.parent / behind
    return corpus


def parameters(folder: Path) -> Mapping[str, Any]:
    """The resolved parameters of a stage.

    Args:
        folder: of the stage, begun or finished.
    """
    return yaml.safe_load((folder / "params.yaml").read_text("utf-8"))
