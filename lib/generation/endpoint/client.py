"""An OpenAI-compatible server: its address from the parameters, its key from the environment, one try of a request."""

import os
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AzureOpenAI,
    DefaultHttpxClient,
    OpenAI,
)

from lib.common import network
from lib.common.errors import DoppelError
from lib.generation.endpoint import retries
from lib.generation.endpoint.access import (
    AZURE_KEY,
    OPENAI_KEY,
    address,
    is_loopback,
    refuse_unencrypted,
    variable,
)
from lib.generation.endpoint.answer import Answer, BrokenReply
from lib.generation.endpoint.wire_format import (
    LENGTH_FIELDS,
    length_field,
    read_reply,
    request_fields,
    sampling_fields,
)
from lib.generation.engines.base import Completion, Request, Sampling

_OPENAI = "https://api.openai.com/v1"
_NO_KEY = "none"  # the client always sends a key; a local server ignores it
_WORD = re.compile(r"[a-z_]{1,40}((\.|\[\d{1,3}\]\.?)[a-z_]{1,40}){0,4}")  # max_tokens, messages[0].content

# codes of OpenAI and Azure: the prompt is refused, the parameter is unknown
_REFUSALS = ("content_filter", "content_policy_violation", "invalid_prompt")
_UNSUPPORTED = ("unsupported_parameter", "unknown_parameter", None)

_SETTINGS = {"seed": "set send_seed: false"} | dict.fromkeys(
    LENGTH_FIELDS, "lower max_new_tokens, or name the limit that the server knows in length_parameter"
)
_UNREACHABLE = "check that the server runs and that base_url is its API (it often ends in /v1)"


@dataclass
class OpenAIServer:
    """A model on a server, ready for requests; see `lib.generation.endpoint.servers.Server`.

    Attributes:
        client: the openai client; its own retries are off.
        model: name of the model or deployment.
        name: the model as the parameters have it, ``openai:MODEL``.
        place: the server's address, which holds no credentials.
        hosted: True for OpenAI and Azure, whose API has fewer sampling parameters than vLLM's.
        key_variable: name of the environment variable that holds the key.
        timeout: seconds without a byte from the server after which a try fails.
        length: name of the field that limits a reply.
        may_switch: whether the other name is tried where the server does not know this one.
        send_seed: whether a seed is sent with each request.
    """

    client: OpenAI
    model: str
    name: str
    place: str
    hosted: bool
    key_variable: str
    timeout: float
    length: str
    may_switch: bool
    send_seed: bool
    _switching: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def fields(self, sampling: Sampling) -> dict[str, Any]:
        """The client's arguments for a sampling, see `lib.generation.endpoint.wire_format.sampling_fields`."""
        return sampling_fields(sampling, self.name, hosted=self.hosted)

    def ask(self, request: Request, fields: dict[str, Any], seed: int) -> Answer:
        """Send a request once, and again with the other name of its limit where the server does not know the first."""
        length = self.length
        body = fields | request_fields(request, seed if self.send_seed else None, length)
        try:
            raw = self.client.chat.completions.with_raw_response.create(model=self.model, **body)
            return read_reply(raw.content, request.max_new_tokens)
        except BrokenReply:
            raise retries.broken(_UNREACHABLE) from None
        except APIError as error:
            if _is_refusal(error):
                return Answer(Completion("", 0, ended=True, refused=True))
            if not (_is_unsupported(error, length) and self._switch_length(length)):
                raise self._fault(error) from None
        return self.ask(request, fields, seed)

    def _switch_length(self, refused: str) -> bool:
        """Whether there is another name for the limit than the ``refused`` one; all requests use it from now on."""
        with self._switching:
            if self.may_switch and self.length == refused:
                self.may_switch = False
                (self.length,) = set(LENGTH_FIELDS) - {refused}
            return self.length != refused

    def _fault(self, error: APIError) -> retries.Fault:
        """An error of the client, without the server's own words."""
        if isinstance(error, APITimeoutError):
            return retries.timed_out(self.timeout)
        if isinstance(error, APIConnectionError):
            return retries.disconnected(_UNREACHABLE)
        if not isinstance(error, APIStatusError):
            return retries.Fault("a reply that is not a chat completion", _UNREACHABLE)
        status, parameter = error.status_code, _word(error.param)
        by_status = {
            401: f"check the key in {self.key_variable}",
            403: f"check the permissions of the key in {self.key_variable}",
            404: "check the model's name and base_url",
            429: "lower concurrency, or check the account's limits",
        }
        remedy = by_status.get(status, "check that the model supports these parameters and lengths")
        return retries.answered(
            status,
            ": ".join(filter(None, (_word(error.code), parameter))),
            retries.asked_wait(error.response.headers.get("retry-after", "")),
            _SETTINGS.get(parameter, remedy),
            passes=(status in (408, 409, 429) or status >= 500) and error.code != "insufficient_quota",
        )


