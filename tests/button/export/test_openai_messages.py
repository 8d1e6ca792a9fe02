import json
from typing import Any

import jinja2
import pytest
from chat_templates import needs_trl, rendered
from hypothesis import given
from strategies import examples, for_examples, weather_example

from button.export.button_text import RULES
from button.export.openai_messages import to_openai
from signatures.records import AssistantTurn, Call, Example, Result, ToolTurn, Turn, UserTurn


def test_calls_and_results_are_paired_by_id() -> None:
    messages = to_openai(weather_example())["messages"]

    assert [message["role"] for message in messages] == [
        *("system", "user", "assistant", "tool", "tool", "assistant", "tool", "assistant")
    ]
    assert messages[2] == {
        "role": "assistant",
        "content": "I need both forecasts, then a ticket. Both first.",
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "get_forecast", "arguments": {"city": "Oslo", "day": "Friday"}},
            },
            {
                "id": "call_2",
                "type": "function",
                "function": {"name": "get_forecast", "arguments": {"city": "Rome", "day": "Friday"}},
            },
        ],
    }
    second = {"role": "tool", "tool_call_id": "call_2", "name": "get_forecast", "content": '{"temperature": 18.25}'}
    assert messages[4] == second
    assert messages[6]["tool_call_id"] == "call_3"


def test_the_last_message_is_the_answer_alone_and_its_thought_is_in_meta() -> None:
    row = to_openai(weather_example())

    assert row["messages"][-1] == {"role": "assistant", "content": "Rome is warmer (18.25 °C); your booking is ÅB-77."}
    assert row["meta"]["final_thoughts"] == ["All is done."]


@pytest.mark.parametrize("parallel", [True, False])
def test_the_system_message_says_which_mode_it_is(parallel: bool) -> None:
    system = to_openai(weather_example(parallel=parallel))["messages"][0]

    assert system["role"] == "system"
    assert RULES[parallel] in system["content"]
    assert RULES[not parallel] not in system["content"]


def test_tools_are_json_schemas_with_optional_parameters_left_optional() -> None:
    tools = to_openai(weather_example())["tools"]

    assert [tool["type"] for tool in tools] == ["function", "function"]
    parameters = tools[0]["function"]["parameters"]
    assert parameters["type"] == "object"
    assert set(parameters["properties"]) == {"city", "day", "unit"}
    assert parameters["required"] == ["city", "day"]


def test_meta_walks_back_to_the_task_and_shows_the_evidence() -> None:
    example = weather_example()
    composition = example.trajectory.problem.composition

    row = to_openai(example)

    assert row["id"] == example.id
    meta = row["meta"]
    assert (meta["trajectory"], meta["problem"]) == (example.parent, example.trajectory.parent)
    assert (meta["composition"], meta["atomic_task"]) == (composition.id, composition.parent)
    assert meta["sub_tasks"][2]["depends_on"] == [0, 1]
    assert meta["sub_tasks"][2]["functions"] == ["book_ticket"]
    assert meta["measures"]["calls"] == 3
    assert meta["sources"][0] == {"turn": 1, "call": 0, "path": "city", "origin": "user"}
    assert set(meta["responses"]["book_ticket"]) == {"booking"}


def _turns(row: dict[str, Any]) -> tuple[Turn, ...]:
    """The transcript, told from the messages and `meta` alone."""
    turns: list[Turn] = []
    thoughts = iter(row["meta"]["final_thoughts"])
    calls: dict[str, Call] = {}
    for message in row["messages"][1:]:
        if message["role"] == "user":
            turns.append(UserTurn(content=message["content"]))
        elif message["role"] == "tool":
            call = calls.pop(message["tool_call_id"])
            assert call.name == message["name"]
            result = Result(name=call.name, arguments=call.arguments, results=json.loads(message["content"]))
            if isinstance(turns[-1], ToolTurn):
                turns[-1] = ToolTurn(results=(*turns[-1].results, result))
            else:
                turns.append(ToolTurn(results=(result,)))
        elif "tool_calls" in message:
            assert not calls, "the round before has calls without an answer"
            calls = {call["id"]: Call(**call["function"]) for call in message["tool_calls"]}
            turns.append(AssistantTurn(thought=message["content"], calls=tuple(calls.values())))
        else:
            turns.append(AssistantTurn(thought=next(thoughts), final=message["content"]))
    return tuple(turns)


