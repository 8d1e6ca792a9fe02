"""A GGUF file of the user's own, for lm=gguf: from this disk or from a Hub repository.

Not covered: what a GGUF says inside. llama.cpp parses it, in this process: take files from whom you trust, and pin
their SHA-256.
"""

import re
from pathlib import Path

from button.errors import UserError
from button.lms.checksum import has_sha256, sha256_of
from button.lms.weights import cache_folder

_SPLIT = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")


def gguf_file(
    path: Path | str | None = None, repo: str | None = None, file: str | None = None, sha256: str | None = None
) -> Path:
    """The file at `path`, or the file `file` of the Hub repository `repo` ("owner/name"), fetched once.

    With `sha256` (64 hex digits) the file must have that sum. Of a split GGUF (`-00001-of-0000N.gguf`) all files are
    fetched and the first is returned. Raises UserError for a missing file, a wrong sum and a file that is no GGUF.
    """
    if path is not None and repo is None and file is None:
        found = _local(Path(path).expanduser())
    elif path is None and repo is not None and file is not None:
        found = _fetched(repo, file)
    else:
        raise UserError(
            f"lm=gguf got path={path}, repo={repo}, file={file}; wanted lm.path=FILE.gguf, "
            "or both lm.repo=OWNER/NAME and lm.file=NAME.gguf"
        )
    with found.open("rb") as content:
        head = content.read(4)
    if head != b"GGUF":
        raise UserError(f"{found} begins with {head!r}, a GGUF file with b'GGUF': it is another format, or damaged")
    if sha256 is not None and not has_sha256(found, sha256, cache_folder()):
        raise UserError(
            f"{found} has the SHA-256 {sha256_of(found)}, lm.sha256 says {sha256}: fetch the file again, "
            "or correct lm.sha256 if you trust this one"
        )
    return found


def _local(path: Path) -> Path:
    if path.is_dir():
        names = ", ".join(sorted(file.name for file in path.glob("*.gguf"))) or "none"
        raise UserError(f"lm.path={path} is a folder, wanted one file; the .gguf files in it: {names}")
    if not path.is_file():
        raise UserError(f"lm.path={path} is not there; wanted a .gguf file on this disk")
    return path


def _fetched(repo: str, file: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError: of whichever HTTP library it uses
        EntryNotFoundError,
        HFValidationError,
        HTTPError,
    )

    try:
        pieces = [Path(hf_hub_download(repo, name)) for name in _pieces(file)]
    except (EntryNotFoundError, HFValidationError, HTTPError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"cannot fetch lm.file={file} from lm.repo={repo}: {reason}; check both names and the network "
            "(a gated repository wants HF_TOKEN), or fetch the file yourself and give lm.path=FILE.gguf"
        ) from error
    return pieces[0]


def _pieces(file: str) -> list[str]:
    """All the files of a split GGUF, in order; `file` itself where it is not split."""
    split = _SPLIT.fullmatch(file)
    if split is None:
        return [file]
    count = int(split["count"])
    return [f"{split['stem']}-{number:05d}-of-{count:05d}.gguf" for number in range(1, count + 1)]
