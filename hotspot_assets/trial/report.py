"""The report of a trial: one self-contained HTML page, and one Markdown table.

Belongs here: what stands in the report and in which order. Not here: computing (`results`), words of a
section (`report_sections`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from hotspot_assets.trial import report_evidence as evidence
from hotspot_assets.trial import report_figures as figures
from hotspot_assets.trial import report_sections as sections
from hotspot_assets.trial.champion import CHAMPION_RULE
from hotspot_assets.trial.comparisons import VERDICT_RULE
from hotspot_assets.trial.report_html import bullets, figure, heading, page, paragraph
from hotspot_assets.trial.report_sections import Look, StandIn, coverage_name, percent, points, signed
from hotspot_assets.trial.results import TrialResults

__all__ = ["About", "Look", "StandIn", "html_report", "markdown_table"]

_NOT_MEASURED = "Not measured in this trial."
_NO_DELAYS = paragraph(
    "The source states no times of report or record: its own delays are not known.", "soft"
)

_LIMITS = (
    "It counts recorded incidents: what is not reported, or not recorded, is not in it.",
    "It says where incidents were recorded, not what patrols do: it is no evidence of an effect on crime.",
    "A stand-in is built from a published description. The product may differ, and was not tested.",
    "PAI depends on the grid: it is not comparable with a figure from other cells or another area.",
    "Wilcoxon takes days as independent, which is only roughly so; the other two tests do not.",
)


@dataclass(frozen=True)
class About:
    """What a reader must know besides the tables.

    Attributes
    ----------
    title
        Of the report.
    period
        First and last day, as text.
    study_area
        Cells, km2 and where they come from, in words.
    knowledge
        What a forecast could know: cut-off, reporting lag, and whether the days are reconstructed.
    stand_ins
        One for each model.
    looks
        The log of looks at the trial's period, oldest first.
    """

    title: str
    period: str
    study_area: str
    knowledge: str
    stand_ins: Sequence[StandIn]
    looks: Sequence[Look]


def html_report(results: TrialResults, about: About) -> str:
    """The whole report as one HTML page without scripts, fonts or pictures from elsewhere."""
    share = coverage_name(results.coverage)
    default = results.default_model
    parts = [
        heading(1, about.title),
        bullets([f"Period: {about.period}", f"Study area: {about.study_area}", f"Known: {about.knowledge}"]),
        sections.summary(results),
        sections.proposal(results, CHAMPION_RULE),
        heading(2, "Hit rates"),
        figure(
            figures.hit_rate_curves(results),
            f"Line charts of hit rate by flagged share of the area for each offence group; {default} is the "
            "thick line. The numbers are in the tables below.",
            f"Hit rate by flagged share of the area. Thick: {default}.",
        ),
        sections.hit_rates(results),
        heading(2, f"{default} against each model"),
        paragraph(
            f"Verdict: {VERDICT_RULE}. The {len(results.main)} comparisons at {share} are one family. "
            "Intervals come from a bootstrap of seven-day blocks."
        ),
        figure(
            figures.difference_intervals(results),
            f"Dots with intervals: hit rate of {default} minus that of each model at {share}, for each "
            "offence group. The numbers are in the table below.",
            "Difference in hit rate, 95 % interval. Filled: better (right) or worse (left); hollow: tie.",
        ),
        sections.differences(results),
        heading(3, "At every coverage"),
        paragraph("Each coverage is a family of its own here: read single cells with care."),
        sections.verdicts_by_coverage(results),
        *_evidence(results),
        heading(2, "What each model stands in for"),
        paragraph("The product may differ from its stand-in. No product was tested here."),
        sections.stand_in_table(about.stand_ins),
        heading(2, "Looks at the trial's period"),
        paragraph("Every look at these results makes later choices less blind. Each is logged."),
        sections.look_table(about.looks),
        heading(2, "What this report does not say"),
        bullets(_LIMITS),
        heading(2, "How it was measured"),
        bullets(_measures()),
    ]
    return page(about.title, parts)


def _evidence(results: TrialResults) -> list[str]:
    missing = paragraph(_NOT_MEASURED, "soft")
    calibration = missing
    if results.calibration is not None:
        calibration = figure(
            figures.calibration_curves(results, results.calibration),
            f"Line charts of expected and realised share of incidents by tenth of the area, for "
            f"{results.default_model}. The ratios are in the table below.",
            f"Expected and realised share of incidents, {results.default_model}.",
        ) + sections.calibration_table(results.calibration)
    return [
        heading(2, "Ceiling and skill"),
        paragraph(
            "The ceiling is the hit rate to expect if the model's own shares were the truth; skill is how "
            "far the model got from a uniform forecast towards it. A hit rate above 110 % of the ceiling "
            "says that the shares are too even, not that the model is good."
        ),
        sections.ceiling_table(results),
        heading(2, "Calibration"),
        calibration,
        heading(2, "Is the daily update worth it?"),
        missing if results.staleness is None else evidence.staleness_table(results.staleness),
        heading(2, "When incidents become known later"),
        missing if results.lags is None else evidence.lag_table(results, results.lags),
        _NO_DELAYS if results.delays is None else evidence.delay_table(results.delays),
        heading(2, "Do incidents follow each other?"),
        paragraph(
            "Pairs of incidents close by and soon after each other, against what chance brings. Where there are "
            "no more of them than by chance, a memory of a few days rests on nothing."
        ),
        missing if results.near_repeats is None else evidence.near_repeat_table(results.near_repeats),
        heading(2, "Shape and change of the flagged set"),
        missing if results.shapes is None else sections.shape_table(results.shapes),
        heading(2, "Who catches what"),
        missing if results.overlaps is None else sections.overlap_table(results.overlaps),
    ]


def _measures() -> list[str]:
    return [
        "Coverage is a share of true cell area in km2. Cells are flagged by rank until the area is reached; "
        "the last one counts with the part of it that fills the area: every model has the same area.",
        "Hit rate: incidents in flagged cells / incidents in the study area, all days together.",
        "PAI: hit rate / coverage. PEI*: hits / the most that any cells of that area could catch on the day. "
        "With few incidents a day all of them would fit into the area, and PEI* is the hit rate.",
        "Log score: nats per incident over a forecast uniform by area; shares below 0.000001 are raised to "
        "it, and all are divided by their new sum.",
        "Ties in a score are broken by a seeded random permutation, never by cell id.",
    ]


def markdown_table(results: TrialResults, about: About) -> str:
    """One table: models down, offence groups across, hit rates at all coverages; the verdict in each cell.

    The text below it says how to read it, and which system each model stands in for.
    """
    coverages = " / ".join(f"{100 * c:g}" for c in results.pooled["coverage"].unique().sort())
    lines = [
        f"Hit rate in % at {coverages} % of the area, {_escaped(about.period)}; in brackets "
        f"{_escaped(results.default_model)} against the model at {coverage_name(results.coverage)}: "
        "difference in points, 95 % interval, verdict.",
        "",
        "| Model | Stands in for | "
        + " | ".join(_escaped(group.replace("_", " ")) for group in results.groups)
        + " |",
        "|---" * (len(results.groups) + 2) + "|",
    ]
    names = {stand_in.model: stand_in.stands_for for stand_in in about.stand_ins}
    for model in results.models:
        cells = [_markdown_cell(results, model, group) for group in results.groups]
        lines.append("| " + " | ".join([_escaped(model), _escaped(names.get(model, "–")), *cells]) + " |")
    lines += [
        "",
        f"Study area: {_escaped(about.study_area)}. {_escaped(about.knowledge)}",
        "",
        f"Verdict: {VERDICT_RULE}. A stand-in is built from a published description; the product may differ. "
        f"Looks at this period on record: {len(about.looks)}.",
    ]
    return "\n".join(lines) + "\n"


def _markdown_cell(results: TrialResults, model: str, group: str) -> str:
    here = (pl.col("model") == model) & (pl.col("offence_group") == group)
    rates = " / ".join(percent(rate) for rate in results.pooled.filter(here).sort("coverage")["hit_rate"])
    against = results.main.filter((pl.col("against") == model) & (pl.col("offence_group") == group))
    if against.is_empty():
        return rates or "–"
    row = against.row(0, named=True)
    interval = points(row["difference_low"], row["difference_high"])
    return f"{rates} ({signed(row['difference'])}, {interval}: {row['verdict']})"


def _escaped(text: str) -> str:
    for character in "\\`*_[]<>|#":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())
