"""The run folder: one process at a time, one config for its whole life, files written whole."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import yaml

from button.config import JsonObject, differing_keys
from button.errors import UserError
from button.journal import FORMAT, Journal

CONFIG = "config.yaml"
FUNNEL = "funnel.json"
JOURNAL = "run.db"


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Make the folder and hold it. Raises UserError where it cannot be written, or another process holds it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / ".lock").open("a")
    except OSError as error:
        raise UserError(f"out={out} cannot be written: {error.strerror}; choose another folder with out=...") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"out={out} is in use by another run; wait for it, or choose another folder") from error
        yield


@contextmanager
def opened_journal(out: Path, config: JsonObject) -> Iterator[Journal]:
    """The folder's journal. Raises UserError where it belongs to a run of another config or format.

    A run that has no answer of a model yet, because its first config named a wrong one, say, binds nobody: its journal
    makes way for a new one.
    """
    journal = Journal(out / JOURNAL)
    try:
        if not _fits(out, journal, config):
            journal.close()
            for name in (JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm"):
                (out / name).unlink(missing_ok=True)
            journal = Journal(out / JOURNAL)
        yield journal
    finally:
        journal.close()


def _fits(out: Path, journal: Journal, config: JsonObject) -> bool:
    """Whether the journal is of this config. Raises UserError where it is not and holds work."""
    known, format_ = journal.meta("config"), journal.meta("format")
    if format_ not in (None, FORMAT):
        raise UserError(f"{journal.path} has format {format_}, this version reads {FORMAT}; choose another `out`")
    different = differing_keys(orjson.loads(known), config) if known is not None else []
    if different and journal.holds_work():
        lines = "\n  ".join(different)
        raise UserError(
            f"out={out} holds a run of another config:\n  {lines}\nrun with that config, or choose another `out`"
        )
    return not different


def pin_config(out: Path, journal: Journal, config: JsonObject) -> None:
    """Make this the config of the folder, once everything it describes has been built and reached."""
    journal.set_meta("format", FORMAT)
    journal.set_meta("config", orjson.dumps(config).decode())
    write_whole(out / CONFIG, yaml.safe_dump(config, sort_keys=False, allow_unicode=True))


def write_whole(path: Path, text: str) -> None:
    """Write a file so that readers see the old one or the new one, never half."""
    aside = path.with_name(f".{path.name}.new")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
