"""What a kernel prints, as lines of a log and now and then at the terminal; with a clock that the tests move."""

import io
import logging
import signal
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from papermill.parameterize import parameterize_path
from papermill.translators import PythonTranslator
from tqdm import tqdm

from lib.pipeline.execute_notebook import Log, _ending, _literal


class Terminal:
    """A log with a fake clock: ``shown`` is what was passed on as progress, ``lines`` what the log holds."""

    def __init__(self, every: float = 10):
        self.now, self.file, self.shown = 0.0, io.StringIO(), []
        self.log = Log(self.file, self.shown.append, every=every, clock=lambda: self.now)

    @property
    def lines(self) -> list[str]:
        return self.file.getvalue().splitlines()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    yield Terminal()


def state(step: int, total: int = 100) -> str:
    return f"steps {step:3d}%|##| {step}/{total} [00:{step // 2:02d}<00:50, 2.00it/s]"


def steps(lines: list[str]) -> list[int]:
    return [int(line.split("%")[0][6:]) for line in lines]


def test_lines_are_kept_whole_and_without_colours(terminal: Terminal) -> None:
    terminal.log.write("loading\n\x1b[31mred\x1b[0m windows\r")
    terminal.log.write("\nhalf a ")
    terminal.log.write("line\n\nthe end")
    terminal.log.close()
    assert terminal.lines == ["loading", "red windows", "half a line", "", "the end"] and terminal.shown == []


def test_a_state_is_shown_when_it_comes(terminal: Terminal) -> None:
    """A step takes a minute: each state is shown at its minute, not at the next."""
    for minute in range(4):
        terminal.now = 60.0 * minute
        terminal.log.write(f"\r{state(minute)}")
        assert steps(terminal.shown) == list(range(minute + 1)) and steps(terminal.lines) == steps(terminal.shown)
    terminal.log.close()
    assert steps(terminal.lines) == [0, 1, 2, 3]  # what was shown is not written again


def test_states_are_throttled_and_the_last_is_shown(terminal: Terminal) -> None:
    for step in range(1, 101):
        terminal.now += 0.5
        terminal.log.write(f"\r{state(step)}")
    terminal.log.write("\nthe end\n")
    assert steps(terminal.shown) == [1, 21, 41, 61, 81, 100]
    assert steps(terminal.lines[:-1]) == steps(terminal.shown) and terminal.lines[-1] == "the end"


@pytest.mark.parametrize("end", ["\n", f"\r{state(3)}\n", f"\r{' ' * 50}\r", ""])
def test_the_last_state_is_shown_however_a_bar_ends(terminal: Terminal, end: str) -> None:
    """By a line end, by the state once more and a line end, by being wiped off, or not at all."""
    terminal.log.write("".join(f"\r{state(step)}" for step in (1, 2, 3)))
    terminal.log.write(end)
    terminal.log.close()
    assert steps(terminal.shown) == steps(terminal.lines) == [1, 3]


def test_half_a_state_is_not_shown(terminal: Terminal) -> None:
    whole = state(7)
    for character in f"\r{whole}":
        terminal.log.write(character)
    assert terminal.shown == terminal.lines == [whole]


def test_what_is_printed_after_a_state_stands_on_a_line_of_its_own(terminal: Terminal) -> None:
    terminal.log.write(f"\r{state(1)}")
    terminal.log.write("printed\n")
    assert terminal.lines == [state(1), "printed"]
    terminal.log.write("printed\nprinted\n")
    assert terminal.lines[2:] == ["printed", "printed"] and terminal.shown == [state(1)]


@pytest.mark.parametrize("overwriting", ["", "\r"])
def test_what_is_printed_over_a_state_does_not_hide_it(terminal: Terminal, overwriting: str) -> None:
    terminal.log.write(f"\r{state(1)}\r{state(2)}{overwriting}printed\n")
    assert terminal.lines == [state(1), state(2), "printed"] and steps(terminal.shown) == [1, 2]


def test_carriage_returns_on_both_sides_of_a_state(terminal: Terminal) -> None:
    for step in range(1, 41):
        terminal.now += 0.5
        terminal.log.write(f"\r{state(step)}\r")
    assert steps(terminal.shown) == [1, 21]


def test_two_bars_one_after_the_other(terminal: Terminal) -> None:
    for total in (2, 3):
        terminal.log.write("".join(f"\r{state(step, total)}" for step in range(total + 1)) + "\n")
    assert [line.split()[2] for line in terminal.shown] == ["0/2", "2/2", "3/3"]


def test_only_states_of_bars_are_progress(terminal: Terminal) -> None:
    terminal.log.write("10% of a file\r20% of a file\rdone with it\n")
    assert terminal.shown == [] and terminal.lines[-1] == "done with it"


def test_a_bar_of_tqdm(terminal: Terminal) -> None:
    """tqdm itself, which puts the carriage return before a state."""
    with tqdm(total=3, desc="texts", file=terminal.log, mininterval=0, miniters=1, ncols=60) as bar:
        for done in range(1, 4):
            terminal.now += 60
            bar.update()
            assert f"{done}/3" in terminal.shown[-1]
    seen = [state for state, _ in groupby(line.partition("/3")[0].split()[-1] for line in terminal.shown)]
    assert seen == ["0", "1", "2", "3"]  # the last one twice where its rate changed meanwhile
    assert terminal.lines == terminal.shown


def test_of_papermill_nothing_is_kept_back_but_that_it_cannot_read_annotated_parameters(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("papermill")
    logger.warning("Passed unknown parameter: target_epsilon")
    logger.warning("Something else of an unknown parameter")
    assert caplog.messages == ["Something else of an unknown parameter"]


@pytest.mark.parametrize("folder", ["doppel {x}", "{run}", "{", "}}{{run}"])
def test_papermill_takes_paths_as_they_are(folder: str) -> None:
    path = Path("/home") / folder / "notebook.ipynb"
    assert parameterize_path(_literal(path), {"run": "quick"}) == str(path)


def test_a_kernel_that_was_not_killed_is_not_called_so() -> None:
    assert "killed, or out of memory" in _ending(-signal.SIGKILL)
    assert "SIGSEGV" in _ending(-signal.SIGSEGV) and "exit code 3" in _ending(3)
    assert not any("memory" in _ending(status) for status in (-signal.SIGSEGV, 0, 3))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -0.0,
        1e-7,
        1e22,
        2**70,
        'it\'s "quoted" and ends in \\',
        "\\n is no line end, \n\r\t\x00\x1b are",
        "\u00fc \u2028 \U0001f600 {run} %s '''\"\"\" \\N{DEGREE SIGN} \\u0041",
        {'a "key"\n': [1, None, True, {"deep": ["\u4e2d"]}], "": {}},
        [],
    ],
    ids=repr,
)
def test_papermill_hands_a_notebook_the_value_that_it_was_given(value: object) -> None:
    cells: dict[str, object] = {}
    exec(PythonTranslator.codify({"given": value}), cells)
    assert cells["given"] == value and repr(cells["given"]) == repr(value)
