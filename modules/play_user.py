"""The user agent: a person who states the whole need and holds back the steps and the tools."""

import re

import dspy

from button.checks.composition import missing_details
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from signatures.play import PlayUser

_GREETED = re.compile(r"(?i:hi|hello|hey|dear|good (?:morning|evening|afternoon))[, ]+[A-Z][a-z]+(?=[,!.])")


class UserAgent(dspy.Module):
    """Sees the composition only; its message must carry every concrete detail of it."""

    def __init__(self, *, tries: int, temperature: float, demos: int = 2) -> None:
        super().__init__()
        self.ask = shipped(Ask(PlayUser, role="user", tries=tries, temperature=temperature, max_tokens=240), demos)

    async def aforward(self, task: str, work: Work) -> str:
        def problems(found: dspy.Prediction) -> list[str]:
            problems = [f"your message leaves out '{detail}'" for detail in missing_details(task, found.message)]
            if greeted := _GREETED.match(found.message):
                problems.append(f"'{greeted[0]}' speaks to somebody; you speak to an assistant without a name")
            return problems

        answer = await self.ask.aforward(work, inputs={"need": task}, check=problems)
        return str(answer.message).strip()
