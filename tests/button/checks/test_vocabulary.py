import pytest
from hypothesis import given
from hypothesis import strategies as st

from button.checks.vocabulary import content_words, fold, name_words, phrase, stem, tokens


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("hotels", "hotel"),
        ("booking", "book"),
        ("booked", "booking"),
        ("cities", "city"),
        ("planned", "planning"),
        ("prices", "pricing"),
        ("boxes", "box"),
        ("nearest", "nearest"),
        ("quickly", "quick"),
    ],
)
def test_forms_of_a_word_share_a_stem(a: str, b: str) -> None:
    assert stem(a) == stem(b)


@pytest.mark.parametrize(("a", "b"), [("news", "new"), ("rome", "roma"), ("flight", "light"), ("bus", "bu")])
def test_different_words_keep_different_stems(a: str, b: str) -> None:
    assert stem(a) != stem(b)


def test_writing_habits_are_folded_away() -> None:
    assert tokens("Maria\u2019s CAFÉ\u2013bar, 1,200.50 at 5km (AB-12)") == [
        "maria", "cafe", "bar", "1200.50", "at", "5", "km", "ab", "12",
    ]  # fmt: skip


def test_a_phrase_is_found_in_whole_words_only() -> None:
    assert phrase("new york") in phrase("I love New York!")
    assert phrase("art") not in phrase("Start the cart")


def test_names_in_code_give_their_words() -> None:
    assert name_words("search_flights") == name_words("flightSearch")


def test_only_content_words_count() -> None:
    assert content_words("Could you please find the best two hotels for me in Rome?") == {"find", "hotel", "rom"}


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
