"""The file of replies: whole, shared, and told when it is not."""

import sqlite3
import threading
from pathlib import Path

import pytest

from lib.common.errors import DoppelError
from lib.generation.endpoint.reply_cache import ReplyCache
from lib.generation.engines.base import Completion


def test_a_damaged_cache_is_told_with_its_place_and_the_remedy(tmp_path: Path):
    path = tmp_path / "replies.sqlite"
    path.write_bytes(b"no database at all, by far" * 100)
    with pytest.raises(DoppelError, match=r"replies\.sqlite is damaged; move it away") as error:
        ReplyCache(path)
    assert str(path) in str(error.value)


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DoppelError, match="cannot be used"):
        ReplyCache(tmp_path / "file" / "replies.sqlite")
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE replies (something TEXT)")
    with pytest.raises(DoppelError, match=r"other\.sqlite cannot be used"):
        ReplyCache(tmp_path / "other.sqlite").get("key")


def test_threads_and_two_connections_lose_nothing(tmp_path: Path):
    caches = [ReplyCache(tmp_path / "replies.sqlite") for _ in range(2)]
    strange = 'line\n"quoted" \u2028 \U0001f600 \x00 end'

    def write(thread: int) -> None:
        for number in range(10):
            caches[thread % 2].put(f"{thread}-{number}", Completion(strange, number, number % 2 == 0, thread == 3), 5)

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for thread in range(4):
        for number in range(10):
            expected = Completion(strange, number, number % 2 == 0, thread == 3)
            assert caches[1].get(f"{thread}-{number}") == expected
    caches[0].put("0-0", Completion("later", 1, True), 5)
    assert caches[1].get("0-0").text == strange, "the first is kept"
    assert caches[0].get("none") is None
