"""A comparison as one figure: a panel a measure, a line an arm, each difference with its interval."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.comparing.differences import Difference
from experiments.comparing.measures import DROPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
MOST_DROPS = 6  # panels of drop reasons: those that differ most
CLEAR, UNCLEAR = "#1f4e79", "#9a9a9a"


def draw(found: Sequence[Difference], path: Path, *, seeds: int, confidence: float) -> None:
    """Writes the PNG."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    arms = list(dict.fromkeys(one.arm for one in found))
    names = _panels(found)
    rows = max(math.ceil(len(names) / COLUMNS), 1)
    height = 0.75 + 0.28 * len(arms)
    figure = Figure(figsize=(4.0 * COLUMNS, height * rows + 0.9), layout=ConstrainedLayoutEngine(hspace=0.08))
    panels = figure.subplots(rows, COLUMNS, squeeze=False, sharey=True).ravel()
    for name, panel in zip(names, panels, strict=False):
        _panel(panel, [one for one in found if one.measure == name], arms)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    figure.suptitle(
        f"Differences from {found[0].base} on the same {seeds} seeds, {confidence:.0%} bootstrap intervals\n"
        "(blue: the interval excludes 0, and enough seeds differ)",
        fontsize=11,
    )
    figure.savefig(path, dpi=130)


def _panels(found: Sequence[Difference]) -> list[str]:
    """The measures in which any arm differs; of the drop reasons those that differ most."""
    largest: dict[str, float] = {}
    for one in found:
        size = abs(one.difference) if math.isfinite(one.difference) else 0.0
        largest[one.measure] = max(largest.get(one.measure, 0.0), size)
    names = [name for name, size in largest.items() if size]
    drops = sorted((name for name in names if name.startswith(DROPS)), key=lambda name: -largest[name])
    return [name for name in names if not name.startswith(DROPS)] + drops[:MOST_DROPS]


def _panel(panel: "Axes", found: Sequence[Difference], arms: Sequence[str]) -> None:
    panel.axvline(0, color="#444444", linewidth=0.8)
    for one in found:
        if not math.isfinite(one.difference):
            continue
        line = arms.index(one.arm)
        color = CLEAR if one.clear else UNCLEAR
        if one.interval is not None:
            panel.plot((one.interval.low, one.interval.high), (line, line), color=color, linewidth=2)
        panel.plot(one.difference, line, "o", color=color, markersize=5)
    panel.set_title(found[0].label, fontsize=9)
    panel.set_yticks(range(len(arms)), arms, fontsize=8)
    panel.set_ylim(len(arms) - 0.4, -0.6)
    panel.tick_params(axis="x", labelsize=8)
    panel.margins(x=0.12)
    panel.grid(axis="x", linewidth=0.3)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
