"""What the Hugging Face Hub keeps, in memory: accounts, repos with their commits, branches, tags and pull requests."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"


@dataclass(frozen=True)
class Stored:
    """A file: in large-file storage, or a git blob."""

    data: bytes
    large: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def blob_id(self) -> str:
        """Git's id of what git itself keeps: the content, or the pointer to it."""
        kept = self.pointer if self.large else self.data
        return hashlib.sha1(b"blob %d\0" % len(kept) + kept).hexdigest()

    @property
    def pointer(self) -> bytes:
        text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(self.data)}\n"
        return text.encode()


@dataclass(frozen=True)
class Committed:
    oid: str
    parent: str | None
    message: str
    author: str
    files: Mapping[str, Stored]


@dataclass
class PullRequest:
    number: int
    title: str
    author: str
    head: str
    status: str = "open"


@dataclass
class Repo:
    kind: str
    name: str
    private: bool = False
    gated: bool = False
    disabled: bool = False
    commits: dict[str, Committed] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    pull_requests: dict[int, PullRequest] = field(default_factory=dict)

    def resolve(self, revision: str) -> Committed | None:
        """The commit of a branch, a tag, a pull request's reference or a commit's id."""
        found = self.branches.get(revision) or self.tags.get(revision)
        if found is None and revision.startswith("refs/pr/"):
            proposal = self.pull_requests.get(int(revision.removeprefix("refs/pr/")))
            found = proposal.head if proposal else None
        return self.commits.get(found or revision)

    def head(self, branch: str = "main") -> Committed:
        return self.commits[self.branches[branch]]

    def files(self, revision: str = "main") -> dict[str, bytes]:
        """The content of all files but .gitattributes at a revision."""
        found = self.resolve(revision)
        assert found is not None, revision
        return {path: file.data for path, file in found.files.items() if path != ".gitattributes"}

    def commit(self, files: Mapping[str, Stored], message: str, author: str, parent: str | None) -> Committed:
        """A commit that no branch points to yet."""
        digests = [f"{path} {file.blob_id}" for path, file in sorted(files.items())]
        body = "\n".join([str(parent), message, author, str(len(self.commits)), *digests])
        made = Committed(hashlib.sha1(body.encode()).hexdigest(), parent, message, author, dict(files))
        self.commits[made.oid] = made
        return made

    def push(self, changes: Mapping[str, bytes | None], *, author: str = "somebody", branch: str = "main") -> str:
        """Somebody else's commit: files written, or deleted where None."""
        before = self.head(branch)
        files = {path: file for path, file in before.files.items() if path not in changes}
        files |= {path: Stored(data, large=False) for path, data in changes.items() if data is not None}
        self.branches[branch] = self.commit(files, "by hand", author, before.oid).oid
        return self.branches[branch]

    @property
    def history(self) -> list[str]:
        """The messages on main, newest first."""
        found, at = [], self.branches.get("main")
        while at is not None:
            found.append(self.commits[at].message)
            at = self.commits[at].parent
        return found


@dataclass
class Account:
    """Who a token belongs to. `role` is the token's: write, read or fineGrained (then `permissions` by entity)."""

    name: str = "me"
    role: str = "write"
    organisations: dict[str, str] = field(default_factory=dict)
    permissions: dict[str, list[str]] = field(default_factory=dict)
    expired: bool = False

    def whoami(self) -> dict[str, Any]:
        access: dict[str, Any] = {"displayName": "a token", "role": self.role}
        if self.role == "fineGrained":
            scoped = [
                {"entity": {"_id": "0", "type": "user", "name": entity}, "permissions": granted}
                for entity, granted in self.permissions.items()
                if entity
            ]
            access["fineGrained"] = {
                "canReadGatedRepos": True,
                "global": self.permissions.get("", []),
                "scoped": scoped,
            }
        organisations = [{"type": "org", "name": name, "roleInOrg": role} for name, role in self.organisations.items()]
        auth = {"type": "access_token", "accessToken": access}
        return {"type": "user", "id": "0", "name": self.name, "orgs": organisations, "auth": auth}

    def may_write(self, repo: str) -> bool:
        owner = repo.partition("/")[0]
        if self.role == "read" or (owner != self.name and self.organisations.get(owner, "read") == "read"):
            return False
        granted = (self.permissions.get(entity, []) for entity in ("", owner, repo))
        return self.role == "write" or any("repo.write" in each for each in granted)

    def may_read(self, repo: Repo) -> bool:
        owner = repo.name.partition("/")[0]
        return not repo.private or owner == self.name or owner in self.organisations


@dataclass
class Store:
    """All of the Hub. `objects` is the large-file storage: it outlives a commit that is never made."""

    accounts: dict[str, Account] = field(default_factory=lambda: {"hf_write": Account()})
    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)

    def create(self, name: str, kind: str = "dataset", *, private: bool = False, author: str = "me") -> Repo:
        """A new repo as the Hub makes it: with one commit that holds .gitattributes."""
        repo = self.repos[kind, name] = Repo(kind, name, private)
        repo.branches["main"] = repo.commit(
            {".gitattributes": Stored(ATTRIBUTES, False)}, "initial commit", author, None
        ).oid
        return repo
