"""Covers how statuses, codes, messages and headers of real servers are read."""

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from dspy import lm15

from button.lms.refusal import in_band_status, refusal, wait_asked

VLLM_OVERFLOW = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"
LLAMA_OVERFLOW = "the request exceeds the available context size, try increasing it"


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (401, "invalid_api_key", "wrong key", lm15.AuthError),
        (403, None, "not for you", lm15.AuthError),
        (402, None, "pay first", lm15.BillingError),
        (429, "insufficient_quota", "You exceeded your current quota", lm15.BillingError),
        (429, "rate_limit_exceeded", "slow down", lm15.RateLimitError),
        (404, "model_not_found", "no such model", lm15.UnsupportedModelError),
        (400, "model_not_found", "no such model", lm15.UnsupportedModelError),
        (400, "context_length_exceeded", "too long", lm15.ContextLengthError),
        (400, 400, VLLM_OVERFLOW, lm15.ContextLengthError),
        (500, None, LLAMA_OVERFLOW, lm15.ContextLengthError),
        (400, None, "temperature must be 1", lm15.InvalidRequestError),
        (422, None, "unknown field", lm15.InvalidRequestError),
        (405, None, "method not allowed", lm15.InvalidRequestError),
        (408, None, "too slow", lm15.TimeoutError),
        (504, None, "gateway timeout", lm15.TimeoutError),
        (500, None, "oops", lm15.ServerError),
        (503, None, "Loading model", lm15.ServerError),
        (529, "overloaded_error", "overloaded", lm15.ServerError),
    ],
)
def test_each_refusal_is_the_error_that_says_what_can_be_done(
    status: int, code: object, message: str, kind: type[lm15.LM15Error]
) -> None:
    raw = json.dumps({"error": {"message": message, "type": "some_error", "code": code}}).encode()

    error = refusal(status, {}, raw)

    assert type(error) is kind
    assert message in error.message
    assert error.status == status


def test_llama_cpp_names_an_overflow_by_its_type() -> None:
    raw = json.dumps({"error": {"code": 400, "message": "too big", "type": "exceed_context_size_error"}}).encode()

    assert isinstance(refusal(400, {}, raw), lm15.ContextLengthError)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}', "field required"),
        (b'{"object": "error", "message": "bad", "code": 400}', "bad"),
        (b'{"error": "bad"}', "bad"),
        (b"<html>bad gateway</html>", "<html>bad gateway</html>"),
        (b"", "an empty answer with status 400"),
        (b"\xff\xfe", "\ufffd"),
    ],
)
def test_the_servers_own_words_are_kept_whatever_their_shape(raw: bytes, words: str) -> None:
    assert words in refusal(400, {}, raw).message


def test_a_redirect_says_where_to() -> None:
    assert "set lm.api_base" in refusal(308, {"location": "https://other/v1"}, b"").message


def test_a_refused_key_says_where_the_key_comes_from() -> None:
    assert "check the key in MY_KEY" in str(refusal(401, {}, b"{}", hint="check the key in MY_KEY"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"x-ratelimit-reset-requests": "1m30s"}, 90.0),
        ({"x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-reset-tokens": "1.2.3s"}, None),
        ({"x-ratelimit-reset-requests": "2s", "x-ratelimit-reset-tokens": "6s"}, 6.0),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "1h",
                "x-ratelimit-remaining-tokens": "5000",
            },
            1.0,
        ),
    ],
)
def test_the_wait_that_a_server_asks_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_asked(headers) == seconds


def test_a_wait_may_be_an_http_date_or_a_unix_moment() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=100)

    assert wait_asked({"retry-after": format_datetime(moment, usegmt=True)}) == pytest.approx(100, abs=2)
    assert wait_asked({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert wait_asked({"x-ratelimit-reset-requests": str(time.time() + 50)}) == pytest.approx(50, abs=2)


def test_a_server_error_may_ask_for_a_wait_too() -> None:
    error = refusal(503, {"retry-after": "7"}, b"{}")

    assert isinstance(error, lm15.ServerError)
    assert error.retry_after == 7.0


def test_an_error_inside_a_200_is_found() -> None:
    assert in_band_status({"error": {"code": 429, "message": "upstream is busy"}}) == 429
    assert in_band_status({"error": {"code": "weird"}}) == 500
    assert in_band_status({"error": "text"}) == 500
    assert in_band_status({"choices": [{}], "error": None}) is None
    assert in_band_status([]) is None
