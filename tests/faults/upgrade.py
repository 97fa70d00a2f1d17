"""Shard `upgrade` (R19): today's migrations under the program of before, which serves people who buy meanwhile and goes on after.

Programs of before are taken from this repository's own history: each commit of its main line that brought migrations is one way
up, from the program before that commit to the tables after it. PostgreSQL; that program's own company, its web processes, its
worker, and its own test's people, who buy at the sandbox. Wanted, of each: no request fails, none takes half a second longer
than the longest without a migration, purchases go on over the new tables, its processes write down no error from then on; then,
with all that it wrote brought to today's tables, `verify` finds nothing.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from alembic.script import ScriptDirectory

from backoffice import migrate
from tests.faults.lines import site, started_worker
from tests.faults.rows import Row, breaches_in
from tests.need import OURS, ROOT, Gunicorn, lacks, postgres_database

PEOPLE, PIECES, MOST_STALL = 6, 100_000, 0.5
WARM = 2.0  # seconds: the first of each page takes longer than any after it
_REVISION = re.compile(r'^revision(?:: str)? = "(\w+)"', re.MULTILINE)
EARLIER = Path(__file__).with_name("earlier.py")


class Step(NamedTuple):
    """A way up. program: the commit that served until then; at, to: the last migration before and after."""

    program: str
    at: str
    to: str


def rows(steps: str = "", seconds: str = "3") -> Iterator[Row]:
    """Yield what came of it. steps: how many of the newest; else all that can be had. seconds: with people before, and after."""
    there = steps_of_history()
    chosen = there[-int(steps) :] if steps else there
    went = []
    for step in chosen:
        with ExitStack() as stack:
            went.append(_went(step, float(seconds), stack))
        print(f"    {went[-1]}", flush=True)
    yield from _judged(went)


def steps_of_history() -> list[Step]:
    """Return each way up that the main line's history has, oldest first; without a history say so loudly, and skip or fail."""
    chain = [one.revision for one in ScriptDirectory(str(migrate.MIGRATIONS)).walk_revisions()][::-1]
    found: list[Step] = []
    last = -1
    for commit in _commits():
        has = _REVISION.findall(_git("grep", "-hE", "^revision", commit, "--", "migrations/versions").decode())
        newest = max(chain.index(one) for one in has if one in chain)
        if newest > last >= 0:
            before = _git("rev-parse", f"{commit}^").decode().strip()
            found.append(Step(before, chain[last], chain[newest]))
        last = newest
    return found or lacks("history", "no commit before the newest migration")


def _commits() -> list[str]:
    """Return the commits of the main line that changed migrations, oldest first; none where git or the history is missing."""
    asked = ("log", "--first-parent", "-m", "--reverse", "--format=%H", "--", "migrations/versions")
    try:
        return _git(*asked).decode().split()
    except (OSError, subprocess.CalledProcessError):  # no git, not a repository, or one of somebody else
        return []


@dataclass
class Went:
    """What a way up met. warm: from when on all is as usual; began, ended: of the migration, all by the monotonic clock.

    requests: (began, seconds, status, what).
    """

    step: Step
    warm: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    requests: list[tuple[float, float, int, str]] = field(default_factory=list)
    bought: dict[str, int] = field(default_factory=dict)
    after: int = 0
    errors: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[str]:
        """Return what was not answered, or by an error."""
        return [f"{what}: {status}" for _, _, status, what in self.requests if not 200 <= status < 500]

    @property
    def odd(self) -> dict[str, int]:
        """Return purchases that did not come to an order."""
        return {came: many for came, many in self.bought.items() if came != "bought"}

    @property
    def stall(self) -> float:
        """Return by how much the longest request beside the migration was longer than the longest before it, in seconds."""
        calm = max((s for at, s, _, _ in self.requests if at > self.warm and at + s < self.began), default=0.0)
        return max((s for at, s, _, _ in self.requests if at <= self.ended and at + s >= self.began), default=0.0) - calm

    def __str__(self) -> str:
        """Say it in a line."""
        many = (
            f"{len(self.requests)} requests, {len(self.failed)} failed, {self.bought.get('bought', 0)} bought, {self.after} after"
        )
        took = f"{self.ended - self.began:.1f} s, {self.stall:+.2f} s"
        return (
            f"{self.step.program[:7]} to {self.step.to}: {many}; {took}; {len(self.errors)} errors, {len(self.breaches)} breaches"
        )


