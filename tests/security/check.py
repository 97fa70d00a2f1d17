"""bandit and the house's own semgrep rules over what is served (`make check-security`). Standard library only.

What ruff was told of a line (`noqa: S608 - why`) counts for bandit too, whose B608 is ruff's S608: no reason is written twice.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = Path(__file__).with_name("house.yml")
SERVED = ("backoffice", "storefront", "templates", "wsgi.py")  # migrations are written once and take no value from outside
ELSEWHERE = {
    "B101": "an assert narrows a type that the database guarantees; input is never checked by one",
    "B311": "what is drawn by a seeded Random is no secret; a rule of ours finds the others",
    "B310": "ruff asks the same (S310) and sees that the only such address begins with http://",
    "B404": "importing subprocess starts nothing; each start is looked at (B603)",
}


def semgrep(folder: Path, paths: Sequence[str]) -> Iterator[str]:
    """Yield what our rules find below `folder`: file:line rule. Asks nobody outside."""
    command = [_tool("semgrep"), "scan", "--config", str(RULES), "--json", "--quiet", "--metrics=off", "--disable-version-check"]
    command += ["--no-git-ignore", "--jobs", "1", *paths]
    found = _run(command, folder)
    for error in found["errors"]:
        yield f"semgrep: {error.get('message', error)}"
    for one in found["results"]:
        yield f"{one['path']}:{one['start']['line']} {one['check_id'].rpartition('.')[2]}"


def bandit(folder: Path, paths: Sequence[str]) -> Iterator[str]:
    """Yield what bandit finds and no line gives a reason for: file:line rule, what is wrong."""
    found = _run([_tool("bandit"), "--quiet", "--recursive", "--format", "json", *paths], folder)
    for error in found["errors"]:
        yield f"bandit: {error}"
    for one in found["results"]:
        rule, numbers = one["test_id"], one["line_range"]
        lines = (folder / one["filename"]).read_text(encoding="utf-8").splitlines()
        said = re.compile(rf"# [n]oqa: [A-Z0-9, ]*\bS{rule[1:]}\b[^#]*\w")
        excused = any(said.search(lines[number - 1]) for number in numbers if number <= len(lines))
        if rule not in ELSEWHERE and not excused:
            yield f"{one['filename'].removeprefix('./')}:{one['line_number']} {rule} {one['issue_text']}"


def _tool(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else name


def _run(command: Sequence[str], folder: Path) -> dict[str, list[dict]]:  # type: ignore[type-arg] # of JSON, as the tools have it
    quiet = {"SEMGREP_SEND_METRICS": "off", "SEMGREP_ENABLE_VERSION_CHECK": "0"}
    done = subprocess.run(command, cwd=folder, env=os.environ | quiet, capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"{command[0]} did not answer:\n{done.stderr}") from None


def main() -> None:
    """Print what is found; exit 1 if anything is."""
    python = [path for path in SERVED if path != "templates"]
    found = [*semgrep(ROOT, SERVED), *bandit(ROOT, python)]
    print(*found, sep="\n")
    print(f"{len(found)} found by bandit and our own rules")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
