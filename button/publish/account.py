"""Whose token it is, and whether it may write to a repo, asked of the Hub before anything is made or sent.

The answer of /api/whoami-v2: `auth.accessToken.role` is read, write or fineGrained; a fine-grained token lists its
permissions, for everything (`global`) and for single users, organisations and repos (`scoped`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, OIDCError

from button.errors import UserError
from button.publish.patience import patiently

MAKE_ONE = (
    "make one with write access at the Hub's settings, under Access Tokens; then set HF_TOKEN or run `hf auth login`"
)
WRITING_ROLES = {"admin", "write", "contributor"}
WRITE, PROPOSE = "repo.write", "discussion.write"


@dataclass(frozen=True, slots=True)
class Account:
    """Who a token belongs to, in lower case, as the Hub compares names.

    `organisations` maps each to the role in it, None where it is not told. `role` is the token's; `granted` are the
    permissions of a fine-grained one by user, organisation or repo, "" for all.
    """

    name: str
    role: str
    organisations: Mapping[str, str | None]
    granted: Mapping[str, frozenset[str]]


def local_token() -> str | None:
    """The token of this machine: HF_TOKEN, else that of `hf auth login`. Raises UserError where it cannot be had."""
    try:
        return get_token()
    except (OIDCError, OSError, UnicodeDecodeError) as error:
        raise UserError(f"the token for the Hub cannot be had: {error}") from error


def account_of(api: HfApi, token: str | None) -> Account:
    """The account behind the token. Raises UserError where there is no token or the Hub refuses it."""
    if token is None:
        raise UserError(f"publishing needs a token for the Hub, and there is none: {MAKE_ONE}")
    try:
        found = patiently(lambda: api.whoami(token), "whose token it is")
    except HfHubHTTPError as error:
        if error.response.status_code not in (400, 401):
            raise
        raise UserError(
            f"the Hub refuses the token: it is wrong, revoked or has expired: {MAKE_ONE}"
            " (HF_TOKEN goes before the login)"
        ) from error
    return _account(found)


def check_may_write(account: Account, repo: str, *, proposal: bool) -> None:
    """Raises UserError where this token cannot write to the repo; a `proposal` (pull request) needs less.

    What the Hub does not tell is let pass: it has the last word anyway.
    """
    if account.role == "read":
        raise UserError(f"the token of '{account.name}' may only read: {MAKE_ONE}")
    owner = repo.lower().partition("/")[0]
    granted = frozenset[str]().union(*(account.granted.get(name, ()) for name in ("", owner, repo.lower())))
    if account.role == "finegrained":
        needed = {WRITE, PROPOSE} if proposal else {WRITE}
        if not needed & granted:
            raise UserError(
                f"the token of '{account.name}' has no permission '{WRITE}' for {repo} or its owner: add it at the"
                " Hub's settings, under Access Tokens, or take a token with write access"
            )
    if proposal or owner == account.name or WRITE in granted:
        return
    if owner not in account.organisations:
        names = ", ".join([account.name, *account.organisations])
        raise UserError(
            f"'{repo}' belongs to '{owner}', and this token is of '{account.name}': give a repo of yours ({names}), or"
            " propose it to its owner with create_pr=true"
        )
    role = account.organisations[owner]
    if role is not None and role not in WRITING_ROLES:
        raise UserError(
            f"'{account.name}' has the role '{role}' in the organisation '{owner}', which may not write: ask for a role"
            f" that may, or publish as repo={account.name}/{repo.partition('/')[2]}"
        )


def _account(found: Mapping[str, Any]) -> Account:
    access = (found.get("auth") or {}).get("accessToken") or {}
    fine = access.get("fineGrained") or {}
    granted = {"": frozenset(map(str, fine.get("global") or ()))}
    for scope in fine.get("scoped") or ():
        entity = str((scope.get("entity") or {}).get("name", "")).lower()
        granted[entity] = granted.get(entity, frozenset()) | frozenset(map(str, scope.get("permissions") or ()))
    return Account(
        name=str(found.get("name", "")).lower(),
        role=str(access.get("role", "")).lower(),
        organisations={str(each["name"]).lower(): each.get("roleInOrg") for each in found.get("orgs") or ()},
        granted=granted,
    )
