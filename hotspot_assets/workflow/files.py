"""Files of a home's outputs: what they are called, and writing them whole.

Belongs here: names and atomic writes. Not here: what stands in the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from hotspot_assets.settings import Settings


def file_name(text: str) -> str:
    """A name that is safe on every system; where signs had to go, a hash keeps two names apart."""
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in text)
    return safe if safe == text else f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def why_path(settings: Settings, day: date, area: Mapping[str, Any]) -> Path:
    """Where the reasons of an area lie; areas of several shifts with the same cells share a page."""
    cells = hashlib.sha256(" ".join(map(str, sorted(area["cells"]))).encode()).hexdigest()[:8]
    name = file_name(f"{area['unit']}-{area['offence_group']}")
    return settings.outputs / day.isoformat() / "why" / f"{name}-{cells}.html"


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file; it appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
    return path
