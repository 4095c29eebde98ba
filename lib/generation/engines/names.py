"""Checks of the names of models and engines. Imports neither torch nor an engine: pre-flight uses them."""

from __future__ import annotations

import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError, nearest

if TYPE_CHECKING:
    from lib.generation.engines.base import Sampling

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


STEERING = ("auto", "transformers")  # engines whose hidden states can be moved while they write

# Engines that can mix the logits of two prompts. CTranslate2 hands out no cache to go on from after a step (its issue
# 1392), so each token would cost a pass over its whole text; vLLM has no second prompt (its issue 5245).
GUIDING = ("auto", "transformers")


def check_engine(name: str, guidance: float = 0.0, *, steered: bool = False) -> None:
    """Check the parameters ``engine`` and ``guidance`` of a notebook.

    Args:
        name: ``auto`` or the name of an engine.
        guidance: as in `lib.generation.engines.base.Sampling`.
        steered: whether the model's hidden states are moved while it writes.

    Raises:
        DoppelError: there is no engine of this name, or it cannot do guided decoding, or steering.
    """
    if name not in ENGINE_NAMES:
        raise DoppelError(
            "generation.engine_unknown",
            f"engine = {name!r} is unknown",
            name="engine",
            value=name,
            remedy=nearest(name, ENGINE_NAMES),
        )
    if guidance > 0 and name not in GUIDING:
        raise DoppelError(
            "generation.guidance_unsupported",
            f"guidance = {guidance:g}: engine {name} cannot mix the logits of two prompts",
            name="guidance",
            value=guidance,
            remedy=f"use engine: {' or '.join(GUIDING)}, or set guidance: 0",
        )
    if steered and name not in STEERING:
        raise DoppelError(
            "generation.steering_unsupported",
            f"engine {name} does not let hidden states be moved, as the input steer asks",
            name="engine",
            value=name,
            remedy=f"use engine: {' or '.join(STEERING)}",
        )


def check_vllm(sampling: Sampling) -> None:
    """Refuse what vLLM cannot do as Doppel defines it, in process and as a server.

    Args:
        sampling: how tokens are to be drawn.

    Raises:
        DoppelError: it has guidance, a repetition penalty, or bans n-grams.
    """
    check_engine("vllm", sampling.guidance)
    if sampling.repetition_penalty != 1:
        raise DoppelError(
            "generation.sampling_unsupported",
            f"repetition_penalty = {sampling.repetition_penalty}: vllm would also penalise the prompt's words",
            name="repetition_penalty",
            value=sampling.repetition_penalty,
            remedy="set repetition_penalty: 1",
        )
    if sampling.no_repeat_ngram_size:
        raise DoppelError(
            "generation.sampling_unsupported",
            f"no_repeat_ngram_size = {sampling.no_repeat_ngram_size} is not supported by engine vllm",
            name="no_repeat_ngram_size",
            value=sampling.no_repeat_ngram_size,
            remedy="set it to 0, or use engine: transformers",
        )


def check_local(model: str) -> None:
    """Refuse a model that would be sent private records.

    Args:
        model: its name.

    Raises:
        DoppelError: it is behind an endpoint.
    """
    if is_remote(model):
        raise DoppelError(
            "generation.records_to_endpoint",
            f"model = {model!r} is behind an endpoint: it reads private records, which would be sent there",
            name="model",
            value=model,
            remedy="name a model on this machine: bundled:NAME, hub:OWNER/NAME, or a folder",
        )


def is_remote(model: str) -> bool:
    """Whether a model is behind an endpoint.

    Args:
        model: its name; ``openai:MODEL``, ``azure:DEPLOYMENT`` and ``bedrock:ID`` are remote.
    """
    return model.startswith(("openai:", "azure:", "bedrock:"))
