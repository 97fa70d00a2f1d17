"""What the documents say is there is there, and what is there is in the documents."""

from __future__ import annotations

import re

from click import Group
from click.testing import CliRunner

from backoffice.cli import main
from backoffice.config import Settings
from tests.need import ROOT

OPERATORS = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_operators_table_and_no_other() -> None:
    told = re.findall(r"^\| `SHOPFLOOR_([A-Z_]+)` \|", OPERATORS, re.MULTILINE)
    assert [name.lower() for name in told] == list(Settings.model_fields)


def test_the_defaults_in_the_table_are_the_programs() -> None:
    told = dict(re.findall(r"^\| `SHOPFLOOR_([A-Z_]+)` \| `?([^|`]+?)`? \|", OPERATORS, re.MULTILINE))
    for name, field in Settings.model_fields.items():
        default = {"": "none", "True": "true", "False": "false"}.get(str(field.default), str(field.default))
        assert field.default is None or told[name.upper()] == default, name


def test_commands_in_documents_exist() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for words in re.findall(r"`(?:\.venv/bin/)?shopfloor ([a-z][a-z -]*[a-z])", document.read_text(encoding="utf-8")):
            command, *rest = words.split()
            context = main.make_context("shopfloor", [], resilient_parsing=True)
            found = main.get_command(context, command)
            assert found is not None, f"{document.name}: {words}"
            if isinstance(found, Group) and rest:
                assert rest[0] in found.list_commands(context), f"{document.name}: {words}"


def test_what_documents_tell_make_to_do_it_can_do() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        told = re.findall(r"`make ([a-z-]+)", document.read_text(encoding="utf-8"))
        assert set(told) <= known, document.name


def test_every_command_has_a_sentence() -> None:
    for line in CliRunner().invoke(main, ["--help"]).output.splitlines():
        if match := re.match(r"^  ([a-z-]+) *(.*)$", line):
            assert match[2], f"{match[1]} says nothing of itself"


def test_folders_named_in_the_architecture_are_there() -> None:
    [house] = re.findall(r"```\n(wsgi\.py.*?)```", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"), re.DOTALL)
    parent = ""
    for line in house.splitlines():
        names = re.match(r"^( *)((?:[\w.]+/?(?: (?=[\w.]+/))?)+)", line)
        assert names is not None, line
        for name in names[2].split():
            path = (parent if names[1] else "") + name
            assert (ROOT / path).exists(), path
        if not names[1]:
            parent = names[2].split()[0]
