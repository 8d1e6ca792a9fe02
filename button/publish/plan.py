"""What a publish would change: the files of a folder against those of a repo, by content, without sending any.

`.button.json` in the repo lists the files of the last publish, so that those which are no longer among them can be
taken away, and nobody else's are.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from button.errors import UserError
from button.publish.layout import CARD, Publication
from button.publish.repository import RemoteFile

MANIFEST = ".button.json"
FIGURE = ".png"
MOST_FILES = 49  # the Hub advises fewer than 50 a commit, and `datasets` splits there
BLOCK = 2**20

Standing = Literal["new", "changed", "unchanged", "gone"]


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file as the repo will have it; `size` in bytes, 0 for one that goes."""

    path: str
    size: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Earlier:
    """What `.button.json` says of the publish before: its files, and the hash of what was in them."""

    files: frozenset[str] = frozenset()
    fingerprint: str | None = None

    @classmethod
    def read(cls, manifest: str | None) -> Self:
        """Nothing, where the list is not there or no longer readable: then no file is taken for ours."""
        try:
            found = json.loads(manifest or "{}")
            files = frozenset(path for path in found.get("files", ()) if isinstance(path, str))
            return cls(files, str(found.get("fingerprint")))
        except (ValueError, TypeError, AttributeError):
            return cls()


@dataclass(frozen=True, slots=True)
class Plan:
    """All files of a publish, by path, those that go at the end."""

    publication: Publication
    earlier: Earlier
    files: tuple[PlannedFile, ...]

    @property
    def kept(self) -> list[PlannedFile]:
        """The files that are there afterwards."""
        return [file for file in self.files if file.standing != "gone"]

    @property
    def uploads(self) -> dict[str, Path]:
        folder = self.publication.folder
        return {file.path: folder / file.path for file in self.files if file.standing in ("new", "changed")}

    @property
    def deletions(self) -> list[str]:
        return [file.path for file in self.files if file.standing == "gone"]

    @property
    def changes_nothing(self) -> bool:
        return not self.uploads and not self.deletions

    @property
    def bytes_to_send(self) -> int:
        return sum(file.size for file in self.files if file.standing in ("new", "changed"))

    def against(self, remote: Mapping[str, RemoteFile]) -> "Plan":
        """The plan for another state of the repo."""
        return planned(self.publication, remote, self.earlier)

    def lines(self) -> list[str]:
        """A line for each file: what happens to it, its size and path."""
        return [f"  {file.standing:<9}  {readable(file.size):>9}  {file.path}" for file in self.files]


def write_manifest(folder: Path, *, rows: Mapping[str, int], fingerprint: str) -> None:
    """Writes the list of what lies in the folder, itself included, beside it."""
    listed = sorted({*_paths(folder), MANIFEST})
    content = {"files": listed, "fingerprint": fingerprint, "rows": dict(rows)}
    (folder / MANIFEST).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def planned(publication: Publication, remote: Mapping[str, RemoteFile], earlier: Earlier) -> Plan:
    """The plan for a repo that holds these files; only those of an `earlier` publish may go.

    Where data and card are as they were, a figure that came out with other bytes (another matplotlib) is no change.
    Raises UserError where there are too many files for one commit.
    """
    folder = publication.folder
    paths = _paths(folder)
    if len(paths) > MOST_FILES:
        raise UserError(
            f"{len(paths)} files are to be published, and one commit takes {MOST_FILES}: make fewer, larger ones"
        )
    same = publication.fingerprint == earlier.fingerprint
    kept = []
    for path in paths:
        standing = _standing(folder / path, remote.get(path))
        if standing == "changed" and same and path.endswith(FIGURE):
            standing = "unchanged"
        kept.append(PlannedFile(path, (folder / path).stat().st_size, standing))
    gone = sorted(earlier.files & remote.keys() - set(paths) - {CARD})
    return Plan(publication, earlier, (*kept, *(PlannedFile(path, 0, "gone") for path in gone)))


def readable(size: int) -> str:
    """`3.4 MB`; units of 1,000 bytes, as the Hub shows them."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _paths(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def _standing(file: Path, remote: RemoteFile | None) -> Standing:
    if remote is None:
        return "new"
    return "unchanged" if _digest(file, large=remote.large) == remote.digest else "changed"


def _digest(file: Path, *, large: bool) -> str:
    """As the repo keeps it: SHA-256 of the content, or git's id of a blob."""
    digest = (
        hashlib.sha256() if large else hashlib.sha1(f"blob {file.stat().st_size}\0".encode(), usedforsecurity=False)
    )
    with file.open("rb") as content:
        while block := content.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
