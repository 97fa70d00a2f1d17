"""A flood of people who look around, from processes of its own: so many requests a second, however they are answered.

Each request has a connection of its own, as nginx gives it one (docs/units/nginx.conf).
"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

MOST_OPEN = 1_500  # connections of a process at once: beyond that the flood itself would be what is slow
PATIENCE = 20.0  # seconds that somebody waits for an answer
_SPAWN = multiprocessing.get_context("spawn")


@dataclass
class Flooded:
    """What the flood met. took: seconds of each answer that was a page; turned_away: of each 503 with Retry-After."""

    said: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    turned_away: list[float] = field(default_factory=list)
    sent: int = 0
    held_back: int = 0  # requests that were due while MOST_OPEN were open: not sent

    def add(self, other: Flooded) -> None:
        """Count what another part of the flood met as well."""
        self.said += other.said
        self.took += other.took
        self.turned_away += other.turned_away
        self.sent, self.held_back = self.sent + other.sent, self.held_back + other.held_back


class Flood:
    """The processes of a flood, as far as whoever waits for them."""

    def __init__(self, ends: Sequence[Connection]) -> None:
        self._ends = ends

    def poll(self, seconds: float) -> bool:
        """Wait so long at most; tell whether it is over."""
        waiting = [end for end in self._ends if not end.poll()]
        return not waiting or (waiting[0].poll(seconds) and all(end.poll() for end in self._ends))

    def met(self) -> Flooded:
        """Return what all of it met, when it is over."""
        together = Flooded()
        for end in self._ends:
            together.add(end.recv())
        return together


@contextmanager
def running(
    address: str, paths: Sequence[str], *, seconds: float, per_second: float = math.inf, at_once: int = MOST_OPEN, parts: int = 1
) -> Iterator[Flood]:
    """Let it come, from so many processes. per_second: of all together; without it each looks again at once."""
    pipes = [_SPAWN.Pipe() for _ in range(parts)]
    given = (address, list(paths), per_second / parts, at_once, seconds)
    processes = [_SPAWN.Process(target=_run, args=(there, *given), daemon=True) for _, there in pipes]
    for process in processes:
        process.start()
    try:
        yield Flood([here for here, _ in pipes])
    finally:
        for process in processes:
            process.join(PATIENCE + 10)
            process.kill()
            process.join()


def _run(there: Connection, address: str, paths: list[str], per_second: float, at_once: int, seconds: float) -> None:
    there.send(asyncio.run(_flood(address, paths, per_second, at_once, seconds)))


async def _flood(address: str, paths: list[str], per_second: float, at_once: int, seconds: float) -> Flooded:
    met, parts, began = Flooded(), urlsplit(address), time.monotonic()
    open_ones: set[asyncio.Task[None]] = set()
    due = 0  # those that were sent, and those that were held back
    while (now := time.monotonic() - began) < seconds:
        while due < now * per_second:
            if len(open_ones) >= at_once:
                if per_second < math.inf:
                    met.held_back, due = met.held_back + int(now * per_second) - due, int(now * per_second)
                break
            due, met.sent = due + 1, met.sent + 1
            task = asyncio.create_task(_look(met, str(parts.hostname), int(parts.port or 80), paths[due % len(paths)]))
            open_ones.add(task)
            task.add_done_callback(open_ones.discard)
        await asyncio.sleep(0.005)
    if open_ones:
        await asyncio.wait(open_ones, timeout=PATIENCE)
    return met


async def _look(met: Flooded, host: str, port: int, path: str) -> None:
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read(-1)
            writer.close()
    except (OSError, TimeoutError) as error:
        met.said["no answer" if isinstance(error, TimeoutError) else type(error).__name__] += 1
        return
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    status, took = head[9:12] or "nothing", time.monotonic() - began
    if status == "200":
        met.took.append(took)
    elif status in {"429", "503"}:
        met.turned_away.append(took)
        if "\nretry-after:" not in head.lower():
            status += " without Retry-After"
    met.said[status] += 1
