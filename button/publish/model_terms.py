"""Which models wrote a set and under which terms, without telling where they were reached.

Only what is listed here leaves the config: a model's name and the provider behind a well-known public address. Other
addresses, keys, headers and paths stay.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from button.config import ROLES, JsonObject

SIMULATED = "button.lms.simulated.Simulated"
_EMBEDDED = {
    "1.5b": "Qwen2.5-Coder-1.5B-Instruct (4-bit)",
    "0.5b": "Qwen2.5-Coder-0.5B-Instruct (4-bit)",
    "135m": "SmolLM2-135M-Instruct (4-bit)",
}
_PROVIDERS = {
    "api.openai.com": "OpenAI",
    "api.anthropic.com": "Anthropic",
    "generativelanguage.googleapis.com": "Google",
    "api.mistral.ai": "Mistral AI",
    "api.deepseek.com": "DeepSeek",
    "api.groq.com": "Groq",
    "api.together.xyz": "Together AI",
    "api.fireworks.ai": "Fireworks AI",
    "openrouter.ai": "OpenRouter",
}
_OWN_LICENCE = "the licence of the model applies to what it wrote; look it up under the model's name"
_SMALL = (
    "A model this small writes plain tasks; in a reading of ten rows four made little sense although they passed all"
    " checks."
)
_PATH = re.compile(r"^(/|~|\.|[A-Za-z]:\\|\\\\)|://")


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model, the roles it played (all that have no model of their own, for the first), and its terms.

    `caution` is what is known against training on its rows.
    """

    name: str
    roles: tuple[str, ...]
    terms: str
    caution: str | None = None


def models_of(config: JsonObject) -> tuple[ModelUse, ...]:
    """The models of a run's config, that of `lm` first, each once."""
    own = {role: node for role, node in (config.get("lms") or {}).items() if role in ROLES}
    uses: dict[tuple[str, str, str | None], list[str]] = {}
    for role in (*(role for role in ROLES if role not in own), *own):
        uses.setdefault(_described(own[role] if role in own else config["lm"]), []).append(role)
    return tuple(ModelUse(name, tuple(roles), terms, caution) for (name, terms, caution), roles in uses.items())


def public_host(api_base: str) -> str | None:
    """The provider behind an address that everybody knows, or None."""
    return _PROVIDERS.get((urlsplit(api_base).hostname or "").removeprefix("www."))


def _described(lm: Mapping[str, Any]) -> tuple[str, str, str | None]:
    target = str(lm.get("_target_", ""))
    if target == SIMULATED:
        return (
            "no model: the rules of lm=simulated",
            "none: its texts are this project's (Apache-2.0)",
            "Written by rule, for trying out a pipeline: few phrasings, few worlds. **Do not train on it.**",
        )
    if target == "button.lms.embedded.Embedded":
        return (
            _EMBEDDED.get(str(lm.get("size", "1.5b")), "an embedded model"),
            "Apache-2.0",
            _SMALL,
        )
    name = shown_name(str(lm.get("model") or lm.get("file") or lm.get("path") or target.rpartition(".")[2]))
    if target == "button.lms.embedded.Gguf" and lm.get("repo"):
        return f"{shown_name(str(lm['repo']))}, {name}", _OWN_LICENCE, None
    provider = public_host(str(lm.get("api_base") or ""))
    if target == "button.lms.stock.Stock" and provider is None:
        provider = name.partition("/")[0]
    if provider is None:
        return name, _OWN_LICENCE, None
    terms = f"served by {provider}: its terms of use apply to what the model wrote; some forbid training rival models"
    return name, terms, None


def shown_name(name: str) -> str:
    """The name of a model or a source of seeds for all to read; of a path or an address only the last part."""
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1] if _PATH.search(name) else name
