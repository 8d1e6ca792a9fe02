"""A real HTTP server for one test: it gives scripted answers in order (the last one again and again) and keeps what it
was asked."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Scripted:
    """One answer; a `body` that is not a string is sent as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class TinyServer:
    url: str
    bodies: list[Any] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def completion(text: str = "hello", **message: Any) -> dict[str, Any]:
    """A whole chat completion with the given text."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "served",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, **message}}
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
    }


@asynccontextmanager
async def tiny_server(*script: Scripted | Callable[[Any], Scripted]) -> AsyncIterator[TinyServer]:
    """Answers by the script; where an entry is a function, by what it says to the request's body."""
    server = TinyServer("")
    answers = iter(script)
    last = script[-1]

    async def handle(request: web.Request) -> web.Response:
        raw = await request.text()
        server.bodies.append(json.loads(raw) if raw else None)
        server.headers.append(request.headers)
        server.paths.append(str(request.rel_url))
        entry = next(answers, last)
        said = entry(server.bodies[-1]) if callable(entry) else entry
        text = said.body if isinstance(said.body, str) else json.dumps(said.body)
        return web.Response(status=said.status, text=text, headers=said.headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
