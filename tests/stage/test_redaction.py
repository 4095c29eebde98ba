"""No private text in what is shown of an error, wherever it is shown."""

import logging

import pytest
from IPython.core.interactiveshell import InteractiveShell

from lib.stage import redaction

PRIVATE = "Xanthippe-Quillfeather-0451"


@pytest.fixture
def guarded(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    monkeypatch.delenv(redaction.SHOW)
    redaction.install()
    return shell


@pytest.mark.parametrize(
    "code",
    [
        "raise ValueError(private)",
        "{}[private]",
        "import json; json.loads(private)",
        "import ast; ast.literal_eval(private + ' (')",
        "assert False, private",
        "try:\n    {}[private]\nexcept KeyError as error:\n    raise ValueError(private) from error",
        "try:\n    {}[private]\nexcept KeyError:\n    raise ValueError(private)",
        "raise ExceptionGroup(private, [ValueError(private)])",
        "error = ValueError(); error.add_note(private); raise error",
        "raise SystemExit(private)",
        "raise type('Odd', (Exception,), {})(private)",
        "import threading; t = threading.Thread(target=lambda: {}[private]); t.start(); t.join()",
        "import logging\ntry:\n    {}[private]\nexcept KeyError:\n    logging.exception('a step failed')",
        "import traceback\ntry:\n    {}[private]\nexcept KeyError:\n    traceback.print_exc()",
        "class Bad:\n    def __del__(self):\n        raise ValueError(private)\nbad = Bad(); del bad",
        "class Bad:\n    def __repr__(self):\n        raise ValueError(private)\nBad()",
        "from multiprocessing import Process\np = Process(target=lambda: {}[private])\np.start(); p.join()",
    ],
)
def test_no_private_text_is_shown(guarded: InteractiveShell, capfd: pytest.CaptureFixture, code: str) -> None:
    guarded.push({"private": PRIVATE})
    logging.getLogger().addHandler(handler := logging.StreamHandler())
    try:
        result = guarded.run_cell(code)
    finally:
        logging.getLogger().removeHandler(handler)
    shown = "".join(capfd.readouterr())
    assert PRIVATE not in shown and "message hidden" in shown
    assert PRIVATE not in str(result.error_in_exec) + str(result.error_before_exec)


def test_the_place_and_the_type_of_an_error_are_shown(guarded: InteractiveShell, capfd: pytest.CaptureFixture) -> None:
    guarded.run_cell("import json\njson.loads('{')")
    shown = capfd.readouterr().out
    assert "JSONDecodeError" in shown and "json.loads('{')" in shown and "decoder.py" in shown
    assert "interactiveshell.py" not in shown


def test_of_what_the_system_refused_the_cause_is_shown(guarded: InteractiveShell, capfd: pytest.CaptureFixture) -> None:
    guarded.push({"private": PRIVATE})
    result = guarded.run_cell("import errno\nraise OSError(errno.ENOSPC, private)")
    shown = capfd.readouterr().out
    assert "OSError: No space left on device (ENOSPC); message hidden" in shown and PRIVATE not in shown
    assert str(result.error_in_exec).startswith("No space left on device (ENOSPC)")


def test_a_refusal_is_shown_as_it_is(guarded: InteractiveShell, capfd: pytest.CaptureFixture) -> None:
    result = guarded.run_cell(
        "from lib.common.errors import DoppelError\n"
        "raise DoppelError('stage.out_of_range', 'steps = 0', remedy='must be positive')"
    )
    assert capfd.readouterr().out.strip() == "DoppelError: steps = 0; must be positive"
    assert str(result.error_in_exec) == "steps = 0; must be positive"


def test_the_messages_are_there_when_asked_for(shell: InteractiveShell, capfd: pytest.CaptureFixture) -> None:
    redaction.install()  # DOPPEL_SHOW_ERRORS=1 here
    shell.run_cell("raise ValueError('plain to see')")
    assert "plain to see" in capfd.readouterr().out
