"""A trajectory without its top-down simulation: written in one go by one model (the paper's ablation)."""

import dspy

from signatures.records import Result, Value


class RoundDraft(Value):
    """One round: what the assistant thinks, and its calls, each with what the function answers."""

    thought: str
    calls: list[Result]


class WriteTrajectory(dspy.Signature):
    """Write a whole dialogue between a person and an assistant that solves the person's request with functions.

    First the person's message: the whole need in their own words, with every name, date, number and other detail, and
    without a word on steps or tools. Then the rounds. Each begins with the assistant's thought: in the first round the
    plan, later what the results say and what follows from them. Its calls have arguments copied from the message or
    from earlier results, leaving out optional ones that nothing was said about, and the results that the functions
    answer: realistic, specific values that follow from the arguments, in exactly the fields of the definition's
    responses. No call is made twice. Obey the rule on parallel calls. When everything is done, write a last thought
    and the final answer: full sentences that tell the person all the results, and nothing that is not in them.
    """

    need: str = dspy.InputField(desc="what the person needs")
    sub_tasks: str = dspy.InputField(desc="the numbered sub-tasks, with dependencies and their functions")
    functions: str = dspy.InputField(desc="the definitions of the functions, as JSON")
    rule: str = dspy.InputField(desc="whether several functions may be called in one round")
    message: str = dspy.OutputField(desc="the person's message, in the first person, one to four sentences")
    rounds: list[RoundDraft] = dspy.OutputField(desc="the rounds in their order: thought, calls and their results")
    last_thought: str = dspy.OutputField(desc="what the last results say, one or two sentences")
    final_answer: str = dspy.OutputField(desc="the answer to the person")
