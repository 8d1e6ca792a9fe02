"""Queries of ToolBench (ToolLLaMA's data), the paper's second source of seeds (section 3.1)."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import PositiveInt, validate_call

from button.seeds.decoding import check_file
from button.seeds.rows import read_rows
from button.seeds.source import Content, Row, seeds_from, squeezed
from signatures.records import Seed

_SHAPE = "a row of ToolBench's instruction files: {'query': '...', 'api_list': [{'category_name': '...', ...}, ...]}"


class ToolBenchSeeds:
    """The queries of one of ToolBench's instruction files, each with the category of its APIs as domain."""

    @validate_call
    def __init__(self, path: Path, *, licensed: str | None = "Apache-2.0", limit: PositiveInt | None = None) -> None:
        """`licensed` is the data's licence, `limit` how many seeds a pass gives. Raises UserError for a bad path."""
        self.path = check_file(path)
        self.name = self.path.name
        self.skipped: Counter[str] = Counter()
        self._licensed = licensed
        self._limit = limit

    def __iter__(self) -> Iterator[Seed]:
        return seeds_from(read_rows(self.path), read_query, self, limit=self._limit, licensed=self._licensed)


def read_query(row: Row) -> Content:
    """The query, with the commonest category of the APIs that are marked as relevant (or else of all)."""
    value = row.value
    if not isinstance(value, dict) or not {"query", "api_list"} <= value.keys():
        seen = f"fields {', '.join(map(str, value))}" if isinstance(value, dict) else f"a {type(value).__name__}"
        raise row.refused(seen, _SHAPE)
    query = value["query"]
    if query is not None and not isinstance(query, str):
        raise row.refused(f"'query' is a {type(query).__name__}", _SHAPE)
    if not isinstance(value["api_list"], list) or not all(isinstance(api, dict) for api in value["api_list"]):
        raise row.refused("'api_list' is no list of objects", _SHAPE)
    domain = _category(value["api_list"], value.get("relevant APIs"))
    return Content(text=squeezed(query or ""), form="query", domain=domain)


def _category(apis: list[dict[str, Any]], relevant: Any) -> str | None:
    marked = [pair for pair in relevant if isinstance(pair, list)] if isinstance(relevant, list) else []
    chosen = [api for api in apis if [api.get("tool_name"), api.get("api_name")] in marked] or apis
    names = (api.get("category_name") for api in chosen)
    counted = Counter(name for name in names if isinstance(name, str) and name)
    return counted.most_common(1)[0][0] if counted else None
