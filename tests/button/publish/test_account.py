"""Whose token it is and what it may do: all said before anything is made at the Hub."""

from pathlib import Path

import pytest
from hub_faults import Fault
from hub_server import HubServer
from hub_store import Account
from publishing import publish

from button.errors import UserError
from button.publish.publishing import Publishing
from button.publish.settings import PublishSettings


def made(hub: HubServer) -> list[str]:
    """The requests that would change something."""
    return [line for line in hub.requests if not line.startswith("GET ")]


def check(prompts: Path, repo: str, *, proposal: bool = False) -> None:
    Publishing(PublishSettings(programs=prompts, repo=repo, create_pr=proposal)).check()


def test_without_a_token_nothing_is_asked_of_the_hub(
    hub: HubServer, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert ended.code == 2
    assert "publishing needs a token for the Hub, and there is none" in ended.said
    assert hub.requests == []


def test_the_token_of_a_login_is_taken(
    hub: HubServer, prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    (tmp_path / "token").write_text("hf_write\n")
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    check(prompts, "me/set")


@pytest.mark.parametrize("case", ["expired", "unknown"])
def test_a_token_that_the_hub_refuses_is_told_without_showing_it(
    case: str, hub: HubServer, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case == "expired":
        hub.store.accounts["hf_write"].expired = True
    else:
        monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert ended.code == 2
    assert "the Hub refuses the token: it is wrong, revoked or has expired" in ended.said
    assert "hf_" not in ended.said
    assert made(hub) == []


READ = r"the token of 'me' may only read"
PERMISSION = r"has no permission 'repo\.write' for me/set or its owner"
OWNER = r"belongs to 'other', and this token is of 'me': give a repo of yours \(me, team\)"
ROLE = r"'me' has the role 'read' in the organisation 'team', which may not write"


@pytest.mark.parametrize(
    ("account", "repo", "message"),
    [
        (Account(role="read"), "me/set", READ),
        (Account(role="fineGrained"), "me/set", PERMISSION),
        (Account(role="fineGrained", permissions={"me": ["repo.content.read"]}), "me/set", PERMISSION),
        (Account(role="fineGrained", permissions={"me": ["discussion.write"]}), "me/set", PERMISSION),
        (Account(role="fineGrained", permissions={"me/other": ["repo.write"]}), "me/set", PERMISSION),
        (Account(organisations={"team": "write"}), "other/set", OWNER),
        (Account(organisations={"team": "read"}), "team/set", ROLE),
    ],
)
def test_a_token_that_may_not_write_there_is_refused_before_any_upload(
    account: Account, repo: str, message: str, hub: HubServer, prompts: Path
) -> None:
    hub.store.accounts["hf_write"] = account
    with pytest.raises(UserError, match=message):
        check(prompts, repo)
    assert made(hub) == []


@pytest.mark.parametrize(
    ("account", "repo"),
    [
        (Account(), "me/set"),
        (Account(name="Me"), "me/set"),
        (Account(organisations={"Team": "contributor"}), "team/set"),
        (Account(role="fineGrained", permissions={"me": ["repo.write"]}), "me/set"),
        (Account(role="fineGrained", permissions={"other/set": ["repo.content.read", "repo.write"]}), "other/set"),
        (Account(role="fineGrained", permissions={"": ["repo.write"]}), "me/set"),
    ],
)
def test_a_token_that_may_write_there_is_taken(account: Account, repo: str, hub: HubServer, prompts: Path) -> None:
    hub.store.accounts["hf_write"] = account
    check(prompts, repo)


def test_a_proposal_to_somebody_else_asks_for_no_right_to_write(hub: HubServer, prompts: Path) -> None:
    hub.store.accounts["hf_write"] = Account(role="fineGrained", permissions={"": ["discussion.write"]})
    check(prompts, "other/set", proposal=True)


def test_a_token_that_expires_in_the_middle_is_told_and_the_same_command_goes_on(hub: HubServer, prompts: Path) -> None:
    def expire() -> None:
        hub.store.accounts["hf_write"].expired = True

    hub.faults.append(Fault("POST .*/preupload/", action=expire))
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert ended.code == 2
    assert "the token is refused or has expired" in ended.said
    assert hub.repo("me/set").history == ["initial commit"]
    hub.store.accounts["hf_write"].expired = False
    assert publish(f"programs={prompts}", "repo=me/set").code == 0
    assert len(hub.repo("me/set").history) == 2
