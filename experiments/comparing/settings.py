"""The settings of a comparison, and the arms: each a `button generate` config that differs in a few words."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from button.cli import CONF
from button.config import (
    AbsolutePath,
    Budget,
    Component,
    Count,
    GenerateSettings,
    JsonObject,
    TrackingSettings,
    as_config,
    differing_keys,
    settings_from,
)
from button.errors import UserError
from button.overrides import hydra_refusal, plain, prepared

NAME = r"^[A-Za-z0-9][\w-]{0,63}$"  # of an arm: also that of its run folder
# What all arms have in common, and the key of the comparison that sets it.
SHARED = {
    "n": "n_seeds", "draws": "draws", "seeds": "seeds", "out": "out", "show": "out", "tracking": "tracking",
    "budget": "budget",
}  # fmt: skip
HYDRAS_AND_OURS = {"hydra", "main", "schema"}  # whose folders of configs are found anyway
COMPARED = "comparison"  # the name under which Hydra finds the models of the comparison


def _two_at_least(arms: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    if len(arms) < 2:
        raise ValueError(
            f"should be two arms or more, there is {', '.join(arms) or 'none'}: add one with arms.NAME=[key=value,...],"
            " the words that it adds to `button generate`"
        )
    return arms


def _words(value: Any) -> Any:
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise ValueError("should be a list of words of `button generate`, such as [experiment=ablation_no_filter]")
    return tuple(value)


class CompareSettings(BaseModel):
    """All of `button compare`. The first arm is what the others are compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arms: Annotated[
        dict[Annotated[str, Field(pattern=NAME)], Annotated[tuple[str, ...], BeforeValidator(_words)]],
        AfterValidator(_two_at_least),
    ]
    seeds: Component = Field(description="where the seeds come from: seeds=builtin and so on")
    n_seeds: Count | None = Field(40, description="the first so many seeds, each walked in every arm; null is all")
    draws: Count = Field(1, description="how often each scenario is drawn on")
    seed: Annotated[int, Field(strict=True, ge=0)] = Field(0, description="the seed of all randomness, from 0")
    out: AbsolutePath = Field(description="the folder; each arm has its run folder in it")
    lm: Component = Field(description="the language model of all arms that name none, and of the judges of the metrics")
    lms: dict[str, Component] = Field(default_factory=dict, description="the models of single roles")
    metrics: tuple[str, ...] = Field((), description="metrics of conf/metric that score what was accepted")
    metric: JsonObject = Field(default_factory=dict, description="what the metrics' own files say otherwise")
    allow_uncalibrated: bool = Field(False, description="whether a judge may score that does not agree with people")
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    resamples: Annotated[int, Field(strict=True, ge=1000)] = 10_000
    budget: Budget = Budget()
    tracking: TrackingSettings | None = None
    allow_targets: tuple[str, ...] = ()


def arms_of(settings: CompareSettings) -> dict[str, GenerateSettings]:
    """The settings of each arm's run. Raises UserError, with the arm's name, for what does not fit."""
    arms: dict[str, GenerateSettings] = {}
    for name, words in settings.arms.items():
        try:
            with _models_on_offer(settings):
                arms[name] = _arm(settings, settings.out / name, words)
        except UserError as error:
            raise UserError(f"arms.{name}: {error}") from error
        for other in list(arms)[:-1]:
            if not differing_keys(as_config(arms[other]), as_config(arms[name])):
                both = f"{_shown(words)} and {_shown(settings.arms[other])}"
                raise UserError(
                    f"arms.{name}: makes the same data as arms.{other}: {both} come to one config; leave one out, or"
                    " change another key in it"
                )
    return arms


def _arm(settings: CompareSettings, out: Path, words: Sequence[str]) -> GenerateSettings:
    given = prepared(words)
    roles = [f"lm@lms.{role}={COMPARED}_{role}" for role in settings.lms]
    everything = [f"lm={COMPARED}", *roles, f"seed={settings.seed}", *_search_path(), *given]
    with _hydra_of_its_own():
        try:
            _refuse_shared(given)
            with initialize_config_dir(str(CONF), version_base="1.3"):
                config = plain(compose("generate", everything))
        except (HydraException, OmegaConfBaseException, ValueError) as error:
            raise UserError(hydra_refusal(error, words, CONF, "generate")) from error
    return settings_from({**config, **_shared(settings, out, config)}, GenerateSettings)


def _search_path() -> list[str]:
    """The word by which an arm finds the configs in the user's own folders too, as the comparison does."""
    sources = HydraConfig.get().runtime.config_sources if HydraConfig.initialized() else []
    own = [f"'{source.schema}://{source.path}'" for source in sources if source.provider not in HYDRAS_AND_OURS]
    return [f"hydra.searchpath=[{','.join(own)}]"] if own else []


@contextmanager
def _hydra_of_its_own() -> Iterator[None]:
    """Room to compose another verb's config inside a verb that Hydra runs: it takes one at a time."""
    running, GlobalHydra.instance().hydra = GlobalHydra.instance().hydra, None
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = running


def _shared(settings: CompareSettings, out: Path, config: Mapping[str, Any]) -> JsonObject:
    limit = {} if settings.n_seeds is None else {"limit": settings.n_seeds}
    tracking = settings.tracking.model_dump() if settings.tracking is not None else None
    return {
        "n": None,
        "draws": settings.draws,
        "seeds": {**settings.seeds, **limit},
        "out": str(out),
        "show": "none",
        "tracking": tracking,
        "budget": settings.budget.model_dump(),
        "allow_targets": [*settings.allow_targets, *config.get("allow_targets", ())],
    }


def _refuse_shared(words: Sequence[str]) -> None:
    for override in OverridesParser.create().parse_overrides(list(words)):
        top = str(override.key_or_group).partition(".")[0]
        if top in SHARED:
            raise UserError(
                f"{str(override.input_line).lstrip('+')}: all arms share `{top}`; give the comparison {SHARED[top]}=..."
            )


@contextmanager
def _models_on_offer(settings: CompareSettings) -> Iterator[None]:
    """Lets arms be composed over the comparison's models, so that words such as lm.temperature=0 build on them."""
    store = ConfigStore.instance()
    offered = {COMPARED: settings.lm, **{f"{COMPARED}_{role}": config for role, config in settings.lms.items()}}
    for name, config in offered.items():
        store.store(group="lm", name=name, node=dict(config))
    try:
        yield
    finally:
        for name in offered:
            store.repo["lm"].pop(f"{name}.yaml", None)


def _shown(words: Sequence[str]) -> str:
    return f"[{', '.join(words)}]"
