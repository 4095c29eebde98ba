"""Replies of endpoints, kept on disk so that no request is paid for twice."""

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
    """Replies by key, which is a hash of everything that determines a reply. The prompts are not stored.

    Each reply is a transaction: it is on disk when `put` returns, and a process killed at any moment leaves an intact
    file. Threads share a connection, processes share the file.

    Args:
        path: the SQLite file; it is created when missing.

    Raises:
        DoppelError: the file cannot be read or written; so do the methods.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # wait up to a minute for other processes; a write takes milliseconds
            self._connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise self._refusal(error) from None
        self._run(_TABLE)

    def get(self, key: str) -> Completion | None:
        """The reply stored under ``key``, or None."""
        rows = self._run("SELECT text, tokens, ended, refused FROM replies WHERE key = ?", key)
        return Completion(rows[0][0], rows[0][1], bool(rows[0][2]), bool(rows[0][3])) if rows else None

    def put(self, key: str, reply: Completion, prompt_tokens: int) -> None:
        """Store a reply. When two processes paid for the same reply, the first is kept.

        Args:
            key: hash of everything that determines the reply.
            reply: the completion.
            prompt_tokens: number of tokens of its prompt.
        """
        values = (reply.text, reply.tokens, reply.ended, reply.refused, prompt_tokens)
        self._run("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?, ?)", key, *values)

    def _run(self, statement: str, *values: str | int) -> list[tuple]:
        try:
            with self._lock, self._connection:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._refusal(error) from None

    def _refusal(self, error: Exception) -> DoppelError:
        if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return DoppelError(
                "generation.reply_cache_damaged",
                f"the reply cache {self.path} is damaged",
                name=str(self.path),
                remedy="move it away and run again: its replies are then requested and paid for again",
            )
        return DoppelError(
            "generation.reply_cache_unusable",
            f"the reply cache {self.path} cannot be used ({error})",
            name=str(self.path),
            remedy="check the folder's permissions and the free disk space, or move the file away",
        )
