"""Words of a demo that turn up in an answer although nothing that was asked mentions them."""

from modules.leaks import leaked, telling_words

DEMOS = [
    {"task": "Check when prescription RX-5521 of Baptiste Roy is due.", "answer": "Remind Baptiste on Monday."},
    {"task": "Find the bus to Kyiv in May.", "answer": "Look it up."},
]


def test_names_and_codes_are_telling_and_sentence_starts_and_days_are_not() -> None:
    assert telling_words(DEMOS) == {"RX-5521", "Baptiste", "Kyiv"}


def test_a_name_of_a_demo_in_the_answer_is_a_leak() -> None:
    assert leaked({"task": "Send Baptiste the fare."}, {"task": "the fare to Rome"}, telling_words(DEMOS)) == [
        "Baptiste"
    ]


def test_a_name_that_the_inputs_mention_is_none() -> None:
    assert leaked({"task": "Write to Baptiste."}, {"details": "person Baptiste Roy"}, telling_words(DEMOS)) == []


def test_an_answer_in_other_words_is_none() -> None:
    assert leaked({"task": "Book a seat to Rome."}, {"task": "trains"}, telling_words(DEMOS)) == []
