"""Calls to the Hub that are tried again: its own client does so for uploads and lists, not for the rest."""

import json
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from httpx2 import HTTPError
from huggingface_hub import get_session
from huggingface_hub.errors import HfHubHTTPError

from button.errors import UserError

WAITS_S = (1.0, 2.0, 4.0, 8.0)  # between two tries, where the server does not name the time
LONGEST_WAIT_S = 300.0
SILENCE_S = 300.0  # without a byte, after which a connection is taken for cut; the client itself waits for ever
PASSING = {408, 429, 500, 502, 503, 504}

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


def patiently(call: Callable[[], Answer], what: str) -> Answer:
    """What `call` gives, tried five times; `what` names it in the message between two tries.

    Raises its last error, and UserError where the server asks for a wait of more than five minutes.
    """
    for wait in WAITS_S:
        get_session().timeout = SILENCE_S  # each time: the client makes a new session after some failures
        try:
            return call()
        except (HTTPError, json.JSONDecodeError) as error:
            if not is_passing(error):
                raise
            pause = asked_wait_s(error)
            if pause is not None and pause > LONGEST_WAIT_S:
                raise UserError(
                    f"the Hub asks for a wait of {pause:.0f} s ({what}): run the same command again after that"
                ) from error
            pause = wait if pause is None else pause
            log.warning("the Hub did not answer (%s, %s); once more in %g s", what, in_short(error), pause)
            time.sleep(pause)
    return call()


def is_passing(error: Exception) -> bool:
    """Whether the same call may well succeed a little later: 429, 5xx, a cut connection, a proxy's error page."""
    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in PASSING
    return True


def asked_wait_s(error: Exception) -> float | None:
    """The seconds that the server asks to wait (Retry-After), if it does."""
    asked = error.response.headers.get("Retry-After", "") if isinstance(error, HfHubHTTPError) else ""
    return float(asked) if asked.isdigit() else None


def in_short(error: Exception) -> str:
    """A few words for the line between two tries."""
    if isinstance(error, HfHubHTTPError):
        return f"HTTP {error.response.status_code}"
    return type(error).__name__
