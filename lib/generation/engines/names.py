"""Checks of the names of models and engines. Imports neither torch nor an engine: pre-flight uses them."""

import pkgutil
from pathlib import Path

from lib.common.errors import DoppelError, nearest

_SUFFIX = "_engine"  # an engine's file is called after it: vllm_engine.py

# Read from the files, not from `registry`: who only checks a name does not depend on the engines' code.
ENGINE_NAMES = (
    "auto",
    *sorted(
        module.name.removesuffix(_SUFFIX)
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
        if module.name.endswith(_SUFFIX)
    ),
)


def check_engine(name: str) -> None:
    """Check the parameter ``engine`` of a notebook.

    Args:
        name: ``auto`` or the name of an engine.

    Raises:
        DoppelError: there is no engine of this name.
    """
    if name not in ENGINE_NAMES:
        raise DoppelError(
            "generation.engine_unknown",
            f"engine = {name!r} is unknown",
            name="engine",
            value=name,
            remedy=nearest(name, ENGINE_NAMES),
        )


def is_remote(model: str) -> bool:
    """Whether a model is behind an endpoint.

    Args:
        model: its name; ``openai:MODEL`` and ``azure:DEPLOYMENT`` are remote.
    """
    return model.startswith(("openai:", "azure:"))
