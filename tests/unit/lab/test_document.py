"""What docs/lab.md shows is what the command answers; and the answers do not depend on the process that gives them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from backoffice.cli import main
from tests.need import ROOT
from tests.unit.lab.models import answer_to

DOCUMENT = (ROOT / "docs" / "lab.md").read_text(encoding="utf-8")
MODEL = json.loads(re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)[0])


def test_the_table_shows_the_answers_to_the_model() -> None:
    told = re.findall(r"^\| ([^|]+) \| (2026-\S+) \| (\S+) \| (\S+) \|$", DOCUMENT, re.MULTILINE)
    answers = answer_to(MODEL)
    lines = [*answers["commitments"], *answers["quotes"]]
    assert told == [(line["id"], line["ready_at"], line["ship_on"], line["deliver_on"]) for line in lines]
    for reason in re.findall(r"^    (2026-.+)$", DOCUMENT, re.MULTILINE):
        assert reason in answers["commitments"][0]["reasons"]


def test_every_key_is_in_the_document_and_no_other(tmp_path: Path) -> None:
    told = {name for row in re.findall(r"^\| (`[^|]+) \|", DOCUMENT, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    path = tmp_path / "model.json"
    path.write_text(json.dumps({**dict.fromkeys(told, 1), "zz": 1}))
    faults = CliRunner().invoke(main, ["lab", str(path)]).stderr.splitlines()
    assert [fault for fault in faults if "unknown key" in fault] == ["zz: unknown key"]
    assert told == {fault.split(":")[0].split(".")[0] for fault in faults} - {"zz"}


def test_another_process_gives_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(MODEL))
    said = [
        subprocess.run(
            [sys.executable, "-m", "backoffice.cli", "lab", str(path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LANG": "de_DE.UTF-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    ]
    assert said[0] == said[1]
    assert json.loads(said[0])["plan_hash"] == answer_to(MODEL)["plan_hash"]


def test_quotes_leave_no_trace_and_a_commitment_does() -> None:
    def hash_of(**changed: object) -> str:
        found: str = answer_to({**MODEL, **changed})["plan_hash"]
        return found

    assert hash_of(quotes=[]) == hash_of()
    assert hash_of(commitments=[]) != hash_of()
