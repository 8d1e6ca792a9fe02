"""The composition filter (paper, section 3.1): analysis first, then the verdict."""

from typing import Literal

import dspy


class JudgeComposition(dspy.Signature):
    """Decide whether doing the sub-tasks, in their order, completes the composed task.

    Check that the sub-tasks together cover everything that is asked, that none is superfluous, that each one that
    depends on others really needs their outputs, and that all details needed are given. Write the analysis first.
    """

    composed_task: str = dspy.InputField(desc="the request")
    sub_tasks: str = dspy.InputField(desc="the numbered sub-tasks; each says which earlier ones it depends on")
    analysis: str = dspy.OutputField(desc="two or three sentences")
    feasible: Literal["yes", "no"] = dspy.OutputField(desc="yes if the sub-tasks complete the composed task, else no")
