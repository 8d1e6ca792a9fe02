import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from button.errors import UserError
from button.lms.build import build_lms
from button.lms.gguf import gguf_file

ROOT = Path(__file__).parents[3]
MODEL = b"GGUF\x03\x00\x00\x00 a model"
SUM = hashlib.sha256(MODEL).hexdigest()
HUB_FILES = {
    "/o/r/resolve/main/model.gguf": MODEL,
    "/o/r/resolve/main/big-00001-of-00002.gguf": MODEL + b" one",
    "/o/r/resolve/main/big-00002-of-00002.gguf": MODEL + b" two",
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def written(path: Path, content: bytes = MODEL) -> Path:
    path.write_bytes(content)
    return path


def test_a_gguf_file_on_this_disk_is_taken_as_it_is(tmp_path: Path) -> None:
    file = written(tmp_path / "model.gguf")
    assert gguf_file(path=file) == file
    assert gguf_file(path=str(file), sha256=SUM) == file


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = written(tmp_path / "model.gguf")
    assert gguf_file(path="~/model.gguf") == file


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"lm\.path=.*none\.gguf is not there; wanted a \.gguf file"):
        gguf_file(path=tmp_path / "none.gguf")


def test_a_folder_is_refused_with_the_files_in_it(tmp_path: Path) -> None:
    written(tmp_path / "b.gguf")
    written(tmp_path / "a.gguf")
    with pytest.raises(UserError, match=r"is a folder, wanted one file; the \.gguf files in it: a\.gguf, b\.gguf"):
        gguf_file(path=tmp_path)


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"version https://git-lfs"])
def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UserError, match="a GGUF file with b'GGUF': it is another format, or damaged"):
        gguf_file(path=written(tmp_path / "model.gguf", content))


def test_a_wrong_sum_is_refused_with_both_sums(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"has the SHA-256 {SUM}, lm.sha256 says {'0' * 64}"):
        gguf_file(path=written(tmp_path / "model.gguf"), sha256="0" * 64)


@pytest.mark.parametrize("given", [{}, {"repo": "o/r"}, {"file": "a.gguf"}, {"path": "a.gguf", "repo": "o/r"}])
def test_anything_but_a_path_or_a_repo_with_a_file_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(UserError, match=r"wanted lm\.path=FILE\.gguf, or both lm\.repo=OWNER/NAME and lm\.file="):
        gguf_file(**given)


class HubHandler(BaseHTTPRequestHandler):
    """Serves HUB_FILES as the Hub does."""

    def do_GET(self) -> None:
        content = HUB_FILES.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("X-Repo-Commit", "c" * 40)
        self.send_header("ETag", f'"{hashlib.sha256(content or b"").hexdigest()}"')
        self.send_header("Content-Length", str(len(content or b"")))
        if content is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()
        if content and self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815  # its name upstream

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name upstream
        pass


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), HubHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def fetched(home: Path, hub: str, *files: str) -> list[str]:
    """What gguf_file gives or says for each file, in a process whose Hub is `hub`: its client reads that at import."""
    script = (
        "import sys\nfrom button.errors import UserError\nfrom button.lms.gguf import gguf_file\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        print(gguf_file(repo='o/r', file=name))\n"
        "    except UserError as error:\n        print(error)\n"
    )
    environment = os.environ | {"HF_ENDPOINT": hub, "HF_HUB_OFFLINE": "0", "HF_HOME": str(home)}
    command = [sys.executable, "-c", script, *files]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


def test_a_file_of_a_hub_repository_is_fetched(tmp_path: Path, hub: str) -> None:
    one, split, missing = fetched(tmp_path, hub, "model.gguf", "big-00001-of-00002.gguf", "none.gguf")
    assert Path(one).read_bytes() == MODEL
    assert Path(split).name == "big-00001-of-00002.gguf"
    assert Path(split).with_name("big-00002-of-00002.gguf").read_bytes() == MODEL + b" two"
    assert missing.startswith("cannot fetch lm.file=none.gguf from lm.repo=o/r: ")
    assert "lm.path=FILE.gguf" in missing


def test_without_a_network_the_way_on_is_named() -> None:
    with pytest.raises(UserError, match=r"cannot fetch lm\.file=a\.gguf from lm\.repo=o/r: .*check both names and"):
        gguf_file(repo="o/r", file="a.gguf")


def test_a_name_that_is_no_repository_is_refused() -> None:
    with pytest.raises(UserError, match=r"cannot fetch lm\.file=a\.gguf from lm\.repo=not a repo: "):
        gguf_file(repo="not a repo", file="a.gguf")


@pytest.mark.parametrize(("said", "small"), [({}, True), ({"small": False}, False)])
def test_a_model_is_asked_the_narrow_way_unless_it_is_said_to_be_large(
    tmp_path: Path, said: dict[str, bool], small: bool
) -> None:
    config = {"_target_": "button.lms.embedded.Gguf", "path": str(written(tmp_path / "model.gguf")), **said}
    assert [engine.small for engine in build_lms(config, {}, ()).engines] == [small]