def _is_refusal(error: APIError) -> bool:
    """Whether the provider refused the prompt for what it says: a refusal, although it comes as an error."""
    if not isinstance(error, APIStatusError) or error.status_code not in (400, 403, 422):
        return False
    return error.code in _REFUSALS or error.type in _REFUSALS


def _is_unsupported(error: APIError, parameter: str) -> bool:
    """Whether the server does not know a parameter; one whose value is out of range is known."""
    return isinstance(error, APIStatusError) and error.param == parameter and error.code in _UNSUPPORTED


def _word(value: object) -> str:
    """A code or the name of a parameter, or "" for what could be a part of the prompt or the key."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def connect(
    name: str,
    base_url: str | None,
    key_variable: str,
    timeout: float,
    *,
    length_parameter: str = "auto",
    send_seed: bool = True,
) -> OpenAIServer:
    """Prepare the connection to a model; nothing is sent.

    OPENAI_BASE_URL is ignored, so that the parameters say where a run's replies came from.

    Args:
        name: ``openai:MODEL`` or ``azure:DEPLOYMENT``.
        base_url: the server's API; None is OpenAI's own, or for Azure the one in AZURE_OPENAI_ENDPOINT.
        key_variable: name of the environment variable that holds the key; for Azure, OPENAI_API_KEY means
            AZURE_OPENAI_API_KEY.
        timeout: seconds without a byte from the server after which a try fails.
        length_parameter: field that limits a reply, ``max_tokens`` or ``max_completion_tokens``; ``auto`` takes the one
            that the server most likely has, and the other where the server says that it does not know it.
        send_seed: send a seed with each request; False for servers that refuse one.

    Raises:
        DoppelError: the name or the address cannot be used, the key is missing or would be sent unencrypted, or the
            environment names a proxy or certificates that no client can use.
    """
    provider, _, model = name.partition(":")
    if provider == "azure":
        key_variable = AZURE_KEY if key_variable == OPENAI_KEY else key_variable
        url = base_url or variable("AZURE_OPENAI_ENDPOINT", "the address of the Azure resource")
    else:
        url = base_url or _OPENAI
    host, place = address(url)
    local = is_loopback(host)
    hosted = provider == "azure" or f".{host}".endswith((".openai.com", ".azure.com"))
    key = _key(key_variable)
    _check_key(key, key_variable, place, local=local, hosted=hosted)
    shared = {"api_key": key or _NO_KEY, "timeout": timeout, "max_retries": 0}
    if local:  # a proxy cannot reach the servers of this machine
        shared["http_client"] = DefaultHttpxClient(trust_env=False)
    else:
        network.check_environment()
    if provider == "azure":
        version = variable("OPENAI_API_VERSION", "the version of Azure's API")
        client = AzureOpenAI(azure_endpoint=place, azure_deployment=model, api_version=version, **shared)
    else:
        client = OpenAI(base_url=place, **shared)
    length, auto = length_field(length_parameter, hosted=hosted), length_parameter == "auto"
    return OpenAIServer(client, model, name, place, hosted, key_variable, timeout, length, auto, send_seed)


def _check_key(key: str, variable: str, place: str, *, local: bool, hosted: bool) -> None:
    """Refuse a key that is missing where one is needed, or that would be sent unencrypted."""
    if not key and hosted:
        raise DoppelError(
            "generation.key_missing",
            f"the environment variable {variable} holds no key for {place}",
            name=variable,
            remedy="set it (keys are read from the environment only), or set base_url to a server that needs no key",
        )
    if key and not local:
        remedy = "use https://, or a key_variable that is not set if the server needs no key"
        refuse_unencrypted(place, f"the key in {variable}", remedy)


def _key(variable: str) -> str:
    """The key in an environment variable, or "". A refusal does not repeat a wrong name: it may be the key."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", variable):
        raise DoppelError(
            "generation.key_variable_wrong",
            "key_variable must be the name of an environment variable (A-Z, 0-9, _), never a key itself",
            name="key_variable",
        )
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise DoppelError(
            "generation.key_malformed",
            f"the key in {variable} has characters that no key has",
            name=variable,
            remedy="copy it again",
        )
    return key
