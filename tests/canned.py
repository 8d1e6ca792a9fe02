"""Requests and answers for tests that care about the way between them, not about the words."""

from typing import Any

from dspy import lm15

TEXT = '{"thought": "Two calls, then the answer.", "calls": [], "final_answer": "Done."}'


def request(text: str = "hello", **config: Any) -> lm15.Request:
    return lm15.Request(model="endpoint/any", messages=(lm15.Message.user(text),), config=lm15.Config(**config))


def response(text: str = TEXT, *, tokens: int = 10) -> lm15.Response:
    return lm15.Response(
        id=None,
        model="simulated",
        message=lm15.Message.assistant(text),
        finish_reason="stop",
        usage=lm15.Usage(tokens - 3, 3, tokens),
    )


class Canned:
    """An engine that answers at once, and always the same."""

    concurrency = 64
    json_schema = True

    async def complete(self, request: lm15.Request) -> lm15.Response:
        return response()

    async def aclose(self) -> None:
        """Nothing to close."""
