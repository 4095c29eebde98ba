"""What tests ask of a refusal: its code, its name and value, never its sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lib.common.errors import DoppelError

_ANY = object()


@contextmanager
def refused(code: str, *, name: object = _ANY, value: object = _ANY) -> Iterator[pytest.ExceptionInfo]:
    """The block raises a refusal with this code, and with this name and value where they are given.

    Of several refusals raised together one must fit.
    """
    with pytest.raises(DoppelError) as error:
        yield error
    faults = error.value.faults
    fitting = [fault for fault in faults if fault.code == code]
    assert fitting, f"refused with {[fault.code for fault in faults]}, not with {code}"
    assert any((name is _ANY or fault.name == name) and (value is _ANY or fault.value == value) for fault in fitting), (
        f"{code} has {[(fault.name, fault.value) for fault in fitting]}, not {(name, value)}"
    )


def codes(error: DoppelError) -> list[str]:
    """The codes of all refusals in an error, in order."""
    return [fault.code for fault in error.faults]