def _went(step: Step, seconds: float, stack: ExitStack) -> Went:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    url = stack.enter_context(postgres_database())
    program = folder / "program"
    with tarfile.open(fileobj=io.BytesIO(_git("archive", step.program))) as archive:
        archive.extractall(program, filter="data")
    migrate.upgrade(url, step.at)
    with _asked(program, "open", url, PIECES):
        pass
    settings = site(url, folder)
    options = OURS if (program / "backoffice/web/threaded.py").exists() else ()
    shop = Gunicorn(settings, workers=2, threads=8, log=folder / "web.log", root=program, options=options)
    stack.callback(shop.stop)
    shop.wait_until_ready()
    stack.enter_context(started_worker(settings, folder / "worker.log", program))
    went = Went(step)
    with _asked(program, "buy", shop.address, PEOPLE) as said:
        time.sleep(WARM)
        went.warm = time.monotonic()
        time.sleep(seconds)
        went.began, since = time.monotonic(), datetime.now(UTC)
        migrate.upgrade(url, step.to)
        went.ended = time.monotonic()
        time.sleep(seconds)
    for line in said:
        _note(went, json.loads(line))
    went.errors = [line for name in ("web", "worker") for line in _errors(folder / f"{name}.log", since)]
    migrate.upgrade(url)
    went.breaches = breaches_in(url)
    return went


@contextmanager
def _asked(program: Path, *words: object) -> Iterator[list[str]]:
    """Let the program of before do something of `earlier.py`; its lines are in the list after the block, which ends it."""
    said: list[str] = []
    command = [sys.executable, "-P", str(EARLIER), *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(program)}
    with tempfile.TemporaryFile("w+") as lines:
        process = subprocess.Popen(command, env=environment, cwd=program, stdin=subprocess.PIPE, stdout=lines)
        try:
            yield said
        finally:
            process.communicate()
            lines.seek(0)
            said += lines.read().splitlines()
    if process.returncode:
        raise RuntimeError(f"the program of before could not {words[0]}")


def _note(went: Went, said: dict[str, Any]) -> None:
    if "bought" in said:
        came = " ".join(said["bought"].split())[:200]
        went.bought[came] = went.bought.get(came, 0) + 1
        return
    went.requests.append((said["began"], said["seconds"], said["status"], said["what"]))
    went.after += said["began"] > went.ended and said["status"] == 303 and said["what"] == "POST /sandbox"


def _errors(log: Path, since: datetime) -> list[str]:
    """Return what a process wrote down as an error since the migration began: how each line begins and ends.

    What it wrote before is that program's own, and mended since then or not.
    """
    found = []
    for line in log.read_text(errors="replace").splitlines():
        at = re.search(r'"timestamp": "([^"]+)"', line)
        if re.search(r'"level": "(error|critical)"|Traceback', line) and (at is None or datetime.fromisoformat(at[1]) >= since):
            found.append(f"{line[:80]} … {line[-300:]}")
    return found


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True).stdout


def _judged(went: Sequence[Went]) -> Iterator[Row]:
    requests, bought = sum(len(one.requests) for one in went), sum(one.bought.get("bought", 0) for one in went)
    failed, odd = [line for one in went for line in one.failed], [line for one in went for line in one.odd]
    errors, breaches = [line for one in went for line in one.errors], [line for one in went for line in one.breaches]
    for line in [*failed[:5], *odd[:5], *errors[:5], *breaches[:5]]:
        print("   ", line)
    lost = sum(many for one in went for many in one.odd.values())
    name = f"R19 {len(went)} programs of before"
    yield Row(f"{name}: requests", "0 fail", f"{len(failed)} of {requests} failed", requests > 0 and not failed)
    least = min(one.after for one in went)
    yield Row(
        f"{name}: purchases",
        "all come to an order, after it too",
        f"{lost} of {bought + lost} did not, after it {least} at least",
        least > 0 and not odd,
    )
    yield Row(f"{name}: errors since then", "0", str(len(errors)), not errors)
    yield Row(f"{name}: verify, today", "0 breaches", f"{len(breaches)} breaches", not breaches)
    worst = max(went, key=lambda one: one.stall)
    figure = f"{worst.stall:+.2f} s ({worst.step.to})"
    yield Row(f"{name}: stall", f"<= {MOST_STALL} s longer than without", figure, worst.stall <= MOST_STALL)
