"""Any OpenAI-compatible endpoint: vLLM, SGLang, llama.cpp, Ollama, OpenAI and the gateways before them.

aiohttp with no cap on connections: at 64 calls in flight it costs a fraction of what the usual clients burn.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

import aiohttp
import orjson
from dspy import lm15
from pydantic import PositiveFloat, validate_call
from yarl import URL

from button.errors import UserError
from button.lms.dialect import Constraint, Dialect, blames_one_schema, weaker
from button.lms.limiter import Limits
from button.lms.refusal import in_band_status, refusal
from button.lms.retry import Retries
from button.lms.wire import excerpt, response_of

DECODED: tuple[Constraint, ...] = ("json_schema", "llguidance")
CHECK_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 30.0

logger = logging.getLogger(__name__)


class Endpoint:
    """An engine over HTTP. One session an event loop; `aclose` closes that of the running loop.

    `api_base` is the address that `/chat/completions` follows, as in `http://127.0.0.1:8000/v1`. `api_key_env` names
    the environment variable that holds the key; the key itself is in no attribute, message or repr. `limits` and
    `retries` are declared here and kept by the caller (`button.lms.recorded`).
    HTTP_PROXY, HTTPS_PROXY and NO_PROXY are read once a session.
    """

    @validate_call
    def __init__(
        self,
        *,
        model: str,
        api_base: str,
        api_key_env: str | None = None,
        timeout_s: PositiveFloat = 600,
        dialect: Dialect | None = None,
        limits: Limits | None = None,
        retries: Retries | None = None,
    ) -> None:
        self.model = model
        self.api_base = _checked(api_base)
        self.api_key_env = api_key_env
        self.timeout_s = timeout_s
        self.dialect = dialect or Dialect()
        self.limits = limits or Limits()
        self.retries = retries or Retries()
        self.concurrency = self.limits.max_in_flight
        self._constraint = self.dialect.constraint
        self.json_schema = self._constraint in DECODED
        self._url = URL(f"{self.api_base}/chat/completions")
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"Endpoint(model={self.model!r}, api_base={self.api_base!r})"

    async def complete(self, request: lm15.Request) -> lm15.Response:
        """One answer. Raises `dspy.lm15` errors, with the server's own words.

        Where the server refuses the constraint, the call is repeated under a weaker one; a refusal of the kind, rather
        than of one schema, holds for all calls that follow.
        """
        constraint = self._constraint
        while True:
            try:
                return await self._ask(request, constraint)
            except lm15.InvalidRequestError as error:
                lesser = weaker(constraint, error) if request.config.response_format is not None else None
                if lesser is None:
                    raise
                self._fall_back(constraint, lesser, error)
                constraint = lesser

    async def check(self) -> None:
        """Raise UserError, with what to do, where no run could work: no server, no key, a wrong key, a wrong path.

        Asks for the list of models, which costs nothing. A model missing from that list is only warned of, since
        many servers take names that they do not list.
        """
        try:
            listed = await self._get(f"{self.api_base}/models")
        except lm15.NotConfiguredError as error:
            raise UserError(error.message) from error
        except lm15.AuthError as error:
            raise UserError(f"{self.api_base}: {error}") from error
        except (lm15.TransportError, lm15.TimeoutError) as error:
            raise UserError(
                f"no server answers at {self.api_base} ({error.message}); start it, or set lm.api_base to where it is"
            ) from error
        except lm15.ServerError as error:
            raise UserError(f"{self.api_base} is not ready to answer: {error}") from error
        except lm15.UnsupportedModelError:
            await self._check_path()
            return
        except lm15.InvalidRequestError as error:
            logger.warning("%s does not list its models (%s); the model's name goes unchecked", self.api_base, error)
            return
        names = _names(listed)
        if names and self.model not in names:
            logger.warning("%s does not list the model %r; it lists %s", self.api_base, self.model, excerpt(names))

    async def aclose(self) -> None:
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    async def _ask(self, request: lm15.Request, constraint: Constraint) -> lm15.Response:
        body = orjson.dumps(self.dialect.body(request, model=self.model, constraint=constraint))
        async with self._answer("POST", self._url, data=body) as reply:
            raw = await reply.read()
        if reply.status != 200:
            raise self._refused(reply.status, reply.headers, raw)
        answer = _parsed(raw)
        failed = in_band_status(answer)
        if failed is not None:
            raise self._refused(failed, reply.headers, raw)
        return response_of(answer, self.model)

    async def _get(self, url: str) -> Any:
        timeout = aiohttp.ClientTimeout(total=CHECK_TIMEOUT_S)
        async with self._answer("GET", URL(url), timeout=timeout) as reply:
            raw = await reply.read()
        if reply.status != 200:
            raise self._refused(reply.status, reply.headers, raw)
        return _parsed(raw)

    async def _check_path(self) -> None:
        better = f"{self.api_base}/v1"
        try:
            await self._get(f"{better}/models")
        except lm15.LM15Error:
            logger.warning("%s does not list its models; the model's name goes unchecked", self.api_base)
        else:
            raise UserError(f"{self.api_base} is not where the API is, {better} is: set lm.api_base={better}")

    @asynccontextmanager
    async def _answer(self, method: str, url: URL, **given: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """The one place that touches the network: its failures become lm15 errors."""
        try:
            async with self._session().request(method, url, allow_redirects=False, **given) as reply:
                yield reply
        except TimeoutError as error:
            raise lm15.TimeoutError(
                f"no answer from {self.api_base} in time (lm.timeout_s={self.timeout_s:g})"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise lm15.TransportError(f"{self.api_base}: {type(error).__name__}: {error}") from error

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            headers = {"Content-Type": "application/json", "User-Agent": "button-instruct"}
            key = self._key()
            if key:
                headers["Authorization"] = f"Bearer {key}"
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=self.timeout_s, sock_connect=CONNECT_TIMEOUT_S),
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=_proxy(self._url),
            )
            self._sessions[loop] = session
        return session

    def _key(self) -> str:
        if self.api_key_env is None:
            return ""
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise lm15.NotConfiguredError(
                f"the environment variable {self.api_key_env} is not set; it must hold the key for {self.api_base}"
            )
        return key

    def _refused(self, status: int, headers: Mapping[str, str], raw: bytes) -> lm15.ProviderError:
        key = self._key()
        if key:
            raw = raw.replace(key.encode(), b"[the key]")  # some servers repeat what they refuse
        hint = (
            f"check the key in the environment variable {self.api_key_env}"
            if self.api_key_env
            else "set lm.api_key_env to the name of the environment variable that holds the key"
        )
        return refusal(status, headers, raw, hint=hint)

    def _fall_back(self, constraint: Constraint, lesser: Constraint, error: lm15.InvalidRequestError) -> None:
        if blames_one_schema(constraint, error):
            logger.warning(
                "%s refuses a schema; asked again under %s: %s", self.api_base, lesser, excerpt(error.message)
            )
        elif self._constraint == constraint:
            self._constraint = lesser
            self.json_schema = lesser in DECODED
            logger.warning(
                "%s refuses %s; from now on %s: %s", self.api_base, constraint, lesser, excerpt(error.message)
            )


def _checked(api_base: str) -> str:
    """`api_base` in the form that `/chat/completions` is put behind. Raises UserError where it is no web address."""
    base = api_base.strip().removesuffix("/").removesuffix("/chat/completions")
    url = URL(base)
    if url.user or url.password:
        raise UserError("lm.api_base holds a user name or password; put the key into an environment variable instead")
    if url.scheme not in ("http", "https") or not url.host:
        raise UserError(f"lm.api_base is {api_base!r}; expected an address such as http://127.0.0.1:8000/v1")
    return base


def _proxy(url: URL) -> str | None:
    """The proxy that the environment sets for `url`, or None."""
    if not url.host or proxy_bypass(url.host):
        return None
    proxy = getproxies().get(url.scheme)
    if proxy is not None and not proxy.startswith(("http://", "https://")):
        raise UserError(
            f"{url.scheme.upper()}_PROXY asks for a {proxy.split(':')[0]} proxy; only http and https proxies work here:"
            f" set another one, or NO_PROXY={url.host}"
        )
    return proxy


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        text = excerpt(raw.decode(errors="replace"))
        raise lm15.ServerError(f"the answer is not JSON ({error}): {text!r}") from error


def _names(listed: Any) -> list[str]:
    entries = listed.get("data") if isinstance(listed, dict) else None
    return [str(entry.get("id")) for entry in entries or () if isinstance(entry, dict)]
