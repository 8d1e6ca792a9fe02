"""The funnel: what went into each step, what came out, what was dropped and why, and what the LM calls cost."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(slots=True)
class StepCount:
    """The counts of one step. `taken` are the records it is done with, `live` those it is at work on.

    `cost` is in US dollars; `seconds` is the time of its LM calls, summed, so it may exceed the time of the run.
    """

    taken: int = 0
    given: int = 0
    live: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    lm_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return {
            "in": self.taken,
            "out": self.given,
            "dropped": dict(sorted(self.dropped.items())),
            "lm_calls": self.lm_calls,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost": round(self.cost, 6),
            "seconds": round(self.seconds, 3),
        }


class Funnel:
    """Counts for one event loop; no locks. `live` records are not saved: an interrupted run takes them up again."""

    def __init__(self, steps: Iterable[str]) -> None:
        self.steps: dict[str, StepCount] = {name: StepCount() for name in steps}

    def enter(self, step: str) -> None:
        """A record is taken up by `step`; one of `leave`, `drop` and `abandon` follows."""
        self.steps[step].live += 1

    def leave(self, step: str, given: int = 1) -> None:
        """`step` made `given` records of the one it took up."""
        count = self.steps[step]
        count.live -= 1
        count.taken += 1
        count.given += given

    def drop(self, step: str, reason: str) -> None:
        count = self.steps[step]
        count.live -= 1
        count.taken += 1
        count.dropped[reason] += 1

    def lose(self, step: str, reason: str) -> None:
        """`step` lost something beside what it gives of the record: counted among its drops."""
        self.steps[step].dropped[reason] += 1

    def abandon(self, step: str) -> None:
        """The run ends before `step` is done with the record, which counts nowhere."""
        self.steps[step].live -= 1

    def call(
        self,
        step: str,
        *,
        calls: int = 1,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        seconds: float = 0.0,
        cost: float = 0.0,
    ) -> None:
        """Answered LM calls made for `step`, and what they took together."""
        count = self.steps[step]
        count.lm_calls += calls
        count.prompt_tokens += prompt_tokens
        count.completion_tokens += completion_tokens
        count.seconds += seconds
        count.cost += cost

    @property
    def lm_calls(self) -> int:
        return sum(count.lm_calls for count in self.steps.values())

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return sum(count.prompt_tokens + count.completion_tokens for count in self.steps.values())

    @property
    def cost(self) -> float:
        return sum(count.cost for count in self.steps.values())

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """The content of funnel.json: the steps in their order."""
        return {name: count.as_dict() for name, count in self.steps.items()}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Mapping[str, Any]]) -> Self:
        """The funnel that `as_dict` gave."""
        funnel = cls(saved)
        for name, counts in saved.items():
            plain = {key: value for key, value in counts.items() if key not in {"in", "out", "dropped"}}
            funnel.steps[name] = StepCount(
                taken=counts["in"], given=counts["out"], dropped=Counter(counts["dropped"]), **plain
            )
        return funnel
