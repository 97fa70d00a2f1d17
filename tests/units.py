"""A small systemd for the units in docs/units: what they say is started, told to be ready, stopped and started again.

Read from the files: ExecStart, Environment, TimeoutStopSec. Done as systemd does it: one listening socket that all web servers
inherit as descriptor 3 (LISTEN_FDS), a socket on which a service says that it is ready (NOTIFY_SOCKET), SIGTERM to stop. Not
done: users, folders and the walls around a service; `systemd-analyze verify` reads those.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backoffice.config import Settings
from tests.need import ROOT

UNITS = ROOT / "docs" / "units"
WEB, WORKER = "shopfloor-web@.service", "shopfloor-worker.service"
PROGRAM = "/opt/shopfloor/current/.venv/bin/shopfloor"
WEB_SERVERS = 2
READY_SECONDS = 60.0
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


def said(unit: str, name: str) -> str:
    """Return what a unit says about one of its settings."""
    found = re.search(rf"^{name}=(.*)$", (UNITS / unit).read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, f"{unit} says nothing of {name}"
    return found[1]


class Service:
    """One service of a unit: started, stopped, restarted."""

    def __init__(self, unit: str, environment: dict[str, str], log: Path, *, socket: socket.socket | None = None) -> None:
        program, *words = said(unit, "ExecStart").split()
        assert program == PROGRAM
        self._command = [sys.executable, "-m", "backoffice.cli", *words]
        if socket is not None:
            self._command = [sys.executable, "-c", HAND_OVER, str(socket.fileno()), *self._command]
        self._unit, self._environment, self._log, self._socket = unit, environment, log, socket
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; where the unit's type is notify, return when it says that it is ready. Raises RuntimeError if it does not."""
        environment = os.environ | self._environment
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(f"{folder}/notify")
            ear.settimeout(0.2)
            waits = self._socket is not None
            if waits:
                environment["NOTIFY_SOCKET"] = f"{folder}/notify"
            with self._log.open("ab") as output:
                self._process = subprocess.Popen(
                    self._command,
                    cwd=ROOT,
                    env=environment,
                    stdout=output,
                    stderr=output,
                    pass_fds=[self._socket.fileno()] if self._socket else [],
                    start_new_session=True,
                )
            if waits:
                self._hear(ear)

    def _hear(self, ear: socket.socket) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            try:
                if b"READY=1" in ear.recv(4096):
                    return
            except TimeoutError:
                continue
        raise RuntimeError(f"{self._unit} did not become ready:\n{self._log.read_text(errors='replace')[-4000:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> bool:
        """Stop it; return whether it ended within the time that the unit gives it. SIGKILL meets all of its processes at once."""
        if self._process is None or self._process.poll() is not None:
            return False
        if number == signal.SIGKILL:
            os.killpg(self._process.pid, number)
        else:
            self._process.send_signal(number)
        try:
            self._process.wait(int(said(self._unit, "TimeoutStopSec")))
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            return False
        return True

    def restart(self) -> bool:
        """Stop and start it; return whether it stopped in time."""
        in_time = self.stop()
        self.start()
        return in_time


class Shop:
    """The services of one machine, on one address."""

    def __init__(self, settings: Settings, folder: Path, *, worker: bool = True) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(1024)
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        counters = folder / "counters"
        counters.mkdir()
        given = {f"SHOPFLOOR_{name.upper()}": str(value) for name, value in settings.model_dump(exclude_none=True).items()}
        given[said(WEB, "Environment").partition("=")[0]] = str(counters)
        self.web = [
            Service(WEB, given, folder / f"web-{number}.log", socket=self._socket) for number in range(1, WEB_SERVERS + 1)
        ]
        self.worker = [Service(WORKER, given, folder / "worker.log")] if worker else []

    def start(self) -> None:
        """Start everything."""
        for service in [*self.web, *self.worker]:
            service.start()

    def stop(self) -> None:
        """Stop everything."""
        for service in [*self.web, *self.worker]:
            service.stop()
        self._socket.close()

    def restart(self, *, by: Callable[[Service], object] = Service.restart) -> bool:
        """Restart one after the other, as docs/going-live.md says; return whether all stopped in time."""
        return all([by(service) for service in [*self.web, *self.worker]])  # noqa: C419 - each is restarted, whatever came before


@contextmanager
def running(settings: Settings, folder: Path, *, worker: bool = True) -> Iterator[Shop]:
    """Run the services; stop them at the end."""
    shop = Shop(settings, folder, worker=worker)
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()
