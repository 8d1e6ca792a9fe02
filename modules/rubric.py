"""A judge with a rubric: an analysis in words, then a yes or no to each question of a signature."""

from collections.abc import Mapping
from dataclasses import dataclass

import dspy

from button.work import Work
from modules.ask import Ask
from modules.demos import shipped

ANALYSIS = "analysis"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge said: the analysis, and whether each criterion is met."""

    analysis: str
    criteria: Mapping[str, bool]

    @property
    def unmet(self) -> tuple[str, ...]:
        """The names of the criteria that are not met, in the order of the signature."""
        return tuple(name for name, met in self.criteria.items() if not met)


class Rubric(dspy.Module):
    """Asks a signature whose outputs are an analysis and, after it, criteria to be answered by "yes" or "no"."""

    def __init__(
        self,
        signature: type[dspy.Signature],
        *,
        demos: int = 2,
        tries: int = 3,
        temperature: float = 0.0,
        max_tokens: int = 400,
    ) -> None:
        super().__init__()
        self.ask = shipped(
            Ask(signature, role="judge", tries=tries, temperature=temperature, max_tokens=max_tokens), demos
        )

    async def aforward(self, work: Work, inputs: Mapping[str, str]) -> Opinion:
        """One call. Raises NoUsableAnswer after the last try, EndpointFailed where the model cannot be reached."""
        answer = await self.ask.aforward(work, inputs=dict(inputs))
        criteria = self.meanings()
        return Opinion(answer[ANALYSIS].strip(), {name: answer[name] == "yes" for name in criteria})

    def meanings(self) -> dict[str, str]:
        """What each criterion means, in the words of the signature ("yes if ..." is left out)."""
        fields = self.ask.predict.signature.output_fields
        return {
            name: str(field.json_schema_extra["desc"]).removeprefix("yes if ").removesuffix(", else no")
            for name, field in fields.items()
            if name != ANALYSIS
        }
