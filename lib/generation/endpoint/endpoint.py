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
from lib.generation.endpoint import retries
from lib.generation.endpoint.client import OPENAI_KEY, connect
from lib.generation.endpoint.reply_cache import ReplyCache
from lib.generation.endpoint.wire_format import (
    LENGTH_FIELDS,
    Answer,
    BrokenReply,
    length_field,
    read_reply,
    request_fields,
    sampling_fields,
)
from lib.generation.engines.base import Completion, Request, Sampling, Usage

CACHE = DATA / "cache" / "replies.sqlite"


class _NotAsked(Exception):
    """A request that was cancelled before its first try."""


class Endpoint:
    """A ChatModel whose replies come over HTTP and are stored on disk as they arrive.

    Args:
        model: ``openai:MODEL`` (any server with OpenAI's API) or ``azure:DEPLOYMENT``.
        base_url: the server's API, ``http://localhost:8000/v1``; None is OpenAI's own, or AZURE_OPENAI_ENDPOINT.
        key_variable: name of the environment variable that holds the key; Azure's default is AZURE_OPENAI_API_KEY.
        concurrency: most requests in flight at any time, over all calls of `reply`; in [1, 256].
        timeout: seconds without a byte from the server after which a try fails; above 0.
        max_retries: further tries of a request after a retryable fault (429, 5xx, timeout, dropped connection, broken
            reply); at least 0.
        length_parameter: field that limits a reply, ``max_tokens`` or ``max_completion_tokens``; ``auto`` takes the one
            that the server most likely has, and the other where the server says that it does not know it.
        send_seed: send a seed with each request; False for servers that refuse one.
        prices: ``{"input": .., "output": ..}``, the price of a million tokens, for ``usage.cost``; at least 0.
        cache: the file of the stored replies.

    Raises:
        DoppelError: a setting is out of its range, `lib.generation.endpoint.client.connect` refuses the server or the
            key, or the cache cannot be used.
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
        length_parameter: str = "auto",
        send_seed: bool = True,
        prices: Mapping[str, float] | None = None,
        cache: Path = CACHE,
    ):
        _check(concurrency, timeout, max_retries, prices or {})
        self.name = model
        self.usage = Usage()
        self._server = connect(model, base_url, key_variable, timeout)
        self._timeout = timeout
        self._max_retries = max_retries
        self._length = length_field(length_parameter, hosted=self._server.hosted)
        self._may_switch = length_parameter == "auto"
        self._send_seed = send_seed
        self._prices = {"input": 0.0, "output": 0.0} | dict(prices or {})
        self._cache = ReplyCache(cache)
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="endpoint")
        self._counting = threading.Lock()

    def reply(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        """Answer requests, those in the cache first. The same call again sends only the missing requests.

        When a request fails for good, no other is started and those in flight are completed. A caller that leaves the
        loop early pays only for the requests in flight, and finds their replies in the cache.

        Args:
            requests: what is asked, each with its own limit.
            sampling: how tokens are drawn; its ``max_new_tokens`` is ignored.

        Yields:
            (position of the request, reply), as replies arrive.

        Raises:
            DoppelError: a request failed for good, or the server does not have a parameter of ``sampling``.
        """
        fields = sampling_fields(sampling, self.name, hosted=self._server.hosted)
        keys = self._keys(requests, sampling)
        missing = []
        for position, key in enumerate(keys):
            if (cached := self._cache.get(key)) is not None:
                self._count(cached=1)
                yield position, cached
            else:
                missing.append(position)
        stop, failure, answered = threading.Event(), None, len(requests) - len(missing)
        try:
            positions = {self._pool.submit(self._answer, requests[i], keys[i], fields, stop): i for i in missing}
            for future in as_completed(positions):
                error = future.exception()
                if error is None:
                    answered += 1
                    yield positions[future], future.result()
                elif not isinstance(error, _NotAsked):
                    failure = failure or error
        finally:
            stop.set()
        if isinstance(failure, retries.Fault):
            raise self._refusal(failure, answered, len(requests)) from None
        if failure:
            raise failure

    def _refusal(self, failure: retries.Fault, answered: int, requested: int) -> DoppelError:
        """The refusal for a request that failed for good, without the server's own words."""
        return DoppelError(
            "generation.endpoint_failed",
            f"{self.name} at {self._server.place} failed: {retries.describe(failure, self._timeout)} "
            f"(max_retries = {self._max_retries}); {answered} of {requested} requests are answered and stored in "
            f"{self._cache.path}",
            name=self.name,
            value=answered,
            remedy=f"{retries.remedy(failure, self._server.key_variable)}, "
            f"then run again: it resumes with the {requested - answered} that are missing",
        )

    def _keys(self, requests: Sequence[Request], sampling: Sampling) -> list[str]:
        """A hash of everything that determines a reply, for each request. Equal requests are numbered."""
        shared = [self._server.place, self.name, asdict(sampling) | {"max_new_tokens": None}]
        equal_before: Counter[Request] = Counter()
        keys = []
        for request in requests:
            hashed = [*shared, request.messages, request.max_new_tokens, equal_before[request]]
            keys.append(sha256(json.dumps(hashed).encode()).hexdigest())
            equal_before[request] += 1
        return keys

    def _answer(self, request: Request, key: str, fields: dict[str, Any], stop: threading.Event) -> Completion:
        """The reply to one request, stored and counted.

        A failure sets ``stop`` before the pool starts another request. Once ``stop`` is set no request is sent: those
        in the pool's queue return at once.
        """
        if stop.is_set():
            raise _NotAsked
        try:
            seed = int(key[:8], 16) >> 1  # 31 bits: not every server accepts more
            answer = self._retry(request, fields, seed, stop)
            reply, prompt_tokens = answer.completion, answer.prompt_tokens
            price = prompt_tokens * self._prices["input"] + reply.tokens * self._prices["output"]
            self._count(requests=1, prompt_tokens=prompt_tokens, completion_tokens=reply.tokens)
            self._count(cost=price / 1e6, unsure=answer.unsure)
            self._cache.put(key, reply, prompt_tokens)
            return reply
        except Exception:
            stop.set()
            raise

    def _retry(self, request: Request, fields: dict[str, Any], seed: int, stop: threading.Event) -> Answer:
        """Try until there is a reply, a fault that is not retryable, no try left, or ``stop`` is set."""
        for retry in itertools.count():
            try:
                return self._ask(request, fields, seed)
            except (APIError, BrokenReply) as fault:
                if retry == self._max_retries or not retries.is_retryable(fault):
                    raise
                if stop.wait(retries.backoff(fault, retry, seed)):
                    raise
                self._count(retries=1)

    def _ask(self, request: Request, fields: dict[str, Any], seed: int) -> Answer:
        """Send a request once, and again with the other name of its limit where the server does not know the first."""
        length = self._length
        body = fields | request_fields(request, seed if self._send_seed else None, length)
        try:
            raw = self._server.client.chat.completions.with_raw_response.create(model=self._server.model, **body)
        except APIError as fault:
            if retries.is_refusal(fault):
                return Answer(Completion("", 0, ended=True, refused=True))
            if retries.is_unsupported(fault, length) and self._switch_length(length):
                return self._ask(request, fields, seed)
            raise
        return read_reply(raw.content, request.max_new_tokens)

    def _switch_length(self, refused: str) -> bool:
        """Whether there is another name for the limit than the ``refused`` one; all requests use it from now on."""
        with self._counting:
            if self._may_switch and self._length == refused:
                self._may_switch = False
                (self._length,) = set(LENGTH_FIELDS) - {refused}
            return self._length != refused

    def _count(self, **increments: float) -> None:
        """Add to the fields of ``usage``; threads do so one after the other."""
        with self._counting:
            for name, increment in increments.items():
                setattr(self.usage, name, getattr(self.usage, name) + increment)


def _check(concurrency: int, timeout: float, max_retries: int, prices: Mapping[str, float]) -> None:
    """Refuse settings that are out of their range."""
    if unknown := sorted(prices.keys() - {"input", "output"}):
        raise DoppelError(
            "generation.price_unknown",
            f"unknown price {unknown[0]!r}",
            name=unknown[0],
            where="prices",
            remedy=nearest(unknown[0], ("input", "output")),
        )
    bounds = [
        ("concurrency", concurrency, 1 <= concurrency <= 256, "in [1, 256]"),
        ("timeout", timeout, 0 < timeout < math.inf, "above 0 and finite (seconds)"),
        ("max_retries", max_retries, max_retries >= 0, "at least 0"),
        *(
            (f"prices: {name}", price, 0 <= price < math.inf, "at least 0 and finite (price of a million tokens)")
            for name, price in prices.items()
        ),
    ]
    for name, value, fits, bound in bounds:
        if not fits:
            raise DoppelError(
                "generation.endpoint_setting_out_of_range",
                f"{name} = {value!r} must be {bound}",
                name=name,
                value=value,
            )
