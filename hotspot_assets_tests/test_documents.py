"""The pages written by hand agree with the code they speak of."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from hotspot_assets.cli import commands
from hotspot_assets.definitions import defs
from hotspot_assets.intake.formats import all_formats
from hotspot_assets.intake.formats.contract import CONTRACT_COLUMNS
from hotspot_assets.intake.mapping import load_mapping
from hotspot_assets.intake.offences import GROUPS, POLICE_GENERATED, UNFIT
from hotspot_assets.intake.reasons import MARKS, REASONS
from hotspot_assets.settings import PROJECT_ROOT, Settings

OPERATORS = (PROJECT_ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*PROJECT_ROOT.glob("*.md"), *(PROJECT_ROOT / "docs").rglob("*.md")])


def section(page: str, heading: str) -> str:
    """Text below a heading, up to the next heading of any level."""
    _, _, rest = page.partition(f"\n{heading}\n")
    assert rest, heading
    return re.split(r"\n#+ ", rest, maxsplit=1)[0]


def table_below(page: str, first_column: str) -> list[list[str]]:
    """Cells of the one table whose first column has this name, without the head."""
    (start,) = [
        match.end() for match in re.finditer(rf"(?m)^\| {re.escape(first_column)} \|.*\n\|[-| ]+\|\n", page)
    ]
    rows = page[start:].split("\n\n", 1)[0].strip().splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_reason_codes_and_marks_are_those_of_the_code() -> None:
    reasons = section(OPERATORS, "### Reason codes")
    assert [tuple(row) for row in table_below(reasons, "code")] == [
        (f"`{code}`", text) for code, text in REASONS.items()
    ]
    assert [tuple(row) for row in table_below(reasons, "mark")] == [
        (f"`{code}`", text) for code, text in MARKS.items()
    ]
    lists = [set(named(item)) for item in re.findall(r"(?ms)^- .*?(?=^- |\n\n|\Z)", reasons)]
    assert lists == [set(UNFIT), set(POLICE_GENERATED)]


def test_columns_of_the_contract_are_those_of_the_code() -> None:
    contract = section(OPERATORS, "### The delivery contract")
    rows = [(f"`{column}`", meaning) for column, meaning in CONTRACT_COLUMNS.items()]
    assert [tuple(row) for row in table_below(contract, "column")] == rows
    assert set(named(contract.partition("The vocabulary:")[2])) == GROUPS


def test_the_mapping_on_the_page_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(
        section(OPERATORS, "### Mapping files").split("```toml\n")[1].split("```")[0], encoding="utf-8"
    )
    assert load_mapping(path).name == "borsetshire"


def test_every_format_is_described_with_its_groups() -> None:
    rows = {named(row[0])[0]: row for row in table_below(section(OPERATORS, "## Formats"), "format")}
    assert rows.keys() == {kind.name for kind in all_formats()}
    for kind in all_formats():
        assert rows[kind.name][2] == (kind.zone or "the home")
        if kind.name not in ("contract", "st_louis"):
            assert set(named(rows[kind.name][3])) == set(kind.offences.values())


def fields_of(model: type[BaseModel]) -> dict[str, object]:
    """Settings of a section that are no section themselves, with their defaults."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
        if name not in ("source", "sources")
    }


def written(value: object) -> str:
    """A default as it stands in a settings file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, tuple):
        return "[]" if not value else ", ".join(map(str, value))
    return f'"{value}"' if isinstance(value, str) else str(value)


SECTIONS: list[tuple[str, type[BaseModel]]] = [
    (f"### `[{name}]`", field.annotation)  # type: ignore[misc]
    for name, field in Settings.model_fields.items()
    if name not in ("home", "from_file", "warehouse", "data_path")
]
SOURCES = "### `[intake.source]`, and `[intake.sources.NAME]` for one source"


@pytest.mark.parametrize(
    ("heading", "model"), [*SECTIONS, (SOURCES, type(Settings.model_fields["intake"].default.source))]
)
def test_every_setting_stands_there_with_its_default(heading: str, model: type[BaseModel]) -> None:
    rows = {named(row[0])[0]: row[1] for row in table_below(section(OPERATORS, heading), "setting")}
    fields = fields_of(model)
    assert rows.keys() == fields.keys()
    for name, default in fields.items():
        if name != "excluded_groups":  # its default is the list above
            said = rows[name].replace("`", "")
            assert said == ("none" if default is None else written(default)), name


def test_every_check_schedule_and_sensor_is_described() -> None:
    checks = {key.name for key in defs.resolve_asset_graph().asset_check_keys}
    rows = table_below(OPERATORS, "check")
    assert {name for row in rows for name in named(row[0])} == checks
    repository = defs.get_repository_def()
    automatic = {each.name for each in (*repository.schedule_defs, *repository.sensor_defs)}
    assert {name for row in table_below(OPERATORS, "name") for name in named(row[0])} == automatic


def test_the_readme_names_every_command_and_no_other() -> None:
    spoken = set(
        re.findall(r"`hotspot ([a-z-]+)", "\n".join(row[0] for row in table_below(README, "command")))
    )
    assert spoken == set(commands.commands)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT_ROOT).as_posix())
def test_options_on_the_pages_exist(page: Path) -> None:
    for command, rest in re.findall(
        r"(?m)^\s*(?:\.venv/bin/)?hotspot ([a-z-]+)(.*)$", page.read_text(encoding="utf-8")
    ):
        known = {
            name
            for option in commands.commands[command].params
            for name in option.opts + option.secondary_opts
        }
        assert set(re.findall(r"(?<=\s)--[a-z-]+", rest)) <= known | {"--help"}, command
        assert isinstance(commands.commands[command], click.Command)


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT_ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target
