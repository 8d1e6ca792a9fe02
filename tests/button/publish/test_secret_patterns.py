import random
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laid_out import examples_of, finished_run, publication, run_of
from strategies import build_example, weather_example

from button.errors import UserError
from button.publish.inspection import findings_in
from button.publish.secret_patterns import SecretPatterns, drawn_by_lot, known_here
from signatures.records import AssistantTurn, Call, Example, Result, SubTask, ToolTurn, UserTurn

LETTERS = string.ascii_letters
DIGITS = string.digits


def drawn(alphabet: str, length: int, seed: int = 3) -> str:
    """Put together here, so that no scanner takes this file for one with secrets."""
    return "".join(random.Random(seed).choices(alphabet, k=length))


SECRETS = {
    "Hugging Face token": "hf_" + drawn(LETTERS, 34),
    "OpenAI or Anthropic key": "sk-proj-" + drawn(LETTERS + DIGITS, 48),
    "OpenAI or Anthropic key ": "sk-ant-api03-" + drawn(LETTERS + DIGITS, 60),
    "AWS access key": "AKIA" + drawn(string.ascii_uppercase + DIGITS, 16),
    "GitHub token": "ghp_" + drawn(LETTERS + DIGITS, 36),
    "GitLab token": "glpat-" + drawn(LETTERS + DIGITS, 20),
    "Slack token": "xoxb-" + drawn(DIGITS, 12),
    "Slack webhook": "https://hooks.slack.com/services/T0AB/B0CD/" + drawn(LETTERS, 24),
    "Google key": "AIza" + drawn(LETTERS + DIGITS, 35),
    "Stripe key": "sk_live_" + drawn(LETTERS + DIGITS, 24),
    "JSON Web Token": f"eyJ{drawn(LETTERS, 20)}.eyJ{drawn(LETTERS, 40)}.{drawn(LETTERS, 43)}",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
    "bearer token": "Authorization: Bearer " + drawn(LETTERS + DIGITS, 40),
    "URL with a password": "postgres://ada:" + drawn(LETTERS, 12) + "@db.example.com/data",
    "secret behind its name": "api_key=" + drawn(LETTERS + DIGITS, 32),
    "local path": f"/{'home'}/ada/projects/data.csv",
    "local path ": f"/{'Users'}/ada/Desktop/data.csv",
    "local path  ": "C:\\Users\\ada\\Desktop\\data.csv",
    "local path   ": f"/{'root'}/data.csv",
}


@pytest.mark.parametrize(("kind", "secret"), SECRETS.items())
def test_a_secret_in_the_middle_of_a_text_is_found_and_not_shown_whole(kind: str, secret: str) -> None:
    (found,) = SecretPatterns().in_value({"results": [{"note": f"Use {secret} for it."}]})

    assert found.kind == kind.strip()
    assert found.where == "results[0].note"
    assert secret[len(secret) // 2 :] not in found.shown
    assert found.shown.endswith("***")


def test_a_secret_is_found_in_the_key_of_a_value_too() -> None:
    (found,) = SecretPatterns().in_value({SECRETS["GitHub token"]: 1})
    assert found.where.endswith("(the key)")


def test_a_value_drawn_by_lot_under_the_name_of_a_secret_is_found() -> None:
    (found,) = SecretPatterns().in_value({"account": {"access_token": drawn(LETTERS + DIGITS, 40)}})
    assert found.kind == "secret under 'access_token'"


NAMES = st.sampled_from(["token", "session_token", "api_key", "password", "booking_secret", "id", "reference"])
HARMLESS = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda found: found.hex),
    st.binary(min_size=16, max_size=64).map(bytes.hex),
    st.binary(min_size=20, max_size=20).map(lambda found: "sha256:" + found.hex()),
    st.from_regex(r"[A-Z]{2,4}-?[0-9]{3,6}", fullmatch=True),
    st.from_regex(r"(BOOK|ORD|TKT|RES)-20[0-9]{2}-[A-Z0-9]{4,8}(-[0-9]{2,5})?", fullmatch=True),
    st.from_regex(r"[a-z]{2,12}(-[a-z]{2,12}){2,6}(-20[0-9]{2})?", fullmatch=True),
    st.from_regex(r"[a-z]{3,9}_[0-9]{3,10}", fullmatch=True),
    st.from_regex(r"\+[0-9]{1,3}-[0-9]{3}-555-01[0-9]{2}", fullmatch=True),
    st.datetimes().map(lambda found: found.isoformat()),
    st.from_regex(r"sk-[a-z]{3,9}(-[a-z]{3,9}){2,4}-20[0-9]{2}", fullmatch=True),
    st.from_regex(r"https://www\.[a-z]{3,12}\.com/(home|users)/[a-z]{2,8}\?page=[0-9]{1,3}", fullmatch=True),
)


