from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from button.errors import UserError
from button.seeds.source import LONGEST_TEXT, Content, Row, SeedSource, is_unicode, seeds_from, shortened
from button.targets import build
from signatures.records import Seed

CONF = Path(__file__).parents[3] / "conf" / "seeds"


class Given:
    def __init__(self) -> None:
        self.name = "given"
        self.skipped: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Seed]:
        return iter(())


def rows(*texts: str) -> list[Row]:
    return [Row(number, f"given, row {number}", text) for number, text in enumerate(texts, start=1)]


def read(row: Row) -> Content:
    return Content(text=row.value, form="query")


def test_a_seed_names_the_source_and_the_row_it_came_from() -> None:
    assert [seed.source for seed in seeds_from(rows("a", "", "b"), read, Given())] == ["given#1", "given#3"]


def test_two_equal_rows_are_two_seeds_with_ids_of_their_own() -> None:
    first, second = seeds_from(rows("a", "a"), read, Given())
    assert first.text == second.text
    assert first.id != second.id


def test_unusable_rows_are_counted_by_reason() -> None:
    source = Given()
    texts = [seed.text for seed in seeds_from(rows("", "x" * (LONGEST_TEXT + 1), "half \ud83d", "fine"), read, source)]
    assert texts == ["fine"]
    assert source.skipped == {"empty": 1, "too_long": 1, "not_unicode": 1}


def test_a_second_pass_counts_anew() -> None:
    source = Given()
    for _ in range(2):
        assert len(list(seeds_from(rows("", "a"), read, source))) == 1
    assert source.skipped == {"empty": 1}


def test_rows_past_the_limit_are_not_read() -> None:
    def endless() -> Iterator[Row]:
        yield from rows("a", "", "b")
        raise AssertionError

    assert [seed.text for seed in seeds_from(endless(), read, Given(), limit=2)] == ["a", "b"]


def test_a_source_without_any_usable_row_is_an_error_that_says_why() -> None:
    with pytest.raises(UserError, match=r"given: none of its 2 rows gives a seed \(empty 2\)"):
        list(seeds_from(rows("", ""), read, Given()))


def test_a_row_s_own_licence_goes_before_the_source_s() -> None:
    def read_licensed(row: Row) -> Content:
        return Content(text="a", form="query", license=row.value or None)

    found = seeds_from(rows("MIT", ""), read_licensed, Given(), licensed="Apache-2.0")
    assert [seed.license for seed in found] == ["MIT", "Apache-2.0"]


@given(st.text(), st.integers(min_value=5, max_value=60))
def test_a_shortened_text_keeps_the_limit_and_the_beginning(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short) <= limit
    assert short == text or text.startswith(short.removesuffix(" ..."))


@given(st.text(st.characters()))
def test_a_text_is_unicode_exactly_when_it_can_be_written_as_utf_8(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        assert not is_unicode(text)
    else:
        assert is_unicode(text)


@pytest.mark.parametrize("option", sorted(path.stem for path in CONF.glob("*.yaml")))
def test_every_option_of_the_seeds_group_builds_a_source_that_gives_seeds(option: str, tmp_path: Path) -> None:
    row = '{"query": "find a train", "api_list": [], "chat": "USER: find a train"}\n'
    (tmp_path / "rows.jsonl").write_text(row)
    node = yaml.safe_load((CONF / f"{option}.yaml").read_text())
    answers = {"path": str(tmp_path / "rows.jsonl"), "name": str(tmp_path)}
    source: SeedSource = build({key: answers[key] if node[key] == "???" else node[key] for key in node}, "seeds")
    assert next(iter(source)).text
