"""An SQLite file in WAL mode with one writer: what is written within one turn of the event loop is one transaction.

Whatever `durable` has returned from survives kill -9: the operating system has it, and WAL keeps transactions whole.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from button.errors import UserError


class JournalFile:
    """The file at `path`, made where there is none. Use from one event loop; `close` when done.

    Raises UserError, here and in its methods, where the file cannot be read or written.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self.path = path
        try:
            self.db = sqlite3.connect(path, isolation_level=None)
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=NORMAL")
            self.db.executescript(schema)
        except sqlite3.DatabaseError as error:
            raise _unusable(path, error) from error
        self._pending: list[tuple[str, tuple[Any, ...]]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._scheduled = False
        self._failure: UserError | None = None

    def close(self) -> None:
        """Write what is pending and close; safe to call twice."""
        try:
            self.flush()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close without writing what is pending, as a kill would; a flush that is still scheduled finds nothing."""
        self._pending.clear()
        self.db.close()

    # Reading

    def row(self, statement: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        return next(self.rows(statement, values), None)

    def rows(self, statement: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            # `yield from` would also close the cursor, which fails in a reader that outlives the journal.
            for row in self.db.execute(statement, values):  # noqa: UP028
                yield row
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            raise self.damaged(str(error)) from error

    def damaged(self, what: str) -> UserError:
        return UserError(f"{self.path} is damaged: {what}; move the folder away and run again")

    # Writing

    def queue(self, statement: str, values: tuple[Any, ...]) -> None:
        """Write with the next transaction."""
        if self._failure is not None:
            raise self._failure
        self._pending.append((statement, values))
        if not self._scheduled:
            try:
                asyncio.get_running_loop().call_soon(self._flush_or_fail)
            except RuntimeError:  # no loop yet: the caller flushes
                return
            self._scheduled = True

    async def durable(self, statement: str, values: tuple[Any, ...]) -> None:
        """Write, and return once it is committed."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self.queue(statement, values)
        await future

    def flush(self) -> None:
        """Write what is pending now."""
        self._scheduled = False
        pending, self._pending = self._pending, []
        if not pending:
            return
        try:
            self.db.execute("BEGIN IMMEDIATE")
            for statement, values in pending:
                self.db.execute(statement, values)
            self.db.execute("COMMIT")
        except sqlite3.Error as error:
            self._pending = pending + self._pending
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise _unusable(self.path, error) from error

    def _flush_or_fail(self) -> None:
        """Flush; a failure is raised in those who wait and in whoever writes next, so that it stops the run."""
        waiting, self._waiting = self._waiting, []
        try:
            self.flush()
        except UserError as error:
            self._failure = error
            for future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for future in waiting:
            if not future.done():
                future.set_result(None)


def _unusable(path: Path, error: sqlite3.Error) -> UserError:
    return UserError(
        f"cannot write the journal {path}: {error}; free space or choose another `out`, then run the same command"
        " again: it goes on where it stopped"
    )
