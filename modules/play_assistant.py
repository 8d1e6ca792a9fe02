"""The assistant agent: knows the plan and its functions, reasons, and calls functions or answers."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence

import dspy

from button.checks.answers import answer_problems, invented_parts
from button.checks.calls import call_problems, normalised_call
from button.checks.provenance import trace_arguments
from button.checks.supply import unsupplied
from button.errors import NoUsableAnswer
from button.export.button_text import RULES
from button.work import Work
from modules.ask import Ask
from modules.turn_schema import LONGEST_ANSWER, LONGEST_THOUGHT, known_values, spoken_shapes, turn_schema
from modules.wording import definitions, numbered
from signatures.play import PlayAssistant
from signatures.records import (
    AssistantTurn,
    Drop,
    Function,
    JsonObject,
    Problem,
    ToolTurn,
    Turn,
    UserTurn,
    canonical_json,
)

FINAL = "final"
_POINTING = re.compile(r"(?:the|this|that|my|your) [a-z]+(?: [a-z]+)?")
MOST_CALLS = 6  # in one turn, where no plan says how many are ready


class AssistantAgent(dspy.Module):
    """Decides one turn. Each turn is checked before it counts: its calls fit their functions, their arguments come
    from what was said or returned, no call is made twice, and the answer reports what the tools found.

    With `follow_plan`, functions are offered in the order of the plan, and the final answer once it is done.
    """

    def __init__(self, *, tries: int, temperature: float, samples: int, follow_plan: bool) -> None:
        super().__init__()
        self.samples = samples
        self.follow_plan = follow_plan
        self.ask = Ask(PlayAssistant, role="assistant", tries=tries, temperature=temperature, max_tokens=700)

    async def aforward(
        self, problem: Problem, turns: tuple[Turn, ...], parallel: bool, work: Work
    ) -> AssistantTurn | Drop:
        """The next turn, or a drop where the samples do not agree on an action."""
        if self.samples == 1:
            return await self._sample(problem, turns, parallel, work, 0)
        answers = [self._sample(problem, turns, parallel, work, index) for index in range(self.samples)]
        found = await asyncio.gather(*answers, return_exceptions=True)
        sampled = [turn for turn in found if isinstance(turn, AssistantTurn)]
        failed = [error for error in found if isinstance(error, BaseException)]
        other = [error for error in failed if not isinstance(error, NoUsableAnswer)]
        if other or not sampled:
            raise (other or failed)[0]
        return majority(sampled, self.samples, problem)

    async def _sample(
        self, problem: Problem, turns: tuple[Turn, ...], parallel: bool, work: Work, index: int
    ) -> AssistantTurn:
        left = ready(problem, turns) if self.follow_plan else []
        offered = offer(problem, turns) if self.follow_plan else tuple(problem.functions)
        small = work.is_small("assistant")
        answer = await self.ask.aforward(
            work,
            inputs=view(problem, turns, parallel=parallel, with_state=self.follow_plan),
            check=lambda found: (
                (_poorly_spoken(to_turn(found), turns) if small else [])
                or turn_problems(to_turn(found), problem, turns, parallel, left)
            ),
            label=f"{len(turns)}/{index}",
            schema=turn_schema(
                [supplied(function, turns) for function in offered],
                most=(len(left) or MOST_CALLS) if parallel else 1,
                least=(len(left) if parallel and small else 1) if left else 0,
                shapes=spoken_shapes(turns, left, work.random("closing")) if small and self.follow_plan else {},
                known=known_values(turns) if small else {},
            ),
        )
        return to_turn(answer)


def majority(sampled: Sequence[AssistantTurn], samples: int, problem: Problem) -> AssistantTurn | Drop:
    """The first turn whose action more than half of all `samples` share, or a drop (paper, section 3.2)."""
    functions = {function.name: function for function in problem.functions}

    def action(turn: AssistantTurn) -> str:
        calls = sorted(normalised_call(call, functions[call.name]) for call in turn.calls)
        return "\n".join(calls) or FINAL

    actions = [action(turn) for turn in sampled]
    chosen, votes = Counter(actions).most_common(1)[0]
    if votes * 2 <= samples:
        return Drop(reason="inconsistent_action", detail=f"{votes} of {samples} samples agree on {chosen}")
    return sampled[actions.index(chosen)]


def offer(problem: Problem, turns: Sequence[Turn]) -> tuple[Function, ...]:
    """The functions whose turn it is: still to be called for a sub-task whose dependencies are done."""
    names = set(ready(problem, turns))
    return tuple(function for function in problem.functions if function.name in names)


def ready(problem: Problem, turns: Sequence[Turn]) -> list[str]:
    """The names of the functions whose turn it is, once for each sub-task that waits for them."""
    called = Counter(call.name for turn in turns if isinstance(turn, AssistantTurn) for call in turn.calls)
    left: list[list[str]] = []
    for names in problem.uses:
        left.append([name for name in names if not called[name]])
        called -= Counter(names)
    return [
        name
        for index, names in enumerate(left)
        if not any(left[earlier] for earlier in _ancestors(problem, index))
        for name in names
    ]


def supplied(function: Function, turns: Sequence[Turn]) -> Function:
    """The function without the optional parameters that nothing said or returned so far can supply."""
    said = " . ".join(_heard(turn) for turn in turns)
    lacking = set(unsupplied(function, said, ())) - set(function.required)
    kept = {name: body for name, body in function.parameters.items() if name not in lacking}
    return function.model_copy(update={"parameters": kept})


def _heard(turn: Turn) -> str:
    if isinstance(turn, UserTurn):
        return turn.content
    if isinstance(turn, ToolTurn):
        return canonical_json([result.results for result in turn.results])
    return ""


def _ancestors(problem: Problem, index: int) -> set[int]:
    """All sub-tasks that sub-task `index` needs, directly or through one that needs no function."""
    found: set[int] = set()
    for earlier in problem.composition.sub_tasks[index].depends_on:
        found |= {earlier} | _ancestors(problem, earlier)
    return found


def view(problem: Problem, turns: Sequence[Turn], *, parallel: bool, with_state: bool) -> JsonObject:
    """The assistant's side of the transcript: the plan and the first message, then one observation a turn.

    With `with_state` each observation is followed by how far the plan has come.
    """
    plan: JsonObject = {
        "sub_tasks": numbered(problem.composition.sub_tasks, problem.uses),
        "functions": definitions(problem.functions),
        "rule": RULES[parallel],
    }
    history: list[JsonObject] = []
    current: JsonObject = {}
    for index, turn in enumerate(turns):
        if isinstance(turn, UserTurn):
            current = {**plan, "observation": turn.content}
        elif isinstance(turn, ToolTurn):
            current = {"observation": canonical_json([result.model_dump(mode="json") for result in turn.results])}
        if with_state and not isinstance(turn, AssistantTurn):
            current["state"] = state(problem, turns[: index + 1])
        if isinstance(turn, AssistantTurn):
            spoken = {"thought": turn.thought, "calls": list(turn.calls), "final_answer": turn.final or ""}
            history.append({**current, **spoken})
    return {**current, "history": dspy.History(messages=history)}


def state(problem: Problem, turns: Sequence[Turn]) -> str:
    """How far the plan has come after `turns`."""
    left = ready(problem, turns)
    if left:
        return f"to be called now: {', '.join(dict.fromkeys(left))}"
    found = [name for function in problem.functions for name in function.responses]
    return (
        f"all functions have been called: give the final answer, with the values of {', '.join(dict.fromkeys(found))}"
    )


def to_turn(answer: dspy.Prediction) -> AssistantTurn:
    """The turn that an answer to PlayAssistant is."""
    return AssistantTurn(
        thought=answer.thought.strip(), calls=tuple(answer.calls), final=answer.final_answer.strip() or None
    )


def turn_problems(
    turn: AssistantTurn, problem: Problem, turns: Sequence[Turn], parallel: bool, left: Sequence[str]
) -> list[str]:
    """What is wrong with a turn, given what came before, in words a model can act on.

    `left` names the functions that are to be called before the final answer.
    """
    if not turn.thought:
        return ["the thought is empty; say what the observation tells you and what to do next"]
    if bool(turn.calls) == (turn.final is not None):
        return ["a turn has either calls or a final answer, exactly one of the two"]
    if len(turn.calls) > 1 and not parallel:
        return [f"{len(turn.calls)} calls in one turn; call one function at a time"]
    problems = [found for call in turn.calls for found in call_problems(call, problem.functions)]
    if problems:
        return problems
    transcript = (*turns, turn)
    if turn.final is not None:
        waiting = ", ".join(dict.fromkeys(left))
        return [f"not done yet, still to be called: {waiting}"] if left else answer_problems(transcript)
    return _repeated(turn, problem, turns) + _vague(turn) + _ungrounded(transcript, problem)


def _poorly_spoken(turn: AssistantTurn, turns: Sequence[Turn]) -> list[str]:
    """What a small model gets wrong in its texts: they are cut off, or a thought tells results nobody has given."""
    if len(turn.thought) > LONGEST_THOUGHT or len(turn.final or "") > LONGEST_ANSWER:
        return ["the text was cut off; say it in fewer words"]
    return [problem.replace("the final answer", "the thought", 1) for problem in invented_parts(turns, turn.thought)]


def _vague(turn: AssistantTurn) -> list[str]:
    """Arguments that point at something instead of naming it, as in `concert="the concert"`."""
    return [
        f"'{call.name}': the value of '{name}' is '{value}', which names nothing; leave an optional argument out"
        for call in turn.calls
        for name, value in call.arguments.items()
        if isinstance(value, str) and _POINTING.fullmatch(value)
    ]


def _repeated(turn: AssistantTurn, problem: Problem, turns: Sequence[Turn]) -> list[str]:
    functions = {function.name: function for function in problem.functions}
    calls = [call for earlier in turns if isinstance(earlier, AssistantTurn) for call in earlier.calls]
    seen = {normalised_call(call, functions[call.name]) for call in calls}
    problems = []
    for call in turn.calls:
        key = normalised_call(call, functions[call.name])
        if key in seen:
            problems.append(f"'{call.name}' was already called with these arguments; use its result")
        seen.add(key)
    return problems


def _ungrounded(transcript: Sequence[Turn], problem: Problem) -> list[str]:
    here = len(transcript) - 1
    turn = transcript[here]
    assert isinstance(turn, AssistantTurn)
    return [
        f"'{turn.calls[source.call].name}': the value of '{source.path}' is neither in the request nor in an earlier"
        " result; take it from there, or leave an optional argument out"
        for source in trace_arguments(transcript, problem.functions)
        if source.turn == here and source.origin == "ungrounded"
    ]
