"""A vLLM server that completes token ids, and says what it serves: the base model, or a LoRA adapter.

What stands behind a name is the server's word. So it is asked: an adapter must be that of the stage that is named, and
without one the name must be that of no adapter, or an epsilon would be stated for another model. Written against the
documented API of vLLM 0.11 and tested on loopback; it was never run with vLLM itself.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from openai import APIError
from pydantic import BaseModel, ValidationError

from lib.common.errors import DoppelError
from lib.generation.endpoint import client, retries
from lib.generation.endpoint.answer import Answer, count
from lib.generation.engines.base import Completion, Request


class _Choice(BaseModel):
    token_ids: list[int]
    finish_reason: Any = None


class _Reply(BaseModel):
    choices: list[_Choice]
    usage: Any = None


@dataclass
class CompletionServer(client.OpenAIServer):
    """A vLLM server's completions of token ids; see `lib.generation.endpoint.servers.Server`.

    A request has two messages, ``prompt`` and ``stop``: token ids in decimal. The text of an answer is token ids too.
    """

    def ask(self, request: Request, fields: dict[str, Any], seed: int) -> Answer:
        """Send a request once."""
        prompt, stop = ([int(token) for token in content.split()] for _, content in request.messages)
        extra = fields["extra_body"] | {"stop_token_ids": stop, "return_token_ids": True}
        body = fields | {"prompt": prompt, "max_tokens": request.max_new_tokens, "seed": seed, "extra_body": extra}
        try:
            raw = self.client.completions.with_raw_response.create(model=self.model, **body)
            reply = _Reply.model_validate_json(raw.content)
            choice = reply.choices[0]
        except (ValidationError, IndexError):
            raise retries.broken("check that base_url is the API of a vLLM server, 0.11 or newer") from None
        except APIError as error:
            raise self._fault(error) from None
        text = " ".join(map(str, choice.token_ids))
        written = Completion(text, len(choice.token_ids), choice.finish_reason == "stop")
        return Answer(written, count(reply.usage, "prompt_tokens") or 0)

    def check(self, adapter: Path | None) -> None:
        """Ask what stands behind the model's name.

        Args:
            adapter: folder of the adapter that it must be, ``.../RUN/STAGE/adapter``; None: it must be none.

        Raises:
            DoppelError: the server cannot be asked, does not know the name, or serves another adapter, or one in place
                of the base model.
        """
        try:
            known = {model.id: model.model_extra or {} for model in self.client.models.list()}
        except APIError as error:
            fault = self._fault(error)
            raise DoppelError(
                "generation.served_unknown",
                f"{self.place} cannot be asked what it serves: {fault.described}",
                name="base_url",
                value=self.place,
                remedy=fault.remedy,
            ) from None
        serves = known.get(self.model, {})
        root = Path(str(serves.get("root", ""))).parts[-3:]
        fits = root == adapter.resolve().parts[-3:] if adapter else not serves.get("parent")
        if self.model not in known or not fits:
            what = "no such model" if self.model not in known else "another adapter" if adapter else "an adapter"
            path = adapter.resolve() if adapter else "PATH"
            raise DoppelError(
                "generation.served_other",
                f"served_model = {self.model!r}: {self.place} serves {what} under this name",
                name="served_model",
                value=self.model,
                remedy=f"start it with --enable-lora --lora-modules {self.model}={path}"
                if adapter
                else "name the model as /v1/models lists it, or give the stage that trained the adapter as input model",
            )


def connect(name: str, base_url: str | None, key_variable: str, timeout: float) -> CompletionServer:
    """Prepare the connection to a server; nothing is sent.

    Args:
        name: ``vllm:MODEL@CONTENT``: what the server calls the model, and a hash of what it must be.
        base_url: its address; None is refused, as no provider has one.
        key_variable: as `lib.generation.endpoint.client.connect` takes it, and so is ``timeout``.
        timeout: in seconds.

    Raises:
        DoppelError: there is no address, or as `lib.generation.endpoint.client.connect`.
    """
    if base_url is None:
        raise DoppelError(
            "generation.served_nowhere",
            "served_model needs base_url, the address of a vLLM server",
            name="base_url",
            remedy="set it to http://HOST:8000/v1, or served_model to null",
        )
    model = name.removeprefix("vllm:").rpartition("@")[0]
    made = client.connect(f"openai:{model}", base_url, key_variable, timeout)
    return CompletionServer(**{field.name: getattr(made, field.name) for field in fields(made)})
