"""SHA-256 of large files, computed once a file.

A sum that was right is remembered for the file's path, size and modification time, so that gigabytes are not hashed
at every start. Who can set a file's modification time back can get past that: it guards against damage, not intruders.
"""

import contextlib
import hashlib
from pathlib import Path


def has_sha256(file: Path, sha256: str, memory: Path) -> bool:
    """Whether `file` exists and has the sum `sha256` (hex digits); `memory` is the folder for what was found right."""
    if not file.is_file():
        return False
    if _mark(file, sha256, memory).exists():
        return True
    if sha256_of(file) != sha256.lower():
        return False
    remember(file, sha256, memory)
    return True


def remember(file: Path, sha256: str, memory: Path) -> None:
    """Note that `file`, as it is now, has the sum `sha256`. Where `memory` cannot be written, nothing is noted."""
    with contextlib.suppress(OSError):
        memory.mkdir(parents=True, exist_ok=True)
        _mark(file, sha256, memory).touch()


def sha256_of(file: Path) -> str:
    """The file's SHA-256, 64 hex digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _mark(file: Path, sha256: str, memory: Path) -> Path:
    state = file.stat()
    seen = f"{file.resolve()} {state.st_size} {state.st_mtime_ns} {sha256.lower()}"
    return memory / f"{hashlib.sha256(seen.encode()).hexdigest()[:32]}.checked"
