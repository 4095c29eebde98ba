"""Several servers of one model: a request goes to the one that is least busy, and to another where that one fails."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lib.generation.endpoint.answer import Answer
from lib.generation.endpoint.retries import Fault
from lib.generation.endpoint.servers import Server
from lib.generation.engines.base import Request, Sampling

FIRST_REST, LAST_REST = 1.0, 60.0  # seconds for which a server that failed is passed over, doubled from one to the next


@dataclass(eq=False)
class Member:
    """A server of the group. All but ``server`` changes under the group's lock.

    Attributes:
        server: what is asked.
        busy: requests in flight.
        failures: rests since its last reply.
        rests_until: until when it is passed over, in seconds of `time.monotonic`.
        asked: when it was last asked, likewise.
        fault: why it rests; None once it has replied.
    """

    server: Server
    busy: int = 0
    failures: int = 0
    rests_until: float = 0.0
    asked: float = 0.0
    fault: Fault | None = None


class Group:
    """Servers that hold the same model. Threads share it.

    Each has at most ``cap`` requests in flight. One whose try failed in a way that passes is passed over for a while,
    `FIRST_REST` seconds and longer each time; then a single request tries it, and after a reply it takes part again.

    Args:
        servers: at least one.
        cap: most requests in flight at each, at least 1.

    Attributes:
        place: address of the first server. It stands in the key of every reply, so that neither a reply nor its seed
            depends on which server answers, nor on how many there are behind the first.
    """

    def __init__(self, servers: Sequence[Server], cap: int):
        self.place = servers[0].place
        self._members, self._cap = [Member(server) for server in servers], cap
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._members)

    def fields(self, sampling: Sampling) -> dict[str, Any]:
        """The parts of a request that are the same for all requests of a call; see `Server`."""
        return self._members[0].server.fields(sampling)

    def ask(
        self,
        request: Request,
        fields: dict[str, Any],
        seed: int,
        tried: set[Member],
        check: Callable[[], object] = lambda: None,
    ) -> Answer:
        """Wait for a server that is free, and send it a request once.

        Args:
            request: as `Server.ask` takes it, as are ``fields`` and ``seed``.
            fields: of the sampling.
            seed: of the reply's draws.
            tried: the servers that the request is not sent to; the one that it is sent to is added.
            check: called after the wait; what it raises keeps the request from being sent.

        Raises:
            Fault: the try failed.
        """
        with self._taken(tried) as member:
            check()
            tried.add(member)
            return member.server.ask(request, fields, seed)

    def has_other(self, tried: set[Member]) -> bool:
        """Whether a server that is not among those ``tried`` is not passed over now."""
        with self._changed:
            return any(member not in tried for member in self._up())

    def described(self, last: Fault) -> str:
        """Where the ``last`` fault of a request was; of one that may pass, what is the matter with each server."""
        with self._changed:
            resting = [(member.server.place, member.fault) for member in self._members if member.fault]
        if len(self) == 1 or not (last.retryable and resting):
            return f"at {last.place} failed: {last.described}"
        told = "; ".join(f"{place}: {fault.described}" for place, fault in resting)
        return f"failed at {len(resting)} of {len(self)} servers: {told}"

    def _up(self) -> list[Member]:
        now = time.monotonic()
        return [member for member in self._members if member.rests_until <= now]

    @contextmanager
    def _taken(self, tried: set[Member]) -> Iterator[Member]:
        with self._changed:
            member = self._wait(tried)
            member.busy += 1
            member.asked = time.monotonic()
        try:
            yield member
        except Fault as fault:
            fault.place = member.server.place
            if fault.retryable:
                self._rest(member, fault)
            raise
        else:
            with self._changed:
                member.failures, member.rests_until, member.fault = 0, 0.0, None
        finally:
            with self._changed:
                member.busy -= 1
                self._changed.notify_all()

    def _wait(self, tried: set[Member]) -> Member:
        """The member that takes the next request: of those with room the least busy, then the one asked longest ago."""
        while True:
            up = self._up()
            fitting = [member for member in up or self._members if member not in tried]
            well = any(member.failures == 0 for member in self._members)
            free = [m for m in fitting if m.busy < (1 if well and m.failures else self._cap)]
            if free:
                return min(free, key=lambda member: (member.busy, member.asked))
            rests = [member.rests_until for member in self._members if member not in up]
            self._changed.wait(max(0.0, min(rests) - time.monotonic()) if rests else None)

    def _rest(self, member: Member, fault: Fault) -> None:
        """Pass over a member. Faults of requests that were in flight when its rest began say nothing new."""
        with self._changed:
            now = time.monotonic()
            member.fault = fault
            if member.rests_until <= now:
                seconds = min(FIRST_REST * 2**member.failures, LAST_REST)
                member.rests_until = now + max(seconds, fault.wait or 0.0)
                member.failures += 1
