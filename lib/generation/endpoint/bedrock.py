"""A model on Amazon Bedrock, asked through boto3's Converse. Credentials and region come from boto3's own chain.

That chain is the environment (AWS_ACCESS_KEY_ID and the like, or AWS_BEARER_TOKEN_BEDROCK), the files of the AWS CLI
(AWS_PROFILE names a part of them) with its logins, and the role of a machine or container. No parameter holds a key.
"""

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib.common import network
from lib.common.errors import DoppelError
from lib.generation.endpoint import converse, retries
from lib.generation.endpoint.access import OPENAI_KEY, address, is_loopback, refuse_unencrypted
from lib.generation.endpoint.answer import Answer, BrokenReply
from lib.generation.engines.base import Request, Sampling

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.credentials import Credentials

_CODE = re.compile(r"[A-Z][A-Za-z]{2,60}Exception")  # ThrottlingException: no part of a prompt or a key
_PASSES = (408, 409, 424, 429)  # 424: an error inside the model
_CREDENTIALS = (
    "check the AWS credentials (`aws sts get-caller-identity` shows whose they are) or log in again, and check "
    "base_url where it is set: a token is sent over https:// alone"
)
_UNREACHABLE = "check the network, HTTPS_PROXY, AWS_CA_BUNDLE, the region and base_url, where they are set"
_REMEDIES = {
    400: "check that the model supports these parameters and lengths (newer ones of Anthropic take temperature or "
    "top_p, not both: set one to 1), and whether it needs an inference profile's ID (us.anthropic...)",
    403: "check that the model is enabled for the account in this region, and that the credentials are valid and allow "
    "bedrock:InvokeModel",
    404: "check the model's ID, and that the region has it",
    429: "lower concurrency, or check the account's quotas for this model",
}


