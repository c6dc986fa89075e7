"""Union: the ground that all offence groups together ask of a unit, and its cap.

Belongs here: how much of a unit its areas cover over every offence group, and what to leave out when that is
too much; one cell a unit may always take. Not here: the budget of one offence group (`budgets`). Each group's
areas may look modest while their union takes in half a unit; then a list directs nobody.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from hotspot_assets.patrol.areas import with_ids
from hotspot_assets.patrol.ground import Ground

_KEY = ["forecast_date", "shift", "unit"]


def union_cover(areas: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """The union over offence groups: forecast_date, shift, unit, area_km2, unit_km2, share (of the unit)."""
    return (
        areas.select(*_KEY, "cells")
        .explode("cells")
        .unique()
        .join(_sizes(ground), left_on="cells", right_on="cell")
        .group_by(_KEY)
        .agg(area_km2=pl.col("cell_km2").sort().sum())
        .join(pl.DataFrame({"unit": ground.units, "unit_km2": ground.unit_km2}), on="unit")
        .with_columns(share=pl.col("area_km2") / pl.col("unit_km2"))
        .sort(_KEY)
    )


def over_cap(areas: pl.DataFrame, ground: Ground, cap_share: float) -> pl.DataFrame:
    """Rows of `union_cover` above the cap; empty: all is well."""
    return union_cover(areas, ground).filter(
        (pl.col("share") > cap_share) & (pl.col("area_km2") > ground.one_cell_km2)
    )


def within_cap(areas: pl.DataFrame, ground: Ground, cap_share: float) -> pl.DataFrame:
    """The areas, without those for which a unit's cap leaves no room.

    Areas are let in by their share of their own offence group, highest first; ground that is already covered
    costs nothing. Ranks run from 1 again, and ids follow them.
    """
    sizes = dict(_sizes(ground).iter_rows())
    caps = np.maximum(ground.unit_km2 * cap_share, ground.one_cell_km2)
    limits = dict(zip(ground.units, caps.tolist(), strict=True))
    ordered = areas.with_row_index("row").sort(*_KEY, pl.col("share") * -1, "offence_group", "rank")
    kept: list[int] = []
    for (*_, unit), rows in ordered.group_by(_KEY, maintain_order=True):
        covered: set[int] = set()
        room = limits[str(unit)] - 1e-12
        for row, cells in zip(rows["row"], rows["cells"].to_list(), strict=True):
            more = sum(sizes[cell] for cell in sorted(set(cells) - covered))
            if more <= room:
                room -= more
                covered.update(cells)
                kept.append(row)
    again = pl.col("rank").rank("ordinal").over([*_KEY, "offence_group"]).cast(pl.Int32)
    left = areas.with_row_index("row").filter(pl.col("row").is_in(kept)).drop("row")
    return with_ids(left.with_columns(rank=again))


def _sizes(ground: Ground) -> pl.DataFrame:
    return pl.DataFrame({"cell": ground.area.cells, "cell_km2": ground.area.area_km2})
