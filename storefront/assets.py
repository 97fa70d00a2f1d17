"""Addresses of our own files, with a hash of their content: cached for long, and new at once when they change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
PREFIX = "/static/shop"


def hashed_names(folder: Path = FOLDER) -> dict[str, str]:
    """Return file name → address with the hash of its content, read once at start-up."""
    names = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: f"{PREFIX}/{name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}" for name, path in names.items()}


def asset_function(folder: Path = FOLDER) -> Callable[[str], str]:
    """Return what templates call to link a file; an unknown name is a mistake of ours and fails."""
    names = hashed_names(folder)
    return names.__getitem__
