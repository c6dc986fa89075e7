"""The table of comparisons as a page, and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Comparison

_HEAD = """\
# Benchmarks

Written by `python -m benchmarks` (`make bench`) on the fictional city: do not edit. Works of one line run in turn in
the same run; a ratio is the median over the rounds of the ratio within a round, by the wall clock. Figures in
seconds depend on the machine; ratios mostly do not.

Last measured on: {machine}. Sizes: {sizes}.

| row | comparison | ratio | target | | figures | measured | command |
|---|---|---|---|---|---|---|---|
"""
_TAIL = """
Row a: how much longer the peer takes, both warm, in the mean of the runs of a fifth of a second. Rows b and c: how
much longer we take than the floor; the copy is made of the rows that the run before it wrote. One day: warm, in a
process that has made another day of its month, and beside it with what the days of a month share (clocks, study area,
model, incidents) read from the lake anew. Row e: the daily run
takes in nothing new, as on a morning without a delivery. Row f: 1 is linear. Row g: a layout's bytes by those of the
layout in use (ADR 0009). Row h: real incidents, of which the repository holds none: `HOTSPOT_HOME` names a home that
has taken them in, `HOTSPOT_SETTINGS` its profile.

![Ratios and their targets](ratios.png)
"""
_ASKED = {"h": "--year-of DATE"}
_MET = {True: "met", False: "MISSED", None: ""}


def page(comparisons: Sequence[Comparison], machine: str, sizes: str) -> str:
    """The page as Markdown."""
    lines = []
    for each in comparisons:
        said = "" if each.ratio is None else f"{each.ratio:,.2f}"
        cells = (each.row, each.what, said, each.target, _MET[each.met], each.facts, each.measured_on)
        lines.append(f"| {' | '.join(cells)} | `python -m benchmarks {_ASKED.get(each.row, each.row)}` |")
    head = _HEAD.format(machine=machine, sizes=sizes)
    return head + "\n".join(lines) + "\n" + _TAIL


def picture(comparisons: Sequence[Comparison], path: Path) -> None:
    """Each ratio as a bar, its target as a mark."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [each for each in comparisons if each.ratio is not None]
    figure = Figure(figsize=(9, 0.36 * len(shown) + 1.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    places = range(len(shown))
    axes.barh(places, [each.ratio or 0.0 for each in shown], color="#4477aa")
    for place, each in zip(places, shown, strict=True):
        if each.target:
            axes.plot([float(each.target.split()[1])] * 2, [place - 0.4, place + 0.4], color="#cc3311", lw=2)
    axes.set_yticks(places, [f"{each.row}  {each.what}" for each in shown], fontsize=8)
    axes.set_xscale("log")
    axes.set_xlabel("ratio (red: target)")
    axes.invert_yaxis()
    figure.savefig(path, dpi=110)
