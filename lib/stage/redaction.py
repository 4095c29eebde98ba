"""Errors without private text: what is shown of an exception is its type and place, not its message.

The message of a KeyError, a JSON or a tokenizer error quotes the data that it met. Inside a stage only
a `DoppelError` shows its message, for those are written to hold none; of what the operating system refused, the cause
is shown: a full disk should not look like a fault of the data.
"""

import os
import re
import sys
import threading
import traceback
from collections.abc import Iterator

from lib.common import system
from lib.common.errors import DoppelError

SHOW = "DOPPEL_SHOW_ERRORS"
HIDDEN = f"message hidden: it may hold private text; set {SHOW}=1 to see it"

_ERRNO = re.compile(r"\[Errno (\d{1,4})\]")  # what Python puts before the message of such an error
_FRAMEWORK = (f"{os.sep}IPython{os.sep}", f"{os.sep}ipykernel{os.sep}")


def install() -> None:
    """Hide messages wherever Python shows an exception: notebook cells, threads, worker processes, logging."""
    if os.environ.get(SHOW) == "1":
        return
    # threads, logging.exception, traceback.print_exc and forked workers all format through this method
    traceback.TracebackException.format_exception_only = _type_only
    # the built-in hooks are written in C and print the message themselves
    threading.excepthook = lambda args: _print(args.exc_value)
    sys.unraisablehook = lambda args: _print(args.exc_value)
    sys.excepthook = lambda kind, error, trace: _print(error)
    kernel = shell()
    if kernel is not None and (show := kernel._showtraceback).__module__ != __name__:  # else it is guarded already
        kernel._showtraceback = lambda kind, error, lines: show(kind, hidden(error), rendered(error))
        kernel.events.register("post_run_cell", _hide_result)


def hidden(error: BaseException) -> BaseException:
    """The error itself when its message may be shown, else one of a type of the same name without it.

    Args:
        error: that was raised.
    """
    if isinstance(error, DoppelError | KeyboardInterrupt):
        return error
    return type(type(error).__name__, (Exception,), {})(_shown(type(error), str(error)))


def rendered(error: BaseException) -> list[str]:
    """Lines to show: the message alone for a refusal, else the places that the error passed, causes first.

    Args:
        error: that was raised.
    """
    if isinstance(error, DoppelError):
        return [f"{type(error).__name__}: {error}"]
    report = traceback.TracebackException.from_exception(error)
    _trim(report)
    return "".join(report.format()).splitlines()


def _trim(report: traceback.TracebackException | None) -> None:
    """Leave out the frames of IPython, in the causes too."""
    if report is not None:
        report.stack[:] = [f for f in report.stack if not any(part in f.filename for part in _FRAMEWORK)]
        _trim(report.__cause__)
        _trim(report.__context__)


def _type_only(report: traceback.TracebackException, **_: object) -> Iterator[str]:
    """Stands in for ``TracebackException.format_exception_only``: notes and the line of a SyntaxError go as well."""
    kind = vars(report)["_exc_type" if "_exc_type" in vars(report) else "exc_type"]  # the first from Python 3.13 on
    yield "NoneType\n" if kind is None else f"{kind.__qualname__}: {_shown(kind, str(report))}\n"


def _shown(kind: type, message: str) -> str:
    """What may be shown of the message of an error of this type."""
    if issubclass(kind, DoppelError):
        return message
    number = _ERRNO.match(message) if issubclass(kind, OSError) else None
    return f"{system.cause(int(number[1]))}; {HIDDEN}" if number else HIDDEN


def _print(error: BaseException | None) -> None:
    if error is not None:
        print("\n".join(rendered(error)), file=sys.stderr)


def _hide_result(result: object) -> None:
    """ipykernel answers with ``str`` of these errors after the hook has run."""
    for name in ("error_in_exec", "error_before_exec"):
        if (error := getattr(result, name, None)) is not None:
            setattr(result, name, hidden(error))


def shell() -> object | None:
    """IPython's shell when this process is a kernel, else None."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()
