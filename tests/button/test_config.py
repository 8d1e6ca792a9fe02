from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from button.config import ROLES, GenerateSettings, TrackingSettings, as_config, differing_keys, flattened, settings_from
from button.errors import UserError

PART = {"_target_": "button.dedup.SemanticDedup"}
PLAIN: dict[str, Any] = {
    "n": 2,
    "out": "outputs/x",
    "seeds": PART,
    "lm": PART,
    "steps": {"dedup": PART},
    "export": PART,
}
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
CONFIGS = st.dictionaries(
    st.sampled_from(("n", "seed", "lm", "steps", "out", "tracking")),
    LEAVES | st.dictionaries(st.sampled_from(("model", "limits", "of")), LEAVES, max_size=2),
    max_size=4,
)


def settings(**changes: Any) -> GenerateSettings:
    return settings_from({**PLAIN, **changes}, GenerateSettings)


def test_a_config_becomes_settings_with_an_absolute_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = settings(show="all", budget={"max_cost": 2}, tracking={"trace_ratio": 0.5})
    assert found.out == tmp_path / "outputs" / "x"
    assert (found.n, found.seed, found.draws, found.show, found.budget.max_cost) == (2, 0, None, "all", 2.0)
    assert found.tracking == TrackingSettings(trace_ratio=0.5)


def test_an_empty_tracking_node_means_none() -> None:
    assert settings(tracking={}).tracking is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"n": 0},
            r"^n=0 \(integer\): should be greater than or equal to 1; it is the number of accepted trajectories",
        ),
        ({"n": -1}, r"^n=-1 \(integer\): should be greater than or equal to 1"),
        ({"n": 2.5}, r"^n=2\.5 \(number\): should be a valid integer"),
        ({"n": 2.0}, r"^n=2\.0 \(number\): should be a valid integer"),
        ({"n": "abc"}, r"^n='abc' \(text\): should be a valid integer"),
        ({"n": True}, r"^n=true \(boolean\): should be a valid integer"),
        ({"n": None}, r"^draws=null \(null\): should be a number where n is null"),
        ({"out": ""}, r"^out='' \(text\): should be the path of a folder; it is the run folder"),
        ({"out": None}, r"^out=null \(null\): should be the path of a folder"),
        ({"seed": -1}, r"^seed=-1 \(integer\): should be greater than or equal to 0"),
        ({"nn": 3}, r"^nn: no such key here; the keys are: n, seed, out, "),
        ({"budget": {"max_cost": 0}}, r"^budget\.max_cost=0 \(integer\): should be greater than 0"),
        ({"budget": {"max_call": 3}}, r"^budget\.max_call: no such key here"),
        ({"tracking": {"trace_ratio": 2}}, r"^tracking\.trace_ratio=2 \(integer\): should be less than or equal to 1"),
        ({"show": "some"}, r"^show='some' \(text\): should be all, none, or a number of trajectories"),
        ({"show": -1}, r"^show=-1 \(integer\): should be all, none, or a number"),
        ({"show": []}, r"^show=\[\] \(list\): should be all, none, or a number"),
        ({"draws": 0}, r"^draws=0 \(integer\): should be greater than or equal to 1"),
        ({"lm": {"model": "x"}}, r"^lm=.*: has no _target_"),
        ({"lms": {"judge": {"model": "x"}}}, r"^lms\.judge=.*: has no _target_"),
        ({"allow_targets": "my_pkg"}, r"^allow_targets='my_pkg' \(text\): should be a valid tuple"),
        ({"allow_targets": ["my pkg"]}, r"^allow_targets\.0='my pkg' \(text\): String should match"),
        ({"lm": {"_target_": "os.system"}}, r"^lm\._target_='os\.system' is refused"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_is_allowed(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        settings(**changes)


def test_each_wrong_key_has_its_line() -> None:
    with pytest.raises(UserError) as refused:
        settings(n=0, seed="x")
    assert [line.partition("=")[0] for line in str(refused.value).splitlines()] == ["n", "seed"]


def test_a_missing_key_is_named() -> None:
    with pytest.raises(UserError, match=r"^n is required: give it as n=\.\.\."):
        settings_from({key: value for key, value in PLAIN.items() if key != "n"}, GenerateSettings)


def test_an_error_message_does_not_repeat_a_secret() -> None:
    with pytest.raises(UserError) as refused:
        settings(tracking={"api_key": "sk-1", "uri": {"token": "sk-2"}})
    assert "sk-1" not in str(refused.value)


def test_a_config_to_be_written_down_has_no_secrets() -> None:
    found = as_config(settings(lm={**PART, "api_key": "sk-1", "headers": {"X-Key": "sk-2"}}))
    assert "sk-" not in str(found)
    assert found["n"] == 2
    assert found["out"] == str(Path.cwd() / "outputs/x")


@given(CONFIGS)
def test_a_config_does_not_differ_from_itself(config: dict[str, Any]) -> None:
    assert differing_keys(config, config) == []


def test_the_keys_that_differ_are_named_with_both_values() -> None:
    old = {"n": 8, "lm": {"model": "a", "limits": {"max_in_flight": 4}}, "steps": {"task": {}, "judge": {"tries": 3}}}
    new = {"n": 9, "lm": {"model": "b", "limits": {"max_in_flight": 8}}, "steps": {"task": {"max_words": 20}}}
    assert differing_keys(old, new) == [
        "lm.model: 'a' there, 'b' here",
        "n: 8 there, 9 here",
        "steps.judge.tries: 3 there, not set here",
        "steps.task: {} there, not set here",
        "steps.task.max_words: not set there, 20 here",
    ]


@pytest.mark.parametrize(
    "key",
    ["out", "show", "tracking.uri", "executor.rows", "budget.max_calls", "lm.limits.x", "lm.retries.tries",
     "lms.judge.timeout_s"],
)  # fmt: skip
def test_what_changes_no_byte_of_the_data_may_differ(key: str) -> None:
    assert differing_keys(nested(key, 1), nested(key, 2)) == []


@pytest.mark.parametrize(
    "key", ["n", "seed", "lm.model", "lm.api_base", "lms.judge.model", "steps.gate.limits", "seeds.path"]
)
def test_what_may_change_the_data_may_not_differ(key: str) -> None:
    assert differing_keys(nested(key, 1), nested(key, 2)) == [f"{key}: 1 there, 2 here"]


def test_another_order_of_the_steps_is_another_config() -> None:
    old, new = {"steps": {"a": {"x": 1}, "b": {"x": 1}}}, {"steps": {"b": {"x": 1}, "a": {"x": 1}}}
    assert differing_keys(old, new) == ["steps: in the order a, b there, b, a here"]


def test_a_flattened_config_has_dotted_keys() -> None:
    assert flattened({"a": {"b": 1, "c": {}}, "d": [1]}) == {"a.b": 1, "a.c": {}, "d": [1]}


def test_the_roles_are_those_of_the_defaults_list() -> None:
    text = (Path(__file__).parents[2] / "conf" / "generate.yaml").read_text()
    assert [role for role in ROLES if f"- lm@lms.{role}: null" in text] == list(ROLES)


def nested(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    return dict(value)
