"""The user agent: a person who states the whole need and holds back the steps and the tools."""

import re

import dspy

from button.checks.composition import missing_details
from button.checks.vocabulary import LOOKUP_VERBS, content_words, stems
from button.lms.schema import object_schema
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.forms import wordings
from signatures.play import PlayUser

_GREETED = re.compile(
    r"(?i:hi|hello|hey|dear|good (?:morning|evening|afternoon))[, ]+[A-Z][a-z]+(?: [A-Z][a-z]+)?(?=[,!.])"
)

# "Send me" what is for somebody else, and "Ana Li, please send" to the one who is to get it.
_MISDIRECTED = re.compile(
    r"\b(?:[Ss]end|[Ee]mail|[Ss]hare|[Nn]otify|[Rr]emind) me\b|(?:^|[.?!] )[A-Z][a-z]+ [A-Z][a-z]+, "
)
_UNDONE = re.compile(r"\bI(?:'ll| will)\b|\b[Ff]ind (?:a|an|the) [a-z ]+? (?:that )?(?:was|were) found")
_FINDING = stems(f"{' '.join(LOOKUP_VERBS)} find found details")  # said in many ways, or not at all
_MAY_DIFFER = 0.2  # the share of a need's words that a message may say otherwise


class UserAgent(dspy.Module):
    """Sees the composition only; its message must carry every concrete detail of it.

    A small model chooses among wordings of what was composed for it: left alone it swaps people and steps.
    """

    def __init__(self, *, tries: int, temperature: float, demos: int = 2) -> None:
        super().__init__()
        self.ask = shipped(Ask(PlayUser, role="user", tries=tries, temperature=temperature, max_tokens=240), demos)

    async def aforward(self, task: str, work: Work) -> str:
        small = work.is_small("user")
        offered = wordings(task, work.random("wordings")) if small else []

        def problems(found: dspy.Prediction) -> list[str]:
            problems = [f"your message leaves out '{detail}'" for detail in missing_details(task, found.message)]
            if greeted := _GREETED.match(found.message):
                problems.append(f"'{greeted[0]}' speaks to somebody; you speak to an assistant without a name")
            return problems + (_confused(task, found.message) if small else [])

        schema = object_schema({"message": {"type": "string", "enum": offered}}) if offered else None
        answer = await self.ask.aforward(work, inputs={"need": task}, check=problems, schema=schema)
        return str(answer.message).strip()


def _confused(task: str, message: str) -> list[str]:
    """How a small model gets its own request wrong: words left out, people swapped, the errand done by itself."""
    problems = []
    if unsaid := _left_out(task, message):
        problems.append(f"your message leaves out what is wanted: {', '.join(unsaid)}")
    if (misdirected := _MISDIRECTED.search(message)) and " me " not in task:
        problems.append(f"'{misdirected[0].strip()}': it is for the person named in the need, not for you or from them")
    if undone := _UNDONE.search(message):
        problems.append(f"'{undone[0]}': ask the assistant to find and to do it")
    return problems


def _left_out(task: str, message: str) -> list[str]:
    """The words of the need that the message does not say, where it leaves out more than a few of them."""
    needed = content_words(task) - _FINDING
    lacking = needed - content_words(message)
    return sorted(lacking) if len(lacking) > _MAY_DIFFER * len(needed) else []
