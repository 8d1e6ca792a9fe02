"""The chat-completions wire: a call as a JSON body and its answer as JSON, each way.

`chat_body` and `response_of` are a client's two halves, `request_of` and `answer_body` a server's. Only text travels:
tools, images and audio are refused by name. What one server spells differently is `button.lms.dialect`'s business.
Format: OpenAI API reference, "Create chat completion".
"""

import json
from collections.abc import Iterable
from typing import Any

from dspy.lm15 import (
    Config,
    FinishReason,
    Message,
    RefusalPart,
    Request,
    Response,
    ServerError,
    TextPart,
    TokenLogprob,
    TopLogprob,
    UnsupportedFeatureError,
    Usage,
)

from signatures.records import JsonObject

NUMBERS = ("max_tokens", "temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty")
FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_call",
    "content_filter": "content_filter",
}
FINISH_SPELLED = {reason: word for word, reason in FINISH.items()}


def chat_body(request: Request) -> JsonObject:
    """The JSON body that asks for `request`.

    Raises lm15.UnsupportedFeatureError where the request holds anything but text.
    """
    if request.tools or request.config.tool_choice is not None:
        raise UnsupportedFeatureError("native tools are not sent on this wire; describe the functions in the prompt")
    config = request.config
    body: JsonObject = {"model": request.model, "messages": _rows(request)}
    for name in NUMBERS:
        value = getattr(config, name)
        if value is not None:
            body[name] = value
    if config.stop:
        body["stop"] = list(config.stop)
    if config.response_format is not None:
        body["response_format"] = _wire_format(config.response_format)
    if config.logprobs is not None:
        body["logprobs"] = True
        body["top_logprobs"] = config.logprobs
    if config.reasoning is not None:
        body["reasoning_effort"] = "none" if config.reasoning.is_off else config.reasoning.effort
    return {**body, **(config.extensions or {})}


def request_of(body: JsonObject) -> Request:
    """The request that a JSON body asks for; keys that are no business of a text model are passed over.

    Raises ValueError, TypeError or KeyError where the body is no chat-completions request.
    """
    system: str | None = None
    messages: list[Message] = []
    for row in body["messages"]:
        text = _text(row.get("content"))
        if row["role"] == "system" and not messages and system is None:
            system = text or None
        else:
            role = "developer" if row["role"] == "system" else row["role"]
            messages.append(Message(role, (TextPart(text),)))
    given = {name: body[name] for name in NUMBERS if body.get(name) is not None}
    if body.get("max_completion_tokens") is not None:
        given["max_tokens"] = body["max_completion_tokens"]
    if (asked := body.get("response_format")) is not None and asked.get("type") != "text":
        given["response_format"] = {"type": asked["type"], **asked.get("json_schema", {})}
    if body.get("logprobs"):
        given["logprobs"] = body.get("top_logprobs") or 0
    stop = body.get("stop") or ()
    return Request(model=body["model"], system=system, messages=tuple(messages), config=Config(stop=stop, **given))


def answer_body(response: Response) -> JsonObject:
    """A response as the JSON a chat-completions server answers, without its `id` and `created`."""
    usage = response.usage
    return {
        "object": "chat.completion",
        "model": response.model,
        "choices": [
            {
                "index": 0,
                "finish_reason": FINISH_SPELLED[response.finish_reason],
                "message": {"role": "assistant", "content": response.text or ""},
            }
        ],
        "usage": {
            "prompt_tokens": usage.input_tokens or 0,
            "completion_tokens": usage.output_tokens or 0,
            "total_tokens": usage.total_tokens or 0,
        },
    }


def response_of(answer: Any, model: str) -> Response:
    """The response in a chat-completions answer; `model` is used where the answer names none.

    A server's `reasoning_content` beside the content is left out. Raises lm15.ServerError where there is no message.
    """
    choices = answer.get("choices") if isinstance(answer, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise ServerError(f"the answer holds no choices[0].message: {excerpt(answer)}")
    text, refusal = _text(message.get("content")), message.get("refusal")
    try:
        return Response(
            id=str(answer.get("id") or "") or None,
            model=str(answer.get("model") or model),
            message=Message("assistant", (RefusalPart(refusal) if refusal and not text else TextPart(text),)),
            finish_reason=FINISH.get(choice.get("finish_reason") or "stop", "stop"),
            usage=_usage(answer.get("usage")),
            logprobs=_logprobs(choice.get("logprobs")),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ServerError(f"the answer is no chat completion ({error!r}): {excerpt(answer)}") from error


def excerpt(value: Any, length: int = 200) -> str:
    """The first `length` characters of a text or of a value's JSON, for a message."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= length else f"{text[:length]}..."


def _rows(request: Request) -> list[JsonObject]:
    rows: list[JsonObject] = []
    if request.system is not None:
        system = request.system if isinstance(request.system, str) else _joined(request.system)
        rows.append({"role": "system", "content": system})
    for message in request.messages:
        # Most servers know no developer role; a later system row says the same.
        role = "system" if message.role == "developer" else message.role
        rows.append({"role": role, "content": _joined(message.parts)})
    return rows


def _joined(parts: Iterable[object]) -> str:
    texts = []
    for part in parts:
        if not isinstance(part, TextPart):
            raise UnsupportedFeatureError(f"{type(part).__name__} cannot be sent on this wire: it carries text only")
        texts.append(part.text)
    return texts[0] if len(texts) == 1 else "\n".join(texts)


def _text(content: Any) -> str:
    """Content as text: a string, a list of text blocks, or nothing."""
    if isinstance(content, list):
        return "".join(str(block.get("text") or "") for block in content if isinstance(block, dict))
    return content if isinstance(content, str) else ""


def _wire_format(asked: JsonObject) -> JsonObject:
    if asked["type"] != "json_schema":
        return {"type": asked["type"]}
    inner = {key: value for key, value in asked.items() if key != "type"}
    return {"type": "json_schema", "json_schema": {"name": "answer", **inner}}


def _usage(usage: Any) -> Usage:
    if not isinstance(usage, dict):
        return Usage()

    def count(table: Any, key: str) -> int | None:
        value = table.get(key) if isinstance(table, dict) else None
        return value if isinstance(value, int) and value >= 0 else None

    return Usage(
        input_tokens=count(usage, "prompt_tokens"),
        output_tokens=count(usage, "completion_tokens"),
        total_tokens=count(usage, "total_tokens"),
        cache_read_tokens=count(usage.get("prompt_tokens_details"), "cached_tokens"),
        reasoning_tokens=count(usage.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _logprobs(logprobs: Any) -> tuple[TokenLogprob, ...] | None:
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(tokens, list):
        return None
    return tuple(
        TokenLogprob(
            token=token["token"],
            logprob=float(token["logprob"]),
            top=tuple(TopLogprob(top["token"], float(top["logprob"])) for top in token.get("top_logprobs") or ()),
        )
        for token in tokens
    )
