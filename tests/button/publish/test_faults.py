"""What goes wrong on the way to the Hub: it is waited out, or told, and the same command goes on where it was."""

import logging
import os
import signal
import socket
from pathlib import Path

import pytest
from hub_faults import Fault
from hub_server import HubServer
from publishing import publish, write_program

from button.publish import patience

# Each request of a first publish with a branch and a tag, but those that the client itself tries again.
REQUESTS = (
    "GET /api/whoami-v2",
    "GET /api/datasets/me/set$",
    "GET /api/models/me/set$",
    "POST /api/repos/create",
    "GET .*/refs",
    "POST .*/branch/",
    "POST /api/validate-yaml",
    "POST .*/commit/",
    "POST .*/tag/",
)


@pytest.fixture
def large(prompts: Path) -> Path:
    """Prompts in four files, some of which need several parts to be uploaded in."""
    for step in ("functions", "task"):
        write_program(prompts, step, f"Do {step} at length. " * 400)
    return prompts


def commits(hub: HubServer, branch: str = "main") -> int:
    """The commits that somebody made by publishing."""
    found, at = 0, hub.repo("me/set").branches[branch]
    while (commit := hub.repo("me/set").commits[at]).parent is not None:
        found, at = found + (commit.message.startswith("Publish")), commit.parent
    return found


@pytest.mark.parametrize(
    ("request_line", "kind"),
    [(line, kind) for line in REQUESTS for kind in ("status", "cut", "lost") if kind == "status" or "POST" in line],
)
def test_a_failure_that_passes_is_waited_out_wherever_it_comes(
    request_line: str, kind: str, hub: HubServer, prompts: Path
) -> None:
    kinds = {"status": Fault(request_line, status=503), "cut": Fault(request_line, cut=True)}
    fault = kinds.get(kind, Fault(request_line, lost=True))
    hub.faults.append(fault)
    ended = publish(f"programs={prompts}", "repo=me/set", "branch=dev", "tag=v1.0")
    assert fault.times == 0
    assert ended.code == 0, ended.said
    assert commits(hub, "dev") == 1
    assert hub.repo("me/set").tags == {"v1.0": hub.repo("me/set").head("dev").oid}


