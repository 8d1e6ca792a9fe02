"""The settings of a run: a plain composed config becomes frozen, checked values; nothing else reads the config."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from button.secrecy import redacted, shown
from button.targets import TARGET, check_targets
from button.validation import refusal

JsonObject = dict[str, Any]
Role = Literal["scenario", "evolve", "task", "compose", "judge", "functions", "user", "assistant", "tool"]
ROLES: tuple[str, ...] = get_args(Role)

# What a run may be resumed with another value of: none of it changes a byte of the data. `lm.api_base` is not here:
# many servers call whatever they serve by the same name, so another address may be another model.
NEUTRAL = ("out", "show", "tracking", "executor", "budget")
NEUTRAL_OF_LM = ("api_key_env", "limits", "prices", "retries", "timeout_s")

SWEEP_VARIABLE = "BUTTON_SWEEP"  # in the environment: one value for all runs of a multirun, which MLflow nests by it

Settings = TypeVar("Settings", bound=BaseModel)


def _component(value: Any) -> Any:
    if not isinstance(value, Mapping) or not isinstance(value.get(TARGET), str):
        raise ValueError(f"has no {TARGET}: is the key spelled right?")
    return dict(value)


def _shown(value: Any) -> Any:
    if value is None:
        return "none"
    if value in ("all", "none") or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise ValueError("should be all, none, or a number of trajectories")


def _known_roles(value: dict[str, JsonObject]) -> dict[str, JsonObject]:
    unknown = [role for role in value if role not in ROLES]
    if unknown:
        raise ValueError(f"has no role {', '.join(unknown)}; the roles are {', '.join(ROLES)}")
    return value


def _folder(value: Any) -> Path:
    if isinstance(value, str | Path) and str(value):
        return Path.cwd() / Path(value).expanduser()
    raise ValueError("should be the path of a folder")


def _ends(value: int | None, info: ValidationInfo) -> int | None:
    if value is None and info.data.get("n", 1) is None:
        raise ValueError("should be a number where n is null: draws=1 walks each seed once")
    return value


def _programs(value: Any) -> Any:
    if value is None or value == "best":
        return value
    return str(_folder(value))


# "best", or the path of a folder
Programs = Annotated[str | None, BeforeValidator(_programs)]
Component = Annotated[JsonObject, BeforeValidator(_component)]
AbsolutePath = Annotated[Path, BeforeValidator(_folder)]
Count = Annotated[int, Field(strict=True, ge=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Budget(_Frozen):
    """Where a run ends although `n` is not met; null is no limit. `max_cost` is in US dollars."""

    max_calls: Count | None = None
    max_cost: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class ExecutorSettings(_Frozen):
    """`rows`: how many rows are worked on at once; null is enough to keep the language models busy."""

    rows: Count | None = None


class TrackingSettings(_Frozen):
    """Where the MLflow run goes; `uri` null is MLFLOW_TRACKING_URI, else outputs/mlflow.db."""

    uri: str | None = None
    experiment: Annotated[str, Field(min_length=1)] = "button"
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = 0.02


class GenerateSettings(_Frozen):
    """All of `button generate`. Components are `_target_` plus arguments; see `button.targets`."""

    n: Count | None = Field(
        description="the number of accepted trajectories to make, at least 1; null is as many as `draws` give"
    )
    seed: Annotated[int, Field(strict=True, ge=0)] = Field(0, description="the seed of all randomness, from 0")
    out: AbsolutePath = Field(description="the run folder")
    seeds: Component = Field(description="where the seeds come from: seeds=builtin and so on")
    lm: Component = Field(description="the language model: lm=embedded and so on")
    lms: Annotated[dict[str, Component], AfterValidator(_known_roles)] = Field(
        default_factory=dict, description="the models of single roles: lm@lms.judge=openai"
    )
    steps: dict[str, Component] = Field(description="the steps, in order: step@steps.compose=sequential and so on")
    programs: Programs = Field(
        None, description="what the steps' prompts say: best, or a folder of programs; null: as shipped"
    )
    draws: Annotated[Count | None, AfterValidator(_ends)] = Field(
        None, description="how often each scenario is drawn on; null is until n is met", validate_default=True
    )
    export: Component = Field(description="what writes the finished dataset: export=files")
    budget: Budget = Budget()
    executor: ExecutorSettings = ExecutorSettings()
    tracking: TrackingSettings | None = None
    show: Annotated[Literal["all", "none"] | int, BeforeValidator(_shown)] = Field(
        4, description="how many accepted trajectories are shown"
    )
    allow_targets: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.\w+)*$")], ...] = Field(
        (), description="packages of your own that a _target_ may lie in"
    )


def settings_from(config: Mapping[str, Any], model: type[Settings]) -> Settings:
    """The checked settings in a plain, resolved config.

    Raises UserError with each wrong key, its value and what is allowed. The whole config is searched for targets
    outside the allow-list before anything is imported.
    """
    allowed = config.get("allow_targets")
    check_targets(config, [str(name) for name in allowed] if isinstance(allowed, list) else ())
    plain = {key: value for key, value in config.items() if not (key == "tracking" and value == {})}
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        raise refusal(error, model=model) from error


def as_config(settings: BaseModel) -> JsonObject:
    """The settings as a plain config without secrets, as config.yaml and the tracking server get it."""
    config: JsonObject = redacted(settings.model_dump(mode="json"))
    return config


def differing_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """One line for each key that differs between two configs of `as_config` and decides what the data is.

    `n: 8 there, 9 here`, in the order of the keys. Order counts where it decides: in `steps`.
    """
    there, here = flattened(old), flattened(new)
    keys = sorted(key for key in there.keys() | here.keys() if there.get(key) != here.get(key) and not _is_neutral(key))
    lines = [f"{key}: {_told(there, key)} there, {_told(here, key)} here" for key in keys]
    before, now = (list(config["steps"]) if isinstance(config.get("steps"), dict) else [] for config in (old, new))
    if before != now and sorted(before) == sorted(now):
        lines.append(f"steps: in the order {', '.join(before)} there, {', '.join(now)} here")
    return lines


def flattened(config: Any, key: str = "") -> JsonObject:
    """`{"lm.model": ...}`: the leaves of a plain config under their dotted keys; an empty mapping is a leaf."""
    if isinstance(config, Mapping) and config:
        leaves: JsonObject = {}
        for name, value in config.items():
            leaves.update(flattened(value, f"{key}.{name}" if key else str(name)))
        return leaves
    return {key: config} if key else {}


def _is_neutral(key: str) -> bool:
    top, *rest = key.split(".")
    if top in NEUTRAL:
        return True
    part = rest[1:] if top == "lms" else rest
    return top in {"lm", "lms"} and bool(part) and part[0] in NEUTRAL_OF_LM


def _told(leaves: Mapping[str, Any], key: str) -> str:
    return repr(shown(leaves[key])) if key in leaves else "not set"
