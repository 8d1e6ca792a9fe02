"""Whether something makes sense, asked in one word: how a small model is used as a judge."""

from typing import Literal

import dspy


class MakesSense(dspy.Signature):
    """Does this request make sense? Answer yes or no."""

    request: str = dspy.InputField(desc="what a person asks an assistant for")
    sensible: Literal["yes", "no"] = dspy.OutputField(desc="yes or no")
