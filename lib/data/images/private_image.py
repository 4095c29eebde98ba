"""Private images that cannot be shown by accident, and records of them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property


class PrivateImage:
    """A private picture, as the bytes of an image file: ``repr``, ``str`` and notebooks show its size at most.

    Review every call of `reveal`: its result may go into an encoder, a file marked private or a comparison, never into
    an output.

    Args:
        data: of the image file.
        size: width and height in pixels, where they are known.
    """

    def __init__(self, data: bytes, size: tuple[int, int] | None = None):
        self._data, self.size = data, size

    def reveal(self) -> bytes:
        """The private image file itself."""
        return self._data

    @cached_property
    def digest(self) -> str:
        """sha256 of the file in hex digits. Private: it confirms a guess."""
        return hashlib.sha256(self._data).hexdigest()

    def __repr__(self) -> str:
        return "<private image>" if self.size is None else f"<private image, {self.size[0]} x {self.size[1]}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrivateImage) and other._data == self._data

    def __hash__(self) -> int:
        return hash(self._data)


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A picture and its labels. Labels, owners and cells of it are those of `lib.data.records.Record`.

    Attributes:
        id: different for every record of a corpus. It names the record, and nothing is computed from it.
        image: the private picture.
        labels: label name -> value.
        user: whose it is; None where that is not known, and the record counts as a user of its own.
    """

    id: str
    image: PrivateImage
    labels: Mapping[str, str]
    user: str | None = None

    def __repr__(self) -> str:  # id, labels and user may be private too
        return f"ImageRecord({self.image!r}, {len(self.labels)} labels)"

    @property
    def owner(self) -> str:
        """The user, or a name for the record itself where no user is known."""
        return self.user if self.user is not None else f"record {self.id}"

    @property
    def content(self) -> str:
        """User, picture and labels as one string, for hashes and comparisons: all of the record but its id. Private."""
        return json.dumps([self.user, self.image.digest, sorted(self.labels.items())])

    def as_json(self) -> dict:
        """Everything about the record, with a hash in place of the picture. Private: it confirms a guess."""
        line = {"id": self.id, "image": self.image.digest, "labels": dict(self.labels)}
        return line if self.user is None else line | {"user": self.user}
