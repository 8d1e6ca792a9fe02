import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from button.errors import UserError
from button.seeds.glaive import LONGEST_TALK, LONGEST_TURN, GlaiveSeeds, read_conversation
from button.seeds.source import Row

SAMPLE = Path(__file__).parents[3] / ".." / "shared" / "data" / "glaive" / "glaive_toolcall_en_demo.json"

TALK = "User: What is the weather in Oslo?\nAssistant: It is 3 degrees in Oslo.\nUser: Thanks, and tomorrow?"
SHAREGPT = {
    "conversations": [
        {"from": "human", "value": "What is the weather\nin Oslo?"},
        {"from": "function_call", "value": '{"name": "get_weather", "arguments": {"city": "Oslo"}}'},
        {"from": "observation", "value": '{"degrees": 3}'},
        {"from": "gpt", "value": "It is 3 degrees in Oslo."},
        {"from": "human", "value": "Thanks, and tomorrow?"},
    ],
    "tools": '[{"name": "get_weather"}]',
}
ORIGINAL = {
    "system": 'SYSTEM: You are a helpful assistant with access to the following functions. -\n{"name": "get_weather"}',
    "chat": (
        "USER: What is the weather in Oslo?\n\n\n"
        'ASSISTANT: <functioncall> {"name": "get_weather", "arguments": \'{"city": "Oslo"}\'} <|endoftext|>\n\n\n'
        'FUNCTION RESPONSE: {"degrees": 3}\n\n\n'
        "ASSISTANT: It is 3 degrees in Oslo. <|endoftext|>\n\n\n"
        "USER: Thanks, and tomorrow?\n\n\n"
    ),
}


def text_of(value: Any) -> str:
    return read_conversation(Row(1, "a.json, line 1", value)).text


def sharegpt(*turns: tuple[str, str]) -> dict[str, Any]:
    return {"conversations": [{"from": role, "value": text} for role, text in turns]}


@pytest.mark.parametrize("value", [SHAREGPT, ORIGINAL], ids=["sharegpt", "original"])
def test_both_forms_give_the_talk_without_functions(value: dict[str, Any]) -> None:
    assert text_of(value) == TALK


@pytest.mark.parametrize("lines", [True, False], ids=["jsonl", "json"])
def test_both_forms_are_read_from_json_and_json_lines(lines: bool, tmp_path: Path) -> None:
    path = tmp_path / "glaive.json"
    rows = [SHAREGPT, ORIGINAL]
    path.write_text("\n".join(map(json.dumps, rows)) if lines else json.dumps(rows, indent=2))
    seeds = list(GlaiveSeeds(path))
    assert [seed.text for seed in seeds] == [TALK, TALK]
    assert [seed.source for seed in seeds] == ["glaive.json#1", "glaive.json#2"]
    assert {(seed.form, seed.license) for seed in seeds} == {("conversation", "Apache-2.0")}


def test_words_before_a_call_are_kept_and_the_call_is_not() -> None:
    assert text_of({"chat": 'USER: hi ASSISTANT: Let me look. <functioncall> {"name": "f"}'}) == (
        "User: hi\nAssistant: Let me look."
    )


def test_a_long_answer_is_cut_so_that_the_next_question_is_kept() -> None:
    text = text_of(sharegpt(("human", "first"), ("gpt", "word " * 1_000), ("human", "second")))
    first, answer, second = text.split("\n")
    assert (first, second) == ("User: first", "User: second")
    assert answer.endswith("word ...")
    assert len(answer) <= LONGEST_TURN + len("Assistant: ")


def test_a_long_conversation_ends_after_a_whole_turn() -> None:
    turns = [("human" if index % 2 == 0 else "gpt", f"turn {index} " + "word " * 20) for index in range(1_000)]
    text = text_of(sharegpt(*turns))
    assert len(text) <= LONGEST_TALK
    assert text.endswith("word")


@given(st.lists(st.tuples(st.sampled_from(["human", "gpt", "system", "observation"]), st.text())))
def test_the_talk_of_any_conversation_is_bounded_and_has_a_line_a_turn(turns: list[tuple[str, str]]) -> None:
    text = text_of(sharegpt(*turns))
    assert len(text) <= LONGEST_TALK
    assert all(line.startswith(("User: ", "Assistant: ")) for line in text.splitlines() if text.isascii())
    assert not text or any(line.startswith("User: ") for line in text.split("\n"))


@pytest.mark.parametrize(
    "value",
    [
        sharegpt(),
        sharegpt(("human", " \n")),
        sharegpt(("gpt", "Hello, how can I help?")),
        {"conversations": None},
        {"chat": ""},
        {"chat": "no markers at all"},
    ],
)
def test_a_conversation_in_which_nobody_asks_is_empty(value: dict[str, Any]) -> None:
    assert text_of(value) == ""


def test_empty_conversations_are_counted_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps(sharegpt())}\n{json.dumps(SHAREGPT)}\n")
    source = GlaiveSeeds(path)
    assert [seed.source for seed in source] == ["a.jsonl#2"]
    assert source.skipped == {"empty": 1}


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ({"messages": [], "id": 1}, "fields messages, id; expected a ShareGPT row"),
        (["hello"], "a list; expected"),
        ({"conversations": "hello"}, "'conversations' is a str"),
        ({"conversations": ["hello"]}, "turn 0 is 'hello'; expected a turn"),
        ({"conversations": [{"role": "user", "content": "hello"}]}, "turn 0 is {'role': 'user', 'content': 'hello'}"),
        ({"conversations": [{"from": "human", "value": 7}]}, "turn 0 is {'from': 'human', 'value': 7}"),
        ({"chat": ["USER: hello"]}, "'chat' is a list"),
    ],
)
def test_a_row_of_another_shape_is_refused_with_its_line(value: Any, seen: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps(SHAREGPT)}\n{json.dumps(value)}\n")
    with pytest.raises(UserError) as refused:
        list(GlaiveSeeds(path))
    assert f"a.jsonl, line 2: {seen}" in str(refused.value)


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample of glaive-function-calling-v2 is not beside the repository")
def test_every_conversation_of_the_published_sample_is_a_seed() -> None:
    source = GlaiveSeeds(SAMPLE)
    seeds = list(source)
    assert len(seeds) == 300
    assert not source.skipped
    assert len({seed.id for seed in seeds}) == 300
    assert all(seed.text.startswith("User: ") and len(seed.text) <= LONGEST_TALK for seed in seeds)
    assert not any('"arguments"' in seed.text for seed in seeds)
    assert list(source) == seeds
    assert list(GlaiveSeeds(SAMPLE, limit=7)) == seeds[:7]
