"""`hotspot`: only what Dagster's own commands do not do.

Belongs here: arguments, messages and exit codes. Everything a command does is done by `workflow`, or by a
Dagster run (`defs.operate`), so that it stands in the run history.
"""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hotspot_assets.cli_dosage import dosage
from hotspot_assets.cli_erase import erase
from hotspot_assets.cli_review import review
from hotspot_assets.cli_trial import champion, trial
from hotspot_assets.errors import UserError
from hotspot_assets.settings import Settings, load_settings

if TYPE_CHECKING:
    from hotspot_assets.warehouse.lake import Lake


class _Day(click.ParamType[date]):
    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"{value!r} is no date; write it as 2026-01-31", param, ctx)


DAY = _Day()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def commands() -> None:
    """Place-based crime forecasting, from a delivered file to reviewed patrol areas."""


@commands.command("run")
@click.option("--serve/--no-serve", default=True, help="Serve the Dagster UI afterwards.")
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=14,
    show_default=True,
    help="Forecast days up to the newest.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def run(serve: bool, days: int, port: int) -> None:
    """The main job: take in what has landed (a fictional city if nothing has), score, rank, map."""
    from hotspot_assets.defs import operate
    from hotspot_assets.defs.main_job import run_main_job

    if serve:
        operate.require_free_port(port)
    run_main_job(load_settings(), days=days, port=port, say=click.echo)
    if serve:
        operate.serve(load_settings(), port=port, say=click.echo)


@commands.command("serve")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def serve(port: int) -> None:
    """The Dagster UI on 127.0.0.1, with schedules and sensors."""
    from hotspot_assets.defs import operate

    operate.require_free_port(port)
    operate.serve(load_settings(), port=port, say=click.echo)


@commands.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Print what would happen; write nothing.")
@click.option(
    "--history", is_flag=True, help="Part of the source's first load: knowledge time is assumed, and marked."
)
@click.option(
    "--complete", nargs=2, type=DAY, help="FIRST LAST: the files hold every incident of these days."
)
@click.option(
    "--published", metavar="MOMENT", help="When the source published the files: known from then on."
)
@click.option("--approve-closings", is_flag=True, help="Close what a complete delivery lacks, however much.")
def import_files(
    files: tuple[Path, ...],
    dry_run: bool,
    history: bool,
    complete: tuple[date, date] | None,
    published: str | None,
    approve_closings: bool,
) -> None:
    """Deliver FILES and take them in now, through Dagster, printing the counts."""
    from hotspot_assets.defs import operate
    from hotspot_assets.workflow.dates import moment_of
    from hotspot_assets.workflow.deliveries import Declaration, dry_home, preview

    settings = load_settings()
    declaration = Declaration(
        history=history,
        complete_for=complete,
        closings_approved=approve_closings,
        published_at=moment_of(settings, published) if published else None,
    )
    if dry_run:
        with dry_home(settings) as (lake, dry):
            for path in files:
                click.echo(preview(lake, dry, path, declaration))
        return
    if not operate.import_files(settings, files, declaration, say=click.echo):
        sys.exit(1)


@commands.command("simulate")
@click.option("--late-file", is_flag=True, help="Drop one more delivery, with late and amended rows.")
@click.option("--seed", type=int, default=20140501, show_default=True)
def simulate(late_file: bool, seed: int) -> None:
    """Make the fictional city and drop its deliveries into the landing folder."""
    from hotspot_assets.workflow.fictional import drop_city, drop_late_file

    settings = load_settings()
    written = drop_late_file(settings, seed=seed) if late_file else drop_city(settings, seed=seed)
    for path in written:
        click.echo(f"wrote {path}")


@commands.command("sql")
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated, for other programs.")
@click.option("--at", "version", type=int, help="As of this snapshot of the lake.")
def sql(query: str, as_csv: bool, version: int | None) -> None:
    """Run one read-only QUERY on the lake."""
    import polars as pl

    from hotspot_assets.warehouse.sql import query as run_query

    rows = run_query(load_settings(), query, version)
    if as_csv:
        nested = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.List)]
        click.echo(
            rows.with_columns(pl.col(nested).cast(pl.List(pl.String)).list.join(" ")).write_csv(), nl=False
        )
        return
    _print_table(rows)


