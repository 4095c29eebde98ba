"""The template of a request that shows a record. Light: pre-flight imports it."""

from lib.common.errors import DoppelError
from lib.models import templates

TEXT = "{text}"


def check(prompt: str, prompt_with_record: str) -> set[str]:
    """Refuse templates that cannot be filled, or of which the wrong one has a place for a record.

    Args:
        prompt: the request without a record.
        prompt_with_record: the request that shows one.

    Returns:
        Names of the labels in both.

    Raises:
        DoppelError: a template is malformed, ``prompt`` has {text}, or ``prompt_with_record`` does not have it once.
    """
    if prompt_with_record.count(TEXT) != 1:
        raise DoppelError(
            "methods.no_place_for_record",
            "prompt_with_record must have {text} once, where the record belongs",
            name="prompt_with_record",
            value=prompt_with_record,
        )
    return templates.label_fields(prompt) | templates.label_fields(prompt_with_record.replace(TEXT, "text"))
