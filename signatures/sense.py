"""Questions for a one-word answer: how a small model is used as a judge."""

from typing import Literal

import dspy


class MakesSense(dspy.Signature):
    """Does this request make sense? Answer yes or no."""

    request: str = dspy.InputField(desc="what a person asks an assistant for")
    sensible: Literal["yes", "no"] = dspy.OutputField(desc="yes or no")


class StepsSuffice(dspy.Signature):
    """Do these steps together do what is asked, no more and no less? Answer yes or no."""

    task: str = dspy.InputField(desc="the composed task")
    sub_tasks: str = dspy.InputField(desc="the numbered sub-tasks; each says which earlier ones it needs")
    sufficient: Literal["yes", "no"] = dspy.OutputField(desc="yes or no")
