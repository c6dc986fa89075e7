"""Written coordinates to latitude and longitude, with what is wrong with them.

Belongs here: numbers, projections, placeholders, too few decimals. Not here: cells (hexgrid), and which fault
rejects a row (`validation`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from hotspot_assets.intake.formats import Format

Extent = tuple[float, float, float, float]

EARTH: Extent = (-90.0, -180.0, 90.0, 180.0)

_SNAPPED, _AREA = "snapped", "area"
_COARSENESS = {"point": 0, "snapped": 1, "area": 2}


def with_places(rows: pl.DataFrame, kind: Format, extent: Extent | None) -> pl.DataFrame:
    """Add `latitude`, `longitude` (null where there is no usable place) and the faults, all Boolean.

    `no_number`: not both are numbers; `zero`: 0,0; `swapped`: in each other's column; `outside`: off the
    extent or the Earth. `decimals_precision`: what the number of decimals can support, or null.
    """
    projected = "easting" in rows.columns and rows["easting"].null_count() < rows.height
    first, second = ("northing", "easting") if projected else ("latitude", "longitude")
    written = pl.col(first).is_not_null() | pl.col(second).is_not_null()
    numbers = rows.with_columns(
        written=written,
        a=pl.col(first).cast(pl.Float64, strict=False),
        b=pl.col(second).cast(pl.Float64, strict=False),
    )
    placeholder = _is_one_of(kind.unplaced_at)
    numbers = numbers.with_columns(written=pl.col("written") & ~placeholder).with_columns(
        no_number=pl.col("written") & ~(pl.col("a").is_finite() & pl.col("b").is_finite()).fill_null(False),
        zero=pl.col("written") & _is_one_of([(0.0, 0.0)]),
        decimals_precision=_supported(projected),
    )
    usable = pl.col("written") & ~pl.col("no_number") & ~pl.col("zero")
    numbers = numbers.with_columns(a=pl.when(usable).then("a"), b=pl.when(usable).then("b"))
    latitude, longitude = _degrees(numbers["a"], numbers["b"], kind.crs if projected else None)
    return _with_faults(
        numbers.with_columns(latitude=latitude, longitude=longitude), kind.crs if projected else None, extent
    )


def coarser(stated: str, supported: str) -> pl.Expr:
    """The coarser of two precisions; a null one says nothing."""
    rank = [pl.col(name).replace_strict(_COARSENESS, default=0) for name in (stated, supported)]
    return pl.when(rank[1] > rank[0]).then(pl.col(supported)).otherwise(pl.col(stated))


def _is_one_of(places: Sequence[tuple[float, float]]) -> pl.Expr:
    """Whether `a`, `b` is one of the places, to a millionth."""
    near = [((pl.col("a") - a).abs() < 1e-6) & ((pl.col("b") - b).abs() < 1e-6) for a, b in places]
    return pl.any_horizontal(near).fill_null(False) if near else pl.lit(False)


def _supported(projected: bool) -> pl.Expr:
    """What the decimals allow: snapped where both coordinates are whole hundreds of metres or thousandths of
    a degree, area where they are ten times as coarse. A point looks so by chance once in a million times.
    """
    fine, coarse = (100.0, 1000.0) if projected else (1e-3, 1e-2)

    def whole(unit: float) -> pl.Expr:
        return pl.all_horizontal(
            ((pl.col(n) / unit) - (pl.col(n) / unit).round()).abs() < 1e-6 for n in ("a", "b")
        )

    return pl.when(whole(coarse)).then(pl.lit(_AREA)).when(whole(fine)).then(pl.lit(_SNAPPED))


def _degrees(a: pl.Series, b: pl.Series, crs: str | None) -> tuple[pl.Series, pl.Series]:
    """Latitude and longitude of northing and easting; nulls, and what no projection reaches, as null."""
    if crs is None or a.null_count() == a.len():
        return a, b
    from pyproj import Transformer

    transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    longitude, latitude = transformer.transform(
        b.fill_null(np.nan).to_numpy(), a.fill_null(np.nan).to_numpy()
    )
    places = pl.DataFrame({"latitude": np.asarray(latitude), "longitude": np.asarray(longitude)}).select(
        pl.when(pl.all_horizontal(pl.all().is_finite())).then(pl.all().round(7))
    )
    return places["latitude"], places["longitude"]


def _with_faults(numbers: pl.DataFrame, crs: str | None, extent: Extent | None) -> pl.DataFrame:
    usable = pl.col("written") & ~pl.col("no_number") & ~pl.col("zero")
    outside = ~inside("latitude", "longitude", extent)
    if crs is not None:
        # Degrees among metres would lie at the projection's origin, which may well be in the extent.
        outside |= (pl.col("a").abs() <= 180) & (pl.col("b").abs() <= 180)
    numbers = numbers.with_columns(outside=usable & outside)
    exchanged = numbers.select(
        a=pl.when("outside").then("b"),
        b=pl.when("outside").then("a"),
    )
    latitude, longitude = _degrees(exchanged["a"], exchanged["b"], crs)
    fits = pl.DataFrame({"latitude": latitude, "longitude": longitude}).select(
        inside("latitude", "longitude", extent)
    )
    swapped = pl.Series(fits.to_series()) & numbers["outside"]
    if extent is None and crs is not None:  # without an extent anything on Earth fits
        swapped = pl.repeat(False, numbers.height, eager=True)
    return numbers.with_columns(swapped=swapped)


def inside(latitude: str, longitude: str, extent: Extent | None) -> pl.Expr:
    """Whether a place lies in the extent; false where there is none."""
    south, west, north, east = extent or EARTH
    within = pl.col(latitude).is_between(south, north) & pl.col(longitude).is_between(west, east)
    return within.fill_null(False)
