"""Which of the known data sets a row comes from, told by its fields."""

from typing import Any, Literal

Kind = Literal["glaive", "toolbench", "list"]


def recognize(value: Any) -> Kind:
    """`glaive` for a conversation (either form), `toolbench` for a query with its APIs, else `list`."""
    if isinstance(value, dict):
        if "conversations" in value or {"system", "chat"} <= value.keys():
            return "glaive"
        if {"query", "api_list"} <= value.keys():
            return "toolbench"
    return "list"
