"""The pictures of a trial: SVG for its report, PNG for the UI.

Belongs here: drawing tables of `results`. Not here: computing anything. The same tables give the same
bytes: no dates, no random ids. Colours are told apart by people with any colour vision (Okabe & Ito), and
never stand alone: each model also has its marker.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal, TypeAlias

import polars as pl

from hotspot_assets.trial.results import TrialResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Form: TypeAlias = Literal["svg", "png"]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31", "#7F7F7F")
_MARKERS = "osD^vPX*<"
_VERDICT_COLOURS = {"better": "#009E73", "worse": "#D55E00"}
_INK, _SOFT = "#1b1f24", "#8c959f"


def _panels(groups: list[str], height: float) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    columns = min(3, len(groups))
    lines = -(-len(groups) // columns)
    figure = Figure(figsize=(3.6 * columns, height * lines + 0.5), layout="constrained")
    axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    for spare in axes[len(groups) :]:
        spare.set_axis_off()
    for axis, group in zip(axes, groups, strict=False):
        axis.set_title(group.replace("_", " "), fontsize=10, loc="left", color=_INK)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8, colors=_INK)
        axis.grid(axis="y", color="#e6e9ec", linewidth=0.8)
    return figure, axes


def _drawn(figure: Figure, form: Form) -> bytes:
    from matplotlib import rc_context

    target = BytesIO()
    with rc_context({"svg.hashsalt": "trial", "svg.fonttype": "path"}):
        if form == "svg":
            figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
        else:
            figure.savefig(target, format="png", dpi=80, metadata={"Software": None})
    return target.getvalue()


def hit_rate_curves(results: TrialResults, form: Form = "svg") -> bytes:
    """Hit rate by flagged share of the area, one panel for each offence group, one line for each model."""
    figure, axes = _panels(results.groups, 2.7)
    for axis, group in zip(axes, results.groups, strict=False):
        for k, model in reversed(list(enumerate(results.models))):
            rows = results.pooled.filter((pl.col("model") == model) & (pl.col("offence_group") == group))
            axis.plot(
                100 * rows["coverage"].to_numpy(),
                100 * rows["hit_rate"].to_numpy(),
                label=model,
                color=_COLOURS[k % len(_COLOURS)],
                marker=_MARKERS[k % len(_MARKERS)],
                markersize=5 if k == 0 else 3.5,
                linewidth=2.4 if k == 0 else 1.0,
            )
        axis.set_xscale("log")
        shares = [100 * share for share in results.pooled["coverage"].unique().sort()]
        axis.set_xticks(shares, [f"{share:g}" for share in shares])
        axis.minorticks_off()
        axis.set_xlabel("flagged, % of area", fontsize=8)
        axis.set_ylabel("caught, % of incidents", fontsize=8)
        axis.set_ylim(bottom=0)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower center", ncols=5, fontsize=8, frameon=False)
    return _drawn(figure, form)


def difference_intervals(results: TrialResults, form: Form = "svg") -> bytes:
    """The default's hit rate minus each other model's at the main coverage, with 95 % intervals."""
    others = results.models[1:]
    figure, axes = _panels(results.groups, 0.6 + 0.24 * len(others))
    for axis, group in zip(axes, results.groups, strict=False):
        axis.axvline(0, color=_SOFT, linewidth=1)
        for row in results.main.filter(pl.col("offence_group") == group).iter_rows(named=True):
            place, colour = others.index(row["against"]), _VERDICT_COLOURS.get(row["verdict"], _INK)
            if row["difference_low"] is not None:
                ends = [100 * row["difference_low"], 100 * row["difference_high"]]
                axis.plot(ends, [place, place], color=colour, linewidth=1.8)
            filled = colour if row["verdict"] in _VERDICT_COLOURS else "white"
            axis.plot(100 * row["difference"], place, "o", color=colour, markerfacecolor=filled, markersize=5)
        axis.set_yticks(range(len(others)), others, fontsize=8)
        axis.set_ylim(max(len(others), 1) - 0.5, -0.5)
        axis.grid(axis="y", visible=False)
        axis.set_xlabel("points of hit rate", fontsize=8)
    return _drawn(figure, form)


def calibration_curves(results: TrialResults, calibration: pl.DataFrame, form: Form = "svg") -> bytes:
    """Expected and realised share of incidents by decile of area, for the default model."""
    figure, axes = _panels(results.groups, 2.2)
    for axis, group in zip(axes, results.groups, strict=False):
        rows = calibration.filter(
            (pl.col("model") == results.default_model) & (pl.col("offence_group") == group)
        )
        for name, colour, marker in (("expected", _COLOURS[0], "o"), ("realised", _COLOURS[1], "s")):
            shares = 100 * rows[f"{name}_share"].to_numpy()
            axis.plot(
                rows["decile"].to_numpy(),
                shares,
                label=name,
                color=colour,
                marker=marker,
                markersize=4,
                linewidth=1.2,
            )
        axis.set_xticks(range(1, 11))
        axis.set_xlabel("tenth of the area, highest scores first", fontsize=8)
        axis.set_ylabel("% of incidents", fontsize=8)
        axis.set_ylim(bottom=0)
    axes[0].legend(fontsize=8, frameon=False)
    return _drawn(figure, form)
