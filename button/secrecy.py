"""What must never be written to a file: keys, tokens, header values, URL credentials.

And what must not leave this machine for a tracking server besides: the addresses of servers, and local paths.
"""

import re
from pathlib import Path
from typing import Any

MASK = "***"
# `max_tokens` is a number and `api_key_env` the name of a variable: neither is a secret.
_SECRET_KEY = re.compile(
    r"(api_?key|access_?key|token|secret|passw(or)?d|passphrase|authorization|credentials?)$", re.IGNORECASE
)
_SECRET_MAP = re.compile(r"(headers|cookies)$", re.IGNORECASE)
_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s\"']+", re.IGNORECASE)
_HOME = re.compile(r"~[\w.-]*[/\\]")  # `~/` and `~ana/`, not the word `~step@steps.judge` of an arm
_PLACE = re.compile(r"(?<![\w.:/])(?:~[\w.-]*|[A-Za-z]:)?[/\\](?:[^/\\\s\"']+[/\\])+(?=[^/\\\s\"']*)")
_URL_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_URL_SECRET = re.compile(r"(?<=[?&])((?:[\w-]*(?:key|token|secret|password|signature)|sig)=)[^&#\s]+", re.IGNORECASE)


def is_secret_key(key: str) -> bool:
    """Whether a dotted config key names a secret: its last part does, or it lies under `headers`."""
    *above, last = key.split(".")
    return bool(_SECRET_KEY.search(last)) or any(_SECRET_MAP.search(part) for part in above)


def redacted(config: Any, key: str = "") -> Any:
    """A copy of a plain config with its secrets masked; null stays null."""
    if isinstance(config, dict):
        return {name: redacted(value, f"{key}.{name}" if key else str(name)) for name, value in config.items()}
    if isinstance(config, list | tuple):
        return [redacted(value, key) for value in config]
    if config is not None and is_secret_key(key):
        return MASK
    return shown(config)


def shown(value: Any) -> Any:
    """A value that is about to be shown: credentials inside a URL are masked."""
    if not isinstance(value, str) or "://" not in value:
        return value
    return _URL_SECRET.sub(rf"\g<1>{MASK}", _URL_LOGIN.sub(MASK, value))


def placeless(value: Any) -> Any:
    """A copy of a plain config whose servers have no address and whose files no folder: `http://***`, `.../a.jsonl`."""
    if isinstance(value, dict):
        return {name: placeless(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [placeless(part) for part in value]
    if not isinstance(value, str):
        return value
    if Path(value).is_absolute() or _HOME.match(value):
        return f".../{Path(value).name}"
    return _PLACE.sub(".../", _ADDRESS.sub(rf"\g<1>{MASK}", value))
