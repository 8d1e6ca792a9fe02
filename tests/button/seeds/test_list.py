import json
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from button.errors import UserError
from button.seeds.list import LONGEST_CONVERSATION, ListSeeds

SAMPLE = Path(__file__).parents[3] / ".." / "shared" / "data" / "scenario_seeds.jsonl"


def written(folder: Path, *rows: Any) -> Path:
    path = folder / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_each_line_of_a_text_file_is_a_seed_and_blank_ones_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("booking a train\n\n  planting   a tree \n")
    source = ListSeeds(path)
    assert [(seed.text, seed.source) for seed in source] == [
        ("booking a train", "a.txt#1"),
        ("planting a tree", "a.txt#3"),
    ]
    assert source.skipped == {"empty": 1}


@pytest.mark.parametrize("column", ["scenario", "text", "query", "title", "task"])
def test_the_usual_columns_are_found(column: str, tmp_path: Path) -> None:
    assert [seed.text for seed in ListSeeds(written(tmp_path, {"id": "7", column: "booking a train"}))] == [
        "booking a train"
    ]


def test_the_first_of_the_usual_columns_is_taken_and_a_named_one_goes_before(tmp_path: Path) -> None:
    path = written(tmp_path, {"title": "the title", "text": "the text", "note": "the note"})
    assert [seed.text for seed in ListSeeds(path)] == ["the text"]
    assert [seed.text for seed in ListSeeds(path, column="note")] == ["the note"]


def test_an_unknown_column_is_refused_with_those_that_are_there(tmp_path: Path) -> None:
    path = written(tmp_path, {"id": 1, "prompt": "booking a train"})
    with pytest.raises(
        UserError, match=r"line 1: columns id, prompt; expected one of the columns scenario, text, query"
    ):
        list(ListSeeds(path))
    with pytest.raises(UserError, match=r"columns id, prompt; expected a column 'promt'; name one with seeds\.column="):
        list(ListSeeds(path, column="promt"))


def test_a_column_is_refused_where_rows_have_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("booking a train")
    with pytest.raises(UserError, match="rows without columns; expected columns, since column='text' is set"):
        list(ListSeeds(tmp_path / "a.txt", column="text"))


def test_a_later_row_without_the_column_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, {"text": "a"}, {"title": "b"})
    with pytest.raises(UserError, match=r"a\.jsonl, line 2: columns title; expected a text in 'text'"):
        list(ListSeeds(path))


@pytest.mark.parametrize("value", [7, ["a"], {"a": "b"}, True])
def test_a_value_that_is_no_text_is_refused(value: Any, tmp_path: Path) -> None:
    path = written(tmp_path, {"text": "a"}, {"text": value})
    with pytest.raises(UserError, match=rf"line 2: .* is a {type(value).__name__}; expected a text"):
        list(ListSeeds(path))


def test_a_null_is_counted_as_empty(tmp_path: Path) -> None:
    source = ListSeeds(written(tmp_path, {"text": None}, {"text": "a"}))
    assert len(list(source)) == 1
    assert source.skipped == {"empty": 1}


def test_short_texts_are_scenarios_and_long_ones_and_those_of_a_query_column_are_queries(tmp_path: Path) -> None:
    long = "word " * 11
    assert [seed.form for seed in ListSeeds(written(tmp_path, {"text": "booking a train"}, {"text": long}))] == [
        "scenario", "query",
    ]  # fmt: skip
    assert [seed.form for seed in ListSeeds(written(tmp_path, {"query": "Book a train."}))] == ["query"]
    assert [seed.form for seed in ListSeeds(written(tmp_path, {"text": long}), form="scenario")] == ["scenario"]


def test_a_conversation_keeps_its_lines_and_is_cut(tmp_path: Path) -> None:
    path = written(tmp_path, {"text": "User: hello\nAssistant: " + "word " * 1_000})
    (seed,) = ListSeeds(path, form="conversation")
    assert seed.text.startswith("User: hello\nAssistant: word")
    assert LONGEST_CONVERSATION - 10 < len(seed.text) <= LONGEST_CONVERSATION


def test_domain_and_licence_of_a_row_are_kept(tmp_path: Path) -> None:
    path = written(tmp_path, {"text": "a", "domain": "travel", "licence": "MIT"}, {"text": "b", "domain": 7})
    found = [(seed.domain, seed.license) for seed in ListSeeds(path, licensed="CC0-1.0")]
    assert found == [("travel", "MIT"), (None, "CC0-1.0")]


def test_half_a_surrogate_pair_is_counted_and_never_becomes_a_record(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "half \\ud83d"}\n{"text": "whole \\ud83d\\ude80"}\n')
    source = ListSeeds(path)
    assert [seed.text for seed in source] == ["whole \U0001f680"]
    assert source.skipped == {"not_unicode": 1}


@pytest.mark.parametrize("arguments", [{"form": "poem"}, {"limit": 0}, {"limit": "many"}])
def test_a_wrong_argument_is_refused_by_name(arguments: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=next(iter(arguments))):
        ListSeeds(written(tmp_path, {"text": "a"}), **arguments)


@pytest.mark.skipif(not SAMPLE.exists(), reason="the bulk seeds are not beside the repository")
def test_the_bulk_seeds_are_read_in_little_memory() -> None:
    source = ListSeeds(SAMPLE)
    licences = Counter(seed.license for seed in source)
    assert licences.total() + source.skipped.total() == 11_828
    assert source.skipped == {"too_long": 1}
    assert None not in licences
    tracemalloc.start()
    for _ in ListSeeds(SAMPLE, limit=2_000):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500_000
