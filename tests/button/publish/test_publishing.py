"""One publish against the local Hub: what is sent, committed, tagged, proposed, and what is left alone.

Faults: test_faults; tokens: test_account; a whole data set, loaded back: test_publish.
"""

from pathlib import Path

import pytest
from hub_faults import Fault
from hub_server import HubServer
from hub_store import Account
from publishing import publish, write_program

from button.publish.plan import MANIFEST

FILES = {"README.md", MANIFEST, "compose.json", "judge.json"}


def test_everything_is_in_one_commit_and_the_same_again_does_nothing(hub: HubServer, prompts: Path) -> None:
    ended = publish(f"programs={prompts}", "repo=me/set")
    repo = hub.repo("me/set")
    assert (ended.code, set(repo.files())) == (0, FILES)
    assert repo.files()["compose.json"] == (prompts / "compose.json").read_bytes()
    assert len(repo.history) == 2
    assert f"commit {repo.head().oid[:12]}: {hub.url}/datasets/me/set/tree/{repo.head().oid}" in ended.said
    hub.requests.clear()
    again = publish(f"programs={prompts}", "repo=me/set")
    assert again.code == 0
    assert "me/set holds just this already: nothing to send" in again.said
    assert [line for line in hub.requests if not line.startswith("GET ")] == []


def test_only_what_changed_is_sent_and_what_is_no_longer_there_goes_with_it(hub: HubServer, prompts: Path) -> None:
    hub.large = (".json",)
    publish(f"programs={prompts}", "repo=me/set")
    hub.repo("me/set").push({"notes/mine.txt": b"mine", "figure.png": b"mine too"})
    write_program(prompts, "compose", "Do it better.")
    (prompts / "judge.json").unlink()
    hub.sent = 0
    assert publish(f"programs={prompts}", "repo=me/set").code == 0
    repo = hub.repo("me/set")
    assert repo.files().keys() == FILES - {"judge.json"} | {"notes/mine.txt", "figure.png"}
    assert len(repo.history) == 4
    assert hub.sent == sum(len(repo.files()[name]) for name in ("compose.json", MANIFEST))


def test_a_file_that_somebody_else_deleted_is_not_missed(hub: HubServer, prompts: Path) -> None:
    publish(f"programs={prompts}", "repo=me/set")
    hub.repo("me/set").push({"judge.json": None})
    (prompts / "judge.json").unlink()
    assert publish(f"programs={prompts}", "repo=me/set").code == 0
    assert hub.repo("me/set").files().keys() == FILES - {"judge.json"}


@pytest.mark.parametrize(
    "manifest", [b"{", b"[]", b'{"files": 3}', b'{"files": [["a"], "README.md", "../x"]}', b"\xff"]
)
def test_a_list_of_files_that_somebody_broke_deletes_nothing(manifest: bytes, hub: HubServer, prompts: Path) -> None:
    publish(f"programs={prompts}", "repo=me/set")
    hub.repo("me/set").push({MANIFEST: manifest, "notes.txt": b"mine"})
    assert publish(f"programs={prompts}", "repo=me/set").code == 0
    assert hub.repo("me/set").files().keys() == FILES | {"notes.txt"}


def test_what_a_person_wrote_into_the_card_stays(hub: HubServer, prompts: Path) -> None:
    publish(f"programs={prompts}", "repo=me/set")
    card = hub.repo("me/set").files()["README.md"].decode()
    mine = card.replace("tags:\n", "license: mit\ntags:\n- mine\n", 1) + "\n## My own words\n"
    hub.repo("me/set").push({"README.md": mine.encode()})
    write_program(prompts, "judge", "Judge otherwise.")
    assert publish(f"programs={prompts}", "repo=me/set").code == 0
    text = hub.repo("me/set").files()["README.md"].decode()
    assert text.endswith("\n## My own words\n")
    assert "license: mit\n" in text
    assert "- mine\n" in text
    assert "Judge otherwise." in text
    assert publish(f"programs={prompts}", "repo=me/set").said.count("nothing to send") == 1


def test_a_tag_is_made_once_and_never_moved(hub: HubServer, prompts: Path) -> None:
    assert publish(f"programs={prompts}", "repo=me/set", "tag=v1.0").code == 0
    repo = hub.repo("me/set")
    assert repo.tags == {"v1.0": repo.head().oid}
    assert publish(f"programs={prompts}", "repo=me/set", "tag=v1.0").code == 0
    write_program(prompts, "judge", "Judge otherwise.")
    hub.requests.clear()
    ended = publish(f"programs={prompts}", "repo=me/set", "tag=v1.0")
    assert ended.code == 2
    assert f"tag=v1.0 is on commit {repo.head().oid[:12]} already" in ended.said
    assert "take a new tag=..., or delete the old one at the Hub first" in ended.said
    assert [line for line in hub.requests if not line.startswith("GET ")] == []
    assert publish(f"programs={prompts}", "repo=me/set", "tag=v1.1").code == 0
    assert repo.tags == {"v1.0": repo.commits[repo.head().parent or ""].oid, "v1.1": repo.head().oid}


