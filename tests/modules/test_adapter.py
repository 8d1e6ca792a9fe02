"""Covers how a question is rendered and an answer read; the way in between is in test_ask."""

from typing import Any, Literal

import dspy
import pytest
from dspy.utils.exceptions import AdapterParseError
from hypothesis import given
from hypothesis import strategies as st
from strategies import JSON_VALUES, TEXTS

from modules.adapter import CompactAdapter, answer_text
from signatures.play import PlayAssistant
from signatures.records import Call


class Rate(dspy.Signature):
    """Rate the film."""

    film: str = dspy.InputField(desc="its title")
    year: int | None = dspy.InputField(desc="when it came out")
    stars: int = dspy.OutputField(desc="one to five")
    verdict: Literal["good", "bad"] = dspy.OutputField(desc="in a word")
    tags: dict[str, Any] = dspy.OutputField(desc="anything else")


ANSWER = {"stars": 4, "verdict": "good", "tags": {"né": ["東京", None, {"a": 1.5}]}}


def rendered(inputs: dict[str, Any], demos: list[Any] | None = None, adapter: CompactAdapter | None = None) -> str:
    messages = (adapter or CompactAdapter()).format(Rate, demos or [], inputs)
    return "\n".join(f"<{message['role']}>\n{message['content']}" for message in messages)


def test_a_prompt_is_one_short_system_message_and_the_inputs() -> None:
    assert rendered({"film": "Alien", "year": 1979}) == (
        "<system>\n"
        "Rate the film.\n"
        "\n"
        "Answer with one JSON object with these fields:\n"
        "- stars: one to five\n"
        "- verdict: in a word\n"
        "- tags: anything else\n"
        "<user>\n"
        "[[ ## film ## ]]\n"
        "Alien\n"
        "\n"
        "[[ ## year ## ]]\n"
        "1979"
    )


def test_an_input_of_none_is_left_out() -> None:
    assert rendered({"film": "Alien", "year": None}).endswith("<user>\n[[ ## film ## ]]\nAlien")
    assert rendered({"film": "Alien"}).endswith("<user>\n[[ ## film ## ]]\nAlien")


def test_demos_and_history_are_earlier_exchanges_in_the_same_words() -> None:
    demo = dspy.Example(film="Brazil", year=1985, **ANSWER).with_inputs("film", "year")
    past = {"film": "Casablanca", "stars": 5, "verdict": "good", "tags": {}}
    history = dspy.History(messages=[past])
    assert rendered({"film": "Alien", "history": history}, [demo]).partition("<user>\n")[2] == (
        "[[ ## film ## ]]\nBrazil\n\n[[ ## year ## ]]\n1985\n"
        '<assistant>\n{"stars": 4, "verdict": "good", "tags": {"né": ["東京", null, {"a": 1.5}]}}\n'
        "<user>\n[[ ## film ## ]]\nCasablanca\n"
        '<assistant>\n{"stars": 5, "verdict": "good", "tags": {}}\n'
        "<user>\n[[ ## film ## ]]\nAlien"
    )


def test_new_demos_and_new_instructions_make_a_new_prompt() -> None:
    adapter = CompactAdapter()
    first = [dspy.Example(film="Brazil", **ANSWER).with_inputs("film")]
    second = [dspy.Example(film="Dune", **ANSWER).with_inputs("film")]
    for demos, film in ((first, "Brazil"), (second, "Dune"), (first, "Brazil")):
        assert film in rendered({"film": "Alien"}, demos, adapter)
    assert rendered({"film": "Alien"}, [], adapter) == rendered({"film": "Alien"})
    other = Rate.with_instructions("Be kind.")
    assert adapter.format(other, [], {"film": "Alien"})[0]["content"].startswith("Be kind.\n")


def test_what_is_done_to_one_prompt_does_not_show_in_the_next() -> None:
    adapter = CompactAdapter()
    demos = [dspy.Example(film="Brazil", **ANSWER).with_inputs("film")]
    messages = adapter.format(Rate, demos, {"film": "Alien"})
    before = [dict(message) for message in messages]
    messages.append({"role": "user", "content": "more"})
    assert adapter.format(Rate, demos, {"film": "Alien"}) == before


@given(
    stars=st.integers(-(2**63), 2**64 - 1),
    verdict=st.sampled_from(["good", "bad"]),
    tags=st.dictionaries(TEXTS, JSON_VALUES),
)
def test_an_answer_written_as_the_adapter_writes_it_is_read_as_it_was(stars: int, verdict: str, tags: Any) -> None:
    fields = {"stars": stars, "verdict": verdict, "tags": tags}
    assert CompactAdapter().parse(Rate, answer_text(fields)) == fields


@pytest.mark.parametrize(
    "wrapped", ["%s", "\n %s \n", "```json\n%s\n```", "```\n%s```"], ids=["bare", "spaced", "json fence", "fence"]
)
def test_a_fence_around_the_whole_answer_is_no_part_of_it(wrapped: str) -> None:
    assert CompactAdapter().parse(Rate, wrapped % answer_text(ANSWER)) == ANSWER


def test_fields_that_nobody_asked_for_are_passed_over() -> None:
    assert CompactAdapter().parse(Rate, answer_text({"why": "Sigourney Weaver", **ANSWER})) == ANSWER


def test_calls_are_typed_with_their_arguments_as_they_are() -> None:
    arguments = {"city": "Oslo", "days": [1, 2.0, None], "nested": {"a": {"b": True}}}
    text = answer_text({"thought": "t", "calls": [{"name": "f", "arguments": arguments}], "final_answer": ""})
    assert CompactAdapter().parse(PlayAssistant, text)["calls"] == [Call(name="f", arguments=arguments)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"stars": 4, "verdict": "good", "tags": {', "no valid JSON"),
        ('{"stars": 4, "verdict": "good", "tags": {},}', "no valid JSON"),
        ('Here it is: {"stars": 4, "verdict": "good", "tags": {}}', "no valid JSON"),
        ('{"stars": 4, "verdict": "good", "tags": {"a": NaN}}', "no valid JSON"),
        ('{"stars": 4, "verdict": "good", "tags": {"a": "\\ud800"}}', "no valid JSON"),
        ("[]", "the answer is a JSON list, wanted one JSON object"),
        ("4", "the answer is a JSON int, wanted one JSON object"),
        ('{"stars": 4, "tags": {}}', 'the field \'verdict\' is missing; the answer has ["stars", "tags"]'),
        ('{"stars": "many", "verdict": "good", "tags": {}}', "the field 'stars' is 'many': Input should be a valid"),
        ('{"stars": 4, "verdict": "fine", "tags": {}}', "the field 'verdict' is 'fine': Input should be 'good'"),
        ('{"stars": 4, "verdict": "good", "tags": []}', "the field 'tags' is []: Input should be a valid dictionary"),
    ],
)
def test_what_does_not_fit_is_named_and_not_mended(text: str, problem: str) -> None:
    with pytest.raises(AdapterParseError) as caught:
        CompactAdapter().parse(Rate, text)
    assert problem in str(caught.value.__cause__)


def test_a_problem_deep_inside_is_named_with_its_path() -> None:
    text = answer_text({"thought": "t", "calls": [{"name": "f", "arguments": {}}, {"name": 3}], "final_answer": ""})
    with pytest.raises(AdapterParseError) as caught:
        CompactAdapter().parse(PlayAssistant, text)
    assert "the field 'calls.1.name' is 3: Input should be a valid string" in str(caught.value.__cause__)
