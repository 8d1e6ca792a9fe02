"""The ledger of one step call: its budget check, its kept answers, its usage."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from dspy.lm15 import Message, Response, TextPart, TokenLogprob, TopLogprob
from dspy.lm15 import Usage as Tokens

from button.journal import Journal, Key, Usage
from signatures.records import JsonObject


class Allowance(Protocol):
    """Says whether the run may make another LM call."""

    def spend(self) -> None:
        """Count one; raise where it may not."""
        ...

    def recalled(self) -> None:
        """Count one that an interrupted run has made already."""
        ...

    def paid(self, cost: float) -> None:
        """Note what an answer has cost, in US dollars."""
        ...


@dataclass(slots=True)
class StepLedger:
    """Implements `button.work.Ledger` over the journal, for one step call."""

    key: Key
    journal: Journal
    allowance: Allowance
    usage: Usage = field(default_factory=Usage)

    def spend(self) -> None:
        self.allowance.spend()

    def recall(self, key: str) -> Response | None:
        body = self.journal.answer(self.key, key)
        if body is None:
            return None
        kept = orjson.loads(body)
        self.allowance.recalled()
        self._count(kept["input_tokens"], kept["output_tokens"], kept["seconds"], kept["cost"])
        return response_of(kept)

    async def keep(self, key: str, response: Response, seconds: float, cost: float) -> None:
        kept = kept_answer(response, seconds, cost)
        await self.journal.put_answer(self.key, key, orjson.dumps(kept))
        self._count(kept["input_tokens"], kept["output_tokens"], seconds, cost)

    def _count(self, prompt_tokens: int, completion_tokens: int, seconds: float, cost: float) -> None:
        self.usage.calls += 1
        self.usage.prompt_tokens += prompt_tokens
        self.usage.completion_tokens += completion_tokens
        self.usage.seconds += seconds
        self.usage.cost += cost
        self.allowance.paid(cost)


def kept_answer(response: Response, seconds: float, cost: float) -> JsonObject:
    """What is kept of an answer: enough to give it again and to count it."""
    first = response.logprobs[0].top if response.logprobs else ()
    return {
        "model": response.model,
        "text": response.text or "",
        "finish_reason": response.finish_reason,
        "input_tokens": response.usage.input_tokens or 0,
        "output_tokens": response.usage.output_tokens or 0,
        "seconds": round(seconds, 4),
        "cost": cost,
        "first_token": [[top.token, top.logprob] for top in first],
    }


def response_of(kept: JsonObject) -> Response:
    """The answer that `kept_answer` kept."""
    return Response(
        id=None,
        model=kept["model"],
        message=Message.assistant([TextPart(kept["text"])]),
        finish_reason=kept["finish_reason"],
        usage=Tokens(input_tokens=kept["input_tokens"], output_tokens=kept["output_tokens"]),
        logprobs=_logprobs(kept.get("first_token") or []),
    )


def _logprobs(first: list[list[Any]]) -> tuple[TokenLogprob, ...] | None:
    top = tuple(TopLogprob(token, logprob) for token, logprob in first)
    return (TokenLogprob(token=top[0].token, logprob=top[0].logprob, top=top),) if top else None
