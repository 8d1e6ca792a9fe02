"""One checked question to a model: ask, check, and ask again with the problem named."""

from collections.abc import Callable
from typing import Annotated, Any

import dspy
from dspy.utils.exceptions import (
    AdapterParseError,
    ContextWindowExceededError,
    LMAuthError,
    LMBillingError,
    LMConfigurationError,
    LMError,
    LMInvalidRequestError,
    LMUnexpectedError,
    LMUnsupportedModelError,
)
from pydantic import Field, PositiveInt, validate_call

from button.errors import ButtonError, EndpointFailed, NoUsableAnswer
from button.lms.schema import output_format, response_format
from button.work import REFUSALS, Refusal, Work
from modules.adapter import CompactAdapter, answer_text
from modules.leaks import leaked, telling_words
from signatures.records import JsonObject

Check = Callable[[dspy.Prediction], list[str]]
Temperature = Annotated[float, Field(ge=0, le=2)]
ADAPTER = CompactAdapter()
WARMER = 0.25  # temperature that each further try of a small model adds
HOPELESS = (LMAuthError, LMBillingError, LMConfigurationError, LMUnsupportedModelError)


class Ask(dspy.Module):
    """Asks one signature until its answer passes the check, at most `tries` times.

    The retry shows the model its previous answer and the problems found, with the same (optimised) instructions and
    demos. A small model would repeat what it is shown: it is asked the same again, with another seed and warmer.
    `temperature` None leaves it to the LM.
    """

    @validate_call
    def __init__(
        self,
        signature: type[dspy.Signature],
        *,
        role: str,
        tries: PositiveInt = 3,
        temperature: Temperature | None = None,
        max_tokens: PositiveInt = 1024,
    ) -> None:
        super().__init__()
        self.predict = dspy.Predict(signature)
        self.role = role
        self.tries = tries
        self.temperature = temperature
        self.max_tokens = max_tokens
        self._demos: list[Any] | None = None
        self._telling: frozenset[str] = frozenset()

    async def aforward(
        self,
        work: Work,
        *,
        inputs: dict[str, Any],
        check: Check | None = None,
        label: str = "",
        schema: JsonObject | None = None,
    ) -> dspy.Prediction:
        """The first answer without problems.

        `label` tells several questions of the same work apart; `schema` narrows the signature's own output schema.
        Raises NoUsableAnswer after the last try, EndpointFailed where the model cannot be reached or refuses us.
        """
        reason, problems, previous = "", "", ""
        asked = inputs
        for attempt in range(self.tries):
            seed = work.seed(self.role, label, attempt)
            signature = self.predict.signature
            if problems and not work.is_small(self.role):
                signature = _retry_signature(signature)
                asked = {**inputs, "previous_output": previous, "problems": problems}
            answer = await self._answer(work, signature, asked, seed, schema, attempt)
            if isinstance(answer, dspy.Prediction):
                found = self._problems(answer, inputs, check)
                if not found:
                    return answer
                reason, problems = "invalid", "\n".join(found)
                previous = _rendered(signature, answer)
            else:
                reason, problems, previous = answer.reason, answer.detail, answer.previous
            if (refusals := REFUSALS.get()) is not None:
                refusals.append(Refusal(self.predict, answer, previous, problems))
        raise NoUsableAnswer(reason, problems)

    def _problems(self, answer: dspy.Prediction, inputs: dict[str, Any], check: Check | None) -> list[str]:
        if self._demos is not self.predict.demos:
            self._demos, self._telling = self.predict.demos, telling_words(self.predict.demos)
        words = leaked(answer.toDict(), inputs, self._telling)
        if words:
            return [f"{', '.join(words)}: from an example, not from this task; use what this task says"]
        return check(answer) if check is not None else []

    async def _answer(
        self,
        work: Work,
        signature: type[dspy.Signature],
        inputs: dict[str, Any],
        seed: int,
        schema: JsonObject | None,
        attempt: int,
    ) -> "dspy.Prediction | _Unread":
        """One call: a prediction, or why the answer cannot be read."""
        usual = self.predict.signature
        config = {
            "seed": seed,
            "max_tokens": self.max_tokens,
            "response_format": response_format(usual.__name__, schema) if schema else output_format(usual),
        }
        if self.temperature is not None:
            warmer = WARMER * attempt if work.is_small(self.role) else 0.0
            config["temperature"] = min(self.temperature + warmer, 1.2)
        with work.call() as call, dspy.context(adapter=ADAPTER):
            try:
                prediction = await self.predict.acall(
                    lm=work.lm(self.role), signature=signature, config=config, **inputs
                )
            except AdapterParseError as error:
                if call.finish_reason == "length":
                    return _truncated(self.max_tokens)
                # The error's own message repeats the whole answer; its cause is the problem alone.
                problem = str(error.__cause__ or "the answer is empty; answer with one JSON object")
                return _Unread("unparsable", problem, (error.lm_response or "")[:2000])
            except LMError as error:
                raise failure(error) from error
        return _truncated(self.max_tokens) if call.finish_reason == "length" else prediction


def failure(error: LMError) -> Exception:
    """What a failed call means: the end of the run, a drop of this row, or a bug."""
    cause: BaseException | None = error.__cause__
    if isinstance(cause, ButtonError):
        return cause
    if isinstance(error, HOPELESS):
        return EndpointFailed(str(error))
    if isinstance(error, LMUnexpectedError):
        bug: Exception = error
        return bug
    if isinstance(error, ContextWindowExceededError):
        return NoUsableAnswer("context_overflow", str(error))
    return NoUsableAnswer("refused" if isinstance(error, LMInvalidRequestError) else "no_answer", str(error))


class _Unread:
    """An answer that could not be read: a countable reason, the problem in words, and what was answered."""

    __slots__ = ("detail", "previous", "reason")

    def __init__(self, reason: str, detail: str, previous: str) -> None:
        self.reason = reason
        self.detail = detail
        self.previous = previous


def _truncated(max_tokens: int) -> _Unread:
    return _Unread("truncated", f"the answer was cut off after {max_tokens} tokens; write a shorter one", "")


_RETRIES: dict[type[dspy.Signature], type[dspy.Signature]] = {}


def _retry_signature(signature: type[dspy.Signature]) -> type[dspy.Signature]:
    """The signature with two more inputs: what was answered, and what is wrong with it."""
    retry = _RETRIES.get(signature)
    if retry is None:
        retry = signature.append("previous_output", dspy.InputField(desc="your previous answer"), type_=str).append(
            "problems", dspy.InputField(desc="what is wrong with it; answer again without these problems"), type_=str
        )
        retry.__name__ = signature.__name__
        _RETRIES[signature] = retry
    return retry


def _rendered(signature: type[dspy.Signature], prediction: dspy.Prediction) -> str:
    """The answer as the JSON object the model wrote."""
    return answer_text({name: prediction[name] for name in signature.output_fields})[:2000]
