"""An engine whose completions come from vLLM servers: one card or many, the base model or an adapter of it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from lib.generation.endpoint.access import OPENAI_KEY
from lib.generation.endpoint.endpoint import Endpoint
from lib.generation.endpoint.servers import Addresses, open_servers
from lib.generation.engines.base import Completion, Request, Sampling, completion, line_breaks
from lib.generation.engines.names import check_vllm
from lib.models import loading

SERVER = ("key_variable", "concurrency", "timeout", "max_retries")  # parameters that say how servers are asked


class ServedEngine:
    """An engine whose completions come from vLLM servers, and are stored on disk as they arrive.

    Args:
        model: name of the base model, see `lib.models.loading.locate`; its tokenizer is used here.
        adapter: folder of the LoRA adapter that the servers apply, or None.
        served: the servers' name of what they are to run.
        base_url: their addresses, ``http://localhost:8000/v1`` each.
        **settings: as `lib.generation.endpoint.endpoint.Endpoint` takes them.

    Raises:
        DoppelError: a server is refused, or serves something else (`lib.generation.endpoint.completions`).
    """

    name = "vllm-server"

    def __init__(self, model: str, adapter: Path | None, *, served: str, base_url: Addresses, **settings: Any):
        self.tokenizer = loading.load_tokenizer(model)
        self._ends = loading.end_tokens(model, self.tokenizer)
        contents = [loading.fingerprint(model), *([loading.folder_hash(adapter)] if adapter else [])]
        name = f"vllm:{served}@{sha256(' '.join(contents).encode()).hexdigest()[:16]}"
        given = {"key_variable": settings.get("key_variable", OPENAI_KEY), "timeout": settings.get("timeout", 120.0)}
        for server in open_servers(name, base_url=base_url, **given):
            server.check(adapter)
        self._endpoint = Endpoint(name, base_url=base_url, **settings)

    def complete(
        self,
        prompts: Sequence[Sequence[int]],
        sampling: Sampling,
        limits: Sequence[int] | None = None,
        *,
        without_label: Sequence[Sequence[int]] | None = None,
    ) -> Iterator[tuple[int, Completion]]:
        """Complete ``prompts`` with ``sampling`` and ``limits``, see `lib.generation.engines.base.Engine`.

        Raises:
            DoppelError: ``sampling`` asks what vLLM cannot do as defined here, or no server answers.
        """
        check_vllm(sampling)
        limits = limits or [sampling.max_new_tokens] * len(prompts)
        breaks = line_breaks(self.tokenizer) if sampling.one_line else frozenset()
        stop = " ".join(map(str, [*self._ends, *sorted(breaks)]))
        requests = [
            Request((("prompt", " ".join(map(str, prompt))), ("stop", stop)), limit)
            for prompt, limit in zip(prompts, limits, strict=True)
        ]
        least = max(sampling.min_new_tokens, sampling.one_line)
        drawn = replace(sampling, one_line=False, min_new_tokens=min(least, *limits) if limits else 0)
        for position, reply in self._endpoint.reply(requests, drawn):
            ids = [int(token) for token in reply.text.split()]
            yield position, completion(self.tokenizer, ids, self._ends, limits[position], breaks)
