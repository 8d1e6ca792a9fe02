"""Task composition by the paper's two heuristics (section 3.1): sequential, and parallel-then-sequential."""

import dspy


class ComposeSequentially(dspy.Signature):
    """Extend a task with a second one that needs its result.

    First write the subsequent task: another realistic step that cannot be done before the output of the given task
    is known. Then write the composed task: one request in natural words that asks for both, keeps every detail
    of the given task, and explains neither the steps nor the tools.
    """

    task: str = dspy.InputField(desc="the given task")
    ideas: str = dspy.InputField(desc="kinds of tasks to choose from for the new ones; take what fits best")
    subsequent_task: str = dspy.OutputField(desc="one imperative sentence that uses the output of the given task")
    composed_task: str = dspy.OutputField(desc="the whole request, in one or two sentences, with all details")


class ComposeInParallel(dspy.Signature):
    """Extend a task with a second, independent one and a third that needs the results of both.

    First write the parallel task: related to the given task, with all its own details, doable without its output.
    Then write the subsequent task: a realistic step that needs the outputs of both. Then write the composed task:
    one request in natural words that asks for all three, keeps every detail, and explains neither the steps nor the
    tools.
    """

    task: str = dspy.InputField(desc="the given task")
    ideas: str = dspy.InputField(desc="kinds of tasks to choose from for the new ones; take what fits best")
    parallel_task: str = dspy.OutputField(desc="one self-contained imperative sentence, independent of the given task")
    subsequent_task: str = dspy.OutputField(desc="one imperative sentence that uses the outputs of both tasks")
    composed_task: str = dspy.OutputField(desc="the whole request, in one to three sentences, with all details")


class ContinueTask(dspy.Signature):
    """Write the next task, which needs the result of the given one.

    Choose the form that makes most sense after the given task.
    """

    task: str = dspy.InputField(desc="the given task")
    forms: str = dspy.InputField(desc="the forms to choose from")
    subsequent_task: str = dspy.OutputField(desc="one of the forms")


class AccompanyTask(dspy.Signature):
    """Write a second task beside the given one, and a next task that needs the results of both.

    Choose for each the form that makes most sense, and fill in the second task with places, dates and names of the
    given task.
    """

    task: str = dspy.InputField(desc="the given task")
    forms: str = dspy.InputField(desc="the forms to choose from")
    parallel_task: str = dspy.OutputField(desc="one sentence in one of the forms for the second task")
    subsequent_task: str = dspy.OutputField(desc="one of the forms for the next task")
