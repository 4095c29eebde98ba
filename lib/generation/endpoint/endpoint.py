"""Chat models behind an endpoint: OpenAI, Azure OpenAI, Amazon Bedrock, a vLLM server, NVIDIA NIM."""

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

from lib.common.errors import DoppelError, nearest
from lib.common.paths import DATA
from lib.generation.endpoint import retries
from lib.generation.endpoint.access import OPENAI_KEY
from lib.generation.endpoint.answer import Answer
from lib.generation.endpoint.group import Group
from lib.generation.endpoint.reply_cache import ReplyCache
from lib.generation.endpoint.servers import Addresses, check_max_cost, open_servers
from lib.generation.engines.base import Completion, Request, Sampling, Usage

CACHE = DATA / "cache" / "replies.sqlite"
LOST = 5  # requests in a row, without a reply between them, that no try could answer: the servers are gone


class _NotAsked(Exception):
    """A request that was cancelled before its first try."""


class _TooDear(Exception):
    """A request that was not sent because ``max_cost`` is reached."""


class Endpoint:
    """A ChatModel whose replies come over HTTP and are stored on disk as they arrive.

    Args:
        model: ``openai:MODEL`` (any server with OpenAI's API), ``azure:DEPLOYMENT`` or ``bedrock:ID``.
        base_url: the server's API, ``http://localhost:8000/v1``, or a list of several that hold the same model; None is
            OpenAI's own, or AZURE_OPENAI_ENDPOINT, or Bedrock in the region of the AWS configuration. A request that
            fails at one of several goes to another; see `lib.generation.endpoint.group.Group`. Keep the first when the
            list changes: stored replies and seeds are those of the first.
        key_variable: name of the environment variable that holds the key; Azure's default is AZURE_OPENAI_API_KEY.
            Bedrock has none: boto3 finds its credentials.
        concurrency: most requests in flight at each server at any time, over all calls of `reply`; in [1, 256].
        timeout: seconds without a byte from the server after which a try fails; above 0.
        max_retries: further tries of a request after a retryable fault (429, 5xx, timeout, dropped connection, broken
            reply) at all servers that are up; at least 0.
        length_parameter: field that limits a reply, ``max_tokens`` or ``max_completion_tokens``; ``auto`` takes the one
            that the server most likely has, and the other where the server says that it does not know it.
        send_seed: send a seed with each request; False for servers that refuse one. Bedrock takes none.
        prices: ``{"input": .., "output": ..}``, the price of a million tokens, for ``usage.cost``; at least 0.
        max_cost: no request is sent any more once the replies of this endpoint have cost as much, in the money of
            ``prices``; those in flight are completed and paid for. None: no limit.
        cache: the file of the stored replies.

    Raises:
        DoppelError: a setting is out of its range, `lib.generation.endpoint.servers.open_servers` refuses a server or
            the key, or the cache cannot be used.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: Addresses = None,
        key_variable: str = OPENAI_KEY,
        concurrency: int = 16,
        timeout: float = 120.0,
        max_retries: int = 6,
        length_parameter: str = "auto",
        send_seed: bool = True,
        prices: Mapping[str, float] | None = None,
        max_cost: float | None = None,
        cache: Path = CACHE,
    ):
        self._prices = {"input": 0.0, "output": 0.0} | dict(prices or {})
        _check(concurrency, timeout, max_retries, self._prices, max_cost)
        check_max_cost(max_cost, self._prices)
        self.name = model
        self.usage = Usage()
        servers = open_servers(
            model,
            base_url=base_url,
            key_variable=key_variable,
            timeout=timeout,
            length_parameter=length_parameter,
            send_seed=send_seed,
            concurrency=concurrency,
        )
        self._servers = Group(servers, concurrency)
        self._max_retries = max_retries
        self._max_cost = max_cost
        self._cache = ReplyCache(cache)
        self._pool = ThreadPoolExecutor(concurrency * len(servers), thread_name_prefix="endpoint")
        self._counting = threading.Lock()

    def reply(
        self, requests: Sequence[Request], sampling: Sampling, failed: dict[int, str] | None = None
    ) -> Iterator[tuple[int, Completion]]:
        """Answer requests, those in the cache first. The same call again sends only the missing requests.

        When a request fails for good, no other is started and those in flight are completed. A caller that leaves the
        loop early pays only for the requests in flight, and finds their replies in the cache.

        Args:
            requests: what is asked, each with its own limit.
            sampling: how tokens are drawn; its ``max_new_tokens`` is ignored.
            failed: gets position and fault of each request that failed by itself (`retries.Fault.of_request`), and the
                others go on; None: such a request ends the call too.

        Yields:
            (position of the request, reply), as replies arrive.

        Raises:
            DoppelError: a request failed for good, ``max_cost`` is reached, or the server does not have a parameter of
                ``sampling``.
        """
        fields = self._servers.fields(sampling)
        keys = self._keys(requests, sampling)
        missing = []
        for position, key in enumerate(keys):
            if (cached := self._cache.get(key)) is not None:
                self._count(cached=1)
                yield position, cached
            else:
                missing.append(position)
        stop, failure, answered, lost = threading.Event(), None, len(requests) - len(missing), 0
        going_on = failed is not None
        try:
            sent = {i: (requests[i], keys[i], fields, stop, going_on) for i in missing}
            positions = {self._pool.submit(self._answer, *given): i for i, given in sent.items()}
            for future in as_completed(positions):
                error = future.exception()
                if error is None:
                    answered, lost = answered + 1, 0
                    yield positions[future], future.result()
                elif going_on and isinstance(error, retries.Fault) and error.of_request:
                    failed[positions[future]] = error.described
                    lost += error.retryable
                    if lost == LOST:
                        failure = error
                        stop.set()
                elif not isinstance(error, _NotAsked):
                    failure = failure or error
        finally:
            stop.set()
        if isinstance(failure, retries.Fault | _TooDear):
            raise self._refusal(failure, answered, len(requests)) from None
        if failure:
            raise failure

    def _refusal(self, failure: retries.Fault | _TooDear, answered: int, requested: int) -> DoppelError:
        """The refusal for a call that ends without all replies, without the server's own words."""
        stored = f"{answered} of {requested} requests are answered and stored in {self._cache.path}"
        resume = f"then run again: it resumes with the {requested - answered} that are missing"
        if isinstance(failure, _TooDear):
            return DoppelError(
                "generation.max_cost_reached",
                f"{self.name} has cost {self.usage.cost:.2f} of max_cost = {self._max_cost:g}; {stored}",
                name="max_cost",
                value=self._max_cost,
                remedy=f"raise max_cost (each run counts anew) or ask for fewer texts, {resume}",
            )
        return DoppelError(
            "generation.endpoint_failed",
            f"{self.name} {self._servers.described(failure)} (max_retries = {self._max_retries}); {stored}",
            name=self.name,
            value=answered,
            remedy=f"{failure.remedy}, {resume}",
        )

    def _keys(self, requests: Sequence[Request], sampling: Sampling) -> list[str]:
        """A hash of everything that determines a reply, for each request. Equal requests are numbered."""
        shared = [self._servers.place, self.name, asdict(sampling) | {"max_new_tokens": None}]
        equal_before: Counter[Request] = Counter()
        keys = []
        for request in requests:
            hashed = [*shared, request.messages, request.max_new_tokens, equal_before[request]]
            hashed += [request.stream] if request.stream else []  # replies from before there were streams keep theirs
            keys.append(sha256(json.dumps(hashed).encode()).hexdigest())
            equal_before[request] += 1
        return keys

    def _answer(
        self, request: Request, key: str, fields: dict[str, Any], stop: threading.Event, going_on: bool
    ) -> Completion:
        """The reply to one request, stored and counted.

        A failure sets ``stop`` before the pool starts another request, unless it is of this request alone and the
        others are ``going_on``. Once ``stop`` is set no request is sent: those in the pool's queue return at once.
        """
        try:
            seed = int(key[:8], 16) >> 1  # 31 bits: not every server accepts more
            answer = self._retry(request, fields, seed, stop)
            reply, prompt_tokens = answer.completion, answer.prompt_tokens
            price = prompt_tokens * self._prices["input"] + reply.tokens * self._prices["output"]
            self._count(requests=1, prompt_tokens=prompt_tokens, completion_tokens=reply.tokens)
            self._count(cost=price / 1e6, unsure=answer.unsure)
            self._cache.put(key, reply, prompt_tokens)
            return reply
        except Exception as error:
            if not (going_on and isinstance(error, retries.Fault) and error.of_request):
                stop.set()
            raise

    def _retry(self, request: Request, fields: dict[str, Any], seed: int, stop: threading.Event) -> Answer:
        """Try until there is a reply, a fault that is not retryable, no try left, or ``stop`` is set.

        A fault of one server costs no wait while another one is up, and no retry: a retry is a try at each.
        """
        retry, tried = 0, set()
        while True:
            try:
                return self._servers.ask(request, fields, seed, tried, lambda: self._check_open(stop))
            except retries.Fault as fault:
                if not fault.retryable:
                    raise
                if not self._servers.has_other(tried):
                    if retry == self._max_retries or stop.wait(retries.backoff(fault, retry, seed)):
                        raise
                    retry += 1
                    tried.clear()
                self._count(retries=1)

    def _check_open(self, stop: threading.Event) -> None:
        """Refuse to send a request once ``stop`` is set or ``max_cost`` is reached."""
        if stop.is_set():
            raise _NotAsked
        if self._max_cost is not None and self.usage.cost >= self._max_cost:
            raise _TooDear

    def _count(self, **increments: float) -> None:
        """Add to the fields of ``usage``; threads do so one after the other."""
        with self._counting:
            for name, increment in increments.items():
                setattr(self.usage, name, getattr(self.usage, name) + increment)


def _check(
    concurrency: int, timeout: float, max_retries: int, prices: Mapping[str, float], max_cost: float | None
) -> None:
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
        ("max_cost", max_cost, max_cost is None or 0 < max_cost < math.inf, "above 0 and finite, or null"),
    ]
    for name, value, fits, bound in bounds:
        if not fits:
            raise DoppelError(
                "generation.endpoint_setting_out_of_range",
                f"{name} = {value!r} must be {bound}",
                name=name,
                value=value,
            )
