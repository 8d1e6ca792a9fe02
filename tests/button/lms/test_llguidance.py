import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import JSON_VALUES

from button.lms.llguidance import MAX_ITEMS, MAX_STRING, bounded, grammar
from button.lms.schema import object_schema, output_schema
from signatures.functions import DefineFunctions
from signatures.play import PlayAssistant

TEXT = {"type": "string", "maxLength": MAX_STRING}


def schema_in(text: str) -> Any:
    head, _, body = text.partition("start: %json ")
    assert head == "%llguidance {}\n"
    return json.loads(body)


@pytest.mark.parametrize(("small", "text"), [(True, TEXT), (False, {"type": "string"})])
def test_the_grammar_holds_the_schema_with_compact_white_space_and_bounds_for_a_small_model(
    small: bool, text: dict[str, Any]
) -> None:
    schema = object_schema({"name": {"type": "string"}})
    assert schema_in(grammar(schema, small=small)) == {
        **object_schema({"name": text}),
        "x-guidance": {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "},
    }


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, TEXT),
        ({"type": ["string", "null"]}, {**TEXT, "type": ["string", "null"]}),
        ({"type": "string", "maxLength": 9}, {"type": "string", "maxLength": 9}),
        ({"type": "string", "enum": ["a" * 999]}, {"type": "string", "enum": ["a" * 999]}),
        ({"type": "string", "const": "a"}, {"type": "string", "const": "a"}),
        ({"type": "string", "pattern": "^a$"}, {"type": "string", "pattern": "^a$"}),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "array", "items": {"type": "string"}}, {"type": "array", "items": TEXT, "maxItems": MAX_ITEMS}),
        ({"type": "array", "maxItems": 0}, {"type": "array", "maxItems": 0}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"anyOf": [TEXT, {"type": "null"}]}),
        ({"type": "integer"}, {"type": "integer"}),
        ({"enum": [{"type": "string"}]}, {"enum": [{"type": "string"}]}),
    ],
)
def test_whatever_could_run_on_gets_a_bound(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert bounded(schema) == expected


def test_properties_that_are_called_like_keywords_are_no_keywords() -> None:
    properties = {name: {"type": "string"} for name in ("type", "enum", "const", "maxLength", "items", "properties")}
    assert bounded(object_schema(properties))["properties"] == dict.fromkeys(properties, TEXT)


@pytest.mark.parametrize("signature", [DefineFunctions, PlayAssistant])
def test_every_string_and_list_of_a_signature_is_bounded(signature: type) -> None:
    def check(schema: Any) -> None:
        if isinstance(schema, list):
            for inner in schema:
                check(inner)
        if isinstance(schema, dict):
            if schema.get("type") == "string":
                assert {"maxLength", "enum", "pattern"} & schema.keys(), schema
            if schema.get("type") == "array":
                assert "maxItems" in schema
            for inner in schema.values():
                check(inner)

    check(schema_in(grammar(output_schema(signature), small=True)))


@given(st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3))
def test_a_bound_only_narrows(value: dict[str, Any]) -> None:
    """What fits a bounded schema fits the schema it was made from."""
    schema = object_schema({"a": {"type": "array", "items": {"type": "string"}}, "b": {"type": "string"}})
    if jsonschema_rs.validator_for(bounded(schema)).is_valid(value):
        assert jsonschema_rs.validator_for(schema).is_valid(value)


def test_the_schema_given_is_not_changed() -> None:
    schema = object_schema({"a": {"type": "array", "items": {"type": "string"}}})
    before = json.dumps(schema)
    grammar(schema, small=True)
    assert json.dumps(schema) == before
