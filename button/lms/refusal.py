"""What a server's refusal means: status, headers and body as the `dspy.lm15` error that says what can be done."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
from dspy import lm15

from button.lms.wire import excerpt

OVERFLOW_CODES = ("context_length_exceeded", "exceed_context_size_error")
OVERFLOW_WORDS = re.compile(
    r"maximum context length|context window|context size|context_length_exceeded|prompt is too long|input is too long"
    r"|longer than the maximum model length|reduce the length|`inputs` .*tokens",
    re.IGNORECASE,
)
BILLING_CODES = ("insufficient_quota", "billing_hard_limit_reached")
DURATION = re.compile(r"([\d.]+)(ms|s|m|h|d)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
EPOCH = 1e9  # a reset above this is a moment, not a duration


def refusal(status: int, headers: Mapping[str, str], raw: bytes, *, hint: str = "") -> lm15.ProviderError:
    """The error for an answer with a status other than 200.

    `headers` are looked up in lower case (aiohttp's are case-blind). `hint` says what to do about a refused key.
    """
    message, code = _said(raw)
    words = message or f"an empty answer with status {status}"
    if 300 <= status < 400:
        words = f"the server redirects to {headers.get('location')}; set lm.api_base to the address that answers itself"
    about: dict[str, Any] = {"status": status, "provider_code": code or None}
    overflow = code in OVERFLOW_CODES or (status != 429 and OVERFLOW_WORDS.search(words))
    if status in (401, 403):
        return lm15.AuthError(words, credential_hint=hint or None, **about)
    if status == 402 or code in BILLING_CODES:
        return lm15.BillingError(words, **about)
    if overflow:
        return lm15.ContextLengthError(words, **about)
    if status == 404 or code == "model_not_found":
        return lm15.UnsupportedModelError(words, **about)
    transient = {429: lm15.RateLimitError, 408: lm15.TimeoutError, 504: lm15.TimeoutError}.get(status)
    if transient is None and status < 500:
        return lm15.InvalidRequestError(words, **about)
    return (transient or lm15.ServerError)(words, retry_after=wait_asked(headers), **about)


def in_band_status(answer: Any) -> int | None:
    """The status of an error that a gateway put into the body of a 200; None where the body is no error."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not error or answer.get("choices"):
        return None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code <= 599 else 500


def wait_asked(headers: Mapping[str, str]) -> float | None:
    """The seconds that the server asks to wait, from `retry-after-ms`, `retry-after` or `x-ratelimit-reset-*`.

    Of the resets only that of an exhausted budget counts, where the server says which one that is.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    said = headers.get("retry-after")
    if said is not None:
        return _seconds(said)
    waits = []
    for budget in ("requests", "tokens"):
        left = _number(headers.get(f"x-ratelimit-remaining-{budget}"))
        reset = headers.get(f"x-ratelimit-reset-{budget}")
        wait = _seconds(reset) if reset is not None and not left else None
        if wait is not None:
            waits.append(wait)
    return max(waits, default=None)


def _seconds(text: str) -> float | None:
    """Seconds from now, of "30", "6m0s", a moment in Unix seconds, or an HTTP date."""
    number = _number(text)
    if number is not None:
        return max(0.0, number - time.time()) if number > EPOCH else number
    units = DURATION.findall(text)
    try:
        if units and "".join(value + unit for value, unit in units) == text.strip():
            return sum(float(value) * SECONDS[unit] for value, unit in units)
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _said(raw: bytes) -> tuple[str, str]:
    """The server's own message and its code, from the shapes that OpenAI, vLLM, llama.cpp and FastAPI use."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return excerpt(raw.decode(errors="replace").strip()), ""
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return excerpt(error, 1000), ""
    message = error.get("message") or error.get("detail") or error
    names = (error.get("code"), error.get("type"))
    code = next((name for name in names if isinstance(name, str) and name in (*OVERFLOW_CODES, *BILLING_CODES)), None)
    return excerpt(message, 1000), code or str(error.get("code") or "")
