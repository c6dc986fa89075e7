"""Write the pages that are made from the code: the data dictionary, the picture of the graph, the models.

`python tools/make_docs.py` writes them; `--check` fails where one of them is out of date. `--map` also takes
the map of the README from the newest outputs of the main job (`make run`), which it does not run itself.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def data_dictionary() -> str:
    """Every table and column of the lake, as a page."""
    from hotspot_assets.warehouse.table import sql_type
    from hotspot_assets.warehouse.tables import TABLES

    lines = [
        "# Data dictionary",
        "",
        "Made by `python tools/make_docs.py` from `hotspot_assets/warehouse/tables.py`; do not edit.",
        "All tables lie in the schema `hotspot` of the lake. Moments are UTC; days are local operational days.",
    ]
    for table in TABLES.values():
        lines += ["", f"## {table.name}", "", table.meaning, "", f"Key: {', '.join(table.key)}."]
        if table.sorted_by:
            lines[-1] += f" Stored in the order of {', '.join(table.sorted_by)}."
        lines += ["", "| column | type | null | meaning |", "|---|---|---|---|"]
        for name, column in table.schema.columns().items():
            null = "yes" if column.nullable else ""
            lines.append(f"| `{name}` | {sql_type(column.dtype)} | {null} | {column.description} |")
    return "\n".join(lines) + "\n"


def asset_graph() -> str:
    """The graph of assets as a Mermaid flowchart, which Git hosts draw."""
    from hotspot_assets.definitions import defs

    graph = defs.resolve_asset_graph()
    lines = [
        "# The graph of assets",
        "",
        "Made by `python tools/make_docs.py`; do not edit.",
        "",
        "```mermaid",
        "flowchart LR",
    ]
    groups: dict[str, list[str]] = {}
    for key in graph.toposorted_asset_keys:
        groups.setdefault(graph.get(key).group_name, []).append(key.to_user_string())
    for group, names in groups.items():
        lines += [f"  subgraph {group}", *(f"    {name}" for name in names), "  end"]
    for key in graph.toposorted_asset_keys:
        node = graph.get(key)
        lines += sorted(
            f"  {parent.to_user_string()} --> {key.to_user_string()}" for parent in node.parent_keys
        )
    lines += ["```", "", "| asset | group | partitions | what |", "|---|---|---|---|"]
    for key in graph.toposorted_asset_keys:
        node = graph.get(key)
        kind = type(node.partitions_def).__name__.removesuffix("PartitionsDefinition").lower()
        said = " ".join((node.description or "").split())
        partitions = kind if node.partitions_def else ""
        lines.append(f"| `{key.to_user_string()}` | {node.group_name} | {partitions} | {said} |")
    return "\n".join(lines) + "\n"


_BY_HAND = "<!-- Below this line the page is written by hand. -->\n"


def models() -> str:
    """A section for each model of the catalogue; what stands below the line in the page is kept."""
    from hotspot_assets.forecasting.catalogue import DEFAULT_MODEL, MODELS

    lines = [
        "# The models",
        "",
        "Made by `python tools/make_docs.py` from `hotspot_assets/forecasting/catalogue.py` down to the line.",
        "",
        "A stand-in is built from what was published about a system. **The product may differ from its stand-in, and",
        "no product was tested.** All models are given the same history, cells and cut-offs, and those with anything to",
        "fit are fitted on the first of each month on what was known then, on the same 240 held-out days.",
    ]
    for each in MODELS.values():
        lines += [
            "",
            f"## `{each.name}`: {each.title}{' (the default)' if each.name == DEFAULT_MODEL else ''}",
            "",
        ]
        lines += [
            each.how,
            "",
            "| | |",
            "|---|---|",
            f"| stands in for | {each.stands_in_for or 'no product'} |",
            f"| built from | {each.source} |",
            f"| not known of the original | {each.not_known_of_original or 'does not apply'} |",
            f"| fitted | {'monthly' if each.needs_fit else 'nothing to fit'} |",
            f"| explained incident by incident | {'no' if each.package else 'yes, exactly'} |",
            f"| needs | {f'the extra with `{each.package}`' if each.package else 'nothing more'} |",
        ]
    page = DOCS / "models.md"
    by_hand = page.read_text(encoding="utf-8").partition(_BY_HAND)[2] if page.exists() else ""
    return "\n".join(lines) + "\n\n" + _BY_HAND + by_hand


PAGES = {"data_dictionary.md": data_dictionary, "graph.md": asset_graph, "models.md": models}


def take_map(outputs: Path) -> int:
    """Copy the newest map of thefts to docs/map.png."""
    maps = sorted(outputs.glob("*/map-theft.png"))
    if not maps:
        print(f"there is no map under {outputs}; run `make run` first", file=sys.stderr)
        return 1
    shutil.copyfile(maps[-1], DOCS / "map.png")
    return 0


def main() -> int:
    """Write, or compare with what is there."""
    check = "--check" in sys.argv[1:]
    if "--map" in sys.argv[1:]:
        from hotspot_assets.settings import load_settings

        return take_map(load_settings().outputs)
    stale = []
    for name, make in PAGES.items():
        path, text = DOCS / name, make()
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            stale.append(f"docs/{name}")
        elif not check:
            path.write_text(text, encoding="utf-8", newline="\n")
    if stale:
        print(f"out of date: {', '.join(stale)}; run `make docs`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
