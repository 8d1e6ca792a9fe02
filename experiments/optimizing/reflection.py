"""The model that reflects: it reads how answers went and proposes instructions. Called by DSPy from any thread."""

import asyncio
import threading
from collections import Counter
from dataclasses import replace

import dspy
from dspy.lm15 import Request, Response

from button.errors import ButtonError
from button.lms.recorded import Recorded, request_key
from button.work import CURRENT_CALL, LmCall
from experiments.optimizing.spending import Answers
from experiments.optimizing.student import Halt
from signatures.records import JsonObject, content_hash

CHARACTERS_A_TOKEN = 3  # few, so that a text that fills its room is not cut off by the limit of tokens


class Reflecting:
    """The blocking engine of a `dspy.LM` over a run's recorded engine, which lives in `loop`.

    Requests come without a seed, and the same one may come again for another sample: the seed is made of the run's, the
    request and how often it has come before. So a search that is started again is told the same.
    """

    def __init__(self, engine: Recorded, answers: Answers, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self._engine = engine
        self._answers = answers
        self._loop = loop
        self._seed = seed
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        # A model that decodes under a schema is asked to: a small one writes no valid JSON otherwise.
        self.supports_response_schema = engine.engine.json_schema
        self.supported_params = frozenset({"response_format"}) if engine.engine.json_schema else frozenset()

    def __deepcopy__(self, memo: object) -> "Reflecting":
        return self

    def complete(self, request: Request) -> Response:
        """Raises Halt where no further call may be made, or the model cannot be reached."""
        key = request_key("", request)
        with self._lock:
            self._asked[key] += 1
            often = self._asked[key]
        seed = int(content_hash(self._seed, key, often), 16) >> 33
        wanted = request.config.response_format
        if self._engine.small and wanted is not None:
            wanted = roomy(wanted, CHARACTERS_A_TOKEN * (request.config.max_tokens or 0))
        request = replace(request, config=replace(request.config, seed=seed, response_format=wanted))
        try:
            return asyncio.run_coroutine_threadsafe(self._complete(request), self._loop).result()
        except ButtonError as error:
            raise Halt from error

    async def _complete(self, request: Request) -> Response:
        ledger = self._answers.ledger("reflection")
        ledger.spend()
        token = CURRENT_CALL.set(LmCall(ledger))
        try:
            return await self._engine.complete(request)
        finally:
            CURRENT_CALL.reset(token)


def roomy(response_format: JsonObject, characters: int) -> JsonObject:
    """The format with room for so many characters in its texts: those of small models are cut short otherwise."""
    schema = response_format.get("schema")
    if not schema or not characters:
        return response_format
    properties = {
        name: {"maxLength": characters, **body} if body.get("type") == "string" else body
        for name, body in schema.get("properties", {}).items()
    }
    return {**response_format, "schema": {**schema, "properties": properties}}


def reflecting_lm(
    lm: dspy.LM, answers: Answers, loop: asyncio.AbstractEventLoop, *, seed: int, max_tokens: int, temperature: float
) -> dspy.LM:
    """`lm`, one of `button.lms.build`, as a search may call it."""
    engine = Reflecting(lm.engine.engine, answers, loop, seed)
    return dspy.LM(lm.model, engine=engine, cache=False, num_retries=0, max_tokens=max_tokens, temperature=temperature)


def stand_in() -> dspy.LM:
    """The model in DSPy's settings while it searches: steps have models of their own, so nobody asks it."""
    return dspy.LM("button/none", engine=_Nobody(), cache=False, num_retries=0)


class _Nobody:
    """Refuses every request."""

    def complete(self, request: Request) -> Response:
        raise Halt from AssertionError(f"an optimiser asked the step's model itself: {request.messages[-1].text}")
