"""The three agents of the top-down phase (paper, section 3.2), each with its own view of the dialogue."""

from typing import Any

import dspy

from signatures.records import Call


class PlayUser(dspy.Signature):
    """You are a person who needs something done. Ask an assistant for it, in your own words.

    State the whole need with every name, date, number and other detail, since nobody can ask you back. Do not say
    how it should be solved, in which steps, or with which tools.
    """

    need: str = dspy.InputField(desc="what you need")
    message: str = dspy.OutputField(desc="your message, in the first person, one to four sentences")


class PlayAssistant(dspy.Signature):
    """You are an expert at solving requests with functions. Decide on the next action.

    You know how the request splits into sub-tasks and which functions serve each. Rely on the functions, not on what
    you happen to know. Each turn, first write a thought: in the first turn the plan, what has to be known before what;
    later what the results say and what follows from them. Then either call functions, with arguments copied from the
    request or from earlier results, leaving out optional ones that nothing was said about; or, when everything is done,
    give the final answer: full sentences that tell the person all the results. Obey the rule on parallel calls.
    """

    sub_tasks: str | None = dspy.InputField(desc="the numbered sub-tasks, with dependencies and their functions")
    functions: str | None = dspy.InputField(desc="the definitions of the functions, as JSON")
    rule: str | None = dspy.InputField(desc="whether several functions may be called in one turn")
    history: dspy.History = dspy.InputField()
    observation: str = dspy.InputField(desc="the person's message, or the results of the last calls as JSON")
    state: str | None = dspy.InputField(desc="how far the plan has come")
    thought: str = dspy.OutputField(desc="observation and reasoning, one to four sentences")
    calls: list[Call] = dspy.OutputField(desc="the calls of this turn; empty in the last turn")
    final_answer: str = dspy.OutputField(desc="the answer to the person in the last turn; empty before")


class PlayTool(dspy.Signature):
    """You are a computer program that implements one function. Answer the call.

    You never fail and never explain. Answer with realistic, specific values that follow from the arguments, in
    exactly the fields of the definition's responses.
    """

    function: str = dspy.InputField(desc="the definition of the function, as JSON")
    call: str = dspy.InputField(desc="the call, as JSON")
    result: dict[str, Any] = dspy.OutputField(desc="a JSON object with the fields of the definition's responses")
