"""The figures of a card: small PNG files whose bytes depend on the numbers and on matplotlib's release alone.

PNG rather than SVG, which the Hub does not show everywhere.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from button.funnel import Funnel
from button.publish.statistics import PAPER, Statistics

SHAPE = "figures/shape.png"
FUNNEL = "figures/funnel.png"
_BLUE, _GREY, _INK = "#3b6ea5", "#b9c0c7", "#333333"


def draw_figures(folder: Path, statistics: Statistics, funnel: Funnel) -> tuple[str, ...]:
    """Draws both figures below `folder`; gives their paths in it."""
    (folder / SHAPE).parent.mkdir(exist_ok=True)
    _draw_shape(folder / SHAPE, statistics)
    _draw_funnel(folder / FUNNEL, funnel)
    return SHAPE, FUNNEL


def _draw_shape(path: Path, statistics: Statistics) -> None:
    """Rows by calls, tool rounds and longest chain; a line at the paper's mean where there is one."""
    figure = _figure(8.4, 2.5)
    panels = {"calls": statistics.calls, "tool rounds": statistics.rounds, "longest chain of calls": statistics.chains}
    for number, (title, counted) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, 3, number)
        _bars(axes, counted)
        axes.set_ylabel("rows" if number == 1 else "", fontsize=8, color=_INK)
        axes.set_title(f"{title} a row", fontsize=9, color=_INK)
        if title == "tool rounds":
            axes.axvline(PAPER["rounds"], color=_INK, linewidth=1, linestyle="--")
            axes.annotate("the paper's mean", (PAPER["rounds"], 1), xycoords=("data", "axes fraction"), fontsize=7,
                          xytext=(3, -8), textcoords="offset points", color=_INK)  # fmt: skip
    _save(figure, path)


def _bars(axes: Any, counted: Counter[int]) -> None:
    values = list(range(min(counted, default=0), max(counted, default=0) + 1))
    axes.bar(values, [counted[value] for value in values], color=_BLUE, width=0.7)
    axes.set_xticks(values[:: 1 + len(values) // 12])
    axes.tick_params(labelsize=7, colors=_INK, length=2)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_funnel(path: Path, funnel: Funnel) -> None:
    """A bar a step: what left it, and what it dropped."""
    steps = list(reversed(funnel.steps.items()))
    figure = _figure(8.4, 0.6 + 0.26 * len(steps))
    axes = figure.add_subplot()
    names = [name for name, _ in steps]
    given = [count.given for _, count in steps]
    dropped = [count.dropped.total() for _, count in steps]
    axes.barh(names, given, color=_BLUE, height=0.62, label="went on")
    axes.barh(names, dropped, left=given, color=_GREY, height=0.62, label="dropped")
    for position, (kept, lost) in enumerate(zip(given, dropped, strict=True)):
        text = f" {kept:,}" + (f"  ({lost:,} dropped)" if lost else "")
        axes.text(kept + lost, position, text, va="center", fontsize=7, color=_INK)
    axes.margins(x=0.16, y=0.02)
    axes.set_xlim(left=0)
    axes.tick_params(labelsize=8, colors=_INK, length=0)
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    _save(figure, path)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure  # without pyplot: no global state, no window system

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    from matplotlib import rc_context

    with rc_context({"font.family": "DejaVu Sans"}):  # comes with matplotlib, so every machine draws the same
        figure.savefig(path, dpi=110, metadata={"Software": None})
