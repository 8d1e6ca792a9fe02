"""One question to the player: what was asked, the worlds to answer from, and this answer's randomness and flaw."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from button.lms.simulation.choices import Index
from button.lms.simulation.prompt import Prompt
from button.lms.simulation.world import World


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """`seed` is the engine's: what must be the same in all conversations comes from it, all else from `rng`."""

    world: World
    index: Index
    prompt: Prompt
    rng: random.Random
    flaw: str | None
    seed: int

    @property
    def inputs(self) -> Mapping[str, str]:
        return self.prompt.inputs
