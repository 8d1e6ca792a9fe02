"""The tool agent: a program that never errs and sees one definition and one call."""

import dspy

from button.checks.calls import result_problems
from button.checks.functions import responses_schema
from button.lms.schema import object_schema
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.shapes import answer_schema, empty_talk
from modules.wording import definition
from signatures.play import PlayTool
from signatures.records import Call, Function, Result, canonical_json


class ToolAgent(dspy.Module):
    """Answers a call that has been checked, under the function's own response schema; the answer is checked too."""

    def __init__(self, *, tries: int, temperature: float, demos: int = 2) -> None:
        super().__init__()
        self.ask = shipped(Ask(PlayTool, role="tool", tries=tries, temperature=temperature, max_tokens=500), demos)

    async def aforward(self, function: Function, call: Call, key: str, work: Work) -> Result:
        """`key` is the call's normalised form: the same call draws the same answer."""
        small = work.is_small("tool")
        schema = responses_schema(function)
        if small:
            schema = answer_schema(schema, call, work.random("answer", key))
        answer = await self.ask.aforward(
            work,
            inputs={"function": definition(function), "call": canonical_json(call.model_dump(mode="json"))},
            check=lambda found: (
                result_problems(found.result, function) + (empty_talk(found.result, call) if small else [])
            ),
            label=key,
            schema=object_schema({"result": schema}),
        )
        return Result(name=call.name, arguments=call.arguments, results=answer.result)
