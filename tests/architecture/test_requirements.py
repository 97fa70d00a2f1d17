"""What is pinned twice is pinned the same: an environment that is built from two of the files could not be built otherwise."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "requirements"
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def test_files_that_are_installed_together_pin_the_same_versions() -> None:
    pins = {path.stem: dict(PIN.findall(path.read_text(encoding="utf-8"))) for path in FOLDER.glob("*.txt")}
    read = [pins["base"].get("flask"), pins["dev"].get("pytest"), pins["mutation"].get("mutmut")]
    assert all(read)
    together = list(combinations(("base", "dev", "mutation"), 2))
    differ = [
        f"{name}: {pins[one][name]} in {one}, {pins[other][name]} in {other}"
        for one, other in together
        for name in sorted(pins[one].keys() & pins[other].keys())
        if pins[one][name] != pins[other][name]
    ]
    assert differ == []
