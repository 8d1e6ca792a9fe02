"""What the Hub or the way to it refuses, as one clear message: never a traceback, a token or a signed address."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from httpx2 import HTTPError
from huggingface_hub.errors import DisabledRepoError, GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled

from button.errors import UserError
from button.secrecy import MASK, shown

AGAIN = "the same command goes on from there"
ADVICE = {
    401: "the token is refused or has expired: make a new one with write access, set HF_TOKEN or run `hf auth login`",
    402: "the Hub asks for a paid plan for this",
    403: "the token may not write there: take one with write access to it, or give another repo=...",
    404: "there is no such repo, or the token may not see it",
    413: "the Hub finds it too large",
    429: f"too many requests: wait a while; {AGAIN}",
}


@contextmanager
def explained(repo: str, token: str | None) -> Iterator[None]:
    """Turns what the Hub's client raises into UserError; the token is masked wherever it might stand."""
    try:
        yield
    except UserError as error:
        raise UserError(cleaned(str(error), token)) from error
    except OfflineModeIsEnabled as error:
        raise UserError(f"{repo}: HF_HUB_OFFLINE is set, so the Hub is not asked; unset it to publish") from error
    except (HTTPError, json.JSONDecodeError, ConnectionError) as error:
        raise UserError(cleaned(f"{repo}: {_said(error)}", token)) from error


@contextmanager
def upload_explained() -> Iterator[None]:
    """Turns what an upload raises beside HTTP errors into UserError: the client's own summary, or what Xet says."""
    try:
        yield
    except HTTPError:
        raise
    except (RuntimeError, OSError) as error:
        why = f" {_said(error.__cause__)}" if isinstance(error.__cause__, HTTPError) else ""
        plainly = "" if why else "; where the Hub or a proxy knows no Xet, HF_HUB_DISABLE_XET=1 does without"
        raise UserError(
            f"the upload broke off: {_first_line(error)}{why}. What is there is not sent again{plainly}"
        ) from error


def _said(error: BaseException) -> str:
    if isinstance(error, GatedRepoError):
        return "the repo is gated and this token has no access: ask its owner, or give another repo=..."
    if isinstance(error, DisabledRepoError):
        return "the repo is disabled at the Hub: its page says why; give another repo=..."
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        server = f" ({' '.join(error.server_message.split())})" if error.server_message else ""
        advice = ADVICE.get(status, f"the Hub fails; {AGAIN} when it is well again" if status >= 500 else "")
        return f"the Hub answers {status}{server}" + (f": {advice}" if advice else "")
    if isinstance(error, json.JSONDecodeError):
        return f"what answered is not the Hub (no JSON): check HF_ENDPOINT and any proxy; {AGAIN}"
    return f"the connection to the Hub failed ({_first_line(error)}): check the network and HF_ENDPOINT; {AGAIN}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def cleaned(text: str, token: str | None = None) -> str:
    """The text without the token, and without the credentials and signatures in its addresses."""
    masked = text.replace(token, MASK) if token else text
    return " ".join(str(shown(word)) if "://" in word else word for word in masked.split(" "))
