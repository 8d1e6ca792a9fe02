"""Which answers are spoilt, and how: by rate, decided by the hash of the question."""

import random
from collections.abc import Mapping

from button.errors import UserError
from button.lms.simulation.prompt import Prompt, stable_hash

# The flaws that a part can have beside those of any answer.
FLAWS: Mapping[str, tuple[str, ...]] = {
    "NameScenario": ("long_scenario", "specific_scenario"),
    "EvolveScenario": ("near_duplicate", "long_scenario", "specific_scenario"),
    "WriteAtomicTask": ("long_task", "named_function", "placeholder"),
    "ComposeSequentially": ("overlapping_sub_tasks", "missing_detail"),
    "ComposeInParallel": ("overlapping_sub_tasks", "missing_detail"),
    "JudgeComposition": ("judge_no", "judge_yes"),
    "JudgeTask": ("judge_no", "judge_yes"),
    "JudgeFunctions": ("judge_no", "judge_yes"),
    "JudgeTrajectory": ("judge_no", "judge_yes"),
    "DefineFunctions": ("bad_schema", "duplicate_function", "inconsistent_functions", "tailored_function"),
    "PlayUser": ("lost_detail",),
    "PlayAssistant": (
        "bad_call", "missing_argument", "unknown_function", "ungrounded_argument", "calls_in_serial_mode", "no_final",
        "invented_answer",
    ),
    "PlayTool": ("bad_result",),
    "ComposeDirectly": ("placeholder", "overlapping_sub_tasks", "missing_detail", "unrelated_sub_task"),
    "WriteTrajectory": (
        "lost_detail", "missing_argument", "unknown_function", "ungrounded_argument", "calls_in_serial_mode",
        "invented_answer", "bad_result",
    ),
}  # fmt: skip
ANY_ANSWER = ("malformed", "truncated", "empty")
KINDS = frozenset(ANY_ANSWER) | frozenset(kind for kinds in FLAWS.values() for kind in kinds)


class Flaws:
    """`rates` maps a kind of flaw to the probability that an answer which can have it does; one number is the
    probability that an answer has any, each kind alike. `persistent` is the probability that a flawed answer's retries
    are flawed too."""

    def __init__(self, rates: Mapping[str, float] | float, persistent: float, seed: int) -> None:
        if isinstance(rates, Mapping) and (unknown := sorted(set(rates) - KINDS)):
            raise UserError(f"lm.flaws has the unknown kind '{unknown[0]}'; the kinds are {', '.join(sorted(KINDS))}")
        self.rates = rates
        self.persistent = persistent
        self.seed = seed

    def of(self, prompt: Prompt, request_seed: int | None) -> str | None:
        """The flaw of the answer to `prompt`, or None. All retries of a question agree."""
        weights = self._weights(prompt.part or "")
        total = sum(weights.values())
        if total <= 0:
            return None
        if prompt.is_retry:
            rng = random.Random(stable_hash("retry", self.seed, *prompt.content()))
            return self._drawn(weights, rng) if rng.random() < self.persistent else None
        rng = random.Random(stable_hash("first", self.seed, request_seed, *prompt.content()))
        return self._drawn(weights, rng) if rng.random() < total else None

    def _weights(self, part: str) -> dict[str, float]:
        kinds = (*FLAWS.get(part, ()), *ANY_ANSWER)
        if isinstance(self.rates, Mapping):
            return {kind: self.rates[kind] for kind in kinds if kind in self.rates}
        return dict.fromkeys(kinds, self.rates / len(kinds))

    @staticmethod
    def _drawn(weights: dict[str, float], rng: random.Random) -> str:
        return rng.choices(list(weights), list(weights.values()))[0]
