from typing import Any

import pytest

from button.config import ROLES
from button.publish.model_terms import models_of, shown_name

ENDPOINT = "button.lms.endpoint.Endpoint"


@pytest.mark.parametrize(
    ("lm", "name", "terms"),
    [
        ({"_target_": "button.lms.embedded.Embedded"}, "Qwen2.5-Coder-1.5B-Instruct (4-bit)", "Apache-2.0"),
        ({"_target_": "button.lms.embedded.Embedded", "size": "0.5b"}, "Qwen2.5-Coder-0.5B", "Apache-2.0"),
        (
            {"_target_": "button.lms.embedded.Gguf", "path": "/models/mine.gguf"},
            "mine.gguf",
            "the licence of the model",
        ),
        ({"_target_": "button.lms.embedded.Gguf", "repo": "Qwen/X", "file": "x.gguf"}, "Qwen/X, x.gguf", "the licence"),
        (
            {"_target_": ENDPOINT, "model": "gpt-4o", "api_base": "https://api.openai.com/v1"},
            "gpt-4o",
            "served by OpenAI: its terms of use apply",
        ),
        (
            {"_target_": ENDPOINT, "model": "Qwen/Qwen3-8B", "api_base": "http://10.0.0.7:8000/v1"},
            "Qwen/Qwen3-8B",
            "the licence",
        ),
        ({"_target_": "button.lms.stock.Stock", "model": "gemini/pro"}, "gemini/pro", "served by gemini"),
        ({"_target_": "my_pkg.MyModel", "token": "x"}, "MyModel", "the licence of the model"),
    ],
)
def test_a_model_is_named_with_the_terms_that_apply(lm: dict[str, Any], name: str, terms: str) -> None:
    (use,) = models_of({"lm": lm})
    assert use.name.startswith(name)
    assert use.terms.startswith(terms)
    assert use.roles == ROLES
    assert "10.0.0.7" not in repr(use)


def test_roles_with_a_model_of_their_own_are_told_apart_and_the_same_model_stands_once() -> None:
    one, other = ({"_target_": ENDPOINT, "model": name, "api_base": "http://x/v1"} for name in ("a", "b"))
    uses = models_of({"lm": one, "lms": {"judge": other, "tool": {**one, "timeout_s": 3}}})
    assert [(use.name, use.roles) for use in uses] == [
        ("a", (*(role for role in ROLES if role not in ("judge", "tool")), "tool")),
        ("b", ("judge",)),
    ]


@pytest.mark.parametrize("lm", ["simulated.Simulated", "embedded.Embedded"])
def test_models_that_write_no_data_to_train_on_come_with_a_caution(lm: str) -> None:
    (use,) = models_of({"lm": {"_target_": f"button.lms.{lm}"}})
    assert use.caution


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/srv/models/ft/", "ft"),
        ("~/models/ft.gguf", "ft.gguf"),
        ("./ft", "ft"),
        ("C:\\models\\ft", "ft"),
        ("https://me:pw@host/models/ft", "ft"),
        ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
    ],
)
def test_of_a_path_or_an_address_the_last_part_is_shown(name: str, shown: str) -> None:
    assert shown_name(name) == shown
