"""Budgets: how much ground a unit can cover for one offence group in one shift.

Belongs here: the limits an operator sets and what they come to for a unit. Not here: choosing the cells
within them (`areas`), and the cap on the union over offence groups (`union`).
"""

from __future__ import annotations

from dataclasses import dataclass

from hotspot_assets.errors import UserError

VISIT_MINUTES = 15
"""Length of one patrol visit: returns grow up to about 15 minutes (Koper 1995); a parameter, not a law."""


class BudgetError(UserError):
    """A budget that no patrol area could meet."""


@dataclass(frozen=True)
class Budget:
    """Limits per unit, offence group and shift. Give `km2` or `share`; of both the smaller holds.

    Attributes
    ----------
    km2
        Total area of the unit's patrol areas.
    share
        The same as a share of the unit's own area, in (0, 1].
    areas
        At most so many areas.
    max_radius_m
        An area has a cell, its anchor, from whose centre no centre of its cells lies further.
    min_separation_m
        Least distance between the cell centres of two areas; 0 lets areas touch.
    officer_minutes
        Minutes of patrol to hand out; each area needs `visits` visits of `VISIT_MINUTES`, so minutes limit
        the number of areas. They do not limit km2: how much street lies in one is not known here.
    visits
        Visits per area and shift.
    pooled
        One budget for the whole study area, spent where most is expected; units then only bound and name
        the areas. Without it each unit has its own budget.
    """

    km2: float | None = None
    share: float | None = None
    areas: int = 5
    max_radius_m: float = 400.0
    min_separation_m: float = 0.0
    officer_minutes: int | None = None
    visits: int = 2
    pooled: bool = False

    def __post_init__(self) -> None:
        if self.km2 is None and self.share is None:
            raise BudgetError("A budget needs km2 or a share of the unit; neither was given.")
        if self.km2 is not None and not self.km2 > 0:
            raise BudgetError(f"A budget of {self.km2} km2 holds no cell; give a positive area.")
        if self.share is not None and not 0 < self.share <= 1:
            raise BudgetError(f"A budget share of {self.share} is not in (0, 1]; 0.01 means one per cent.")
        if self.areas < 1 or self.visits < 1:
            raise BudgetError("A budget needs at least one area and one visit.")
        if not self.max_radius_m > 0 or self.min_separation_m < 0:
            raise BudgetError("A radius must be positive, and a separation zero or more metres.")
        if self.officer_minutes is not None and self.most_areas < 1:
            raise BudgetError(
                f"{self.officer_minutes} officer minutes are too few for {self.visits} visits of"
                f" {VISIT_MINUTES} minutes to one area."
            )

    @property
    def most_areas(self) -> int:
        """Number of areas that both `areas` and the officer minutes allow."""
        if self.officer_minutes is None:
            return self.areas
        return min(self.areas, self.officer_minutes // (VISIT_MINUTES * self.visits))

    @property
    def minutes_per_area(self) -> int:
        """Suggested minutes in each area and shift."""
        return VISIT_MINUTES * self.visits

    def limit_km2(self, unit_km2: float) -> float:
        """Most km2 that the areas of a unit of this size may cover."""
        limits = [self.km2] if self.km2 is not None else []
        if self.share is not None:
            limits.append(self.share * unit_km2)
        return min(limits)
