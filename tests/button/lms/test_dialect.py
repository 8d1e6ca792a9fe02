"""Covers what differs between servers: field names, constraints, and how a refusal of a constraint is told."""

from typing import Any

import pytest
from dspy.lm15 import Config, InvalidRequestError, Message, Request

from button.lms.dialect import Constraint, Dialect, blames_one_schema, weaker

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def body(dialect: Dialect, constraint: Constraint = "json_schema", *, schema: Any = SCHEMA) -> dict[str, Any]:
    asked = {"type": "json_schema", "name": "A", "schema": schema} if schema else {"type": "json_object"}
    config = Config(max_tokens=5, seed=3, response_format=asked)
    request = Request(model="endpoint/x", messages=(Message.user("hi"),), config=config)
    return dialect.body(request, model="served", constraint=constraint)


def test_the_server_is_asked_for_its_own_model() -> None:
    assert body(Dialect())["model"] == "served"


def test_the_seed_and_the_name_of_max_tokens_follow_the_dialect() -> None:
    sent = body(Dialect(send_seed=False, max_tokens="max_completion_tokens"))

    assert "seed" not in sent
    assert "max_tokens" not in sent
    assert sent["max_completion_tokens"] == 5


def test_extra_fields_are_added_and_null_takes_a_field_out() -> None:
    sent = body(Dialect(extra_body={"chat_template_kwargs": {"enable_thinking": False}, "seed": None}))

    assert sent["chat_template_kwargs"] == {"enable_thinking": False}
    assert "seed" not in sent


def test_each_constraint_has_its_own_spelling() -> None:
    inner = {"name": "A", "schema": SCHEMA}
    assert body(Dialect(), "json_schema")["response_format"] == {"type": "json_schema", "json_schema": inner}
    assert body(Dialect(), "json_object")["response_format"] == {"type": "json_object"}
    assert "response_format" not in body(Dialect(), "none")
    guided = body(Dialect(), "llguidance")
    assert "response_format" not in guided
    assert guided["grammar"].startswith("%llguidance {}\nstart: %json {")


def test_a_plain_json_object_stays_one_under_llguidance() -> None:
    assert body(Dialect(), "llguidance", schema=None)["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("words", "one_schema"),
    [
        ("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.", False),
        ('response_format type must be one of "text" or "json_object", but got: json_schema', False),
        ("This response_format type is unavailable now", False),
        ("[{'loc': ['body', 'response_format', 'type'], 'msg': \"Input should be 'text' or 'json_object'\"}]", False),
        ("Invalid schema for response_format 'Call': 'additionalProperties' is required to be false.", True),
        ("JSON schema conversion failed:\nUnsupported $ref: #/x", True),
        ("Automatic parser generation failed: JSON schema error at #: unrecognized type nonsense", True),
        ("The provided JSON schema contains features not supported by xgrammar.", True),
    ],
)
def test_a_refused_constraint_is_weakened(words: str, one_schema: bool) -> None:
    error = InvalidRequestError(words)

    assert weaker("json_schema", error) == "json_object"
    assert blames_one_schema("json_schema", error) is one_schema


def test_a_server_that_cannot_read_the_grammar_gets_the_schema_from_then_on() -> None:
    error = InvalidRequestError("Failed to parse grammar")

    assert weaker("llguidance", error) == "json_schema"
    assert not blames_one_schema("llguidance", error)


def test_a_refusal_of_something_else_weakens_nothing() -> None:
    assert weaker("json_schema", InvalidRequestError("temperature must be 1 for this model")) is None


def test_below_no_constraint_there_is_nothing() -> None:
    assert weaker("none", InvalidRequestError("response_format?")) is None
