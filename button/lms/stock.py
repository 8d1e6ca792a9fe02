"""Every other provider, by DSPy's own path: `anthropic/...`, `gemini/...`, and by LiteLLM `bedrock/...` and the rest.

Slower a call than `button.lms.endpoint`, which is the one to take for anything that speaks chat completions.
"""

import asyncio
import os
from dataclasses import replace
from typing import Any

from dspy import lm15
from pydantic import PositiveFloat, validate_call

from button.errors import UserError
from button.lms.limiter import Limits
from button.lms.retry import Retries


class Stock:
    """An engine over `dspy.LM(model)`, which then neither caches nor retries.

    `model` is DSPy's model string, as in "anthropic/claude-sonnet-5". `api_key_env` names the variable that holds the
    key; None leaves it to the provider's usual one (ANTHROPIC_API_KEY, ...). `json_schema` says whether the provider
    decodes under a JSON Schema; where it does not, `response_format` is left out.
    """

    @validate_call
    def __init__(
        self,
        *,
        model: str,
        api_base: str | None = None,
        api_key_env: str | None = None,
        json_schema: bool = False,
        timeout_s: PositiveFloat = 600,
        limits: Limits | None = None,
        retries: Retries | None = None,
    ) -> None:
        if "/" not in model.strip("/"):
            raise UserError(f"lm.model is {model!r}; expected provider/model, such as anthropic/claude-sonnet-5")
        self.model = model
        self.api_base = api_base
        self.api_key_env = api_key_env
        self.json_schema = json_schema
        self.timeout_s = timeout_s
        self.limits = limits or Limits()
        self.retries = retries or Retries()
        self.concurrency = self.limits.max_in_flight
        self._lm: Any = None  # a dspy.LM, made at the first call: some providers take seconds to import

    def __repr__(self) -> str:
        return f"Stock(model={self.model!r})"

    async def complete(self, request: lm15.Request) -> lm15.Response:
        """One answer. Raises `dspy.lm15` errors."""
        lm = await asyncio.to_thread(self._load) if self._lm is None else self._lm
        import dspy
        from dspy.utils.exceptions import LMError

        config = request.config if self.json_schema else replace(request.config, response_format=None)
        try:
            # The outer LM already counts, traces and remembers this call; here it would be done twice.
            with dspy.context(callbacks=[], usage_tracker=None, disable_history=True):
                response: lm15.Response = await lm.acall(replace(request, model=self.model, config=config))
        except LMError as error:
            cause = error.__cause__
            if isinstance(cause, lm15.LM15Error):
                raise cause from error
            raise
        return response

    async def check(self) -> None:
        """Raise UserError where the key is missing, or DSPy and LiteLLM know no such provider. Asks no server."""
        await asyncio.to_thread(self._load)

    async def aclose(self) -> None:
        lm, self._lm = self._lm, None
        if lm is not None:
            await lm.aclose()

    def _load(self) -> Any:
        if self._lm is None:
            import dspy

            settings: dict[str, Any] = {"timeout": self.timeout_s}
            if self.api_base is not None:
                settings["api_base"] = self.api_base
            if self.api_key_env is not None:
                settings["api_key"] = _key(self.api_key_env, self.model)
            self._lm = dspy.LM(self.model, cache=False, num_retries=0, **settings)
        return self._lm


def _key(variable: str, model: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UserError(f"the environment variable {variable} is not set; it must hold the key for {model}")
    return key
