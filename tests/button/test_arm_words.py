"""The arms of a comparison on the command line: words of another command line, in a list that needs no quotes."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from button.overrides import prepared


def read(word: str) -> object:
    """What Hydra makes of a word that a user typed."""
    return OverridesParser.create().parse_overrides(prepared([word]))[0].value()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("[experiment=x]", ["experiment=x"]),
        ("[~step@steps.judge, lm.x=3]", ["~step@steps.judge", "lm.x=3"]),
        ("[lm@lms.judge=openai,a=[1,2],b={c: 1,d: 2}]", ["lm@lms.judge=openai", "a=[1,2]", "b={c: 1,d: 2}"]),
        ("['a=1,2','~b']", ["a=1,2", "~b"]),
        ("experiment=x", ["experiment=x"]),
        ("~step@steps.judge", ["~step@steps.judge"]),
        ("[]", []),
        ("[+steps.mine._target_=my_pkg.MyStep]", ["+steps.mine._target_=my_pkg.MyStep"]),
    ],
)
def test_an_arm_is_typed_as_its_words_are(typed: str, words: list[str]) -> None:
    assert read(f"arms.one={typed}") == words


@given(st.lists(st.from_regex(r"[~+]?[a-z][a-z@._]{0,8}=[A-Za-z0-9./:_-]{1,8}", fullmatch=True), max_size=4))
def test_words_without_commas_quotes_or_brackets_come_through_as_they_are(words: list[str]) -> None:
    assert read(f"arms.x=[{','.join(words)}]") == words


@pytest.mark.parametrize("word", ["arms=ablations", "armsx=[a=1]", "n_seeds=3"])
def test_other_words_are_left_alone(word: str) -> None:
    assert prepared([word]) == [word]
