"""Plays whichever part a prompt asks for, and gives the answer's text."""

import random
from collections.abc import Callable, Mapping

import orjson

from button.lms.simulation.ablations import compose_directly, write_trajectory
from button.lms.simulation.assistants import play_assistant
from button.lms.simulation.choices import Index
from button.lms.simulation.compositions import compose_in_parallel, compose_sequentially
from button.lms.simulation.definitions import define_functions
from button.lms.simulation.fallback import instance_of, plain_answer
from button.lms.simulation.judging import judge_composition
from button.lms.simulation.prompt import Prompt
from button.lms.simulation.question import Question
from button.lms.simulation.rubrics import judge_functions, judge_task, judge_trajectory
from button.lms.simulation.scenarios import evolve_scenario, name_scenario
from button.lms.simulation.tasks import write_task
from button.lms.simulation.tools import play_tool
from button.lms.simulation.users import play_user
from button.lms.simulation.world import World
from signatures.records import JsonObject

_PLAYS: Mapping[str, Callable[[Question], JsonObject]] = {
    "NameScenario": name_scenario,
    "EvolveScenario": evolve_scenario,
    "WriteAtomicTask": write_task,
    "ComposeSequentially": compose_sequentially,
    "ComposeInParallel": compose_in_parallel,
    "JudgeComposition": judge_composition,
    "JudgeTask": judge_task,
    "JudgeFunctions": judge_functions,
    "JudgeTrajectory": judge_trajectory,
    "DefineFunctions": define_functions,
    "PlayUser": play_user,
    "PlayAssistant": play_assistant,
    "PlayTool": play_tool,
    "ComposeDirectly": compose_directly,
    "WriteTrajectory": write_trajectory,
}


class Player:
    """Answers prompts in one world."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.index = Index(world)
        self.seed = seed

    def answer(self, prompt: Prompt, rng: random.Random, flaw: str | None) -> str:
        """One JSON object for BUTTON's own parts and wherever a schema is asked for, else plain words."""
        play = _PLAYS.get(prompt.part or "")
        if play is None and prompt.schema is None:
            return plain_answer(prompt.text, rng)
        answer = play(Question(self.world, self.index, prompt, rng, flaw, self.seed)) if play else None
        return _spoilt(orjson.dumps(_completed(answer, prompt.schema, rng)).decode(), flaw)


def _completed(answer: JsonObject | None, schema: JsonObject | None, rng: random.Random) -> JsonObject:
    """The answer with what its schema wants beside it ("reasoning"), or an instance of the schema alone."""
    if answer is None:
        found = instance_of(schema or {}, rng)
        return found if isinstance(found, dict) else {"answer": found}
    wanted = (schema or {}).get("properties", {})
    missing = {name: instance_of(body, rng, name, schema) for name, body in wanted.items() if name not in answer}
    return {**missing, **answer} if missing else answer


def _spoilt(text: str, flaw: str | None) -> str:
    match flaw:
        case "malformed":
            return text.replace('":', '" ', 1).rstrip("}")
        case "truncated":
            return text[: max(len(text) * 2 // 3, 1)]
        case "empty":
            return ""
        case _:
            return text