def test_what_is_published_already_can_be_tagged_later(hub: HubServer, prompts: Path) -> None:
    publish(f"programs={prompts}", "repo=me/set")
    repo = hub.repo("me/set")
    assert publish(f"programs={prompts}", "repo=me/set", "tag=v1.0").code == 0
    assert (repo.tags, len(repo.history)) == ({"v1.0": repo.head().oid}, 2)


def test_a_tag_that_somebody_sets_meanwhile_is_refused(hub: HubServer, prompts: Path) -> None:
    publish(f"programs={prompts}", "repo=me/set")
    repo = hub.repo("me/set")
    first = repo.head().oid
    write_program(prompts, "judge", "Judge otherwise.")
    hub.faults.append(Fault("POST .*/tag/", action=lambda: repo.tags.update({"v1.0": first})))
    ended = publish(f"programs={prompts}", "repo=me/set", "tag=v1.0")
    assert ended.code == 2
    assert f"tag=v1.0 is on commit {first[:12]} already, and this set is commit {repo.head().oid[:12]}" in ended.said


def test_a_branch_is_made_where_it_is_not_there_and_main_stays(hub: HubServer, prompts: Path) -> None:
    publish(f"programs={prompts}", "repo=me/set")
    repo = hub.repo("me/set")
    before = repo.head().oid
    write_program(prompts, "judge", "Judge otherwise.")
    assert publish(f"programs={prompts}", "repo=me/set", "branch=dev/one").code == 0
    assert "nothing to send" in publish(f"programs={prompts}", "repo=me/set", "branch=dev/one").said
    assert (repo.head().oid, repo.head("dev/one").parent) == (before, before)
    assert publish(f"programs={prompts}", "repo=me/set", "branch=same").code == 0
    assert repo.head("same").parent == before


def test_a_pull_request_is_made_once_and_changes_nothing_else(hub: HubServer, prompts: Path) -> None:
    repo = hub.store.create("other/set")
    before = repo.head().oid
    for expected in ("proposed: ", "just this is proposed already: "):
        ended = publish(f"programs={prompts}", "repo=other/set", "create_pr=true")
        assert (ended.code, repo.head().oid, len(repo.pull_requests)) == (0, before, 1)
        assert f"{expected}{hub.url}/datasets/other/set/discussions/1" in ended.said
    assert repo.files("refs/pr/1").keys() == FILES
    write_program(prompts, "judge", "Judge otherwise.")
    assert publish(f"programs={prompts}", "repo=other/set", "create_pr=true").code == 0
    assert len(repo.pull_requests) == 2


def test_there_is_nothing_to_propose_to_where_there_is_no_repo(hub: HubServer, prompts: Path) -> None:
    ended = publish(f"programs={prompts}", "repo=me/set", "create_pr=true")
    assert ended.code == 2
    assert "there is no me/set to propose it to" in ended.said
    assert hub.store.repos == {}


def test_a_new_repo_is_private_where_that_is_asked_for_and_one_that_is_there_stays_as_it_is(
    hub: HubServer, prompts: Path
) -> None:
    assert publish(f"programs={prompts}", "repo=me/set", "private=true").code == 0
    assert hub.repo("me/set").private
    assert publish(f"programs={prompts}", "repo=me/set").code == 0
    ended = publish(f"programs={prompts}", "repo=me/set", "private=false")
    assert ended.code == 2
    assert "private=false: me/set is there already, and private; make it public in its settings" in ended.said


def test_prompts_go_to_a_model_repo_too(hub: HubServer, prompts: Path) -> None:
    assert publish(f"programs={prompts}", "repo=me/prompts", "repo_type=model").code == 0
    card = hub.repo("me/prompts", "model").files()["README.md"].decode()
    assert "library_name: dspy" in card
    assert "hf download me/prompts --repo-type model --local-dir prompts" in card


def test_a_name_that_is_of_another_kind_is_refused_with_both_ways_out(hub: HubServer, prompts: Path) -> None:
    hub.store.create("me/set", "model")
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert ended.code == 2
    assert "me/set is a model at the Hub, and no data set: give another repo=..." in ended.said
    hub.store.create("me/set", "dataset")
    assert publish(f"programs={prompts}", "repo=me/set").code == 0


@pytest.mark.parametrize(("state", "message"), [("gated", "is gated and this token has no access"),
                                                ("disabled", "the repo is disabled at the Hub")])  # fmt: skip
def test_a_repo_that_is_closed_is_told(state: str, message: str, hub: HubServer, prompts: Path) -> None:
    repo = hub.store.create("other/set")
    setattr(repo, state, True)
    ended = publish(f"programs={prompts}", "repo=other/set", "create_pr=true")
    assert ended.code == 2
    assert message in ended.said


