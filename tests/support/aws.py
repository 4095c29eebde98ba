"""An AWS configuration for tests: made-up credentials, no files, no machine that would be asked for a role."""

import os
from functools import cache
from pathlib import Path

import pytest
from botocore import loaders, session

SECRET, TOKEN = "wJalrXUtnFEMI-planted-secret", "planted-session-token-0123"
MODEL = "bedrock:amazon.nova-lite-v1:0"
_loader = cache(loaders.create_loader)  # it reads all regions and the service's model, which a client then holds


def configure(monkeypatch: pytest.MonkeyPatch, folder: Path, **variables: str) -> None:
    """Set the environment: ``variables``, and nothing else of AWS.

    Args:
        monkeypatch: undoes it.
        folder: for the configuration files, which are missing.
        **variables: in place of credentials and a region; an empty one is not set.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    given = {
        "AWS_ACCESS_KEY_ID": "AKIAPLANTED",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_DEFAULT_REGION": "eu-west-3",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
    } | variables
    for name, value in given.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(session, "create_loader", _loader)
