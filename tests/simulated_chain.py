"""Plays whole rows with an engine and no module of ours: prompts written by hand, as the adapters render them."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from dspy.lm15 import Config, Message, Request, Response

from button.lms.engine import Engine
from modules.functions import links, merged
from signatures.functions import FunctionDraft
from signatures.records import (
    AssistantTurn,
    Call,
    Composition,
    Problem,
    Result,
    Strategy,
    SubTask,
    ToolTurn,
    Trajectory,
    Turn,
    UserTurn,
    canonical_json,
)

RULES = {
    True: "If possible, you can call multiple functions in parallel, be sure the functions are independent.",
    False: "You should call one function at a time, and wait for the response before calling the next function.",
}
TURN_LIMIT = 8


@dataclass(frozen=True, slots=True)
class Chain:
    """An engine and the seed of one row's requests."""

    engine: Engine
    seed: int

    async def respond(self, part: str, inputs: dict[str, str], earlier: tuple[Message, ...] = ()) -> Response:
        return await self.engine.complete(request(part, inputs, earlier, self.seed))

    async def ask(self, part: str, inputs: dict[str, str], earlier: tuple[Message, ...] = ()) -> dict[str, Any]:
        response = await self.respond(part, inputs, earlier)
        answer = json.loads(response.text or "")
        assert isinstance(answer, dict)
        return answer

    async def composition(self, scenario: str, strategy: Strategy) -> Composition:
        """A scenario's composition, judged to be feasible."""
        task = (await self.ask("WriteAtomicTask", {"scenario": scenario, "details": ""}))["task"]
        if strategy == "sequential":
            pieces = await self.ask("ComposeSequentially", {"task": task})
            plan = [SubTask(task=task), SubTask(task=pieces["subsequent_task"], depends_on=(0,))]
        else:
            pieces = await self.ask("ComposeInParallel", {"task": task})
            beside, last = pieces["parallel_task"], pieces["subsequent_task"]
            plan = [SubTask(task=task), SubTask(task=beside), SubTask(task=last, depends_on=(0, 1))]
        composed = pieces["composed_task"]
        asked = {"composed_task": composed, "sub_tasks": numbered(plan)}
        assert (await self.ask("JudgeComposition", asked))["feasible"] == "yes", asked
        return Composition.derive(None, scenario=scenario, task=composed, strategy=strategy, sub_tasks=tuple(plan))

    async def problem(self, composition: Composition) -> Problem:
        asked = {"composed_task": composition.task, "sub_tasks": numbered(list(composition.sub_tasks))}
        answer = await self.ask("DefineFunctions", asked)
        drafts = [FunctionDraft.model_validate(draft) for draft in answer["functions"]]
        uses = links(drafts, len(composition.sub_tasks))
        return Problem.derive(composition, composition=composition, functions=merged(drafts), uses=uses)

    async def trajectory(self, problem: Problem, *, parallel: bool) -> Trajectory:
        """The dialogue to its final answer."""
        message = (await self.ask("PlayUser", {"need": problem.composition.task}))["message"]
        turns: list[Turn] = [UserTurn(content=message)]
        plan = numbered(list(problem.composition.sub_tasks), problem.uses)
        functions = canonical_json([function.model_dump(mode="json") for function in problem.functions])
        inputs = {"sub_tasks": plan, "functions": functions, "rule": RULES[parallel], "observation": message}
        earlier: tuple[Message, ...] = ()
        for _ in range(TURN_LIMIT):
            answer = await self.ask("PlayAssistant", inputs, earlier)
            calls = tuple(Call.model_validate(call) for call in answer["calls"])
            turns.append(AssistantTurn(thought=answer["thought"], calls=calls, final=answer["final_answer"] or None))
            if not calls:
                return Trajectory.derive(problem, problem=problem, parallel=parallel, turns=tuple(turns))
            results = tuple([await self.result(problem, call) for call in calls])
            turns.append(ToolTurn(results=results))
            said = (Message.user(blocks(inputs)), Message.assistant(json.dumps(answer)))
            earlier = (*earlier, *said)
            inputs = {"observation": canonical_json([result.model_dump(mode="json") for result in results])}
        raise AssertionError(f"no final answer after {TURN_LIMIT} turns: {problem.composition.task}")

    async def result(self, problem: Problem, call: Call) -> Result:
        function = next(function for function in problem.functions if function.name == call.name)
        definition = canonical_json(function.model_dump(mode="json"))
        asked = {"function": definition, "call": canonical_json(call.model_dump(mode="json"))}
        answer = await self.ask("PlayTool", asked)
        return Result(name=call.name, arguments=call.arguments, results=answer["result"])


def play_row(engine: Engine, scenario: str, seed: int, *, parallel: bool, strategy: Strategy) -> Trajectory:
    """One row from a scenario."""

    async def play() -> Trajectory:
        chain = Chain(engine, seed)
        problem = await chain.problem(await chain.composition(scenario, strategy))
        return await chain.trajectory(problem, parallel=parallel)

    return asyncio.run(play())


def request(
    part: str, inputs: dict[str, str], earlier: tuple[Message, ...] = (), seed: int = 0, **settings: Any
) -> Request:
    """A request for a part, by the name of its signature."""
    response_format = {"type": "json_schema", "name": part, "schema": {"type": "object"}}
    config = Config(seed=seed, **{"response_format": response_format, **settings})
    return Request(
        model="simulated", messages=(*earlier, Message.user(blocks(inputs))), system="Answer.", config=config
    )


def blocks(inputs: dict[str, str]) -> str:
    return "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in inputs.items())


def numbered(plan: list[SubTask], uses: tuple[tuple[str, ...], ...] | None = None) -> str:
    lines = []
    for index, step in enumerate(plan):
        line = f"{index + 1}. {step.task}"
        if step.depends_on:
            line += f" (needs {', '.join(str(number + 1) for number in step.depends_on)})"
        if uses is not None:
            line += f" [functions: {', '.join(uses[index]) or 'none'}]"
        lines.append(line)
    return "\n".join(lines)
