"""A language model that needs no model: plays every part of BUTTON by rule, coherently, in thirty fields of life.

For trying out a config, for load and for fault tests. What it writes is valid training data of a plain kind; what it
never shows is a model's variety or a model's mistakes beyond those of `flaws`.
"""

import random
from typing import Annotated

from dspy.lm15 import Message, Request, Response, TextPart, Usage
from pydantic import Field, PositiveInt, validate_call

from button.lms.simulation.flaws import Flaws
from button.lms.simulation.loading import load_world
from button.lms.simulation.player import Player
from button.lms.simulation.prompt import Prompt, read_prompt, stable_hash
from button.lms.simulation.reflecting import reflected
from button.lms.simulation.weaknesses import Weaknesses

Probability = Annotated[float, Field(ge=0, le=1)]
CHARACTERS_PER_TOKEN = 4


class Simulated:
    """An engine whose answer is a function of `seed`, the request's seed and its content: no state, no network.

    `flaws` spoil answers, so that checks have something to find: a probability for each kind (see simulation/flaws.py),
    or one for any; 0 spoils none. A flawed answer's retries are flawed too with the probability `persistent`.
    `weakness` spoils answers likewise, until the prompt is better (see simulation/weaknesses.py); asked to reflect on
    such answers, it proposes what mends them.
    Raises UserError for an unknown kind of flaw.
    """

    json_schema = True

    @validate_call
    def __init__(
        self,
        *,
        seed: int = 0,
        flaws: dict[str, Probability] | Probability = 0.0,
        persistent: Probability = 0.3,
        weakness: dict[str, Probability] | None = None,
        concurrency: PositiveInt = 64,
    ) -> None:
        self.concurrency = concurrency
        self.seed = seed
        self._flaws = Flaws(flaws, persistent, seed)
        self._weaknesses = Weaknesses(weakness or {}, persistent, seed)
        self._player = Player(load_world(), seed)

    async def complete(self, request: Request) -> Response:
        """The answer, at once; cut off at `max_tokens` as a server would."""
        prompt = read_prompt(request)
        rng = random.Random(stable_hash(self.seed, request.config.seed, prompt.text, *prompt.content()))
        flaw = self._flaws.of(prompt, request.config.seed) or self._weakness(prompt, request)
        text = reflected(request, rng) or self._player.answer(prompt, rng, flaw)
        limit = (request.config.max_tokens or 1 << 20) * CHARACTERS_PER_TOKEN
        cut = flaw == "truncated" or len(text) > limit
        return Response(
            id=None,
            model=request.model,
            message=Message.assistant([TextPart(text[:limit])]),
            finish_reason="length" if cut else "stop",
            usage=_usage(prompt, text[:limit]),
        )

    async def aclose(self) -> None:
        """Nothing is held open."""

    def _weakness(self, prompt: Prompt, request: Request) -> str | None:
        system = request.system if isinstance(request.system, str) else ""
        demos = sum(message.role == "assistant" for message in request.messages) - len(prompt.dialogue)
        return self._weaknesses.of(prompt, system, demos, request.config.seed)


def _usage(prompt: Prompt, text: str) -> Usage:
    return Usage(
        input_tokens=max(prompt.length // CHARACTERS_PER_TOKEN, 1),
        output_tokens=max(len(text) // CHARACTERS_PER_TOKEN, 1),
    )
