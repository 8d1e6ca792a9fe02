"""The judges: the composition filter (paper, section 3.1), and rubrics for what the other steps make."""

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


class JudgeTask(dspy.Signature):
    """Decide whether this is a good task for an assistant that has functions but knows nothing about the person.

    Write the analysis first: what is asked, and what would be missing or odd for somebody who had to do it now. Then
    answer the four questions, each by itself. Be strict: yes only where nothing speaks against it.
    """

    task: str = dspy.InputField(desc="the task")
    analysis: str = dspy.OutputField(desc="one or two sentences")
    reasonable: Literal["yes", "no"] = dspy.OutputField(
        desc="yes if people really ask for this and each name, place, date and code fits what it is used for"
    )
    self_contained: Literal["yes", "no"] = dspy.OutputField(
        desc="yes if it says which one, where and when, so that nobody has to ask back"
    )
    one_step: Literal["yes", "no"] = dspy.OutputField(desc="yes if one thing is to be done, and no second one after it")
    doable: Literal["yes", "no"] = dspy.OutputField(
        desc="yes if a service can look it up, check it, work it out, order it or arrange it; it names no tool or site"
    )


class JudgeFunctions(dspy.Signature):
    """Decide whether these functions are what a program needs to do the sub-tasks.

    Write the analysis first: what each sub-task needs to know, and whether its function takes just that and returns
    what is asked. Then answer the four questions, each by itself. Be strict: yes only where nothing speaks against it.
    """

    sub_tasks: str = dspy.InputField(desc="the numbered sub-tasks, with dependencies and the functions of each")
    functions: str = dspy.InputField(desc="the definitions of the functions, as JSON")
    analysis: str = dspy.OutputField(desc="one to three sentences")
    fitting: Literal["yes", "no"] = dspy.OutputField(
        desc="yes if each function can do its sub-task: it takes what is needed to know and returns what is asked for"
    )
    general: Literal["yes", "no"] = dspy.OutputField(
        desc="yes if each is usable for any such request and repeats no name, place or value of this one"
    )
    granular: Literal["yes", "no"] = dspy.OutputField(desc="yes if each does one thing and no two do the same")
    consistent: Literal["yes", "no"] = dspy.OutputField(
        desc="yes if what a later function needs of an earlier one is among what that returns, and of the right kind"
    )


class JudgeTrajectory(dspy.Signature):
    """Decide whether this dialogue is a good example of how an assistant uses functions.

    Write the analysis first: go through the calls in order and say what is wrong with them, the results and the answer.
    Then answer the four questions, each by itself. Be strict: yes only where nothing speaks against it.
    """

    functions: str = dspy.InputField(desc="the definitions of the functions, as JSON")
    transcript: str = dspy.InputField(desc="the dialogue, with the calls and their results")
    analysis: str = dspy.OutputField(desc="two to four sentences")
    arguments: Literal["yes", "no"] = dspy.OutputField(
        desc="yes if each argument is the one thing that its parameter means: no person for a place, no state for an id"
    )
    results: Literal["yes", "no"] = dspy.OutputField(
        desc="yes if each result is what such a function returns, for this very call, and can be true"
    )
    needed: Literal["yes", "no"] = dspy.OutputField(desc="yes if each call serves the request, and none is missing")
    answer: Literal["yes", "no"] = dspy.OutputField(
        desc="yes if the final answer tells the person all that was asked for, as it was found, and says nothing twice"
    )
