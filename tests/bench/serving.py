"""Servers and clients of the benches: gunicorn as in production, keep-alive connections, CPU read from /proc."""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response

TICKS = os.sysconf("SC_CLK_TCK")


def empty_app() -> Flask:
    """Return the least that Flask can do: what every page is compared with."""
    app = Flask("empty")

    @app.get("/")
    def nothing() -> Response:
        return Response(b"ok")

    return app


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of requests gave."""

    seconds: float
    cpu_seconds: float
    took: tuple[float, ...]  # seconds of each request
    failed: int


def cpu_of(leader: int) -> float:
    """Return the CPU seconds that a server and its processes have used."""
    return sum(_cpu(one) for one in [leader, *_children(leader)])


def cpu_of_each(processes: Sequence[int]) -> float:
    """Return the CPU seconds that these processes have used; one that is on another machine, or gone, counts for none."""
    return sum(_cpu(one) for one in processes if Path(f"/proc/{one}/stat").exists())


def _children(leader: int) -> list[int]:
    text = Path(f"/proc/{leader}/task/{leader}/children").read_text()
    found = [int(one) for one in text.split()]
    return found + [below for one in found for below in _children(one)]


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def ask(address: str, path: str, leader: int, *, clients: int, requests: int) -> Round:
    """Send `requests` GETs over `clients` kept connections as fast as they are answered."""
    netloc = urlsplit(address).netloc
    took: list[float] = []
    failed = 0
    lock = threading.Lock()

    def run(share: int) -> None:
        nonlocal failed
        connection = http.client.HTTPConnection(netloc, timeout=60)
        mine, wrong = [], 0
        for _ in range(share):
            started = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            mine.append(time.perf_counter() - started)
            wrong += answer.status != 200
        connection.close()
        with lock:
            took.extend(mine)
            failed += wrong

    return _timed(run, leader, clients=clients, share=requests // clients, took=took, failures=lambda: failed)


def _timed(
    run: Callable[[int], None], leader: int, *, clients: int, share: int, took: list[float], failures: Callable[[], int]
) -> Round:
    threads = [threading.Thread(target=run, args=(share,)) for _ in range(clients)]
    before, started = cpu_of(leader), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Round(time.perf_counter() - started, cpu_of(leader) - before, tuple(took), failures())


def percentile(values: list[float], part: float) -> float:
    """Return the value below which `part` (0..1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
