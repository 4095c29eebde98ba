"""Servers by the provider in a model's name. Light until one is opened: pre-flight uses it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lib.common.errors import DoppelError
from lib.generation.endpoint.access import OPENAI_KEY
from lib.generation.endpoint.answer import Answer
from lib.generation.engines.base import Request, Sampling
from lib.generation.engines.names import check_engine, is_remote

NAMES = "openai:MODEL, azure:DEPLOYMENT or bedrock:ID"
Addresses = str | Sequence[str] | None  # of one server, or of several that hold the same model; None: the provider's


class Server(Protocol):
    """A model on a server, ready for requests; threads may share it.

    Attributes:
        place: the server's address, which holds no credentials.
    """

    place: str

    def fields(self, sampling: Sampling) -> dict[str, Any]:
        """The parts of a request that are the same for all requests of a call.

        Raises:
            DoppelError: the server does not have a parameter of ``sampling``.
        """
        ...

    def ask(self, request: Request, fields: dict[str, Any], seed: int) -> Answer:
        """Send a request once.

        Args:
            request: its messages and its limit.
            fields: of the sampling.
            seed: of the reply's draws, in [0, 2**31); ignored by servers that take none.

        Raises:
            lib.generation.endpoint.retries.Fault: the try failed.
        """
        ...


def check_max_cost(max_cost: float | None, prices: Mapping[str, float]) -> None:
    """Refuse a limit of the cost that no reply would ever count towards.

    Args:
        max_cost: the limit; None: there is none.
        prices: of a million tokens, by kind.

    Raises:
        DoppelError: there is a limit, and no price.
    """
    if max_cost is not None and not any(prices.values()):
        raise DoppelError(
            "generation.max_cost_without_prices",
            f"max_cost = {max_cost:g} is reached by no number of replies while prices are 0",
            name="max_cost",
            value=max_cost,
            remedy="set prices to the money that a million tokens cost",
        )


def check_model(model: str, parameters: Mapping[str, Any]) -> None:
    """Refuse the server of a model behind an endpoint (`check_server`), or the engine of one on this machine.

    Args:
        model: its name.
        parameters: of a stage.

    Raises:
        DoppelError: as of `check_server` and `lib.generation.engines.names.check_engine`.
    """
    check_server(model, parameters) if is_remote(model) else check_engine(parameters["engine"])


def check_server(model: str, parameters: Mapping[str, Any]) -> None:
    """Refuse servers of which one cannot be reached or lacks a parameter, before anything is sent to them.

    Args:
        model: its name, see `open_server`.
        parameters: of a stage: those of the server, its prices, and those of `Sampling`.

    Raises:
        DoppelError: for the first of these.
    """
    check_max_cost(parameters["max_cost"], parameters["prices"])
    names = ("base_url", "key_variable", "timeout", "length_parameter")
    for server in open_servers(model, **{name: parameters[name] for name in names}):
        server.fields(Sampling.of(parameters))


def open_servers(name: str, *, base_url: Addresses = None, **settings: Any) -> list[Server]:
    """Prepare the connections to all servers of a model; nothing is sent to them.

    Args:
        name: of the model, see `lib.generation.endpoint.endpoint.Endpoint`.
        base_url: of one server, or of several for ``openai:MODEL``.
        **settings: as `open_server` takes them, the same for each.

    Raises:
        DoppelError: no address, the same one twice, several of a provider, or as `open_server` for each of them.
    """
    if base_url is None or isinstance(base_url, str):
        return [open_server(name, base_url=base_url, **settings)]
    if not base_url or (len(base_url) > 1 and not name.startswith(("openai:", "vllm:"))):
        raise DoppelError(
            "generation.base_url_count",
            f"base_url has {len(base_url)} addresses; model = {name!r} takes {'1 or more' if not base_url else 'one'}",
            name="base_url",
            value=len(base_url),
            remedy="several addresses are for openai:MODEL, whose servers all hold the same model",
        )
    servers = [open_server(name, base_url=url, **settings) for url in base_url]
    places = [server.place for server in servers]
    if twice := next((place for place in places if places.count(place) > 1), None):
        raise DoppelError(
            "generation.base_url_twice",
            f"base_url names {twice} twice",
            name="base_url",
            value=twice,
            remedy="name each server once; concurrency says how many requests it gets at a time",
        )
    return servers


def open_server(
    name: str,
    *,
    base_url: str | None = None,
    key_variable: str = OPENAI_KEY,
    timeout: float = 120.0,
    length_parameter: str = "auto",
    send_seed: bool = True,
    concurrency: int = 16,
) -> Server:
    """Prepare the connection to a model; nothing is sent to it.

    Args:
        name: of the model, see `lib.generation.endpoint.endpoint.Endpoint`, as the other arguments.

    Raises:
        DoppelError: the name has no known provider, or what the connection needs is missing.
    """
    provider, _, model = name.partition(":")
    if model and provider == "bedrock":
        from lib.generation.endpoint import bedrock

        return bedrock.connect(name, base_url, key_variable, timeout, length_parameter, connections=concurrency)
    if model and provider in ("openai", "azure"):
        from lib.generation.endpoint import client

        return client.connect(
            name, base_url, key_variable, timeout, length_parameter=length_parameter, send_seed=send_seed
        )
    if model and provider == "vllm":
        from lib.generation.endpoint import completions

        return completions.connect(name, base_url, key_variable, timeout)
    raise DoppelError("generation.endpoint_name_wrong", f"model = {name!r} must be {NAMES}", name="model", value=name)
