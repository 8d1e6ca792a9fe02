"""Which of the known data sets a row comes from, told by its fields."""

from typing import Any, Literal

Kind = Literal["glaive", "toolbench", "published", "list"]


def recognize(value: Any) -> Kind:
    """`glaive` for a conversation (either form), `toolbench` for a query with its APIs, `published` for a row that says
    where an example of a published set comes from, else `list`.
    """
    if isinstance(value, dict):
        if "conversations" in value or {"system", "chat"} <= value.keys():
            return "glaive"
        if {"query", "api_list"} <= value.keys():
            return "toolbench"
        if {"scenario", "lineage", "seed"} <= value.keys():
            return "published"
    return "list"
