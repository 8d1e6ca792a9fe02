"""Hydra's command line made plain: what users type, and what Hydra says of it when it does not fit."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from button.config import ROLES
from button.errors import UserError
from button.secrecy import is_secret_key, shown

# A component's YAML holds only what differs from its constructor's defaults, so all its other arguments are new keys
# to Hydra. `++` lets them be set; the constructor refuses those that it does not take, and says which it does.
_COMPONENT_KEY = re.compile(
    r"(?:lm|seeds|export|optimizer|metric|flaws|weakness|(?:lms|steps|metrics)\.[\w-]+)\.[\w.-]+="
)
# An arm of a comparison is a list of a command line's words, which Hydra's grammar takes only in quotes.
_ARM = re.compile(r"(arms\.[\w-]+)=(.*)", re.DOTALL)
_KEY = re.compile(r"(?:\+\+?)?([\w./@-]+)=")
_NOT_A_KEY = re.compile(r"Could not (?:override|delete|delete from config)[:.]? '([^']+)'")
_HOME = re.compile(r"(?<=[\w]=)~(?=/)")
_VALUED_FLAGS = {"--cfg", "-c", "--package", "-p", "--config-dir", "-cd"}
_INFO_FLAGS = {"--info", "-i"}  # their value may be left out


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The flags, each with its value behind it, and the overrides, both in their order."""

    flags: tuple[str, ...]
    overrides: tuple[str, ...]


def parted(words: Sequence[str]) -> CommandLine:
    """The words of a command line, flags and overrides apart."""
    flags: list[str] = []
    overrides: list[str] = []
    before = ""
    for word in words:
        is_value = before in _VALUED_FLAGS or (before in _INFO_FLAGS and "=" not in word)
        (flags if is_value or word.startswith("-") else overrides).append(word)
        before = "" if is_value else word
    return CommandLine(tuple(flags), tuple(overrides))


def prepared(words: Sequence[str]) -> list[str]:
    """The words of a command line, as Hydra must see them: its parser takes no flag between two overrides.

    Raises UserError for a key, which has no place there.
    """
    for word in words:
        key = _KEY.match(word)
        if key is not None and is_secret_key(key[1]):
            raise UserError(
                f"{key[1]} is not taken from the command line, where others may read it: keys come from the environment"
                " only; put it into a variable and name that with lm.api_key_env=NAME"
            )
    line = parted([_HOME.sub(str(Path.home()), word, count=1) for word in words])
    return [*line.flags, *map(_for_hydra, line.overrides)]


def _for_hydra(word: str) -> str:
    arm = _ARM.fullmatch(word)
    if arm is not None:
        return f"++{arm[1]}={_quoted(arm[2])}"
    return f"++{word}" if _COMPONENT_KEY.match(word) else word


def _quoted(value: str) -> str:
    """`[a=b,~c]` as `['a=b','~c']`, and `a=b` as a list of one; what is quoted, or no list of words, stays as it is."""
    if not value.startswith("["):
        return f"['{value}']" if re.match(r"~|[^\s'\"]+=", value) and "'" not in value else value
    words, depth = [""], 0
    for char in value[1:-1] if value.endswith("]") else value:
        depth += (char in "[{") - (char in "]}")
        if depth < 0 or char in "'\"\\":
            return value  # a sweep over two lists, or quoted already
        if char == "," and not depth:
            words.append("")
        else:
            words[-1] += char
    return "[" + ",".join(f"'{word.strip()}'" for word in words if word.strip()) + "]"


def sweep_name(words: Sequence[str], job: Sequence[str], number: int) -> str | None:
    """The sub-folder of one job of a multirun: what sets it apart, as in `n-2+seed-1`; None where `out` does itself.

    `words` is the command line with its sweeps, `job` the overrides of the job with this `number`. The name can be
    given as a part of an override, which `=` and `,` could not.
    """
    parsed = OverridesParser.create().parse_overrides(list(parted(words).overrides))
    if any(override.key_or_group == "out" and (override.is_sweep_override() or "${" in str(override.value()))
           for override in parsed):  # fmt: skip
        return None
    swept = {override.get_key_element() for override in parsed if override.is_sweep_override()}
    apart = [word.lstrip("+") for word in job if word.partition("=")[0] in swept]
    name = re.sub(r"[^\w.@+-]", "_", "+".join(word.replace("=", "-", 1) for word in apart))
    return f"{number}-{name[:100]}" if len(name) > 100 else name or str(number)


