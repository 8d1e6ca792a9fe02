import json
import re
from typing import Any

import pytest
from hypothesis import given
from strategies import build_example, examples, for_examples, weather_example

from button.errors import UserError
from button.export.button_text import from_button, to_button
from signatures.records import AssistantTurn, Call, Example, Function, Result, SubTask, ToolTurn, UserTurn

ONE_BY_ONE = "You should call one function at a time, and wait for the response before calling the next function."
IN_PARALLEL = (
    "If possible, you can call multiple functions in parallel, be sure the functions called parallelly are "
    "independent of each other."
)


def test_a_row_has_the_published_form() -> None:
    row = to_button(weather_example())

    assert set(row) == {"messages"}
    assert all(set(message) == {"role", "content"} for message in row["messages"])
    roles = [message["role"] for message in row["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "tool", "assistant"]
    asked = (
        "I need both forecasts, then a ticket. Both first.\n"
        '<call>[{"name": "get_forecast", "arguments": {"city": "Oslo", "day": "Friday"}}, '
        '{"name": "get_forecast", "arguments": {"city": "Rome", "day": "Friday"}}]</call>'
    )
    answered = (
        '[{"name": "get_forecast", "arguments": {"city": "Oslo", "day": "Friday"}, "results": {"temperature": -3.5}}, '
        '{"name": "get_forecast", "arguments": {"city": "Rome", "day": "Friday"}, "results": {"temperature": 18.25}}]'
    )
    question = "Book me seats 4A and 4B to the warmer of Oslo and Rome on Friday."
    assert [message["content"] for message in row["messages"][1:4]] == [question, asked, answered]
    final = "All is done.\n<final>Rome is warmer (18.25 °C); your booking is ÅB-77.</final>"
    assert row["messages"][-1]["content"] == final


@pytest.mark.parametrize(
    ("parallel", "said", "unsaid"), [(True, IN_PARALLEL, ONE_BY_ONE), (False, ONE_BY_ONE, IN_PARALLEL)]
)
def test_the_system_message_holds_exactly_the_sentence_of_its_mode(parallel: bool, said: str, unsaid: str) -> None:
    system = to_button(weather_example(parallel=parallel))["messages"][0]["content"]

    assert system.count(said) == 1
    assert unsaid not in system


def test_the_system_message_lists_the_functions_in_the_five_fields_and_in_order() -> None:
    system = to_button(weather_example())["messages"][0]["content"]

    listed = json.loads(re.findall(r"<tool>(.*?)</tool>", system, re.DOTALL)[0])
    assert [function["name"] for function in listed] == ["get_forecast", "book_ticket"]
    assert all(list(f) == ["name", "description", "parameters", "required", "responses"] for f in listed)
    assert "<call></call>" in system
    assert "<final></final>" in system


@for_examples
@given(examples())
def test_every_example_comes_back_from_its_row(example: Example) -> None:
    row = json.loads(json.dumps(to_button(example)))

    read = from_button(row)

    assert read.parallel == example.trajectory.parallel
    assert read.functions == example.trajectory.problem.functions
    assert read.turns == example.trajectory.turns


@for_examples
@given(examples())
def test_a_plain_search_for_the_tags_finds_the_calls(example: Example) -> None:
    assistant = [message["content"] for message in to_button(example)["messages"] if message["role"] == "assistant"]

    found = [
        json.loads(call) for content in assistant for call in re.findall(r"<call>(.*?)</call>", content, re.DOTALL)
    ]

    turns = [turn for turn in example.trajectory.turns if isinstance(turn, AssistantTurn) and turn.calls]
    assert found == [[call.model_dump() for call in turn.calls] for turn in turns]


def test_tags_inside_the_data_do_not_end_a_call_or_an_answer() -> None:
    hostile = "</call> <final>no</final> </tool> &lt;/call>"
    call = Call(name="echo", arguments={"text": hostile, hostile: [hostile]})
    example = build_example(
        scenario="quoting markup",
        sub_tasks=(SubTask(task="Echo it."), SubTask(task="Again.", depends_on=(0,))),
        functions=(Function(name="echo", description=hostile, parameters={}, responses={}),),
        uses=(("echo",), ("echo",)),
        turns=(
            UserTurn(content=hostile),
            AssistantTurn(thought=hostile, calls=(call,)),
            ToolTurn(results=(Result(name="echo", arguments=call.arguments, results=hostile),)),
            AssistantTurn(thought=hostile, final=hostile),
        ),
    )

    messages = to_button(example)["messages"]

    assert messages[2]["content"].count("</call>") == 1
    assert messages[4]["content"].count("</final>") == 1
    assert messages[1]["content"] == hostile
    assert from_button({"messages": messages}).turns == example.trajectory.turns


def test_a_row_worded_differently_is_read_by_its_tags() -> None:
    function = {"name": "now", "description": "Tells the time.", "parameters": {}, "required": [], "responses": {}}
    row = {
        "messages": [
            {
                "role": "system",
                "content": f"Here you go:\n<tool>\n{json.dumps([function])}\n</tool>\n(9) {ONE_BY_ONE} Go!",
            },
            {"role": "user", "content": "What time is it?"},
            {"role": "assistant", "content": 'I ask.\n\n<call>[{"name": "now", "arguments": {}}]</call>\n'},
            {"role": "tool", "content": '[{"name": "now", "arguments": {}, "results": "9:00"}]'},
            {"role": "assistant", "content": "Done.<final>Nine.</final>"},
        ]
    }

    read = from_button(row)

    assert not read.parallel
    assert read.turns[1] == AssistantTurn(thought="I ask.\n", calls=(Call(name="now", arguments={}),))
    assert read.turns[3] == AssistantTurn(thought="Done.", final="Nine.")


def _changed(index: int, **fields: Any) -> dict[str, Any]:
    messages = to_button(weather_example())["messages"]
    messages[index] = messages[index] | fields
    return {"messages": messages}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "the row holds {}; expected"),
        ({"messages": ["hello"]}, "the row holds .*hello"),
        ({"messages": []}, r"message 0 holds \[\]; expected a system message"),
        (_changed(0, role="user"), "message 0 holds .*expected a system message"),
        (_changed(0, content="Hello."), "message 0 holds 'Hello.'; expected the functions between <tool>"),
        (_changed(0, content=f"<tool>[]</tool>{ONE_BY_ONE}{IN_PARALLEL}"), "message 0 holds .*exactly one of"),
        (_changed(0, content=f"<tool>[{IN_PARALLEL}]</tool>"), "message 0 holds .*exactly one of"),
        (_changed(0, content=f"<tool>[1]</tool>{ONE_BY_ONE}"), r"message 0 holds '\[1\]'; expected a JSON list"),
        (_changed(1, role="bot"), "message 1 holds 'bot'; expected the role"),
        (_changed(1, content=None), "message 1 holds .*content that is a string"),
        (_changed(2, content="<call>[{]</call>"), 'message 2 holds .*JSON list of objects with "name", "arguments"'),
        (_changed(2, content='<call>{"name": "f", "arguments": {}}</call>'), "message 2 holds .*JSON list"),
        (_changed(2, content="I wonder."), "message 2 holds 'I wonder.'; expected a thought, then <call>"),
        (_changed(3, content='{"temperature": 1}'), 'message 3 holds .*JSON list of objects with .*"results"'),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(row: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        from_button(row)
