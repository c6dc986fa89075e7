"""`hotspot review`: the page on which people decide, on this machine only."""

from __future__ import annotations

import getpass

import click

from hotspot_assets.settings import load_settings


@click.command("review")
@click.option("--port", type=click.IntRange(1, 65535), default=3100, show_default=True)
def review(port: int) -> None:
    """Decide about patrol areas: approve, change or reject, issue, withdraw. On 127.0.0.1 only."""
    import uvicorn

    from hotspot_assets.definitions import build_definitions
    from hotspot_assets.defs.operate import require_free_port
    from hotspot_assets.defs.review_runs import ReviewRuns
    from hotspot_assets.review_desk.app import Desk, make_app

    require_free_port(port)
    settings = load_settings()
    runs = ReviewRuns(settings, build_definitions(settings), getpass.getuser())
    click.echo(f"Review of patrol areas: http://127.0.0.1:{port} (Ctrl+C ends it)")
    app = make_app(Desk(settings, runs), port)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", server_header=False)