def hydra_refusal(error: Exception, words: Sequence[str], conf: Path, verb: str) -> str:
    """One clear message for what Hydra or OmegaConf raised while it composed the config."""
    text = str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, option = error.missing_cfg_file.rpartition("/")
        options = ", ".join(error.options or ()) or "nothing"
        return f"{_typed(words, group, option)}: there is no such option; {group or verb} can be: {options}"
    if isinstance(error, OverrideParseException):
        first = _first_line(error)
        empty = "Exception" in first or first.startswith("Error parsing override")  # says that, but not why
        said = "" if empty else f": {first}"
        return (
            f"{str(shown(error.override)).lstrip('+')!r} is not understood{said}; write key=value, and quote a value"
            " that holds special characters: 'key=\"a, b\"'"
        )
    if isinstance(error, MissingMandatoryValue):
        key = error.full_key or text.rpartition(" ")[2]
        return f"{key} is required: give it as {key}=..."
    if unknown := _NOT_A_KEY.match(text):
        said = _unknown_key(unknown[1], words, conf, verb)
        addable = "@" in unknown[1] and not text.startswith("Could not delete")
        return f"{said}; a new one is added with +{unknown[1]}=..." if addable else said
    if "Config group override must be" in text:
        return f"{' '.join(words)}: a group takes the name of one of its options, not null, a number or true"
    if "Ambiguous value" in text:
        return f"{_first_line(error)}: to run one job a value add -m; a list is written key=[a,b], a text key='\"a,b\"'"
    return _first_line(error)


def _unknown_key(key: str, words: Sequence[str], conf: Path, verb: str) -> str:
    """What to say of a key, or of `group@key`, that is not in the config."""
    place = key.rpartition("@")[2]
    above, _, last = place.rpartition(".")
    siblings = list(ROLES) if above == "lms" else _keys(conf, verb, above)
    alike = difflib.get_close_matches(last, siblings, 1)
    prefix = f"{above}." if above else ""
    meant = f"; did you mean {prefix}{alike[0]}?" if alike else ""
    known = f"; the keys {'of ' + above if above else 'here'} are: {', '.join(siblings)}" if siblings else ""
    return f"{_typed(words, key, '')}: there is no {place} here{meant}{known}"


def _keys(conf: Path, verb: str, above: str) -> list[str]:
    """The keys below `above` in a verb's config as it comes."""
    try:
        with initialize_config_dir(str(conf), version_base="1.3"):
            node = compose(verb)
        return [str(name) for name in (OmegaConf.select(node, above) if above else node)]
    except (HydraException, OmegaConfBaseException, TypeError):
        return []  # `above` is no mapping: the message is as good without


def _typed(words: Sequence[str], key: str, value: str) -> str:
    """What the user typed for `key`, or as much of it as is known."""
    parts = [(word, *word.lstrip("+~").split("=", 1), "") for word in words]
    exact = [word for word, head, tail, *_ in parts if tail == value and key in (head, head.partition("@")[0])]
    loose = [word for word, head, *_ in parts if head == key]
    typed = next(iter([*exact, *loose]), f"{key}={value}" if value else key)
    return str(shown(typed.lstrip("+")))


def _first_line(error: Exception) -> str:
    """The first sentence of a message of Hydra's; its later lines point to its own manual."""
    return str(shown(" ".join(str(error).strip().splitlines()[:1]))).rstrip(".") or type(error).__name__


def plain(config: DictConfig) -> dict[str, object]:
    """The config as plain Python, interpolations resolved. Raises UserError for a value that is still missing."""
    try:
        found = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        raise UserError(f"{error.full_key} is required: give it as {error.full_key}=...") from error
    except OmegaConfBaseException as error:
        raise UserError(f"{error.full_key or 'the config'}: {_first_line(error)}") from error
    if not isinstance(found, dict):
        raise UserError("the config is a list; a primary config should be a mapping")
    return {str(key): value for key, value in found.items()}
