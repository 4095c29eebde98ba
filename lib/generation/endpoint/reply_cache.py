"""Replies of endpoints on disk, so that no request is paid for twice."""

import sqlite3
import threading
from pathlib import Path

from lib.common.errors import DoppelError
from lib.generation.engines.base import Completion

_TABLE = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, text TEXT NOT NULL, tokens INTEGER NOT NULL, ended INTEGER NOT NULL,
    refused INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL
) WITHOUT ROWID
"""


class ReplyCache:
    """Key (a hash of all that shapes a reply) -> completion, and tokens of its prompt; the prompts are not kept.

    Each reply is a transaction of its own: it is on the disk when `put` returns, and a kill at any moment leaves a
    whole file. Threads share a connection, processes share the file. Raises DoppelError, with the file's path, when
    the file cannot be read or written.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # a minute of patience with other processes; a write takes milliseconds
            self._connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise self._told(error) from None
        self._run(_TABLE)

    def get(self, key: str) -> Completion | None:
        rows = self._run("SELECT text, tokens, ended, refused FROM replies WHERE key = ?", key)
        return Completion(rows[0][0], rows[0][1], bool(rows[0][2]), bool(rows[0][3])) if rows else None

    def put(self, key: str, reply: Completion, prompt_tokens: int) -> None:
        """Keep a reply. Of two processes that paid for the same one the first is kept."""
        values = (reply.text, reply.tokens, reply.ended, reply.refused, prompt_tokens)
        self._run("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?, ?)", key, *values)

    def _run(self, statement: str, *values: str | int) -> list[tuple]:
        try:
            with self._lock, self._connection:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._told(error) from None

    def _told(self, error: Exception) -> DoppelError:
        if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return DoppelError(
                f"the cache of replies {self.path} is damaged; move it away and run again: "
                "what it held is then asked and paid for again"
            )
        return DoppelError(
            f"the cache of replies {self.path} cannot be used ({error}); "
            "check the folder's rights and the space on the disk, or move the file away"
        )
