"""A composition without its bottom-up construction: written at once from a scenario (the paper's ablation)."""

import dspy


class ComposeDirectly(dspy.Signature):
    """Write a request that a person in this situation would make to an assistant, and the sub-tasks that it takes.

    The request is realistic and self-contained: every name, place, date and number needed is in it, so nobody has to
    ask back; it never says "my", "your" or "the item" for something nobody knows. It says what is wanted, never how: no
    function, app or website is named, and no result is given. Then write the sub-tasks in the shape that is asked for,
    each a single step of at most thirty words, with all its details. Use two or three of the details, only where they
    fit naturally.
    """

    scenario: str = dspy.InputField(desc="the situation")
    details: str = dspy.InputField(desc="concrete details to draw on; leave out what does not fit")
    shape: str = dspy.InputField(desc="how many sub-tasks the request takes, and which needs the output of which")
    composed_task: str = dspy.OutputField(desc="the whole request, in one to three sentences, with all details")
    sub_tasks: list[str] = dspy.OutputField(desc="the sub-tasks in their order, one imperative sentence each")