@for_examples
@given(examples())
def test_the_whole_transcript_can_be_told_from_the_row(example: Example) -> None:
    row = to_openai(example)

    assert _turns(row) == example.trajectory.turns
    assert all(isinstance(message["content"], str) for message in row["messages"])


AS_JSON = (
    '"arguments": {"city": "Oslo", "day": "Friday"}}',
    '"arguments": {"city": "Rome", "day": "Friday"}}',
    '"arguments": {"city": "Rome", "seats": ["4A", "4B"], "options": {"meal": null, "bags": 2}}}',
)
AS_XML = (
    "<function=get_forecast>\n<parameter=city>\nOslo\n</parameter>\n<parameter=day>\nFriday\n</parameter>",
    "<function=get_forecast>\n<parameter=city>\nRome\n</parameter>",
    '<parameter=seats>\n["4A", "4B"]\n</parameter>\n<parameter=options>\n{"meal": null, "bags": 2}\n</parameter>',
)
AS_PYTHON = (
    "[get_forecast(city='Oslo', day='Friday'), get_forecast(city='Rome', day='Friday')]",
    """[book_ticket(city='Rome', seats=["4A", "4B"], options={"meal": null, "bags": 2})]""",
)


@needs_trl
@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize(
    ("template", "calls"),
    [
        ("qwen2_5_training", AS_JSON),
        ("qwen3_training", AS_JSON),
        ("qwen3_instruct_2507", AS_JSON),
        ("qwen3_5_nothink_training", AS_XML),
        ("nemotron_3_nano_training", AS_XML),
        ("lfm2_v2_training", AS_PYTHON),
    ],
)
def test_chat_templates_show_thoughts_calls_and_results(template: str, calls: tuple[str, ...], parallel: bool) -> None:
    row = to_openai(weather_example(parallel=parallel))

    text = rendered(template, row)

    for expected in (
        *("get_forecast", "book_ticket", "Gives the temperature of a city on a day.", "fahrenheit"),
        *("I need both forecasts", "Rome is warmer.", RULES[parallel]),
        *('{"temperature": -3.5}', '{"temperature": 18.25}', '{"booking": "ÅB-77"}'),
        "Rome is warmer (18.25 °C); your booking is ÅB-77.",
    ):
        assert expected in text
    if parallel or calls is not AS_PYTHON:
        assert [call for call in calls if call not in text] == []
    assert "None" not in text
    assert '\\"city' not in text, "the arguments are encoded twice"


@needs_trl
def test_a_family_with_one_call_a_turn_takes_the_unparallel_mode() -> None:
    text = rendered("llama3_1", to_openai(weather_example(parallel=False)))

    assert '{"name": "get_forecast", "parameters": {"city": "Oslo", "day": "Friday"}}' in text
    assert "None" not in text
    with pytest.raises(jinja2.TemplateError, match="only supports single tool-calls"):
        rendered("llama3_1", to_openai(weather_example(parallel=True)))


@needs_trl
def test_the_calls_in_qwens_text_parse_back() -> None:
    example = weather_example()

    said = rendered("qwen2_5_training", to_openai(example)).split("<|im_end|>", 1)[1]

    calls = [json.loads(part.split("</tool_call>")[0]) for part in said.split("<tool_call>")[1:]]
    turns = [turn for turn in example.trajectory.turns if isinstance(turn, AssistantTurn)]
    assert calls == [call.model_dump() for turn in turns for call in turn.calls]


@needs_trl
@pytest.mark.parametrize("template", ["qwen2_5_training", "qwen3_training", "qwen3_5_nothink_training"])
def test_the_keys_that_parquet_fills_with_none_change_no_text(template: str) -> None:
    row = to_openai(weather_example())
    absent = dict.fromkeys(("tool_calls", "tool_call_id", "name"))

    filled = {**row, "messages": [absent | message for message in row["messages"]]}

    assert rendered(template, filled) == rendered(template, row)
