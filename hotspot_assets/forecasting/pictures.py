"""The two pictures of a learned kernel, as PNG: how influence decays, and who resembles whom.

Belongs here: drawing `learning.decay_curve` and `learning.similarity`. Not here: computing them. The same fit
gives the same bytes. Colours are told apart by people with any colour vision (Okabe & Ito), and every line
and every number is also named.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hotspot_assets.forecasting.fitting import FittedModel
from hotspot_assets.forecasting.learning import decay_curve, similarity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AGES_DAYS = np.unique(np.round(np.geomspace(1, 1460, 120)).astype(np.int64))
_TICKS_DAYS = {1: "1 day", 7: "1 week", 30: "1 month", 182: "6 months", 365: "1 year", 1460: "4 years"}
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
_STYLES = ("-", "--", "-.", ":")
_BACKGROUND = "(background)"


def has_pictures(fitted: FittedModel) -> bool:
    """Whether a fit is a mixture, which is what the pictures show."""
    return any(kernel.mixture for kernel in fitted.kernels.values())


def decay_picture(fitted: FittedModel) -> bytes:
    """Influence of an incident of the own offence group by its age, in its cell and around, per target."""
    from matplotlib.figure import Figure

    curves = decay_curve(fitted, _AGES_DAYS)
    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for axis, column, title in zip(
        axes, ("own_cell", "around"), ("in its own cell", "in the cells around"), strict=True
    ):
        for number, ((target,), rows) in enumerate(curves.group_by("target", maintain_order=True)):
            axis.plot(
                rows["age_days"],
                rows[column],
                label=_words(str(target)),
                color=_COLOURS[number % len(_COLOURS)],
                linestyle=_STYLES[number // len(_COLOURS) % len(_STYLES)],
            )
        axis.set_xscale("log")
        axis.set_xticks(list(_TICKS_DAYS), list(_TICKS_DAYS.values()), rotation=30, fontsize=8)
        axis.minorticks_off()
        axis.set_title(title, loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_ylim(bottom=0)
    axes[0].set_ylabel("influence, all at one day = 1", fontsize=8)
    axes[1].legend(fontsize=8, frameon=False)
    return _png(figure)


def similarity_picture(fitted: FittedModel) -> bytes:
    """Which share of a target's score comes from each source group, and from the background."""
    from matplotlib.figure import Figure

    table = similarity(fitted).with_columns(pl.col("source").fill_null(_BACKGROUND))
    shares = table.pivot("source", index="target", values="share").fill_null(0.0)
    targets = shares["target"].to_list()
    sources = [name for name in shares.columns[1:] if name != _BACKGROUND] + [_BACKGROUND]
    values = shares.select(sources).to_numpy()
    figure = Figure(figsize=(1.6 + 0.75 * len(sources), 1.4 + 0.45 * len(targets)), layout="constrained")
    axis = figure.subplots()
    axis.imshow(values, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    for row, column in np.ndindex(values.shape):
        ink = "white" if values[row, column] > 0.55 else "#1b1f24"
        axis.text(column, row, f"{values[row, column]:.2f}", ha="center", va="center", color=ink, fontsize=8)
    axis.set_xticks(
        range(len(sources)), [_words(name) for name in sources], rotation=40, ha="right", fontsize=8
    )
    axis.set_yticks(range(len(targets)), [_words(name) for name in targets], fontsize=8)
    axis.set_xlabel("comes from incidents of", fontsize=8)
    axis.set_ylabel("the score of", fontsize=8)
    return _png(figure)


def _words(group: str) -> str:
    return group.replace("_", " ")


def _png(figure: Figure) -> bytes:
    target = BytesIO()
    figure.savefig(target, format="png", dpi=80, metadata={"Software": None})
    return target.getvalue()
