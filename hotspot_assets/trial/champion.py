"""Which model should make the forecasts, by a rule stated before looking.

Belongs here: the proposal. Not here: the decision, which a person takes and the ledger keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from hotspot_assets.trial.comparisons import MAIN_COVERAGE, compare

CHAMPION_RULE = (
    "A challenger is proposed when, against the current champion on the same days, it is better in at least "
    "one offence group and worse in none (better and worse: the 95 % interval of the difference and the "
    "corrected p-value agree), and its hit rate averaged over the offence groups is higher. Among several, "
    "the one with the highest average. Otherwise the current champion stays. Only models whose scores can "
    "be explained incident by incident may be proposed."
)


@dataclass(frozen=True)
class Proposal:
    """The champion that the rule proposes, and what it rests on.

    Attributes
    ----------
    champion, current
        Names of models; equal when nothing changes.
    reason
        One sentence with the counts of offence groups.
    comparisons
        Every eligible challenger against the current champion (`comparisons.COMPARISON`).
    """

    champion: str
    current: str
    reason: str
    comparisons: pl.DataFrame

    @property
    def changes(self) -> bool:
        """Whether another model than the current one is proposed."""
        return self.champion != self.current


def propose_champion(
    outcomes: pl.DataFrame,
    current: str,
    eligible: Sequence[str],
    coverage: float = MAIN_COVERAGE,
    *,
    seed: int = 0,
) -> Proposal:
    """Apply `CHAMPION_RULE` to a period of outcomes (columns `metrics.OUTCOMES`).

    `eligible` names the models that may be proposed; `current` is compared with each of them. An offence
    group with too few days counts neither for nor against.
    """
    challengers = [name for name in eligible if name != current]
    compared = compare(outcomes, [(name, current) for name in challengers], coverage, seed=seed)
    standing = (
        compared.filter(pl.col("verdict") != "too few days")
        .group_by("model")
        .agg(
            better=(pl.col("verdict") == "better").sum(),
            tied=(pl.col("verdict") == "tie").sum(),
            worse=(pl.col("verdict") == "worse").sum(),
            gain=pl.col("difference").mean(),
        )
        .filter((pl.col("better") > 0) & (pl.col("worse") == 0) & (pl.col("gain") > 0))
        .sort(-pl.col("gain"), "model")
    )
    if standing.is_empty():
        reason = f"No eligible challenger is better than {current} in one offence group and worse in none."
        return Proposal(current, current, reason, compared)
    first = standing.row(0, named=True)
    reason = (
        f"{first['model']} against {current}: better in {first['better']}, tied in {first['tied']} and worse "
        f"in none of the offence groups; on average {100 * first['gain']:+.1f} points of hit rate."
    )
    return Proposal(first["model"], current, reason, compared)
