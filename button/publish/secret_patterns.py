"""Keys, tokens and local paths in rows that are about to be published.

Own patterns rather than `detect-secrets` 1.5 (the best known library; its last release is of 2024). Measured on 200
rows of the simulated model, it takes 9 ms a row and flags every single one, since ids and numbers look like hex to its
entropy plugins; without these it knows no token of Hugging Face or Google. Here a token is known by the form that its
provider gives it, anything else only behind the name of a secret (`api_key=...`) and only where it looks drawn by lot.
Record ids, booking codes ("KT-5551"), UUIDs and hashes are none, under whatever name. What is known to be secret on
this machine (values of variables such as HF_TOKEN, the home folder, the endpoint's address) is looked for as it is.

A password of one word, a key of fewer than 20 characters, names and addresses of people are not found.
"""

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from button.config import JsonObject, flattened
from button.publish.model_terms import public_host
from button.secrecy import is_secret_key

SHORTEST_LITERAL = 12  # characters: a shorter value may stand in a row by chance
SHORTEST_RANDOM = 20  # characters
BITS = 3.5  # of entropy a character, which words and codes in one alphabet stay under


class Pattern(NamedTuple):
    """A form of secrets. A text without all of `hints` cannot hold one, which is quick to see."""

    kind: str
    hints: tuple[str, ...]
    form: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret at `where` (dotted, in a value), of which `shown` gives no more than the beginning."""

    where: str
    kind: str
    shown: str


def _pattern(kind: str, form: str, *hints: str) -> Pattern:
    return Pattern(kind, hints, re.compile(rf"(?<![A-Za-z0-9]){form}"))


_AWS_REST = r"[A-Z0-9]{16}(?![A-Z0-9])"
_ROOT = "root"
_NOBODY = "(?!(?:user|username|you|me|name)/)"  # in a path of an example
PATTERNS = (
    _pattern("Hugging Face token", r"hf_[A-Za-z0-9]{30,}", "hf_"),
    _pattern("Hugging Face token", r"api_org_[A-Za-z0-9]{30,}", "api_org_"),
    _pattern("OpenAI or Anthropic key", r"sk-(?=[\w-]*\w{16})(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}", "sk-"),
    _pattern("AWS access key", f"AKIA{_AWS_REST}", "AKIA"),
    _pattern("AWS access key", f"ASIA{_AWS_REST}", "ASIA"),
    _pattern("GitHub token", r"gh[pousr]_[A-Za-z0-9]{36,}", "gh", "_"),
    _pattern("GitHub token", r"github_pat_\w{22,}", "github_pat_"),
    _pattern("GitLab token", r"glpat-[\w-]{20,}", "glpat-"),
    _pattern("Slack token", r"xox[abeoprs]-[\w-]{10,}", "xox"),
    _pattern("Slack webhook", r"hooks\.slack\.com/services/\w+/\w+/\w+", "hooks.slack.com"),
    _pattern("Google key", r"AIza[\w-]{35}", "AIza"),
    _pattern("Google token", r"ya29\.[\w-]{20,}", "ya29."),
    _pattern("Stripe key", r"[sr]k_live_[A-Za-z0-9]{16,}", "k_live_"),
    _pattern("npm token", r"npm_[A-Za-z0-9]{36}", "npm_"),
    _pattern("SendGrid key", r"SG\.[\w-]{22}\.[\w-]{43}", "SG."),
    _pattern("JSON Web Token", r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}", "eyJ"),
    Pattern("private key", ("PRIVATE KEY",), re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")),
    _pattern("bearer token", r"[Bb]earer +(?=[\w.~+/-]*\d)[\w.~+/-]{20,}=*", "earer "),
    _pattern("URL with a password", r"[A-Za-z][\w+.-]*://[^\s/:@]+:[^\s/@]+@[^\s/]+", "://", "@"),
    *(
        Pattern("local path", (f"/{homes}/",), re.compile(rf"(?<![\w./:])/{homes}/{_NOBODY}[\w.-]+/\S+"))
        for homes in ("home", "Users")
    ),
    Pattern("local path", (f"/{_ROOT}/",), re.compile(rf"(?<![\w./:])/{_ROOT}/\S+")),
    Pattern(
        "local path", (":\\Users\\",), re.compile(r"[A-Za-z]:\\Users\\(?!(?:user|username|Public)\\)[^\\\s]+\\\S+")
    ),
)
_A_NAME = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)
_NAMED = re.compile(rf"""(?:{_A_NAME.pattern})[\w-]*["']?\s*[:=]\s*["']?(?P<value>[\w+/.~=-]{{20,}})""", re.IGNORECASE)
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX = re.compile(r"(?i)(?:0x|sha\d+[:-])?[0-9a-f]+")


class SecretPatterns:
    """Finds secrets in JSON values. `literals` maps what is known to be secret to the name of its kind."""

    def __init__(self, literals: Mapping[str, str] | None = None) -> None:
        self._literals = dict(literals or {})

    def in_value(self, value: Any, where: str = "") -> list[Finding]:
        """Everything found in the strings of a JSON value, keys included."""
        texts = list(_texts(value, where))
        together = "\n".join(text for _, text in texts)
        # Most rows hold no hint of anything, which one look at all their text tells.
        literals = [item for item in self._literals.items() if item[0] in together]
        patterns = [pattern for pattern in PATTERNS if all(hint in together for hint in pattern.hints)]
        return [found for place, text in texts for found in _found(place, text, literals, patterns)]


def _found(
    where: str, text: str, literals: Iterable[tuple[str, str]], patterns: Iterable[Pattern]
) -> Iterator[Finding]:
    for literal, kind in literals:
        if literal in text:
            yield Finding(where, kind, "***")
    for pattern in patterns:
        yield from (Finding(where, pattern.kind, _masked(match[0])) for match in pattern.form.finditer(text))
    if len(text) < SHORTEST_RANDOM:
        return
    if is_secret_key(where) and drawn_by_lot(text):
        yield Finding(where, f"secret under '{where.rpartition('.')[2]}'", _masked(text))
    if ("=" in text or ":" in text) and _A_NAME.search(text):
        for match in _NAMED.finditer(text):
            if drawn_by_lot(match["value"]):
                yield Finding(where, "secret behind its name", _masked(match["value"]))


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """The strings in a JSON value, with where they stand."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            below = f"{where}.{key}" if where else str(key)
            yield f"{below} (the key)", str(key)
            yield from _texts(part, below)
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _texts(part, f"{where}[{index}]")


def drawn_by_lot(value: str) -> bool:
    """Whether a value of a secret's name looks random: no UUID, hash or address, no words, no code of one alphabet."""
    if (
        len(value) < SHORTEST_RANDOM
        or any(char.isspace() for char in value)
        or _UUID.search(value)
        or _HEX.fullmatch(value)
    ):
        return False
    longest = max(map(len, re.split(r"[^A-Za-z0-9]", value)))
    kinds = sum(any(test(char) for char in value) for test in (str.isdigit, str.islower, str.isupper))
    mixed = kinds == 3 or (kinds == 2 and len(value) >= 32)
    return mixed and longest >= 16 and _entropy(value) >= BITS


def known_here(config: JsonObject, run: Path) -> dict[str, str]:
    """What this machine knows to be secret, for `SecretPatterns`: tokens, the run's addresses and folder, the home."""
    found = {value: f"value of {name}" for name, value in os.environ.items() if is_secret_key(name)}
    for key, value in flattened(config).items():
        if key.endswith(("api_base", "tracking.uri")) and isinstance(value, str) and not public_host(value):
            found[urlsplit(value).netloc.rpartition("@")[2]] = f"address of {key}"
    found[str(run.resolve())] = "local path"
    found[str(Path.home())] = "local path"
    return {value: kind for value, kind in found.items() if len(value) >= SHORTEST_LITERAL or kind == "local path"}


def _entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def _masked(secret: str) -> str:
    kept = re.match(r"-----BEGIN [A-Z0-9 ]*|/(?:home|Users|root)/|\w{1,4}", secret)
    return f"{kept[0] if kept else ''}***"
