"""Who decided on the model that forecasts.

Belongs here: recording a decision, and whether the model in force is the one decided on. Not here: the
proposal (trial). The settings name the model in force, so that they stay the one place that changes a
forecast; a decision is what allows the change, and the check tells of a change that nobody decided.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotspot_assets.errors import UserError
from hotspot_assets.forecasting.catalogue import DEFAULT_MODEL, model
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.trials import last_champion, record_champion
from hotspot_assets.workflow.dates import now_utc


class NoDecision(UserError):
    """A decision that cannot be recorded as given."""


@dataclass(frozen=True)
class Decision:
    """A decision as recorded, and what is left to do for it to take effect."""

    model: str
    still_to_do: str


def decide_champion(
    lake: Lake, settings: Settings, name: str, reviewer: str, reason: str, stamp: Stamp
) -> Decision:
    """Record that a person wants a model to forecast from now on.

    Raises
    ------
    NoDecision
        Without a reviewer or a reason, or for a model whose scores cannot be explained incident by incident.
    """
    chosen = model(name)
    if not reviewer.strip() or not reason.strip():
        raise NoDecision("A decision needs the name of who takes it, and a reason.")
    if chosen.package is not None:
        raise NoDecision(f"{name} cannot be explained incident by incident, so it may not forecast.")
    before = settings.forecast.model
    row = {
        "decided_at": now_utc(),
        "model": name,
        "model_before": before,
        "reviewer": reviewer,
        "reason": reason,
    }
    record_champion(lake, row, stamp)
    if name == before:
        return Decision(name, f"{name} stays; nothing is left to do.")
    where = settings.from_file or settings.home / "settings.toml"
    return Decision(
        name, f'Now put model = "{name}" under [forecast] in {where}; until then {before} forecasts.'
    )


def undecided(lake: Lake, settings: Settings) -> str | None:
    """What is amiss between the model in force and the last decision; None: they agree.

    Until someone decides, the default of the catalogue may forecast.
    """
    decision, now = last_champion(lake), settings.forecast.model
    if decision is None:
        return None if now == DEFAULT_MODEL else f"{now} forecasts, but nobody has recorded a decision for it"
    if decision["model"] == now:
        return None
    return f"{now} forecasts, but {decision['reviewer']} decided on {decision['model']}"
