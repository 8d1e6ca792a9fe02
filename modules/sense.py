"""How much sense a model sees in a text: the probability it gives to "yes" as the first word of its answer.

A small model's written verdict is worth little, the probability behind it much: over twenty requests, half of them
with a person as a destination, an occasion nobody named and the like, the embedded 1.5B ranked a good one above a bad
one in 97 % of the pairs; asked for the same as JSON, in 80 %.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import dspy
from dspy.lm15 import Response
from dspy.utils.exceptions import LMError

from button.errors import NoUsableAnswer
from button.work import Work
from modules.adapter import CompactAdapter
from modules.ask import failure
from signatures.records import Drop
from signatures.sense import MakesSense

T = TypeVar("T")
UNLIKELY = "unlikely"
EVEN = 0.5  # the floor of a verdict by a model that nobody measured
TOP = 20  # first tokens whose probabilities are asked for: the most that servers give


class _OneWord(CompactAdapter):
    """The instructions alone, each input after its name, and a single word as the answer."""

    def format(
        self, signature: type[dspy.Signature], demos: list[dict[str, Any]], inputs: dict[str, Any]
    ) -> list[dict[str, Any]]:
        shown = "\n".join(_shown(name, inputs[name]) for name in signature.input_fields)
        return [{"role": "system", "content": signature.instructions}, {"role": "user", "content": shown}]

    def _read(self, signature: type[dspy.Signature], response: Response) -> list[dict[str, Any]]:
        return [dict.fromkeys(signature.output_fields, response.text or "")]


def _shown(name: str, value: str) -> str:
    return f"{name.replace('_', '-').capitalize()}:{chr(10) if chr(10) in value else ' '}{value}"


_ADAPTER = _OneWord()


class Sense(dspy.Module):
    """Asks `role` a question of `signatures.sense`: whether a request makes sense, if no other is named."""

    def __init__(self, role: str, question: type[dspy.Signature] = MakesSense) -> None:
        super().__init__()
        self.predict = dspy.Predict(question)
        self.role = role

    def floor(self, work: Work) -> float:
        """The least probability that was measured to mean yes; 0 where nobody measured the model."""
        return work.sense_floor(self.role, self.predict.signature.__name__)

    async def aforward(self, work: Work, **inputs: str) -> float:
        """The probability of "yes" against "no", in [0, 1].

        Raises NoUsableAnswer where the model gives neither, or its server no probabilities.
        """
        config = {"max_tokens": 1, "temperature": 0.0, "seed": 0, "logprobs": TOP}
        with work.call() as call, dspy.context(adapter=_ADAPTER):
            try:
                await self.predict.acall(lm=work.lm(self.role), config=config, **inputs)
            except LMError as error:
                raise failure(error) from error
        mass = {word: sum(math.exp(one) for said, one in call.first_token if said == word) for word in ("yes", "no")}
        if not sum(mass.values()):
            raise NoUsableAnswer("no_probability", f"neither yes nor no is among the likeliest first words on {inputs}")
        return mass["yes"] / sum(mass.values())

    async def best(self, work: Work, candidates: Sequence[T], said: Callable[[T], str]) -> tuple[T, float]:
        """The candidate whose request makes most sense, the first of equals, with its probability."""
        chances = [await self.aforward(work, request=said(candidate)) for candidate in candidates]
        chosen = max(range(len(candidates)), key=lambda index: chances[index])
        return candidates[chosen], chances[chosen]


def unlikely(chance: float, floor: float, text: str) -> Drop:
    """The drop of what makes too little sense."""
    return Drop(reason=UNLIKELY, detail=f"makes sense with a probability of {chance:.2f}, below {floor:.2f}: {text}")


async def several(count: int, draw: Callable[[int], Awaitable[T]]) -> list[T]:
    """Up to `count` different candidates, one after the other. Raises the last failure where all failed."""
    found: list[T] = []
    failed: NoUsableAnswer | None = None
    for index in range(count):
        try:
            candidate = await draw(index)
        except NoUsableAnswer as error:
            failed = error
        else:
            if candidate not in found:
                found.append(candidate)
    if failed is not None and not found:
        raise failed
    return found