@pytest.mark.parametrize("request_line", ["GET .*/tree/", "POST .*/preupload/", "PUT /lfs/"])
def test_a_failure_that_the_client_waits_out_leaves_one_commit_too(
    request_line: str, hub: HubServer, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    hub.large = (".json",)
    hub.faults += [Fault(request_line, status=500), Fault(request_line, cut=True)]
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert (ended.code, commits(hub)) == (0, 1), ended.said
    assert [fault.times for fault in hub.faults] == [0, 0]


@pytest.mark.parametrize("request_line", ["GET /api/whoami-v2", "POST .*/commit/", "POST .*/tag/"])
def test_a_failure_without_end_ends_in_one_message(request_line: str, hub: HubServer, prompts: Path) -> None:
    hub.faults.append(Fault(request_line, times=1000, status=500))
    ended = publish(f"programs={prompts}", "repo=me/set", "tag=v1.0")
    assert ended.code == 2
    assert "Traceback" not in ended.said
    assert "the same command goes on from there" in ended.said.splitlines()[-1]
    assert hub.count(request_line) == 5
    hub.faults.clear()
    assert publish(f"programs={prompts}", "repo=me/set", "tag=v1.0").code == 0
    assert commits(hub) == 1


def test_an_upload_that_breaks_off_leaves_nothing_half_done_and_is_not_sent_again(hub: HubServer, large: Path) -> None:
    hub.large = (".json",)
    hub.faults.append(Fault("PUT /lfs/", skip=2, times=1000, status=403))
    ended = publish(f"programs={large}", "repo=me/set")
    assert ended.code == 2
    assert "the upload broke off: Error while uploading" in ended.said
    assert "What is there is not sent again" in ended.said
    assert hub.repo("me/set").history == ["initial commit"]
    assert len(hub.store.objects) == 2
    hub.faults.clear()
    before = hub.count("PUT /lfs/")
    assert publish(f"programs={large}", "repo=me/set").code == 0
    assert hub.count("PUT /lfs/") - before == 3  # of four programs and the list of files
    assert commits(hub) == 1


def test_a_hub_without_xet_is_told_with_the_way_without(
    hub: HubServer, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", False)
    hub.large = (".json",)
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert ended.code == 2
    assert hub.count("/xet-write-token/") >= 1
    assert "the upload broke off: " in ended.said
    assert "HF_HUB_DISABLE_XET=1 does without" in ended.said
    assert hub.repo("me/set").history == ["initial commit"]


def test_ctrl_c_in_the_middle_of_an_upload_ends_at_once_and_the_same_command_goes_on(
    hub: HubServer, large: Path
) -> None:
    hub.large = (".json",)
    hub.faults.append(Fault("PUT /lfs/", skip=3, action=lambda: os.kill(os.getpid(), signal.SIGINT)))
    ended = publish(f"programs={large}", "repo=me/set")
    assert ended.code == 130
    assert "interrupted; the same command goes on from here" in ended.said
    assert hub.repo("me/set").history == ["initial commit"]
    assert publish(f"programs={large}", "repo=me/set").code == 0
    assert commits(hub) == 1


def test_a_large_file_goes_in_parts(hub: HubServer, large: Path) -> None:
    hub.large, hub.part_bytes = (".json",), 1000
    assert publish(f"programs={large}", "repo=me/set").code == 0
    for name in ("functions.json", "task.json", "judge.json"):
        assert hub.repo("me/set").files()[name] == (large / name).read_bytes()
    assert hub.count(r"PUT /lfs/\w+/\d+") > 10


def test_a_commit_of_somebody_else_in_between_is_built_upon(hub: HubServer, prompts: Path) -> None:
    publish(f"programs={prompts}", "repo=me/set")
    repo = hub.repo("me/set")
    card = repo.files()["README.md"]
    theirs = {"README.md": card + b"\nTheirs.\n", "theirs.txt": b"theirs"}
    write_program(prompts, "judge", "Judge otherwise.")
    hub.faults.append(Fault("POST .*/commit/", action=lambda: repo.push(theirs)))
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert ended.code == 0
    assert "somebody else has written to the repo meanwhile: looking again" in ended.said
    assert repo.history[1] == "by hand"
    assert repo.files()["README.md"].endswith(b"\nTheirs.\n")
    assert b"Judge otherwise." in repo.files()["README.md"]
    assert repo.files()["theirs.txt"] == b"theirs"


def test_a_repo_that_never_rests_is_told(hub: HubServer, prompts: Path) -> None:
    publish(f"programs={prompts}", "repo=me/set")
    repo = hub.repo("me/set")
    write_program(prompts, "judge", "Judge otherwise.")
    hub.faults.append(Fault("POST .*/commit/", times=1000, action=lambda: repo.push({"a": os.urandom(4)})))
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert ended.code == 2
    assert "5 tries, and each time the commit could not be made or somebody else was faster" in ended.said
    assert set(repo.history[:5]) == {"by hand"}


def test_an_answer_to_a_proposal_that_is_lost_makes_no_second_one(hub: HubServer, prompts: Path) -> None:
    repo = hub.store.create("me/set")
    hub.faults.append(Fault("POST .*/commit/", lost=True))
    ended = publish(f"programs={prompts}", "repo=me/set", "create_pr=true")
    assert (ended.code, len(repo.pull_requests)) == (0, 1)
    assert "just this is proposed already" in ended.said


def test_the_wait_that_the_hub_asks_for_is_kept(hub: HubServer, prompts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("button.publish.patience.time.sleep", waits.append)
    limited = {"status": 429, "body": '{"error": "too many"}'}
    hub.faults.append(Fault("GET /api/whoami-v2", headers={"Retry-After": "7"}, **limited))  # type: ignore[arg-type]
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert (ended.code, waits) == (0, [7.0])
    assert "(whose token it is, HTTP 429); once more in 7 s" in ended.said
    hub.faults.append(Fault("GET .*/refs", headers={"Retry-After": "3600"}, **limited))  # type: ignore[arg-type]
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert ended.code == 2
    assert "the Hub asks for a wait of 3600 s (its branches): run the same command again after that" in ended.said


def test_a_proxys_page_in_place_of_an_answer_is_told_as_such(hub: HubServer, prompts: Path) -> None:
    hub.faults.append(Fault("GET /api/whoami-v2", times=1000, status=200, body="<html>please log in</html>"))
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert ended.code == 2
    assert "what answered is not the Hub (no JSON): check HF_ENDPOINT and any proxy" in ended.said


@pytest.mark.parametrize("request_line", ["GET .*/refs", "POST .*/commit/"])
def test_a_hub_that_falls_silent_is_asked_again(
    request_line: str, hub: HubServer, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "SILENCE_S", 0.3)
    hub.faults.append(Fault(request_line, silent=True))
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert (ended.code, commits(hub), hub.count(request_line)) == (0, 1, 2), ended.said


@pytest.mark.parametrize("words", [[], ["dry_run=true"]])
def test_a_hub_that_is_not_there_is_told(
    words: list[str], hub: HubServer, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{unheard.getsockname()[1]}")
        ended = publish(f"programs={prompts}", "repo=me/set", *words)
        assert ended.code == 2
        assert "the connection to the Hub failed" in ended.said
        assert "check the network and HF_ENDPOINT" in ended.said
        if words:
            monkeypatch.delenv("HF_TOKEN")
            ended = publish(f"programs={prompts}", "repo=me/set", *words)
            assert ended.code == 0
            assert "me/set cannot be read (ConnectError): it is taken for new" in ended.said


def test_offline_is_told(hub: HubServer, prompts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert ended.code == 2
    assert "HF_HUB_OFFLINE is set" in ended.said


def test_no_token_and_no_signed_address_is_shown(
    hub: HubServer, prompts: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    logger = logging.getLogger("huggingface_hub")
    logger.addHandler(caplog.handler)
    try:
        hub.large = (".json",)
        hub.faults += [
            Fault("PUT /lfs/", status=500),
            Fault("PUT /lfs/", times=1000, status=403, body='{"error": "hf_write and hf_write"}'),
        ]
        ended = publish(f"programs={prompts}", "repo=me/set")
    finally:
        logger.removeHandler(caplog.handler)
    assert ended.code == 2
    assert "HTTP Error 500 thrown while requesting PUT" in caplog.text
    for text in (ended.said, caplog.text):
        assert "very-secret-signature" not in text
        assert "hf_write" not in text
