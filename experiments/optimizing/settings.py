"""The settings of `button optimize`."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from button.config import ROLES, AbsolutePath, Component, Count, JsonObject, Programs, TrackingSettings
from signatures.records import Split

REFLECTION = "reflection"
ALL = "all"


def _known_roles(value: dict[str, JsonObject]) -> dict[str, JsonObject]:
    roles = (*ROLES, REFLECTION)
    if unknown := [role for role in value if role not in roles]:
        raise ValueError(f"has no role {', '.join(unknown)}; the roles are {', '.join(roles)}")
    return value


def _name(value: Any) -> Any:
    """`{name: compose}` as it stands in the config, where `step` is also a group; or the name itself."""
    return value["name"] if isinstance(value, dict) and value.keys() == {"name"} else value


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sizes(_Frozen):
    """How many items each part has; a scenario lies in one part only."""

    train: Count = 12
    validation: Count = 12
    test: Annotated[int, Field(strict=True, ge=3)] = 24

    def as_dict(self) -> dict[Split, int]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


class SearchBudget(_Frozen):
    """Where a search ends. `max_metric_calls` bounds the trials of each step: the step called on an item, and scored.

    Items already tried with the same program cost nothing; the last measurement on held-out items comes on top. The
    other two bound the whole command and end it short; null is no limit. `max_cost` is in US dollars.
    """

    max_metric_calls: Count = 150
    max_calls: Count | None = None
    max_cost: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class ReflectionSettings(_Frozen):
    """How the model that proposes instructions is asked."""

    max_tokens: Count = 2000
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0


class TrialSettings(_Frozen):
    """`at_once`: how many items are tried at once; null is as many as the models take, at most 16."""

    at_once: Count | None = None


class OptimizeSettings(_Frozen):
    """All of `button optimize`. Components are `_target_` plus arguments; see `button.targets`."""

    step: Annotated[str, BeforeValidator(_name)] = Field(
        description=f"the step to be optimised, by its name in steps, or {ALL}"
    )
    optimizer: Component = Field(description="what searches: optimizer=gepa and so on")
    metric: JsonObject | None = Field(
        None, description="what scores the step: metric=composition; without a _target_ what differs from metrics"
    )
    metrics: dict[str, Component] = Field(description="by step, what scores it")
    out: AbsolutePath = Field(description="the run folder")
    seed: Annotated[int, Field(strict=True, ge=0)] = Field(0, description="the seed of all randomness, from 0")
    seeds: Component = Field(description="where the items come from: seeds=builtin and so on")
    items: AbsolutePath | None = Field(None, description="a run folder of button generate to take items from")
    sizes: Sizes = Sizes()
    lm: Component = Field(description="the language model: lm=embedded and so on")
    lms: Annotated[dict[str, Component], AfterValidator(_known_roles)] = Field(
        default_factory=dict, description="the models of single roles: lm@lms.reflection=openai"
    )
    steps: dict[str, Component] = Field(description="the steps, in order: step@steps.compose=sequential and so on")
    programs: Programs = Field(None, description="what to start from: best, or a folder of programs; null: as shipped")
    refusal_cost: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="the share of the score that an answer costs which the step refused and asked for again"
    )
    adopt: Literal["gain", "sure", "always"] = Field(
        "gain", description="when a better program is adopted: any gain on held-out items, one beyond doubt, or always"
    )
    allow_uncalibrated: bool = Field(False, description="whether a judge may score whose agreement with people is poor")
    budget: SearchBudget = SearchBudget()
    reflection: ReflectionSettings = ReflectionSettings()
    executor: TrialSettings = TrialSettings()
    tracking: TrackingSettings | None = None
    allow_targets: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.\w+)*$")], ...] = Field(
        (), description="packages of your own that a _target_ may lie in"
    )
