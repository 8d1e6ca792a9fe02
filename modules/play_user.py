"""The user agent: a person who states the whole need and holds back the steps and the tools."""

import dspy

from button.checks.composition import missing_details
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from signatures.play import PlayUser


class UserAgent(dspy.Module):
    """Sees the composition only; its message must carry every concrete detail of it."""

    def __init__(self, *, tries: int, temperature: float, demos: int = 2) -> None:
        super().__init__()
        self.ask = shipped(Ask(PlayUser, role="user", tries=tries, temperature=temperature, max_tokens=240), demos)

    async def aforward(self, task: str, work: Work) -> str:
        def problems(found: dspy.Prediction) -> list[str]:
            return [f"your message leaves out '{detail}'" for detail in missing_details(task, found.message)]

        answer = await self.ask.aforward(work, inputs={"need": task}, check=problems)
        return str(answer.message).strip()