@dataclass
class BedrockServer:
    """A model on Bedrock, ready for requests; see `lib.generation.endpoint.servers.Server`.

    Attributes:
        client: boto3's client of bedrock-runtime; its own retries are off.
        model: the model's ID, or the ID or ARN of an inference profile.
        name: the model as the parameters have it, ``bedrock:ID``.
        place: the address, which names the region.
        timeout: seconds without a byte from the server after which a try fails.
    """

    client: "BaseClient"
    model: str
    name: str
    place: str
    timeout: float

    def fields(self, sampling: Sampling) -> dict[str, Any]:
        """Converse's ``inferenceConfig`` for a sampling, see `lib.generation.endpoint.converse.inference_fields`."""
        return converse.inference_fields(sampling, self.name)

    def ask(self, request: Request, fields: dict[str, Any], seed: int) -> Answer:
        """Send a request once; see `lib.generation.endpoint.servers.Server`. Converse takes no seed."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        body = converse.request_body(request, fields)
        try:
            return converse.read_reply(self.client.converse(modelId=self.model, **body), request.max_new_tokens)
        except (ClientError, BotoCoreError) as error:
            raise _fault(error, self.timeout) from None
        # of a body that is JSON but no object, or not UTF-8, botocore's parser raises what Python does
        except (BrokenReply, ResponseParserError, ValueError, AttributeError, TypeError):
            raise retries.broken(_UNREACHABLE) from None


def _fault(error: Exception, timeout: float) -> retries.Fault:
    """An error of botocore, without the server's own words."""
    from botocore import exceptions as aws

    kind = type(error).__name__
    if isinstance(error, aws.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        code = str(error.response.get("Error", {}).get("Code"))
        return retries.answered(
            status,
            code if _CODE.fullmatch(code) else "",
            retries.asked_wait(headers.get("retry-after", "")),
            _REMEDIES.get(status, _REMEDIES[400]),
            passes=status in _PASSES or status >= 500,
        )
    if isinstance(error, aws.ReadTimeoutError | aws.ConnectTimeoutError):
        return retries.timed_out(timeout)
    if isinstance(error, aws.HTTPClientError | aws.ConnectionError | aws.IncompleteReadError):
        return retries.disconnected(_UNREACHABLE)
    if isinstance(error, aws.ParamValidationError):
        return retries.Fault(f"the request does not fit Converse's own rules ({kind})", _REMEDIES[400])
    return retries.Fault(f"boto3 could not send the request ({kind})", _CREDENTIALS)


def connect(
    name: str, base_url: str | None, key_variable: str, timeout: float, length_parameter: str, *, connections: int
) -> BedrockServer:
    """Prepare the connection to a model; Bedrock is sent nothing.

    Addresses in the AWS configuration (AWS_ENDPOINT_URL) are ignored, so that the parameters and the region say where a
    run's replies came from. Where neither environment nor files hold credentials, boto3 asks the machine's own metadata
    service for a role, for a few seconds, unless AWS_EC2_METADATA_DISABLED is ``true``.

    Args:
        name: ``bedrock:ID``, the ID or ARN of a model or of an inference profile.
        base_url: the address of a VPC endpoint, say; None is the region's own.
        key_variable: must be left as it is: boto3 finds the credentials.
        timeout: seconds without a byte from the server after which a try fails.
        length_parameter: must be left as it is: Converse has one name for the limit.
        connections: most requests in flight.

    Raises:
        DoppelError: a setting is one that Bedrock does not have, there are no credentials or no region, they would be
            sent unencrypted, or the AWS configuration cannot be read.
    """
    for setting, value, default in (
        ("key_variable", key_variable, OPENAI_KEY),
        ("length_parameter", length_parameter, "auto"),
    ):
        if value != default:
            raise DoppelError(
                "generation.bedrock_setting",
                f"{setting} is not read for {name}",
                name=setting,
                remedy="remove it: boto3 finds the credentials, and Converse has one name for the limit",
            )
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    _keep_quiet()
    host, place = address(base_url) if base_url else ("", None)
    local = is_loopback(host)
    if not local:
        if place:
            refuse_unencrypted(place, "AWS credentials", "use https://")
        network.check_environment()
    config = Config(
        connect_timeout=timeout,
        read_timeout=timeout,
        retries={"total_max_attempts": 1},
        max_pool_connections=connections,
        ignore_configured_endpoint_urls=True,
        proxies={} if local else None,
    )
    try:
        session = boto3.Session()
        _check_access(session.get_credentials(), session.region_name, name)
        client = session.client("bedrock-runtime", endpoint_url=place, config=config)
    except (BotoCoreError, ValueError) as error:  # a ValueError: a proxy or a region that is no name
        raise DoppelError(
            "generation.aws_configuration",
            f"the AWS configuration cannot be used ({type(error).__name__})",
            name="model",
            value=name,
            remedy="check AWS_PROFILE, AWS_DEFAULT_REGION and the files in ~/.aws",
        ) from None
    return BedrockServer(client, name.partition(":")[2], name, client.meta.endpoint_url, timeout)


def _check_access(credentials: "Credentials | None", region: str | None, name: str) -> None:
    """Refuse a chain that ends without credentials or without a region."""
    from botocore.utils import get_token_from_environment

    if credentials is None and not get_token_from_environment("bedrock"):
        raise DoppelError(
            "generation.aws_credentials_missing",
            f"{name} needs AWS credentials, and boto3 finds none",
            name="model",
            value=name,
            remedy="log in with the AWS CLI (`aws login`, `aws sso login` or `aws configure`), or set AWS_PROFILE, or "
            "AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    if region is None:
        raise DoppelError(
            "generation.aws_region_missing",
            f"{name} needs an AWS region, and boto3 finds none",
            name="AWS_DEFAULT_REGION",
            remedy="set AWS_DEFAULT_REGION (us-east-1, say), or a region in ~/.aws/config",
        )


def _keep_quiet() -> None:
    """At level DEBUG botocore logs what it signs, which holds session tokens and prompts."""
    for library in ("boto3", "botocore"):
        logger = logging.getLogger(library)
        logger.setLevel(max(logger.level, logging.INFO))
