from typing import Any

import pytest

from button.seeds.recognize import recognize


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"conversations": [], "tools": "[]"}, "glaive"),
        ({"system": "", "chat": ""}, "glaive"),
        ({"chat": "a column of that name"}, "list"),
        ({"query": "a", "api_list": []}, "toolbench"),
        ({"query": "a"}, "list"),
        ("a line", "list"),
        ([], "list"),
    ],
)
def test_a_row_is_told_by_its_fields(value: Any, kind: str) -> None:
    assert recognize(value) == kind
