from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from button.checks.composition import missing_details
from button.checks.details import details_of, names

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "checks" / "details.yaml").read_text())


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_details_are_found_in_one_notation(text: str, expected: list[str]) -> None:
    assert details_of(text) == set(expected)


def test_a_capital_at_the_start_of_a_sentence_is_no_name() -> None:
    assert names("Rome is old. Oslo is cold. See Tallinn.") == ["Tallinn"]
    assert names("- Total for Dr. Smith: 4\n- Gift for Ann") == ["Smith", "Ann"]
    assert names("What I'd like is OK") == []


@given(st.text(max_size=80))
def test_no_text_lacks_its_own_details(text: str) -> None:
    assert missing_details(text, text) == []