def test_a_gated_repo_of_ones_own_takes_a_publish(hub: HubServer, prompts: Path) -> None:
    hub.store.create("me/set").gated = True
    assert publish(f"programs={prompts}", "repo=me/set").code == 0


def test_a_file_that_the_hub_ignores_is_noticed(hub: HubServer, prompts: Path) -> None:
    hub.store.create("me/set").push({".gitignore": b"*.json"})
    ended = publish(f"programs={prompts}", "repo=me/set")
    assert ended.code == 2
    assert "the Hub left .button.json, compose.json, judge.json out of commit" in ended.said
    assert "is there a .gitignore in me/set" in ended.said


def test_a_head_of_the_card_that_the_hub_refuses_is_told(hub: HubServer, prompts: Path) -> None:
    ended = publish(f"programs={prompts}", "repo=me/set", "license=nonsense")
    assert ended.code == 2
    assert (
        'the Hub refuses the head of the card: Invalid metadata in README.md. - "license" must be one of' in ended.said
    )
    assert hub.repo("me/set").history == ["initial commit"]


def test_a_rehearsal_says_everything_and_touches_nothing(
    hub: HubServer, prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    words = (f"programs={prompts}", "repo=me/set", "tag=v1.0", "branch=dev", "private=true", "dry_run=true")
    before = sorted(tmp_path.rglob("*"))
    ended = publish(*words, tracking="mlflow")
    assert (ended.code, hub.store.repos, sorted(tmp_path.rglob("*"))) == (0, {}, before)
    lines = [line.rsplit("  ", 1) for line in ended.said.splitlines() if line.startswith("  new ")]
    assert [name for _, name in lines] == sorted(FILES)
    for line in ("- make the private data set me/set", "- make the branch dev", "- tag it v1.0"):
        assert line in ended.said.splitlines()
    publish(f"programs={prompts}", "repo=me/set")
    write_program(prompts, "judge", "Judge otherwise.")
    (prompts / "compose.json").unlink()
    head = hub.repo("me/set").head()
    said = publish(f"programs={prompts}", "repo=me/set", "dry_run=true").said
    assert [line.split()[0] for line in said.splitlines() if line.endswith(".json")] == ["changed", "changed", "gone"]
    assert hub.repo("me/set").head() == head


@pytest.mark.parametrize("there", [False, True])
def test_a_rehearsal_needs_no_token(
    there: bool, hub: HubServer, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if there:
        publish(f"programs={prompts}", "repo=me/set", "private=true")
    monkeypatch.delenv("HF_TOKEN")
    ended = publish(f"programs={prompts}", "repo=me/set", "dry_run=true")
    assert ended.code == 0
    assert "there is no token for the Hub: whether you may write to me/set is not known" in ended.said
    assert "- make the data set me/set" in ended.said


def test_a_rehearsal_for_a_repo_of_somebody_else_is_refused_as_the_publish_would_be(
    hub: HubServer, prompts: Path
) -> None:
    hub.store.accounts["hf_write"] = Account(role="read")
    ended = publish(f"programs={prompts}", "repo=me/set", "dry_run=true")
    assert (ended.code, "may only read" in ended.said) == (2, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["repo=set"], "repo='set' (text): should be owner/name"),
        (["repo=me/set", "tag=1.0"], "tag=1.0 (number): should be text: begin it with a letter"),
        (["repo=me/set", "branch=a..b"], "branch='a..b' (text): is no name for a branch or tag"),
        (["repo=me/set", "repo_type=space"], "repo_type='space' (text): should be 'dataset' or 'model'"),
        (["repo=me/set", "create_pr=true", "branch=dev"], "the Hub takes pull requests to main only"),
        (["repo=me/set", "create_pr=true", "tag=v1"], "what is only proposed has no version yet"),
        (["repo=me/set", "tag=main"], "tag=main: the branch has that name already"),
        (["repo=me/set", "test_share=0.5"], "test_share=0.5: that is for run=..."),
        (["repo=me/set", "run=outputs/x"], "give either run=FOLDER (a data set) or programs=FOLDER"),
        (["repo=me/set", "programs=null", "run=outputs/x", "repo_type=model"], "a run becomes a data set"),
        (["repo=me/set", "programs=null"], "give either run=FOLDER"),
        ([], "repo is required: give it as repo=..."),
        (["repo=me/set", "token=hf_secret"], "keys come from the environment only"),
        (["repo=me/set", "layuot=1"], "there is no layuot here"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_hub_is_asked(
    words: list[str], message: str, hub: HubServer, prompts: Path
) -> None:
    ended = publish(f"programs={prompts}", *words)
    assert ended.code == 2
    assert message in ended.said
    assert "hf_secret" not in ended.said
    assert hub.requests == []
