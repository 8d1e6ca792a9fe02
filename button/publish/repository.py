"""One repo at the Hub: what is there now, and the few calls that change it.

Everything is read at one commit, the head of the branch. A commit names that head as its parent, and the Hub refuses
it (412) where somebody was faster: nothing of theirs is overwritten unseen.
"""

import itertools
import json
import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote

from httpx2 import HTTPError
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public by its documentation
    build_hf_headers,
    get_session,
    hf_raise_for_status,
)

from button.errors import ButtonError, UserError
from button.publish.patience import is_passing, patiently
from button.publish.refusals import upload_explained

RepoType = Literal["dataset", "model"]
RACES = {409, 412}  # how the Hub says that the parent is no longer the head
PROPOSALS_LOOKED_AT = 10
KINDS = {"dataset": "data set", "model": "model", "space": "Space"}

log = logging.getLogger(__name__)


class Overtaken(ButtonError):
    """The commit was not made, or nobody knows: what is there now has to be read again."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """`digest`: the SHA-256 of a file in large-file storage, else its git blob id."""

    digest: str
    large: bool


@dataclass(frozen=True, slots=True)
class RemoteState:
    """A repo as it stands; `head` is that of the branch, and what lies there. All None and empty: not there yet."""

    exists: bool = False
    private: bool | None = None
    head: str | None = None
    main: str | None = None  # where a new branch begins
    branch_exists: bool = False
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    files: Mapping[str, RemoteFile] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that was made; `pull_request` is its address where it is only proposed."""

    oid: str
    pull_request: str | None = None


