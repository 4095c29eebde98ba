"""Chat models behind an OpenAI-compatible endpoint: OpenAI, Azure OpenAI, a vLLM server, NVIDIA NIM."""

import itertools
import json
import math
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from openai import APIError

from lib.common.errors import DoppelError, nearest
from lib.common.paths import DATA
from lib.generation.endpoint import retries as faults
from lib.generation.endpoint.client import OPENAI_KEY, connect
from lib.generation.endpoint.reply_cache import ReplyCache
from lib.generation.endpoint.wire_format import BrokenReply, read_reply, request_fields, sampling_fields
from lib.generation.engines.base import Completion, Request, Sampling, Usage

CACHE = DATA / "cache" / "replies.sqlite"


class _NotAsked(Exception):
    """A request that was called off before its first try."""


class Endpoint:
    """A ChatModel whose replies come over HTTP, and are kept on disk as they come.

    Args:
        model: ``openai:MODEL`` (any server that speaks OpenAI's API) or ``azure:DEPLOYMENT``.
        base_url: the server's API, ``http://localhost:8000/v1``; None is OpenAI's own, or AZURE_OPENAI_ENDPOINT.
        key_variable: the environment variable that holds the key; Azure's default is AZURE_OPENAI_API_KEY.
        concurrency: most requests in flight at any time, over all calls of `reply`.
        timeout: seconds without a byte from the server after which a try has failed.
        max_retries: further tries of a request after a fault that passes (429, 5xx, timeout, dropped, broken reply).
        prices: ``{"input": .., "output": ..}``, money per million tokens, for ``usage.cost``.
        cache: the file of replies.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        key_variable: str = OPENAI_KEY,
        concurrency: int = 16,
        timeout: float = 120.0,
        max_retries: int = 6,
        prices: Mapping[str, float] | None = None,
        cache: Path = CACHE,
    ):
        _check(concurrency, timeout, max_retries, prices or {})
        self.name = model
        self.usage = Usage()
        self._server = connect(model, base_url, key_variable, timeout)
        self._timeout = timeout
        self._max_retries = max_retries
        self._prices = {"input": 0.0, "output": 0.0} | dict(prices or {})
        self._cache = ReplyCache(cache)
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="endpoint")
        self._counting = threading.Lock()

    def reply(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        """Replies as they get done, those of the cache first; the same call again asks only for what is missing.

        When a request fails for good, no other is started, those in flight are let finish, and DoppelError says how
        many are answered. Whoever leaves the loop early pays for those in flight alone, and finds them in the cache.
        """
        fields = sampling_fields(sampling, self.name, hosted=self._server.hosted)
        keys = self._keys(requests, sampling)
        missing = []
        for position, key in enumerate(keys):
            if (kept := self._cache.get(key)) is not None:
                self._count(cached=1)
                yield position, kept
            else:
                missing.append(position)
        stop, failure, answered = threading.Event(), None, len(requests) - len(missing)
        try:
            asked = {self._pool.submit(self._answer, requests[i], keys[i], fields, stop): i for i in missing}
            for future in as_completed(asked):
                error = future.exception()
                if error is None:
                    answered += 1
                    yield asked[future], future.result()
                elif not isinstance(error, _NotAsked):
                    failure = failure or error
        finally:
            stop.set()
        if isinstance(failure, faults.Fault):
            raise DoppelError(
                f"{self.name} at {self._server.place} failed: {faults.words(failure, self._timeout)} "
                f"(max_retries = {self._max_retries}); {answered} of {len(requests)} requests are answered and kept in "
                f"{self._cache.path}; {faults.remedy(failure, self._server.key_variable)}, "
                f"then run again: it resumes with the {len(requests) - answered} that are missing"
            ) from None
        if failure:
            raise failure

    def _keys(self, requests: Sequence[Request], sampling: Sampling) -> list[str]:
        """For each request a hash of all that shapes its reply. Equal requests differ by their number among them."""
        shared = [self._server.place, self.name, asdict(sampling) | {"max_new_tokens": None}]
        seen: Counter[Request] = Counter()
        keys = []
        for request in requests:
            whole = [*shared, request.messages, request.max_new_tokens, seen[request]]
            keys.append(sha256(json.dumps(whole).encode()).hexdigest())
            seen[request] += 1
        return keys

    def _answer(self, request: Request, key: str, fields: dict[str, Any], stop: threading.Event) -> Completion:
        """The reply to one request, kept and counted. A failure sets ``stop`` before the pool takes up another.

        With ``stop`` set nothing is asked any more: the queue runs empty at once.
        """
        if stop.is_set():
            raise _NotAsked
        try:
            seed = int(key[:8], 16) >> 1  # 31 bits: not every server takes more
            body = fields | request_fields(request, seed, hosted=self._server.hosted)
            reply, prompt_tokens = self._retry(body, seed, stop)
            price = prompt_tokens * self._prices["input"] + reply.tokens * self._prices["output"]
            self._count(requests=1, prompt_tokens=prompt_tokens, completion_tokens=reply.tokens, cost=price / 1e6)
            self._cache.put(key, reply, prompt_tokens)
            return reply
        except Exception:
            stop.set()
            raise

    def _retry(self, body: dict[str, Any], seed: int, stop: threading.Event) -> tuple[Completion, int]:
        """Try until there is a reply, or a fault that does not pass, or no try left, or ``stop``."""
        for retry in itertools.count():
            try:
                return self._ask(body)
            except (APIError, BrokenReply) as fault:
                if retry == self._max_retries or not faults.passes(fault) or stop.wait(faults.wait(fault, retry, seed)):
                    raise
                self._count(retries=1)

    def _ask(self, body: dict[str, Any]) -> tuple[Completion, int]:
        """One try: the completion, and the tokens of its prompt."""
        try:
            raw = self._server.client.chat.completions.with_raw_response.create(model=self._server.model, **body)
        except APIError as fault:
            if faults.is_filtered(fault):
                return Completion("", 0, ended=True, refused=True), 0
            raise
        return read_reply(raw.content)

    def _count(self, **more: float) -> None:
        with self._counting:
            for name, value in more.items():
                setattr(self.usage, name, getattr(self.usage, name) + value)


def _check(concurrency: int, timeout: float, max_retries: int, prices: Mapping[str, float]) -> None:
    if unknown := sorted(prices.keys() - {"input", "output"}):
        raise DoppelError(f"unknown price {unknown[0]!r}; {nearest(unknown[0], ('input', 'output'))}")
    bounds = {
        f"concurrency = {concurrency!r}": (1 <= concurrency <= 256, "in [1, 256]"),
        f"timeout = {timeout!r}": (0 < timeout < math.inf, "above 0 and finite (seconds)"),
        f"max_retries = {max_retries!r}": (max_retries >= 0, "at least 0"),
    } | {
        f"prices: {name} = {price!r}": (0 <= price < math.inf, "at least 0 and finite (money per million tokens)")
        for name, price in prices.items()
    }
    for given, (fits, bound) in bounds.items():
        if not fits:
            raise DoppelError(f"{given} must be {bound}")
