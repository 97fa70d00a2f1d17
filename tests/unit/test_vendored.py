"""Files that are not ours are exactly those that their list names."""

from __future__ import annotations

import hashlib
import re

from tests.need import ROOT

FOLDER = ROOT / "storefront" / "static" / "vendor"


def test_each_file_has_the_sum_that_the_list_names() -> None:
    told = dict(re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", (FOLDER / "README.md").read_text(), re.MULTILINE))
    scripts = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.iterdir() if path.suffix == ".js"}
    assert scripts == told
