"""The bar of long work."""

import io
import re

from lib.common.progress import Bar
from lib.pipeline.execute_notebook import Log


def test_a_bar_stands_on_plain_output_and_the_log_knows_it(capsys):
    with Bar(4, "texts", unit="text", done=1) as bar:
        bar.update()
    shown = capsys.readouterr()
    assert shown.err == "" and "texts:" in shown.out and "2/4" in shown.out and "text/s" in shown.out
    heard = []
    Log(io.StringIO(), heard.append, every=0).write(shown.out)
    assert "2/4" in heard[-1]


def test_the_last_step_ends_it(capsys):
    bar = Bar(2)
    bar.update(2)
    ended = capsys.readouterr().out
    assert re.search(r"2/2 .*\n$", ended)
    bar.update(0)
    bar.close()
    assert capsys.readouterr().out == ""