@commands.command("explain")
@click.argument("cell")
@click.option("--date", "day", type=DAY, required=True, help="Forecast date.")
@click.option("--offence", "group", required=True, help="Offence group.")
@click.option("--top", type=click.IntRange(1), default=15, show_default=True, help="Contributions to print.")
def explain(cell: str, day: date, group: str, top: int) -> None:
    """Why CELL (15 hexadecimal digits) has its score: the incidents that made it, and how much each gave."""
    from hotspot_assets.hexgrid.cells import hex_to_cell
    from hotspot_assets.workflow.replay import explain_cells

    settings = load_settings()
    try:
        (number,) = hex_to_cell([cell])
    except (ValueError, OverflowError) as error:
        raise UserError(f"{cell!r} is no H3 cell; write its 15 hexadecimal digits.") from error
    found = explain_cells(_reading(settings), settings, day, {group: [int(number)]})[group]
    whole = found.cells.row(0, named=True)
    click.echo(
        f"{cell}, {group}, {day}: score {whole['score']:.3e}, rank {whole['rank']}"
        f" ({whole['rank_without_newest']} without the two newest incidents nearby)"
    )
    click.echo(
        f"{whole['incidents']} incidents and a background of {whole['background']:.3e} make it; the largest:"
    )
    columns = ["incident_key", "offence_group", "day", "age_days", "ring", "contribution"]
    _print_table(found.contributions.select(columns).head(top))
    given = found.contributions["contribution"]
    click.echo(
        f"and {max(len(given) - top, 0)} more contributions: {given[top:].sum():.3e}; all together {given.sum():.3e}"
    )


@commands.command("replay")
@click.argument("day", type=DAY)
def replay(day: date) -> None:
    """Make the forecast of DAY again from its header and compare it with what is stored."""
    from hotspot_assets.warehouse.forecasts import scores_between
    from hotspot_assets.workflow.replay import replay as replay_day

    settings = load_settings()
    lake = _reading(settings)
    again = replay_day(lake, settings, day).sort("offence_group", "rank")
    stored = scores_between(lake, day, day).sort("offence_group", "rank")
    if not again.equals(stored):
        raise UserError(
            f"The forecast of {day} made again differs from the one stored; keep both and find out why."
        )
    click.echo(f"{day}: {again.height} scores made again, each equal to the one stored to the last bit")


@commands.command("hindsight")
@click.argument("day", type=DAY)
@click.option("--top", type=click.IntRange(1), default=15, show_default=True, help="Cells to print.")
def hindsight(day: date, top: int) -> None:
    """What the forecast of DAY would be with today's knowledge: which cells moved, and why."""
    from hotspot_assets.hexgrid.cells import cell_to_hex
    from hotspot_assets.workflow.replay import hindsight_difference

    settings = load_settings()
    found = hindsight_difference(_reading(settings), settings, day)
    shown = found.cells.head(top)
    click.echo(f"{found.cells.height} scores moved, because of {found.because.height} entries not known then")
    _print_table(shown.with_columns(cell=_series(cell_to_hex(shown["cell"].to_list()))))
    reasons = (
        found.because.explode("reasons")
        .group_by("delivery_seq", "reasons")
        .len()
        .sort("delivery_seq", "reasons")
    )
    _print_table(reasons)


@commands.command("verify")
@click.argument("export", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def verify(export: Path) -> None:
    """Check the chain of an exported ledger; needs neither Dagster nor the lake."""
    from hotspot_assets.assurance.ledger import verify_file

    found = verify_file(export)
    click.echo(found.summary())
    if not found.holds:
        sys.exit(1)


@commands.command("export-ledger")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, writable=True))
def export_ledger(file: Path) -> None:
    """Write the ledger to FILE, one entry a line, for `hotspot verify` or anyone else's verifier."""
    from hotspot_assets.warehouse.chain import export_lines

    settings = load_settings()
    lines = list(export_lines(_reading(settings)))
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    click.echo(f"wrote {len(lines)} entries to {file}")


def _reading(settings: Settings) -> Lake:
    """The lake of a home, for a command that only reads."""
    from hotspot_assets.warehouse.lake import Lake

    return Lake(settings.warehouse, settings.data_path, read_only=True)


def _series(values: list[str]) -> Any:
    import polars as pl

    return pl.Series(values, dtype=pl.String)


def _print_table(rows: Any) -> None:
    import polars as pl

    with pl.Config(
        tbl_rows=200, tbl_cols=-1, tbl_width_chars=200, fmt_str_lengths=80, tbl_hide_dataframe_shape=True
    ):
        click.echo(str(rows))


for _command in (dosage, erase, review, trial, champion):
    commands.add_command(_command)


def main() -> None:
    """Entry point: a user's mistake is one clear line and exit code 1, never a traceback."""
    try:
        commands(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except UserError as error:
        click.echo(f"hotspot: {error}", err=True)
        sys.exit(1)
