"""The reply cache: intact, shared between threads and processes, and refused when it is damaged."""

import sqlite3
import threading
from pathlib import Path

from support.errors import refused

from lib.generation.endpoint.reply_cache import ReplyCache
from lib.generation.engines.base import Completion


def test_a_damaged_cache_is_refused_with_its_path_and_the_remedy(tmp_path: Path):
    path = tmp_path / "replies.sqlite"
    path.write_bytes(b"no database at all, by far" * 100)
    with refused("generation.reply_cache_damaged", name=str(path)) as error:
        ReplyCache(path)
    assert str(path) in error.value.sentence and error.value.remedy.startswith("move it away")


def test_a_cache_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with refused("generation.reply_cache_unusable"):
        ReplyCache(tmp_path / "file" / "replies.sqlite")
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE replies (something TEXT)")
    with refused("generation.reply_cache_unusable", name=str(tmp_path / "other.sqlite")):
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
