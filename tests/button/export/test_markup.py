import json

import pytest
from hypothesis import given
from strategies import JSON_VALUES, TEXTS

from button.export.markup import TAGS, escape, json_line, json_text, unescape


def _tags_in(text: str) -> list[str]:
    return [tag for name in TAGS for tag in (f"<{name}>", f"</{name}>") if tag in text]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a < b and <b>bold</b>", "a < b and <b>bold</b>"),
        ("end with </call> please", "end with &lt;/call> please"),
        ("&lt;call>", "&amp;lt;call>"),
        ("&amp;lt;call>", "&amp;amp;lt;call>"),
        ("R&D &lt; 5", "R&D &lt; 5"),
    ],
)
def test_only_reserved_tags_are_escaped(text: str, escaped: str) -> None:
    assert escape(text) == escaped
    assert unescape(escaped) == text


@given(TEXTS)
def test_escaped_text_holds_no_tag_and_comes_back(text: str) -> None:
    assert _tags_in(escape(text)) == []
    assert unescape(escape(text)) == text


@given(JSON_VALUES)
def test_json_text_holds_no_tag_and_any_json_reader_undoes_it(value: object) -> None:
    assert _tags_in(json_text(value)) == []
    assert json.loads(json_text(value)) == value


def test_json_text_escapes_the_tag_and_nothing_else() -> None:
    assert json_text({"q": "é < 3 </call>"}) == r'{"q": "é < 3 \u003c/call>"}'


@given(JSON_VALUES)
def test_a_json_line_is_one_line_for_every_way_of_splitting(value: object) -> None:
    line = json_line(value)
    assert line.splitlines() == [line.removesuffix("\n")]
    assert json.loads(line) == value


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_lacks_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        json_text({"n": number})
