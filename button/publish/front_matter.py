"""The YAML of a card, and the parts of a published one that a person wrote.

What this project writes stands between two markers, and is written anew at each publish; all text around it stays as
it is. A card without markers was written by hand: it stays whole, and ours comes after it. Of the YAML we set the
keys of `generated`, and leave all others; `license`, `language` and `pretty_name` are taken from the published card
where the settings say nothing else (`card.py`), so an edit on the Hub lasts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from huggingface_hub import DatasetCardData
from huggingface_hub.repocard import REGEX_YAML_BLOCK

from button.errors import UserError

BEGIN = "<!-- button:generated:begin (written anew at each publish: put your own text above or below) -->"
END = "<!-- button:generated:end -->"
_BEGIN, _END = "<!-- button:generated:begin", "<!-- button:generated:end"
_JOINED = ("tags", "task_categories")


@dataclass(frozen=True, slots=True)
class PersonsPart:
    """What a published card holds beside our part: its whole YAML, the text above and the text below."""

    data: Mapping[str, Any]
    above: str = "\n"
    below: str = "\n"


def persons_part(card: str | None) -> PersonsPart:
    """What is to be kept of a published card. Raises UserError for broken YAML or markers."""
    if card is None:
        return PersonsPart({})
    card = card.replace("\r\n", "\n").lstrip("\ufeff")
    found = REGEX_YAML_BLOCK.search(card)
    data = _parsed(found[2]) if found else {}
    body = card[found.end() :] if found else card
    begins, ends = body.count(_BEGIN), body.count(_END)
    if begins == ends == 0:
        return PersonsPart(data, f"\n{body.strip()}\n\n" if body.strip() else "\n")
    begin, end = body.find(_BEGIN), body.find(_END)
    if (begins, ends) != (1, 1) or end < begin:
        raise UserError(
            f"the published card has {begins} '{_BEGIN}' and {ends} '{_END}', in which the generated part is to be"
            " found; expected one of each, in this order: take the generated part out of README.md, and publish again"
        )
    _, _, below = body[end:].partition("-->")
    return PersonsPart(data, body[:begin], below)


def merged(generated: Mapping[str, Any], published: Mapping[str, Any]) -> dict[str, Any]:
    """The YAML of the card: ours first, then every key that a person added."""
    data = {**generated, **{key: value for key, value in published.items() if key not in generated}}
    for key in _JOINED:
        known, added = list(generated[key]), published.get(key)
        data[key] = known + [each for each in (added if isinstance(added, list) else []) if each not in known]
    ours = {config["config_name"] for config in generated["configs"]}
    configs = [c for c in _mappings(published.get("configs")) if c.get("config_name") not in ours]
    data["configs"] = [*generated["configs"], *configs]
    # An earlier set's columns and row counts would make readers refuse this one.
    described = [i for i in _mappings(published.get("dataset_info")) if i.get("config_name", "default") not in ours]
    data["dataset_info"] = described or None
    return {key: value for key, value in data.items() if value is not None}


def assembled(data: Mapping[str, Any], generated: str, part: PersonsPart) -> str:
    """The whole card."""
    header = DatasetCardData(**data).to_yaml(line_break="\n")
    return f"---\n{header}\n---\n{part.above}{BEGIN}\n{generated.strip()}\n{END}{part.below}"


def _parsed(text: str) -> dict[str, Any]:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(
            f"the YAML of the published card cannot be read: {error}; mend README.md on the Hub, and publish again"
        ) from error
    if data is not None and not isinstance(data, dict):
        raise UserError(f"the YAML of the published card is a {type(data).__name__}; expected keys and values")
    return data or {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a YAML value that may be one mapping, a list of them, or anything else."""
    found = value if isinstance(value, list) else [value]
    return [each for each in found if isinstance(each, Mapping)]
