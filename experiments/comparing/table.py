"""A comparison as a table: on the terminal, as CSV, and as JSON with everything in it."""

import csv
import io
import math
from collections.abc import Iterable, Sequence

import orjson
from rich.table import Table

from button.config import JsonObject
from experiments.comparing.differences import Difference
from experiments.comparing.measures import DROPS
from experiments.comparing.walks import Walk

COLUMNS = (
    "arm", "base", "measure", "label", "base_value", "arm_value", "difference", "low", "high", "pairs", "differing",
    "clear",
)  # fmt: skip
SHOWN_DROPS = 5  # an arm, on the terminal


def terminal_table(found: Sequence[Difference], confidence: float) -> Table:
    """A section an arm, a row a measure; of the drops the largest differences. A star marks what is clear."""
    base = found[0].base
    table = Table(
        box=None,
        pad_edge=False,
        header_style="dim",
        title=f"Each arm less {base}, with {confidence:.0%} bootstrap intervals over the seeds",
        title_justify="left",
        caption="* the interval excludes 0, and enough seeds differ",
        caption_justify="left",
    )
    table.add_column("", overflow="fold")
    for heading in (base, "arm", "difference", "interval", "", "seeds"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    for arm in dict.fromkeys(one.arm for one in found):
        table.add_row("")
        table.add_row(arm, style="bold")
        for one in _worth_showing([one for one in found if one.arm == arm]):
            table.add_row(*_cells(one), style=None if one.clear else "dim")
    return table


def as_csv(found: Iterable[Difference]) -> str:
    """One row an arm and measure; an interval that is not known is empty."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for one in found:
        lines.writerow(_row(one)[column] for column in COLUMNS)
    return text.getvalue()


def as_json(found: Sequence[Difference], *, config: JsonObject, seeds: int) -> str:
    """The settings, the number of seeds, and every difference."""
    body = {"config": config, "seeds": seeds, "differences": [_row(one) for one in found]}
    return orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()


def seeds_csv(arms: dict[str, list[Walk]]) -> str:
    """One row a seed and arm: what it cost, what was accepted of it, and why rows were dropped."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("seed", "arm", "accepted", "lm_calls", "tokens", "cost", "dropped", "examples"))
    for arm, walks in arms.items():
        for walk in walks:
            drops = "; ".join(f"{step}/{reason} {times}" for (step, reason), times in sorted(walk.drops.items()))
            examples = " ".join(example.id for example in walk.accepted)
            accepted = len(walk.accepted)
            lines.writerow((walk.seed, arm, accepted, walk.lm_calls, walk.tokens, walk.cost, drops, examples))
    return text.getvalue()


def _worth_showing(found: Sequence[Difference]) -> list[Difference]:
    drops = sorted(
        (one for one in found if one.measure.startswith(DROPS) and one.difference),
        key=lambda one: -abs(one.difference),
    )
    return [one for one in found if not one.measure.startswith(DROPS)] + drops[:SHOWN_DROPS]


def _cells(one: Difference) -> tuple[str, ...]:
    interval = "-" if one.interval is None else f"[{_signed(one.interval.low)}, {_signed(one.interval.high)}]"
    values = (_plain(one.base_value), _plain(one.arm_value), _signed(one.difference))
    return (f"  {one.label}", *values, interval, "*" if one.clear else "", str(one.pairs))


def _row(one: Difference) -> dict[str, str | float | None]:
    low, high = (None, None) if one.interval is None else (one.interval.low, one.interval.high)
    return {
        "arm": one.arm,
        "base": one.base,
        "measure": one.measure,
        "label": one.label,
        "base_value": _known(one.base_value),
        "arm_value": _known(one.arm_value),
        "difference": _known(one.difference),
        "low": low,
        "high": high,
        "pairs": one.pairs,
        "differing": one.differing,
        "clear": one.clear,
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _plain(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _signed(value: float) -> str:
    text = _plain(value)
    return f"+{text}" if value > 0 and text not in {"-", "0"} else text
