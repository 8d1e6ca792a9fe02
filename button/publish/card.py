"""The card of a published set, written from its run: what a careful reader asks, and nothing that must stay private.

Names of models and steps, prompts, counts and licences are all that leaves the config (`model_terms`, `prompts`): no
address, key, path or setting. The text is `card.md.jinja`; figures of the paper stand beside ours.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from button.export.render import render_text
from button.funnel import Funnel
from button.publish.finished_run import TracedExample
from button.publish.forms import FORMS
from button.publish.front_matter import assembled, merged, persons_part
from button.publish.licences import hub_name
from button.publish.model_terms import ModelUse
from button.publish.prompts import Prompts
from button.publish.statistics import PAPER, Statistics, mean, size_category

TEMPLATE = Path(__file__).with_name("card.md.jinja")
TAGS = ("function-calling", "tool-use", "multi-turn", "agent", "synthetic", "button-instruct")
SHOWN_DOMAINS = 12
_MARKUP = re.compile(r"[\\`*\[\]|<>]|(?<!\w)_|_(?!\w)")


@dataclass(frozen=True, slots=True)
class CardFacts:
    """All that a card tells. `files` maps each config to its splits with rows, `row` is the one that is shown."""

    repo: str
    title: str
    licence: str
    allowed: bool
    language: tuple[str, ...]
    authors: tuple[str, ...]
    year: int | None
    statistics: Statistics
    funnel: Funnel
    models: tuple[ModelUse, ...]
    prompts: Prompts
    row: TracedExample
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """The whole text of README.md, and the part of it that we wrote: YAML and body."""

    text: str
    generated: str


def write_card(facts: CardFacts, published: str | None) -> Card:
    """The card, with what a person added to the published one kept. Raises UserError where that cannot be read."""
    part = persons_part(published)
    data, body = metadata_of(facts), body_of(facts)
    text = assembled(merged(data, part.data), body, part)
    return Card(text, assembled(data, body, persons_part(None)))


def published_value(published: str | None, key: str) -> Any:
    """What the YAML of a published card says under `key`, or None."""
    return persons_part(published).data.get(key)


def metadata_of(facts: CardFacts) -> dict[str, Any]:
    """The YAML keys that are ours; one data file pattern a split, and none for a split without rows."""
    splits = list(splits_of(facts.statistics))
    configs = [
        {
            "config_name": form.name,
            "data_files": [{"split": split, "path": f"data/{form.name}/{split}-*"} for split in splits],
            **({"default": True} if form is FORMS[0] else {}),
        }
        for form in FORMS
    ]
    return {
        "license": facts.licence,
        "language": list(facts.language),
        "pretty_name": facts.title,
        "task_categories": ["text-generation"],
        "tags": list(TAGS),
        "size_categories": [size_category(facts.statistics.rows)],
        "configs": configs,
    }


def body_of(facts: CardFacts) -> str:
    """The text between the markers."""
    from jinja2 import Environment, StrictUndefined

    # Markdown, not HTML: what comes from data stands in code fences and table cells, which `fenced` and `cell` guard.
    environment = Environment(  # noqa: S701
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters |= {"cell": cell, "fenced": fenced, "mean": mean, "percent": percent, "hub_name": hub_name}
    statistics = facts.statistics
    splits = splits_of(statistics)
    named = [(name, rows) for name, rows in _by_count(statistics.domains) if name]
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        facts=facts,
        key=facts.repo.rpartition("/")[2],
        forms=FORMS,
        splits=splits,
        main=next(iter(splits)),
        row=render_text(facts.row.example, width=96),
        paper=PAPER,
        stats=statistics,
        strategies=_by_count(statistics.strategies),
        origins=_by_count(statistics.origins),
        domains=named[:SHOWN_DOMAINS],
        more_domains=len(named) - SHOWN_DOMAINS,
        seeds=sorted(statistics.seeds.items(), key=lambda item: (-item[1], item[0].source, item[0].licence or "")),
        cautions=[(model.name, model.caution) for model in facts.models if model.caution],
        judged=[prompt.signature for prompt in facts.prompts.known if prompt.role == "judge"],
        version=version("button-instruct"),
    )


def splits_of(statistics: Statistics) -> dict[str, int]:
    """The splits that have rows, in the usual order."""
    return {split: statistics.splits[split] for split in ("train", "validation", "test") if statistics.splits[split]}


def cell(value: object) -> str:
    """Text in a cell of a Markdown table, or in a line: it cannot end either, nor be taken for markup."""
    text = " ".join(str(value).split())
    return _MARKUP.sub(r"\\\g<0>", text)


def fenced(text: str, language: str = "text") -> str:
    """A code block that its content cannot end, and in which no marker of ours can stand."""
    fence = "```"
    while fence in text:
        fence += "`"
    text = text.replace("<!--", "<! --").rstrip()
    return f"{fence}{language}\n{text}\n{fence}"


def percent(share: float) -> str:
    """A share of 1 with a decimal; what is not all is never rounded up to it."""
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.1f} %"


def _by_count(counted: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))