class Repository:
    """The repo `name` of this type, with a token or, to read what is public, without."""

    def __init__(self, name: str, kind: RepoType, branch: str, token: str | None) -> None:
        self.name = name
        self.kind = kind
        self.branch = branch
        self.api = HfApi(token=token or False, library_name="button")
        self.token = token

    @property
    def url(self) -> str:
        return f"{self.api.endpoint}/{'datasets/' if self.kind == 'dataset' else ''}{self.name}"

    def state(self) -> RemoteState:
        """What is there. Raises the client's errors, but for a repo that is not there or not to be seen."""
        try:
            info = patiently(lambda: self.api.repo_info(self.name, repo_type=self.kind), "the repo")
        except HfHubHTTPError as error:
            if not _is_absent(error, self.token):
                raise
            return RemoteState()
        if getattr(info, "disabled", None):
            raise UserError(f"{self.name}: the repo is disabled at the Hub: its page says why; give another repo=...")
        refs = patiently(lambda: self.api.list_repo_refs(self.name, repo_type=self.kind), "its branches")
        heads = {ref.name: ref.target_commit for ref in refs.branches}
        main = heads.get("main")
        head = heads.get(self.branch, main)
        return RemoteState(
            exists=True,
            private=info.private,
            head=head,
            main=main,
            branch_exists=self.branch in heads,
            tags={ref.name: ref.target_commit for ref in refs.tags},
            files=self.files(head) if head is not None else {},
        )

    def files(self, revision: str) -> dict[str, RemoteFile]:
        """All files at a commit, by path."""
        found = patiently(
            lambda: list(self.api.list_repo_tree(self.name, repo_type=self.kind, revision=revision, recursive=True)),
            "its files",
        )
        return {
            entry.path: RemoteFile(entry.lfs.sha256, large=True)
            if entry.lfs is not None
            else RemoteFile(entry.blob_id, large=False)
            for entry in found
            if isinstance(entry, RepoFile)
        }

    def text(self, path: str, state: RemoteState) -> str | None:
        """A text file of that state; None where there is none."""
        if state.head is None or path not in state.files:
            return None
        url = f"{self.url}/resolve/{state.head}/{quote(path)}"

        def download() -> str:
            response = get_session().get(url, headers=build_hf_headers(token=self.token or False))
            hf_raise_for_status(response)
            return str(response.content.decode("utf-8", errors="replace"))

        return patiently(download, path)

    def other_kind(self) -> str | None:
        """What else has this name at the Hub, 'model', say: each kind of repo has names of its own."""
        for kind, words in KINDS.items():
            if kind == self.kind:
                continue
            try:
                patiently(partial(self.api.repo_info, self.name, repo_type=kind), "the name")
            except HfHubHTTPError as error:
                if not _is_absent(error, self.token):
                    raise
            else:
                return words
        return None

    def create(self, private: bool | None) -> None:
        """Makes the repo. Nothing happens where somebody made it meanwhile."""
        patiently(
            lambda: self.api.create_repo(self.name, repo_type=self.kind, private=private, exist_ok=True), "a new repo"
        )

    def create_branch(self, start: str) -> None:
        patiently(
            lambda: self.api.create_branch(
                self.name, repo_type=self.kind, branch=self.branch, revision=start, exist_ok=True
            ),
            "a new branch",
        )

    def commit(self, uploads: Mapping[str, Path], deletions: Iterable[str], *, parent: str | None, message: str,
               proposal: bool) -> Commit:  # fmt: skip
        """One commit on top of `parent`, or a pull request. Raises Overtaken where it has to be thought over."""
        additions = [CommitOperationAdd(path, file) for path, file in uploads.items()]
        # Apart from the commit, so that an upload that fails is told from a commit that may have been made.
        with _warnings_logged(), upload_explained():
            patiently(
                lambda: self.api.preupload_lfs_files(
                    self.name,
                    additions,
                    repo_type=self.kind,
                    revision=self.branch,
                    create_pr=proposal,
                    free_memory=False,
                ),
                "the upload",
            )
        with _warnings_logged():
            try:
                made = self.api.create_commit(
                    self.name,
                    [*additions, *(CommitOperationDelete(path, is_folder=False) for path in deletions)],
                    commit_message=message,
                    repo_type=self.kind,
                    revision=self.branch,
                    parent_commit=parent,
                    create_pr=proposal,
                )
            except (HTTPError, json.JSONDecodeError) as error:
                if isinstance(error, HfHubHTTPError) and error.response.status_code in RACES:
                    raise Overtaken("somebody else has written to the repo meanwhile") from error
                if not is_passing(error):
                    raise
                raise Overtaken("the Hub did not say whether the commit was made") from error
            except ValueError as error:
                if "metadata in README.md" not in str(error):
                    raise
                raise UserError(f"the Hub refuses the head of the card: {' '.join(str(error).split())}") from error
        return Commit(made.oid, made.pr_url)

    def proposals(self, author: str) -> Iterator[tuple[str, str, dict[str, RemoteFile]]]:
        """This author's open pull requests, the newest ten: address, commit and files of each."""
        open_ones = patiently(
            lambda: list(
                itertools.islice(
                    self.api.get_repo_discussions(
                        self.name,
                        repo_type=self.kind,
                        author=author,
                        discussion_type="pull_request",
                        discussion_status="open",
                    ),
                    PROPOSALS_LOOKED_AT,
                )
            ),
            "its pull requests",
        )
        for proposal in open_ones:
            reference = proposal.git_reference
            info = patiently(
                partial(self.api.repo_info, self.name, repo_type=self.kind, revision=reference), "a pull request"
            )
            yield proposal.url, str(info.sha), self.files(str(info.sha))

    def tag(self, tag: str, commit: str) -> None:
        """Tags a commit. Raises UserError where the tag is on another one by now."""
        try:
            patiently(
                lambda: self.api.create_tag(self.name, repo_type=self.kind, tag=tag, revision=commit), "a new tag"
            )
        except HfHubHTTPError as error:
            if error.response.status_code != 409:
                raise
            check_tag(tag, self.state().tags.get(tag), commit)


def check_tag(tag: str, tagged: str | None, commit: str | None) -> None:
    """Raises UserError where the tag is on another commit than the set that is to have it (None: one yet to come)."""
    if tagged is None or tagged == commit:
        return
    raise UserError(
        f"tag={tag} is on commit {tagged[:12]} already, and "
        + ("this set is not what is there" if commit is None else f"this set is commit {commit[:12]}")
        + ": a version is not moved; take a new tag=..., or delete the old one at the Hub first"
    )


def _is_absent(error: HfHubHTTPError, token: str | None) -> bool:
    """Whether there is no such repo for this token. Without one, the Hub answers 401 for what is not there."""
    if getattr(error.response, "status_code", None) == 404:
        return True
    if type(error) is RepositoryNotFoundError:
        return True
    return token is None and error.response.status_code == 401


@contextmanager
def _warnings_logged() -> Iterator[None]:
    """The client warns of what is odd in a card or a path; here that is a line of the log."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        if issubclass(warning.category, UserWarning):  # the others are for the client's makers
            log.warning("%s", " ".join(str(warning.message).split()))
