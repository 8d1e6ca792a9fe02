"""One publish, from what is at the Hub to what is there afterwards.

read the repo -> lay the files out -> compare -> upload what differs -> commit on top of what was read -> tag
"""

import logging
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from httpx2 import HTTPError
from huggingface_hub.errors import OfflineModeIsEnabled

from button.errors import UserError
from button.publish.account import Account, account_of, check_may_write, local_token
from button.publish.layout import CARD, Publication, lay_out
from button.publish.plan import MANIFEST, Earlier, Plan, planned, readable, write_manifest
from button.publish.programs import lay_out_programs
from button.publish.refusals import explained
from button.publish.repository import KINDS, Commit, Overtaken, RemoteState, Repository, check_tag
from button.publish.settings import MAIN, PublishSettings

ROUNDS = 5  # tries to commit on top of what others commit meanwhile
PAUSE_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """The commit that holds the set, as it is kept in MLflow; `bytes_sent` is 0 where it was there already."""

    tags: Mapping[str, str]
    figures: dict[str, float]


class Publishing:
    """One publish, or its rehearsal. All raise UserError for what the user can mend."""

    def __init__(self, settings: PublishSettings) -> None:
        self.settings = settings
        self.token = local_token()
        self.repository = Repository(settings.repo, settings.repo_type, settings.branch, self.token)
        self._known: Account | None = None

    def check(self) -> Account:
        """Whose token it is, once it is sure that it may write to the repo."""
        if self._known is None:
            with explained(self.settings.repo, self.token):
                account = account_of(self.repository.api, self.token)
                check_may_write(account, self.settings.repo, proposal=self.settings.create_pr)
            self._known = account
        return self._known

    def run(self) -> Published:
        """Publishes, and says where it is."""
        self.check()
        with explained(self.settings.repo, self.token):
            for _ in range(ROUNDS):
                try:
                    return self._round()
                except Overtaken as error:
                    log.warning("%s: looking again", error)
                    time.sleep(PAUSE_S)
            raise UserError(
                f"{self.settings.repo}: {ROUNDS} tries, and each time the commit could not be made or somebody else"
                " was faster; the same command goes on from there"
            )

    def rehearse(self) -> None:
        """Says what `run` would do. Without a token, what cannot be read is taken for new."""
        if self.token is None:
            log.warning("there is no token for the Hub: whether you may write to %s is not known", self.settings.repo)
        else:
            self.check()
        with explained(self.settings.repo, self.token):
            state = self._readable_state()
            with self._laid_out(state) as (publication, plan):
                self._check_tag(state, plan)
                log.info("%s", "\n".join(self._rehearsal(state, publication, plan)))

    def _round(self) -> Published:
        """Reads, compares and commits once. Raises Overtaken where that has to be done anew."""
        state = self._state()
        with self._laid_out(state) as (publication, plan):
            self._check_tag(state, plan)
            found = self._there_already(state, plan)
            commit = found or self._commit(self._prepared(state), publication, plan)
            if self.settings.tag is not None:
                self.repository.tag(self.settings.tag, commit.oid)
            self._say(commit, new=found is None)
            figures = {f"rows/{split}": float(rows) for split, rows in publication.rows.items()}
            sent = 0 if found is not None else plan.bytes_to_send
            return Published(self._tags(commit), {**figures, "files": len(plan.kept), "bytes_sent": sent})

    def _state(self) -> RemoteState:
        settings = self.settings
        state = self.repository.state()
        if not state.exists:
            other = self.repository.other_kind()
            if other is not None:
                raise UserError(
                    f"{settings.repo} is a {other} at the Hub, and no {KINDS[settings.repo_type]}: give another"
                    " repo=..., or make the second repo of that name at the Hub first, if you want both"
                )
            if settings.create_pr:
                raise UserError(f"create_pr=true: there is no {settings.repo} to propose it to; publish without")
        elif settings.private is not None and state.private is not None and settings.private != state.private:
            now, wanted = ("private", "public") if state.private else ("public", "private")
            raise UserError(
                f"private={str(settings.private).lower()}: {settings.repo} is there already, and {now}; make it"
                f" {wanted} in its settings at the Hub first, or leave private out"
            )
        return state

    def _readable_state(self) -> RemoteState:
        try:
            return self._state()
        except (HTTPError, OfflineModeIsEnabled) as error:
            if self.token is not None:
                raise
            log.warning("%s cannot be read (%s): it is taken for new", self.settings.repo, type(error).__name__)
            return RemoteState()

    @contextmanager
    def _laid_out(self, state: RemoteState) -> Iterator[tuple[Publication, Plan]]:
        """The files, in a folder for a while, and how they compare."""
        settings = self.settings
        with tempfile.TemporaryDirectory(prefix="button-publish-") as name:
            folder = Path(name)
            card = self.repository.text(CARD, state)
            if settings.run is not None:
                publication = lay_out(settings.run, folder, repo=settings.repo, overrides=settings, published_card=card)
            else:
                publication = lay_out_programs(folder, settings, published_card=card)
            write_manifest(publication.folder, rows=publication.rows, fingerprint=publication.fingerprint)
            earlier = Earlier.read(self.repository.text(MANIFEST, state))
            yield publication, planned(publication, state.files, earlier)

    def _check_tag(self, state: RemoteState, plan: Plan) -> None:
        tag = self.settings.tag
        if tag is not None:
            check_tag(tag, state.tags.get(tag), state.head if plan.changes_nothing else None)

    def _there_already(self, state: RemoteState, plan: Plan) -> Commit | None:
        """The commit that holds just this, or an open pull request that proposes it."""
        if plan.changes_nothing and state.branch_exists and state.head is not None:
            return Commit(state.head)
        if self.settings.create_pr:
            for url, commit, files in self.repository.proposals(self.check().name):
                if plan.against(files).changes_nothing:
                    return Commit(commit, url)
        return None

    def _prepared(self, state: RemoteState) -> RemoteState:
        """The state once repo and branch are there."""
        if not state.exists:
            self.repository.create(self.settings.private)
            state = self.repository.state()
        if not state.branch_exists and state.main is not None:
            self.repository.create_branch(state.main)
            state = self.repository.state()
        return state

    def _commit(self, state: RemoteState, publication: Publication, plan: Plan) -> Commit:
        plan = plan.against(state.files)
        if plan.changes_nothing and state.head is not None:
            return Commit(state.head)  # a new branch begins with just this
        rows = sum(publication.rows.values())
        what = f"{rows} rows" if rows else "tuned prompts"
        commit = self.repository.commit(
            plan.uploads,
            plan.deletions,
            parent=state.head,
            message=f"Publish {what} with button ({publication.fingerprint[:12]})",
            proposal=self.settings.create_pr,
        )
        if commit.pull_request is None:
            self._check_arrived(plan, commit)
        return commit

    def _check_arrived(self, plan: Plan, commit: Commit) -> None:
        there = plan.against(self.repository.files(commit.oid))
        if not there.changes_nothing:
            missing = ", ".join([*there.uploads, *there.deletions])
            raise UserError(
                f"the Hub left {missing} out of commit {commit.oid[:12]}: is there a .gitignore in {self.settings.repo}"
                " that names them? Mend it, then run the same command again"
            )

    def _tags(self, commit: Commit) -> dict[str, str]:
        found = {"repo": self.settings.repo, "commit": commit.oid, "tag": self.settings.tag}
        return {f"publish.{key}": value for key, value in found.items() if value is not None}

    def _say(self, commit: Commit, *, new: bool) -> None:
        settings = self.settings
        if commit.pull_request is not None:
            done = "proposed" if new else "just this is proposed already"
            log.info("%s: %s (it is published once somebody merges it)", done, commit.pull_request)
            return
        if not new:
            log.info("%s holds just this already: nothing to send", settings.repo)
        revision = settings.tag or (settings.branch if settings.branch != MAIN else commit.oid)
        log.info("commit %s: %s/tree/%s", commit.oid[:12], self.repository.url, revision)
        if settings.run is not None:
            log.info('load it: datasets.load_dataset("%s", revision="%s")', settings.repo, revision)

    def _rehearsal(self, state: RemoteState, publication: Publication, plan: Plan) -> list[str]:
        settings, kind = self.settings, KINDS[self.settings.repo_type]
        where = f"the branch {settings.branch} of the {kind} {settings.repo}"
        steps = ["dry run, nothing is changed; a publish would"]
        if not state.exists:
            visibility = {True: "private ", False: "public ", None: ""}[settings.private]
            steps.append(f"- make the {visibility}{kind} {settings.repo}")
        if not state.branch_exists and settings.branch != MAIN:
            steps.append(f"- make the branch {settings.branch}")
        if plan.changes_nothing:
            steps.append(f"- send nothing: {where} holds just this")
        else:
            act = "propose, in a pull request to" if settings.create_pr else "commit to"
            steps.append(f"- {act} {where}, sending {readable(plan.bytes_to_send)}:")
        steps += plan.lines()
        if settings.tag is not None:
            steps.append(
                f"- leave the tag {settings.tag} on it" if settings.tag in state.tags else f"- tag it {settings.tag}"
            )
        if publication.rows:
            rows = ", ".join(f"{split} {count}" for split, count in publication.rows.items())
            steps.append(f"rows of each config: {rows}")
        return steps
