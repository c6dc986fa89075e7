"""The sections of the trial's report: words and tables from the results.

Belongs here: what each section says. Not here: markup (`report_html`), pictures (`report_figures`), the
order of the sections (`report`).

Plain about three things: a tie is called a tie, a loss stands in the table beside the wins, and a model
that stands in for a product is never called by the product's name. No ratio is put into a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from hotspot_assets.trial.report_html import Cell, Row, bullets, heading, paragraph, table
from hotspot_assets.trial.results import TrialResults


@dataclass(frozen=True)
class StandIn:
    """Which published system a model stands in for."""

    model: str
    stands_for: str
    source: str
    not_known: str


@dataclass(frozen=True)
class Look:
    """A look at the results of the trial's period: each one makes the next choice a little less blind."""

    at: str
    by: str
    why: str


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage without its sign; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{digits}f}"


def points(low: float | None, high: float | None) -> str:
    """An interval in points of hit rate."""
    return "–" if low is None or high is None else f"{signed(low)} to {signed(high)}"


def signed(difference: float) -> str:
    """A difference of hit rates in points, with its sign; never -0.0."""
    return f"{round(100 * difference, 1) + 0.0:+.1f}"


def number(value: float | None, digits: int = 2) -> str:
    """A number; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def p_value(value: float | None) -> str:
    """A p-value; tiny ones as such."""
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def coverage_name(coverage: float) -> str:
    """A coverage as text: 5 %."""
    return f"{100 * coverage:g}\u00a0%"


def words(group: str) -> str:
    """An offence group as words."""
    return group.replace("_", " ")


def _verdict(verdict: str) -> Cell:
    return Cell(verdict, {"better": "text good", "worse": "text bad"}.get(verdict, "text"))


def summary(results: TrialResults) -> str:
    """What came out, in a few sentences: wins, ties and losses, each named."""
    main, share = results.main, coverage_name(results.coverage)
    count = {
        v: main.filter(pl.col("verdict") == v).height for v in ("better", "tie", "worse", "too few days")
    }
    lines = [
        f"At {share} of the area, {results.default_model} was compared with {len(results.models) - 1} models "
        f"in {len(results.groups)} offence groups, on the same days and cells: better in {count['better']}, "
        f"tied in {count['tie']}, worse in {count['worse']} of {main.height} comparisons."
    ]
    if count["too few days"]:
        lines.append(f"{count['too few days']} comparisons have too few days for a verdict.")
    for verdict, name in (("worse", "Losses"), ("tie", "Ties")):
        named = [
            f"{words(row['offence_group'])} against {row['against']} ({signed(row['difference'])} points)"
            for row in main.filter(pl.col("verdict") == verdict).iter_rows(named=True)
        ]
        lines.append(f"{name}: {'; '.join(named) if named else 'none'}.")
    return heading(2, "What came out") + bullets([*lines, *_against_best(results)])


def _against_best(results: TrialResults) -> list[str]:
    named = [
        f"{words(row['offence_group'])} against {row['against']} {signed(row['difference'])} points "
        f"({points(row['difference_low'], row['difference_high'])}: {row['verdict']})"
        for row in results.main.iter_rows(named=True)
        if results.best_baseline.get(row["offence_group"]) == row["against"]
    ]
    return [f"Against the baseline that did best in hindsight: {'; '.join(named)}."] if named else []


def proposal(results: TrialResults, rule: str) -> str:
    """The champion that the rule proposes."""
    proposed = results.proposal
    what = (
        f"Proposed: {proposed.champion} in place of {proposed.current}."
        if proposed.changes
        else f"Proposed: {proposed.current} stays."
    )
    return (
        heading(2, "Proposed champion")
        + paragraph(f"{what} {proposed.reason}", "note")
        + paragraph(f"The rule: {rule}")
        + paragraph(
            "A proposal changes nothing. Changing the champion is a decision that a person takes and records."
        )
    )


def hit_rates(results: TrialResults) -> str:
    """For each offence group, all models at all coverages, the best of each column marked."""
    return "".join(_group_hit_rates(results, group) for group in results.groups)


def _group_hit_rates(results: TrialResults, group: str) -> str:
    here = results.pooled.filter(pl.col("offence_group") == group)
    coverages = here["coverage"].unique().sort().to_list()
    best = {
        name: {c: here.filter(pl.col("coverage") == c)[name].max() for c in coverages}
        for name in ("hit_rate", "pai", "pei", "log_score")
    }
    verdicts = dict(
        results.main.filter(pl.col("offence_group") == group).select("against", "verdict").iter_rows()
    )

    def cell(row: dict[str, float | None], name: str, text: str) -> Cell:
        leads = row[name] is not None and row[name] == best[name][row["coverage"]]
        return Cell(text, "strong" if leads else "")

    rows: list[Row] = []
    for model in results.models:
        by_coverage = {r["coverage"]: r for r in here.filter(pl.col("model") == model).iter_rows(named=True)}
        main = by_coverage.get(results.coverage)
        if main is None:
            continue
        baseline = " (best baseline)" if results.best_baseline.get(group) == model else ""
        rows.append(
            [
                f"{model}{baseline}",
                *(cell(by_coverage[c], "hit_rate", percent(by_coverage[c]["hit_rate"])) for c in coverages),
                cell(main, "pai", number(main["pai"])),
                cell(main, "pei", percent(main["pei"])),
                cell(main, "log_score", number(main["log_score"], 3)),
                Cell("the default", "text")
                if model == results.default_model
                else _verdict(verdicts.get(model, "–")),
            ]
        )
    share = coverage_name(results.coverage)
    first = here.sort("incidents").row(-1, named=True)
    counted = f"{first['incidents']:,.0f} incidents on {first['days']} days"
    caption = f"{words(group)}: {counted}; hit rate in %, by flagged share of the area"
    headers = [
        "Model",
        *(coverage_name(c) for c in coverages),
        f"PAI at {share}",
        f"PEI* at {share}, %",
        "Log score",
    ]
    return heading(3, words(group).capitalize()) + table(
        caption, [*headers, f"{results.default_model} against it at {share}"], rows
    )


def differences(results: TrialResults) -> str:
    """The default against every other model at the main coverage, with intervals and p-values."""
    rows: list[Row] = [
        [
            words(row["offence_group"]),
            Cell(row["against"], "text"),
            percent(row["hit_rate"]),
            percent(row["hit_rate_against"]),
            signed(row["difference"]),
            points(row["difference_low"], row["difference_high"]),
            number(row["ratio"]),
            "–" if row["ratio_low"] is None else f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}",
            p_value(row["wilcoxon_p_holm"]),
            p_value(row["diebold_mariano_p_holm"]),
            _verdict(row["verdict"]),
        ]
        for row in results.main.iter_rows(named=True)
    ]
    headers = [
        "Offence group",
        "Against",
        f"{results.default_model}, %",
        "Other, %",
        "Difference, points",
        "95 %",
    ]
    headers += ["Pooled ratio", "95 %", "Wilcoxon p", "Diebold-Mariano p", "Verdict"]
    share = coverage_name(results.coverage)
    caption = f"{results.default_model} against each model at {share} of the area; p corrected by Holm"
    return table(caption, headers, rows)


def verdicts_by_coverage(results: TrialResults) -> str:
    """The verdict at every coverage, so that a win at the main one hides no loss at another."""
    coverages = results.comparisons["coverage"].unique().sort().to_list()
    rows: list[Row] = []
    for (group, against), here in results.comparisons.group_by(
        "offence_group", "against", maintain_order=True
    ):
        found = {row["coverage"]: row for row in here.iter_rows(named=True)}
        cells = [
            Cell(f"{row['verdict']} ({signed(row['difference'])})", _verdict(row["verdict"]).classes)
            if (row := found.get(c))
            else Cell("–", "text")
            for c in coverages
        ]
        rows.append([words(str(group)), Cell(str(against), "text"), *cells])
    caption = (
        f"{results.default_model} against each model at every coverage: verdict, and difference in points"
    )
    return table(caption, ["Offence group", "Against", *(coverage_name(c) for c in coverages)], rows)


def ceiling_table(results: TrialResults) -> str:
    """Ceiling and skill at the main coverage; hit rates far above the ceiling are flagged."""
    rows: list[Row] = [
        [
            words(row["offence_group"]),
            Cell(row["model"], "text"),
            percent(row["hit_rate"]),
            percent(row["ceiling"]),
            f"{percent(row['ceiling_low'])} to {percent(row['ceiling_high'])}",
            number(row["skill"]),
            Cell("mis-calibrated", "text bad") if row["miscalibrated"] else Cell("", "text"),
        ]
        for row in results.ceilings.filter(pl.col("coverage") == results.coverage)
        .sort("offence_group", "model")
        .iter_rows(named=True)
    ]
    headers = ["Offence group", "Model", "Hit rate, %", "Ceiling, %", "95 %", "Skill", "Flag"]
    return table(f"Attainable ceiling at {coverage_name(results.coverage)} of the area", headers, rows)


def calibration_table(calibration: pl.DataFrame) -> str:
    """Realised over expected incidents by decile of area, for every model."""
    rows: list[Row] = []
    ordered = calibration.sort("offence_group", "model", "decile")
    for (group, model), here in ordered.group_by("offence_group", "model", maintain_order=True):
        rows.append(
            [words(str(group)), Cell(str(model), "text"), *(number(ratio) for ratio in here["ratio"])]
        )
    headers = ["Offence group", "Model", *(str(k) for k in range(1, 11))]
    return table(
        "Realised / expected incidents by tenth of the area, highest scores first (1 is right)", headers, rows
    )


def shape_table(shapes: pl.DataFrame) -> str:
    """Compactness and churn of the flagged sets."""
    rows: list[Row] = [
        [
            words(row["offence_group"]),
            Cell(row["model"], "text"),
            percent(row["shared_sides"]),
            number(row["patches"], 0),
            number(row["mean_patch_km2"], 3),
            percent(row["churn"]),
        ]
        for row in shapes.sort("offence_group", "model").iter_rows(named=True)
    ]
    headers = [
        "Offence group",
        "Model",
        "Shared sides, %",
        "Patches",
        "Mean patch, km2",
        "Changed since the day before, %",
    ]
    return table("Shape and change of the flagged set, means over the days", headers, rows)


def overlap_table(overlaps: pl.DataFrame) -> str:
    """What the default catches that the other does not, and the other way round."""
    rows: list[Row] = [
        [
            words(row["offence_group"]),
            Cell(f"{row['model']} and {row['against']}", "text"),
            *(percent(row[part]) for part in ("a_only", "b_only", "both", "neither")),
        ]
        for row in overlaps.iter_rows(named=True)
    ]
    headers = ["Offence group", "Pair (first and second)", "First only", "Second only", "Both", "Neither"]
    return table("Incidents caught by one, both or neither, % of all", headers, rows)


def stand_in_table(stand_ins: Sequence[StandIn]) -> str:
    """Which published system each model stands in for."""
    rows: list[Row] = [
        [s.model, Cell(s.stands_for, "wrap"), Cell(s.source, "wrap"), Cell(s.not_known, "wrap")]
        for s in stand_ins
    ]
    headers = ["Model", "Stands in for", "Built from", "Not known of the original"]
    return table("Each model and the published system it stands in for", headers, rows)


def look_table(looks: Sequence[Look]) -> str:
    """Who looked at the trial's period, when and why."""
    if not looks:
        return paragraph("No look at this period is on record.")
    rows: list[Row] = [[look.at, Cell(look.by, "wrap"), Cell(look.why, "wrap")] for look in looks]
    return table(f"Looks on record: {len(looks)}", ["When", "Who", "Why"], rows)
