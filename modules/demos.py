"""Hand-written demos, a few a signature, that a step starts with until an optimiser finds better ones."""

import functools
from pathlib import Path
from typing import Any

import dspy
import yaml

from modules.ask import Ask


def shipped(ask: Ask, count: int) -> Ask:
    """`ask` with the first `count` demos shipped for its signature."""
    signature = ask.predict.signature
    rows = _demos().get(signature.__name__, [])[:count]
    ask.predict.demos = [dspy.Example(**row).with_inputs(*(signature.input_fields.keys() & row.keys())) for row in rows]
    return ask


@functools.cache
def _demos() -> dict[str, list[dict[str, Any]]]:
    with Path(__file__).with_name("demos.yaml").open(encoding="utf-8") as file:
        return dict(yaml.safe_load(file))
