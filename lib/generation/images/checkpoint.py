"""Where a checkpoint of improved diffusion is, and what is refused before it is opened. Light, for pre-flight."""

from pathlib import Path

from lib.common import paths
from lib.common.errors import DoppelError
from lib.common.files import sha256

USUAL = "data/models/imagenet64_cond_270M_250K.pt"  # of the published studies: ImageNet, 64 pixels a side
PUBLISHED_AT = "https://openaipublic.blob.core.windows.net/diffusion/march-2021/imagenet64_cond_270M_250K.pt"


def locate(model: str | None) -> Path:
    """The file of a checkpoint.

    Args:
        model: its path, from the project's folder on; None: `USUAL`.
    """
    return paths.ROOT / Path(model or USUAL).expanduser()


def check_declared(model: str | None, digest: str | None) -> None:
    """Refuse a file that is named and not there, and one whose hash nobody declared.

    Args:
        model: as `locate` takes it. The usual file may be missing still: a stage that needs it says where it is.
        digest: its declared sha256; None while the file is not there.

    Raises:
        DoppelError: for the first of these. The hash that the file has is told, to be compared and then declared.
    """
    file = locate(model)
    if model is not None and not file.is_file():
        raise missing(file)
    if digest is None and file.is_file():
        raise DoppelError(
            "generation.checkpoint_undeclared",
            f"model_sha256: nobody declared the hash of {file.name}",
            name="model_sha256",
            remedy=f"compare it with that of whoever publishes the file, then set model_sha256: {sha256(file)}",
        )


def missing(file: Path) -> DoppelError:
    """The refusal of a checkpoint that is not there."""
    return DoppelError(
        "generation.no_checkpoint",
        f"{file}: no such file",
        name="model",
        remedy=f"put the file there, or name another in model; the usual one is published at {PUBLISHED_AT}",
    )
