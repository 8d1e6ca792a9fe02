"""GEPA: reflects on trials in words, keeps every candidate that is best on some item (arXiv 2507.19457)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dspy
from dspy.teleprompt.gepa import InstructionProposer
from pydantic import PositiveInt, validate_call

from button.programs import Program
from experiments.optimizing.optimizer import Search, enough

ENDLESS = 3  # times the budget: what GEPA may count, which counts what is remembered too
ADVICE = (
    "Keep what the instruction says already unless the feedback speaks against it. Say what to do in general: name"
    " nothing of these examples. Write plain sentences, no headings and no examples."
)


class Gepa:
    """`minibatch` trials before and after each new instruction decide whether it is tried on all validation items.

    An instruction may have `max_chars` characters; with `merge`, candidates good at different items are joined.
    """

    name = "gepa"

    @validate_call
    def __init__(self, minibatch: PositiveInt = 3, max_chars: PositiveInt = 3000, merge: bool = True) -> None:
        self.minibatch = minibatch
        self.max_chars = max_chars
        self.merge = merge

    def least(self, train: int, validation: int) -> int:
        enough(self.name, "train", train, self.minibatch)
        return 2 * validation + 3 * self.minibatch

    def search(self, search: Search) -> list[Program]:
        # An iteration may cost two minibatches and all validation items; one that cannot end is not begun.
        last = search.trials - len(search.validation) - 2 * self.minibatch

        def spent(state: object) -> bool:
            return search.spending.trials > last

        optimizer = dspy.GEPA(
            metric=search.advice,
            max_metric_calls=ENDLESS * search.trials,
            reflection_lm=search.reflection,
            reflection_minibatch_size=self.minibatch,
            instruction_proposer=InstructionProposer(additional_instructions=ADVICE, max_chars=self.max_chars),
            component_selector=_blamed(search),
            use_merge=self.merge,
            num_threads=search.threads,
            track_stats=True,
            warn_on_score_mismatch=False,
            seed=search.seed,
            gepa_kwargs={"stop_callbacks": [spent, _is_perfect]},
        )
        found = optimizer.compile(search.student, trainset=list(search.train), valset=list(search.validation))
        return [found.program]


def _blamed(search: Search) -> Callable[..., list[str]]:
    """Which predictor gets a new instruction: each in turn, but only of those asked where points were lost.

    A step may ask another one for each item; GEPA's own turns include those that none of the items at hand has asked.
    """

    def selector(
        state: Any,
        trajectories: Sequence[Mapping[str, Any]],
        subsample_scores: Sequence[float],
        candidate_idx: int,
        candidate: Mapping[str, str],
    ) -> list[str]:
        names, turns = state.list_of_named_predictors, state.named_predictor_id_to_update_next_for_program_candidate
        found = [search.trial(tried["example"], tried["prediction"]) for tried in trajectories]
        asked = {f"step.{one.predictor}" for trial in found if trial and trial.value < 1 for one in trial.asked}
        turn = turns[candidate_idx]
        chosen = next((name for name in [*names[turn:], *names[:turn]] if name in asked), names[turn])
        turns[candidate_idx] = (names.index(chosen) + 1) % len(names)
        return [chosen]

    return selector


def _is_perfect(state: object) -> bool:
    """No candidate can be better than one that is perfect on all validation items."""
    return max(getattr(state, "program_full_scores_val_set", [0.0]), default=0.0) >= 1.0
