import json
from pathlib import Path
from typing import Any

import pytest

from button.errors import UserError
from button.seeds.source import Row
from button.seeds.toolbench import ToolBenchSeeds, read_query

FOLDER = Path(__file__).parents[3] / ".." / "shared" / "data" / "toolbench"


def api(category: str | None, tool: str, name: str) -> dict[str, Any]:
    return {"category_name": category, "tool_name": tool, "api_name": name}


QUERY = {
    "query": "Track my parcel,\nplease. ",
    "api_list": [api("Data", "noise", "One"), api("Data", "noise", "Two"), api("Logistics", "parcels", "Track")],
    "relevant APIs": [["parcels", "Track"]],
}


def read(value: Any) -> tuple[str, str | None]:
    content = read_query(Row(1, "a.json, line 1", value))
    return content.text, content.domain


def test_a_query_is_one_line_with_the_category_of_its_relevant_apis() -> None:
    assert read(QUERY) == ("Track my parcel, please.", "Logistics")


def test_without_relevant_apis_the_commonest_category_of_all_is_taken() -> None:
    assert read(QUERY | {"relevant APIs": []}) == ("Track my parcel, please.", "Data")


@pytest.mark.parametrize("apis", [[], [api(None, "a", "b")], [{}]])
def test_without_a_category_there_is_no_domain(apis: list[dict[str, Any]]) -> None:
    assert read({"query": "Track", "api_list": apis}) == ("Track", None)


def test_an_empty_query_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([QUERY | {"query": ""}, QUERY | {"query": None}, QUERY]))
    source = ToolBenchSeeds(path)
    assert [(seed.source, seed.form, seed.license) for seed in source] == [("a.json#3", "query", "Apache-2.0")]
    assert source.skipped == {"empty": 2}


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ({"query": "a"}, "fields query; expected a row of ToolBench's instruction files"),
        ("a", "a str; expected"),
        (QUERY | {"query": 7}, "'query' is a int"),
        (QUERY | {"api_list": ["x"]}, "'api_list' is no list of objects"),
    ],
)
def test_a_row_of_another_shape_is_refused_with_its_line(value: Any, seen: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(f"[{json.dumps(QUERY)},\n{json.dumps(value)}]")
    with pytest.raises(UserError) as refused:
        list(ToolBenchSeeds(path))
    assert f"a.json, line 2, row 2: {seen}" in str(refused.value)


@pytest.mark.skipif(not FOLDER.exists(), reason="ToolBench's queries are not beside the repository")
def test_all_published_queries_are_seeds_with_a_domain() -> None:
    seeds = [seed for path in sorted(FOLDER.glob("*.json")) for seed in ToolBenchSeeds(path)]
    assert len(seeds) == 765
    assert len({seed.id for seed in seeds}) == 765
    assert all(seed.domain and seed.form == "query" for seed in seeds)