@given(NAMES, HARMLESS)
def test_ids_codes_uuids_and_hashes_are_no_secrets_under_any_name(name: str, value: str) -> None:
    assert SecretPatterns().in_value({"results": {name: value}}) == []
    assert SecretPatterns().in_value(f"The {name}: {value}, and {name}={value}") == []


@given(st.text(LETTERS + DIGITS, min_size=32, max_size=60).filter(lambda t: len(set(t)) > 20))
def test_what_is_drawn_from_letters_and_digits_looks_so(value: str) -> None:
    mixed = any(map(str.isdigit, value)) and any(map(str.islower, value)) and any(map(str.isupper, value))
    assert drawn_by_lot(value) or not mixed


def test_no_row_of_a_real_run_looks_like_a_secret() -> None:
    patterns = SecretPatterns(known_here({}, Path("elsewhere/run")))
    assert [found for traced in examples_of(finished_run()) for found in findings_in(traced, patterns)] == []


def test_what_this_machine_knows_to_be_secret_is_found_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MY_ORG_TOKEN", "wet-fish-on-friday")
    monkeypatch.setenv("SHORT_TOKEN", "fish")
    config = {
        "lm": {"api_base": "http://llm.corp.example:8000/v1"},
        "lms": {"judge": {"api_base": "https://api.openai.com/v1"}},
    }
    patterns = SecretPatterns(known_here(config, tmp_path / "run"))

    texts = ["a wet-fish-on-friday", "see llm.corp.example:8000", f"in {tmp_path}/run/x", "api.openai.com and fish"]
    kinds = [[found.kind for found in patterns.in_value(text)] for text in texts]
    assert kinds == [["value of MY_ORG_TOKEN"], ["address of lm.api_base"], ["local path"], []]


def with_result(secret: str, *, split: str = "train") -> Example:
    call = Call(name="sign_in", arguments={"account": "ada"})
    turns = (
        UserTurn(content="Sign in."),
        AssistantTurn(thought="I sign in.", calls=(call,)),
        ToolTurn(results=(Result(name="sign_in", arguments=call.arguments, results={"note": secret}),)),
        AssistantTurn(thought="Done.", final="You are signed in."),
    )
    return build_example(
        scenario="signing in", sub_tasks=(SubTask(task="Sign in."),), functions=(), uses=((),), turns=turns,
        split=split,  # type: ignore[arg-type]
    )  # fmt: skip


def test_rows_with_secrets_stop_the_publish_and_are_named(tmp_path: Path) -> None:
    secret = SECRETS["Hugging Face token"]
    run = run_of(tmp_path / "run", [weather_example(), with_result(secret, split="test")])
    row = examples_of(run)[1].example.id

    with pytest.raises(UserError) as refused:
        publication(run, tmp_path / "set")

    message = str(refused.value)
    assert f"row {row} (test), turns[2].results[0].results.note: Hugging Face token hf_" in message
    assert secret not in message
    assert not (tmp_path / "set").exists()
    assert dict(publication(run, tmp_path / "set", leave_out=[row]).rows) == {"train": 1}
    assert dict(publication(run, tmp_path / "set", accept_rows=[row]).rows) == {"train": 1, "test": 1}


def test_a_secret_in_the_name_of_a_source_of_seeds_stops_the_publish(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [weather_example()], source=f"export {SECRETS['GitHub token']}.csv#1")
    with pytest.raises(UserError, match=r"seed\.source: GitHub token ghp_"):
        publication(run, tmp_path / "set")


def test_a_secret_in_what_the_card_shows_stops_the_publish(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [weather_example()])
    with pytest.raises(UserError, match=r"the card would show a secret \(GitHub token"):
        publication(run, tmp_path / "set", authors=[SECRETS["GitHub token"]])
    assert list((tmp_path / "set").iterdir()) == []
