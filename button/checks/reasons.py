"""Every reason for which the checks drop a trajectory, and the value that carries one."""

from dataclasses import dataclass
from typing import Final

BAD_ORDER: Final = "bad_order"  # turns out of order, a call without its answer, no final answer
BAD_TEXT: Final = "bad_text"  # an empty thought or message, markup or blanks in a text
BAD_CALL: Final = "bad_call"  # a call that does not fit its function
BAD_RESULT: Final = "bad_result"  # an answer that does not fit its function
PARALLEL_IN_SERIAL: Final = "parallel_in_serial"  # two calls in one turn where one at a time was the rule
REPEATED_CALL: Final = "repeated_call"  # the same call twice
INCONSISTENT_ANSWER: Final = "inconsistent_answer"  # the same call, two answers
BAD_FINAL: Final = "bad_final"  # a final answer that is no answer: empty, raw JSON, cut off, giving up
NO_CALLS: Final = "no_calls"
TOO_FEW_CALLS: Final = "too_few_calls"
TOO_FEW_ROUNDS: Final = "too_few_rounds"
TOO_MANY_ROUNDS: Final = "too_many_rounds"
SUB_TASK_NOT_SERVED: Final = "sub_task_not_served"  # a sub-task whose functions were never called
DEPENDENCY_NOT_USED: Final = "dependency_not_used"  # a dependent sub-task whose calls take nothing from earlier results
UNGROUNDED_ARGUMENT: Final = "ungrounded_argument"  # a value that neither the user, a result nor the schema gave
INVENTED_ANSWER: Final = "invented_answer"  # figures or names in the final answer that nobody gave
EMPTY_ANSWER: Final = "empty_answer"  # a final answer that reports nothing of the results

REASONS: Final = (
    BAD_ORDER, BAD_TEXT, BAD_CALL, BAD_RESULT, PARALLEL_IN_SERIAL, REPEATED_CALL, INCONSISTENT_ANSWER, BAD_FINAL,
    NO_CALLS, TOO_FEW_CALLS, TOO_FEW_ROUNDS, TOO_MANY_ROUNDS, SUB_TASK_NOT_SERVED, DEPENDENCY_NOT_USED,
    UNGROUNDED_ARGUMENT, INVENTED_ANSWER, EMPTY_ANSWER,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a trajectory: a reason of `REASONS`, and the sentence that says where and what."""

    reason: str
    detail: str
