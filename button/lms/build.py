"""The language models of a run: one `dspy.LM` for each distinct config, whatever the number of roles that share it."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import dspy
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from button.config import NEUTRAL_OF_LM
from button.errors import UserError
from button.lms.limiter import Limiter, Limits
from button.lms.recorded import Recorded
from button.lms.retry import Retries, RetryBudget
from button.lms.sync import SyncEngine
from button.targets import build, check_arguments
from button.validation import refusal
from button.work import DEFAULT_ROLE
from signatures.records import JsonObject, content_hash

Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# A key of `lm` (lm.api_base), or its choice (lm=gguf), in what an engine says; not a host of that name.
_KEY_OF_LM = re.compile(r"(?<![\w./@'\"-])lm(?==|\.[a-z_.]++(?![:\d-]))")


class Prices(BaseModel):
    """US dollars a million tokens, for `budget.max_cost` and the funnel: `lm.prices.prompt=0.15`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Dollars = 0.0
    completion: Dollars = 0.0


@dataclass(frozen=True, slots=True)
class LanguageModels:
    """The LM of each role, and the engines behind them, each once, with the config key of each (`lm`, `lms.judge`)."""

    of_role: Mapping[str, dspy.LM]
    engines: tuple[Recorded, ...]
    places: tuple[str, ...]

    @property
    def concurrency(self) -> int:
        """How many calls all of them together can hold at once."""
        return sum(engine.engine.concurrency for engine in self.engines)

    async def check(self) -> None:
        """Raise UserError where an endpoint cannot be reached, or refuses the key or the model name."""
        for engine, where in zip(self.engines, self.places, strict=True):
            if (check := getattr(engine.engine, "check", None)) is not None:
                with _said_of(where):
                    await check()

    async def aclose(self) -> None:
        for engine in self.engines:
            await engine.aclose()


def check_lms(lm: JsonObject, roles: Mapping[str, JsonObject], allow: Sequence[str]) -> None:
    """Refuse what `build_lms` would refuse by name alone; to build a model may mean to fetch its weights."""
    for where, config in _configs(lm, roles).values():
        _prices(config.get("prices") or {}, where)
        check_arguments({name: value for name, value in config.items() if name != "prices"}, where, allow=allow)


def build_lms(lm: JsonObject, roles: Mapping[str, JsonObject], allow: Sequence[str]) -> LanguageModels:
    """The models of a run: `lm` for every role but those in `roles`. Raises UserError for a wrong config."""
    made: dict[str, tuple[dspy.LM, Recorded, str]] = {}
    of_role: dict[str, dspy.LM] = {}
    for role, (where, config) in _configs(lm, roles).items():
        distinct = content_hash(config)
        if distinct not in made:
            made[distinct] = (*_made(config, where, allow), where)
        of_role[role] = made[distinct][0]
    return LanguageModels(
        of_role, tuple(engine for _, engine, _ in made.values()), tuple(where for *_, where in made.values())
    )


@asynccontextmanager
async def opened_lms(
    lm: JsonObject, roles: Mapping[str, JsonObject], allow: Sequence[str]
) -> AsyncIterator[LanguageModels]:
    """The models of `build_lms`, asked once whether they can be reached, and closed at the end."""
    lms = build_lms(lm, roles, allow)
    try:
        await lms.check()
        yield lms
    finally:
        await lms.aclose()


def _configs(lm: JsonObject, roles: Mapping[str, JsonObject]) -> dict[str, tuple[str, JsonObject]]:
    """Where each role's config stands, and what it is."""
    return {DEFAULT_ROLE: ("lm", lm), **{role: (f"lms.{role}", config) for role, config in roles.items()}}


def _made(config: JsonObject, where: str, allow: Sequence[str]) -> tuple[dspy.LM, Recorded]:
    # Kept answers must be found again by a resumed run, which may have other limits, prices or timeouts.
    identity = content_hash({key: value for key, value in config.items() if key not in NEUTRAL_OF_LM})
    config = dict(config)
    prices = _prices(config.pop("prices", None) or {}, where)
    with _said_of(where):
        engine = build(config, where, allow=allow)
    limits: Limits = getattr(engine, "limits", None) or Limits(max_in_flight=engine.concurrency)
    retries: Retries = getattr(engine, "retries", None) or Retries()
    recorded = Recorded(
        engine,
        identity=identity,
        limiter=Limiter(**limits.model_dump()),
        retries=RetryBudget(**retries.model_dump()),
        prices=prices,
    )
    # DSPy's model name is only a label here, but it must tell models apart. Retries and caching are ours.
    model = getattr(engine, "model", None) or type(engine).__name__.lower()
    lm = dspy.LM(f"button/{model}", engine=SyncEngine(recorded), async_engine=recorded, cache=False, num_retries=0)
    return lm, recorded


@contextmanager
def _said_of(where: str) -> Iterator[None]:
    """An engine does not know which role it has and speaks of the keys of `lm`: say those of `where` instead."""
    try:
        yield
    except UserError as error:
        said = str(error)
        placed = said if where == "lm" else _KEY_OF_LM.sub(lambda key: _key(key, where), said)
        if placed == said:
            raise
        raise UserError(placed) from error


def _key(found: re.Match[str], where: str) -> str:
    return f"lm@{where}" if found.string[found.end()] == "=" else where


def _prices(config: Mapping[str, Any], where: str) -> Prices:
    try:
        return Prices.model_validate(config)
    except ValidationError as error:
        raise refusal(error, f"{where}.prices", Prices) from error
