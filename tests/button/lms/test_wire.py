"""Covers the JSON of the wire, both ways, with no server."""

import dataclasses
from typing import Any

import pytest
from dspy.lm15 import (
    Config,
    FunctionTool,
    ImagePart,
    Message,
    Reasoning,
    Request,
    Response,
    ServerError,
    TextPart,
    UnsupportedFeatureError,
    Usage,
)
from hypothesis import given
from hypothesis import strategies as st
from tiny_server import completion

from button.lms.wire import answer_body, chat_body, request_of, response_of

TEXTS = st.text(min_size=1, max_size=20)
MESSAGES = st.builds(
    lambda role, text: Message(role, (TextPart(text),)), st.sampled_from(["user", "assistant", "developer"]), TEXTS
)
SCHEMAS = st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(TEXTS, st.just({}))})
FORMATS = st.one_of(
    st.none(),
    st.just({"type": "json_object"}),
    st.builds(lambda name, schema: {"type": "json_schema", "name": name, "schema": schema}, TEXTS, SCHEMAS),
)
CONFIGS = st.builds(
    Config,
    max_tokens=st.none() | st.integers(1, 9999),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    seed=st.none() | st.integers(0, 2**31),
    stop=st.lists(TEXTS, max_size=2).map(tuple),
    logprobs=st.none() | st.integers(0, 5),
    response_format=FORMATS,
)
REQUESTS = st.builds(
    Request, model=TEXTS, messages=st.lists(MESSAGES, min_size=1, max_size=4).map(tuple), system=TEXTS, config=CONFIGS
)


@given(REQUESTS)
def test_a_server_reads_the_request_that_a_client_wrote(request: Request) -> None:
    assert request_of(chat_body(request)) == request


def test_a_request_becomes_a_chat_completions_body() -> None:
    request = Request(
        model="qwen",
        system="Answer in JSON.",
        messages=(Message.user("one"), Message.assistant("two"), Message.developer("three")),
        config=Config(
            temperature=0.5,
            max_tokens=7,
            seed=0,
            stop=("end",),
            logprobs=2,
            reasoning=Reasoning(effort="low"),
            response_format={"type": "json_schema", "name": "Call", "schema": {"type": "object"}, "strict": True},
            extensions={"min_p": 0.1},
        ),
    )

    assert chat_body(request) == {
        "model": "qwen",
        "messages": [
            {"role": "system", "content": "Answer in JSON."},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "system", "content": "three"},
        ],
        "temperature": 0.5,
        "max_tokens": 7,
        "seed": 0,
        "stop": ["end"],
        "logprobs": True,
        "top_logprobs": 2,
        "reasoning_effort": "low",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "Call", "schema": {"type": "object"}, "strict": True},
        },
        "min_p": 0.1,
    }


def test_a_schema_without_a_name_gets_one_since_servers_ask_for_it() -> None:
    config = Config(response_format={"type": "json_schema", "schema": {"type": "object"}})

    body = chat_body(Request(model="m", messages=(Message.user("x"),), config=config))

    assert body["response_format"]["json_schema"] == {"name": "answer", "schema": {"type": "object"}}


def test_what_is_not_text_is_refused_rather_than_dropped() -> None:
    image = Message("user", (ImagePart(url="http://127.0.0.1/a.png"),))
    tool = FunctionTool(name="f", description="d", parameters={"type": "object", "properties": {}})

    with pytest.raises(UnsupportedFeatureError, match="ImagePart cannot be sent"):
        chat_body(Request(model="m", messages=(image,)))
    with pytest.raises(UnsupportedFeatureError, match="native tools"):
        chat_body(Request(model="m", messages=(Message.user("x"),), tools=(tool,)))


def test_an_answer_becomes_a_response() -> None:
    answer = completion("hello", reasoning_content="let me think")
    answer["usage"]["prompt_tokens_details"] = {"cached_tokens": 4}
    answer["usage"]["completion_tokens_details"] = {"reasoning_tokens": 2}

    response = response_of(answer, "asked")

    assert response == Response(
        id="chatcmpl-1",
        model="served",
        message=Message.assistant("hello"),
        finish_reason="stop",
        usage=Usage(12, 3, 15, cache_read_tokens=4, reasoning_tokens=2),
    )


@pytest.mark.parametrize(
    ("said", "reason"),
    [("stop", "stop"), ("length", "length"), ("tool_calls", "tool_call"), (None, "stop"), ("eos", "stop")],
)
def test_a_truncated_answer_is_told_from_a_whole_one(said: str | None, reason: str) -> None:
    answer = completion()
    answer["choices"][0]["finish_reason"] = said

    assert response_of(answer, "m").finish_reason == reason


@pytest.mark.parametrize(
    ("content", "text"), [(None, ""), ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab")]
)
def test_content_may_be_missing_or_a_list_of_blocks(content: Any, text: str) -> None:
    answer = completion()
    answer["choices"][0]["message"]["content"] = content

    assert response_of(answer, "m").text == text


def test_a_refusal_is_no_text() -> None:
    answer = completion(refusal="I cannot do that.")
    answer["choices"][0]["message"]["content"] = None

    assert response_of(answer, "m").text is None


def test_log_probabilities_come_with_their_alternatives() -> None:
    answer = completion("yes")
    answer["choices"][0]["logprobs"] = {
        "content": [{"token": "yes", "logprob": -0.1, "top_logprobs": [{"token": "no", "logprob": -2.3}]}]
    }

    response = response_of(answer, "m")

    assert response.logprobs is not None
    assert [(token.token, token.logprob) for token in response.logprobs] == [("yes", -0.1)]
    assert [(top.token, top.logprob) for top in response.logprobs[0].top] == [("no", -2.3)]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        "text",
        {"choices": []},
        {"choices": [{"text": "completions style"}]},
        {"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{"token": "x"}]}}]},
        {"choices": [{"message": {"content": "x"}, "finish_reason": ["stop"]}]},
    ],
)
def test_what_is_no_completion_is_a_server_error_with_an_excerpt(answer: Any) -> None:
    with pytest.raises(ServerError, match="the answer"):
        response_of(answer, "m")


def test_a_served_response_reads_back_the_same() -> None:
    response = Response(
        id=None, model="m", message=Message.assistant("hi"), finish_reason="length", usage=Usage(5, 2, 7)
    )

    assert response_of(answer_body(response), "m") == response
    assert dataclasses.asdict(response_of(answer_body(response), "m"))["usage"]["total_tokens"] == 7
