import pytest

from button.secrecy import is_secret_key, placeless, redacted, shown


@pytest.mark.parametrize(
    "key",
    [
        "api_key",
        "lm.api_key",
        "lms.judge.apikey",
        "hub.token",
        "a.client_secret",
        "db.password",
        "lm.headers.X-Org",
        "Authorization",
    ],
)
def test_a_key_that_names_a_secret_is_one(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize(
    "key", ["max_tokens", "prompt_tokens", "lm.api_key_env", "lm.limits.tokens_per_minute", "model"]
)
def test_a_count_of_tokens_and_the_name_of_a_variable_are_no_secrets(key: str) -> None:
    assert not is_secret_key(key)


def test_a_redacted_config_holds_no_secret_and_is_otherwise_the_same() -> None:
    config = {
        "lm": {
            "api_key": "sk-1",
            "api_key_env": "OPENAI_API_KEY",
            "api_base": "https://me:pw@host/v1?api_key=abc&x=1",
            "headers": {"X-Api": "sk-2", "Accept": "sk-3"},
            "max_tokens": 5,
            "token": None,
        },
        "tracking": {"uri": "postgresql://user:sk-4@db/mlflow"},
        "list": [{"password": "sk-5"}],
    }
    found = redacted(config)
    assert "sk-" not in str(found)
    assert "pw" not in str(found)
    assert found["lm"]["api_base"] == "https://***@host/v1?api_key=***&x=1"
    assert found["lm"]["api_key_env"] == "OPENAI_API_KEY"
    assert found["lm"]["max_tokens"] == 5
    assert found["lm"]["token"] is None
    assert found["tracking"]["uri"] == "postgresql://***@db/mlflow"
    assert config["lm"]["api_key"] == "sk-1"  # type: ignore[index]


def test_a_plain_address_is_shown_as_it_is() -> None:
    assert shown("http://127.0.0.1:8000/v1?page=2") == "http://127.0.0.1:8000/v1?page=2"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("http://10.0.0.7:8000/v1", "http://***"),
        ("sqlite:////srv/ana/runs/mlflow.db", "sqlite://***"),
        ("/srv/ana/seeds.jsonl", ".../seeds.jsonl"),
        ("~/seeds.jsonl", ".../seeds.jsonl"),
        ("~ana/runs/seeds.jsonl", ".../seeds.jsonl"),
        ("seeds.path=~ana/runs/seeds.jsonl", "seeds.path=.../seeds.jsonl"),
        ("~step@steps.judge", "~step@steps.judge"),
        ("arms.a=[seeds.path=/srv/ana/seeds.jsonl]", "arms.a=[seeds.path=.../seeds.jsonl]"),
        ("outputs/demo", "outputs/demo"),
        ("Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B-Instruct"),
        ("modules.judge.CompositionFilter", "modules.judge.CompositionFilter"),
        (0.5, 0.5),
    ],
)
def test_a_config_leaves_without_addresses_and_places(value: object, shown: object) -> None:
    assert placeless({"a": [value]}) == {"a": [shown]}
