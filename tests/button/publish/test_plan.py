"""What a publish would change, by content: for any folder, any repo and any publish before."""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hub_store import Stored
from hypothesis import given
from hypothesis import strategies as st

from button.errors import UserError
from button.publish.layout import Publication
from button.publish.plan import MANIFEST, Earlier, planned, readable, write_manifest
from button.publish.repository import RemoteFile

NAMES = st.sampled_from(
    ["README.md", "data/a/train-0.parquet", "data/a/test-0.parquet", "judge.json", "notes/mine.txt"]
)
CONTENTS = st.binary(max_size=3)


def remote_file(file: Stored) -> RemoteFile:
    return RemoteFile(file.sha256, large=True) if file.large else RemoteFile(file.blob_id, large=False)


def laid_out(folder: Path, files: dict[str, bytes], fingerprint: str = "new") -> Publication:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return Publication(folder, {}, fingerprint)


@given(
    st.dictionaries(NAMES, CONTENTS),
    st.dictionaries(NAMES, st.builds(Stored, CONTENTS, st.booleans())),
    st.frozensets(NAMES),
)
def test_a_plan_leads_from_any_repo_to_our_files_and_everybody_elses(
    ours: dict[str, bytes], there: dict[str, Stored], earlier: frozenset[str]
) -> None:
    with TemporaryDirectory() as folder:
        publication = laid_out(Path(folder), ours)
        plan = planned(publication, {name: remote_file(file) for name, file in there.items()}, Earlier(earlier))
        after = {name: file.data for name, file in there.items() if name not in plan.deletions}
        after |= {name: path.read_bytes() for name, path in plan.uploads.items()}
    foreign = {name: file.data for name, file in there.items() if name not in earlier or name == "README.md"}
    assert after == {**foreign, **ours}
    changed = {name for name, content in ours.items() if name not in there or there[name].data != content}
    assert plan.uploads.keys() == changed
    assert plan.changes_nothing == (after == {name: file.data for name, file in there.items()})


def test_a_blobs_id_is_gits_own(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"some content\n")
    command = ["git", "hash-object", str(tmp_path / "a.txt")]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    publication = Publication(tmp_path, {}, "new")
    assert planned(publication, {"a.txt": RemoteFile(found, large=False)}, Earlier()).changes_nothing


def test_the_list_of_files_names_itself_and_is_read_back(tmp_path: Path) -> None:
    laid_out(tmp_path, {"README.md": b"", "data/a.parquet": b""})
    write_manifest(tmp_path, rows={"train": 3}, fingerprint="abc")
    text = (tmp_path / MANIFEST).read_text()
    assert Earlier.read(text) == Earlier(frozenset({"README.md", "data/a.parquet", MANIFEST}), "abc")
    assert json.loads(text)["rows"] == {"train": 3}


def test_other_bytes_of_a_figure_count_only_where_the_rest_changed(tmp_path: Path) -> None:
    publication = laid_out(tmp_path, {"figures/a.png": b"new"}, "same")
    remote = {"figures/a.png": RemoteFile("0" * 40, large=False)}
    assert planned(publication, remote, Earlier(frozenset(), "same")).changes_nothing
    assert not planned(publication, remote, Earlier(frozenset(), "other")).changes_nothing
    assert not planned(publication, {}, Earlier(frozenset(), "same")).changes_nothing


def test_more_files_than_one_commit_takes_are_refused(tmp_path: Path) -> None:
    publication = laid_out(tmp_path, {f"{number}.json": b"" for number in range(50)})
    with pytest.raises(UserError, match="50 files are to be published, and one commit takes 49"):
        planned(publication, {}, Earlier())


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2_340_000, "2.3 MB"), (5 * 10**10, "50.0 GB")],
)
def test_a_size_is_readable(size: int, text: str) -> None:
    assert readable(size) == text
