"""Rules of the house that no linter of ours knows: length, reasons, paths, commands, layers."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.defects.seeded import SEEDED
from tests.need import ROOT

LONGEST = 400
SOURCES = {".py", ".html", ".css", ".js"}
REASONED = re.compile(r"(#\s*noqa(?::\s*[A-Z0-9, ]+)?|#\s*type:\s*ignore(?:\[[a-z0-9, -]+\])?)(?P<rest>.*)")
# an absolute path of somebody's machine: a home, a build folder, a drive
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|root|Users|work|workspace|builds)/[\w.-]+|\b[A-Z]:\\\\?Users")
OUTSIDE = re.compile(r"\.\./shared|shared/(?:data|cases)")


def files() -> list[Path]:
    """Return every file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    """Return name and text of every file that is text."""
    found = []
    for path in files():
        try:
            found.append((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def is_our_own(name: str) -> bool:
    generated = name.startswith("migrations/versions/") or "/vendor/" in f"/{name}" or ".min." in name
    return Path(name).suffix in SOURCES and not generated


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {name: len(text.splitlines()) for name, text in texts() if is_our_own(name)}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def unreasoned(text: str) -> list[str]:
    """Return the exceptions to a rule that do not say why. A reason: words after a dash or a second #."""
    found = []
    for line in text.splitlines():
        match = REASONED.search(line)
        if match and not re.search(r"(#|-|–)\s.*\w{3,}", match["rest"]):
            found.append(line.strip())
    return found


def test_every_exception_to_a_rule_says_why() -> None:
    silent = {
        name: unreasoned(text)
        for name, text in texts()
        if name.endswith(".py") and name != "tests/architecture/test_house_rules.py"
    }
    assert {name: lines for name, lines in silent.items() if lines} == {}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("x = 1  # noqa: S311", 1),
        ("x = 1  # noqa", 1),
        ("x = 1  # type: ignore[arg-type]", 1),
        ("x = 1  # noqa: S311 - jitter, not a secret", 0),
        ("x = 1  # type: ignore[misc] # the library ships no types", 0),
        ("x = 1  # says nothing of a rule", 0),
    ],
)
def test_a_reason_is_recognised(line: str, found: int) -> None:
    assert len(unreasoned(line)) == found


def test_no_path_of_one_machine_is_written_down() -> None:
    named = {name: sorted(set(MACHINE_PATHS.findall(text))) for name, text in texts() if not name.endswith("test_house_rules.py")}
    assert {name: paths for name, paths in named.items() if paths} == {}


def test_only_the_ci_script_looks_outside_of_the_checkout() -> None:
    outside = [name for name, text in texts() if OUTSIDE.search(text) and not name.endswith("test_house_rules.py")]
    assert outside == [".ci/run"]


def test_before_a_change_is_taken_all_three_checks_run() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert script.splitlines()[-1] == "make check check-security test"
    assert 'SHOPFLOOR_REQUIRE="postgresql browser security"' in script


def test_requirements_name_no_registry_and_every_version_has_a_hash() -> None:
    for name in ("base", "dev", "security"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert "://" not in text
        assert "--index-url" not in text
        assert "--find-links" not in text
        for block in re.split(r"\n(?=\S)", text.strip()):
            assert re.match(r"[a-z0-9._-]+==\S+", block), block
            assert "--hash=sha256:" in block, block


def test_environments_that_are_built_of_several_files_can_be_built() -> None:
    def pinned(name: str) -> dict[str, str]:
        lines = (ROOT / "requirements" / f"{name}.txt").read_text()
        return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lines, re.MULTILINE))

    base, dev, mutation = pinned("base"), pinned("dev"), pinned("mutation")
    assert {name: version for name, version in base.items() if dev.get(name) != version} == {}
    assert {name: version for name, version in mutation.items() if dev.get(name, version) != version} == {}
    assert "mutmut" in mutation


def test_commands_in_the_readme_are_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        told = set(re.findall(r"`(?:\$ )?make ([a-z-]+)", document.read_text()))
        told |= set(re.findall(r"^(?:\$ |    )?make ([a-z-]+)", document.read_text(), re.MULTILINE))
        assert told - targets == set(), document


def test_help_tells_every_target() -> None:
    told = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for line in (ROOT / "Makefile").read_text().splitlines():
        if match := re.match(r"^([a-z][a-z-]*):", line):
            assert f"make {match[1]} " in told


def test_planning_needs_the_standard_library_alone() -> None:
    outside = []
    for path in sorted((ROOT / "backoffice" / "planning").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = ["." * node.level + (node.module or "")]
            for name in names:
                allowed = name.split(".")[0] in sys.stdlib_module_names or name.startswith("backoffice.planning")
                if not allowed and not name.startswith("."):
                    outside.append(f"{path.name}: {name}")
    assert outside == []


def test_the_wall_clock_is_read_in_one_place() -> None:
    """Everything below the shell is handed `now`: only backoffice/clock.py asks what time it is."""
    asks = re.compile(r"\b(?:datetime\.(?:now|utcnow|today)|date\.today|time\.time)\(")
    reads = [name for name, text in texts() if name.startswith(("backoffice/", "storefront/")) and asks.search(text)]
    assert reads == ["backoffice/clock.py"]


def test_every_area_of_the_back_office_is_closed_to_the_shop_window() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [closed] = [c["forbidden_modules"] for c in contracts if c["name"].startswith("The shop window")]
    there = {
        f"backoffice.{path.stem}"
        for path in (ROOT / "backoffice").iterdir()
        if path.stem != "__init__" and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    assert there - set(closed) == {"backoffice.public"}


def test_every_seeded_defect_has_a_place() -> None:
    """The program moves on: a defect that fits nowhere would be caught by nobody (`make bench-defects`)."""
    assert [one.name for one in SEEDED if (ROOT / one.file).read_text().count(one.old) != 1] == []
