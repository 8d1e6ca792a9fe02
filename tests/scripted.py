"""A language model that says what a test wants, behind the real dspy.LM, limiter and recorder."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import dspy
from dspy import lm15

from button.errors import BudgetReached
from button.lms.build import Prices
from button.lms.limiter import Limiter
from button.lms.recorded import Recorded
from button.lms.retry import RetryBudget
from button.lms.sync import SyncEngine
from button.work import DEFAULT_ROLE, Work


@dataclass(frozen=True)
class Truncated:
    """A text that the model did not end."""

    text: str


Said: TypeAlias = str | dict[str, Any] | Truncated | lm15.LM15Error
Speaker: TypeAlias = Callable[[lm15.Request], Said]


class Scripted:
    """An engine whose answers are in a list, or given by signature name (as lists, or as functions of the request)."""

    concurrency = 8
    json_schema = True

    def __init__(self, *script: Said, **speakers: list[Said] | Speaker) -> None:
        self.script = list(script)
        self.speakers: Mapping[str, list[Said] | Speaker] = speakers
        self.requests: list[lm15.Request] = []

    async def complete(self, request: lm15.Request) -> lm15.Response:
        self.requests.append(request)
        speaker = self.speakers.get(signature_of(request), self.script)
        said = speaker(request) if callable(speaker) else speaker.pop(0)
        if isinstance(said, lm15.LM15Error):
            raise said
        text = said.text if isinstance(said, Truncated) else said if isinstance(said, str) else json.dumps(said)
        return lm15.Response(
            id=None,
            model="scripted",
            message=lm15.Message.assistant(text),
            finish_reason="length" if isinstance(said, Truncated) else "stop",
            usage=lm15.Usage(100, 20, 120),
        )

    async def aclose(self) -> None:
        """Nothing to close."""

    def prompts(self, signature: str | None = None) -> list[str]:
        """The last message of each request (for one signature)."""
        asked = [request for request in self.requests if signature in (None, signature_of(request))]
        return [request.messages[-1].text or "" for request in asked]


class Small(Scripted):
    """A small model; `sensible` is how probable "yes" is for it as the first word about a request."""

    small = True

    def __init__(self, *script: Said, sensible: Callable[[str], float] | float = 0.95, **speakers: Any) -> None:
        super().__init__(*script, **speakers)
        self.sensible = sensible
        self.judged: list[str] = []
        self.sense_floors: dict[str, float] = {}

    async def complete(self, request: lm15.Request) -> lm15.Response:
        if request.config.logprobs is None:
            return await super().complete(request)
        self.requests.append(request)
        asked = (request.messages[-1].text or "").removeprefix("Request: ")
        self.judged.append(asked)
        yes = self.sensible(asked) if callable(self.sensible) else self.sensible
        top = [(word, math.log(chance)) for word, chance in (("Yes", yes), ("No", 1 - yes)) if chance]
        said = max(top, key=lambda token: token[1])
        return lm15.Response(
            id=None,
            model="scripted",
            message=lm15.Message.assistant(said[0]),
            finish_reason="length",
            usage=lm15.Usage(30, 1, 31),
            logprobs=(lm15.TokenLogprob(*said, top=tuple(lm15.TopLogprob(*token) for token in top)),),
        )


@dataclass
class MemoryLedger:
    """Keeps answers in memory and allows `calls` calls."""

    calls: int = 1000
    spent: int = 0
    kept: dict[str, lm15.Response] = field(default_factory=dict)
    cost: float = 0.0

    def spend(self) -> None:
        if self.spent >= self.calls:
            raise BudgetReached(f"{self.calls} calls")
        self.spent += 1

    def recall(self, key: str) -> lm15.Response | None:
        return self.kept.get(key)

    async def keep(self, key: str, response: lm15.Response, seconds: float, cost: float) -> None:
        self.kept[key] = response
        self.cost += cost


def signature_of(request: lm15.Request) -> str:
    """The name of the signature that is asked."""
    return str((request.config.response_format or {}).get("name", ""))


def schema_of(request: lm15.Request) -> Any:
    """The JSON Schema that the answer is asked under."""
    return (request.config.response_format or {})["schema"]


def recorded(engine: Any, *, identity: str = "scripted", prompt: float = 0.0, completion: float = 0.0) -> Recorded:
    """The engine as a run uses it; prices in US dollars a million tokens."""
    prices = Prices(prompt=prompt, completion=completion)
    limiter = Limiter(max_in_flight=engine.concurrency)
    return Recorded(engine, identity=identity, limiter=limiter, retries=RetryBudget(), prices=prices)


def lm_of(engine: Any, **settings: Any) -> dspy.LM:
    """The engine as a `dspy.LM`, as `button.lms.build` makes one."""
    seam = recorded(engine)
    return dspy.LM(
        "button/scripted", engine=SyncEngine(seam), async_engine=seam, cache=False, num_retries=0, **settings
    )


def work_of(
    engine: Any = None,
    *,
    record: str = "a record",
    step: str = "step",
    draw: int = 0,
    ledger: MemoryLedger | None = None,
    **settings: Any,
) -> Work:
    """The surroundings of one step call; `settings` are the LM's own."""
    lms = {DEFAULT_ROLE: lm_of(engine, **settings)} if engine is not None else {}
    return Work(0, step, record, draw, lms, ledger or MemoryLedger())
