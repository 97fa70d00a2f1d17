"""A flood of people who look around, from a process of its own: so many requests a second, however they are answered.

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

MOST_OPEN = 1_500  # connections at once: beyond that the flood itself would be what is slow
PATIENCE = 20.0  # seconds that somebody waits for an answer
_SPAWN = multiprocessing.get_context("spawn")


@dataclass
class Flooded:
    """What the flood met. took: seconds of each answer that was a page; turned_away: of each 503 with Retry-After."""

    said: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    turned_away: list[float] = field(default_factory=list)
    held_back: int = 0  # requests that were due while MOST_OPEN were open: not sent


@contextmanager
def running(
    address: str, paths: Sequence[str], *, seconds: float, per_second: float = math.inf, at_once: int = MOST_OPEN
) -> Iterator[Connection]:
    """Let it come; receive the `Flooded` from what is given. per_second: without it each looks again at once."""
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_run, args=(there, address, list(paths), per_second, at_once, seconds), daemon=True)
    process.start()
    try:
        yield here
    finally:
        process.join(PATIENCE + 10)
        process.kill()
        process.join()


def _run(there: Connection, address: str, paths: list[str], per_second: float, at_once: int, seconds: float) -> None:
    there.send(asyncio.run(_flood(address, paths, per_second, at_once, seconds)))


async def _flood(address: str, paths: list[str], per_second: float, at_once: int, seconds: float) -> Flooded:
    met, parts, began = Flooded(), urlsplit(address), time.monotonic()
    open_ones: set[asyncio.Task[None]] = set()
    sent = 0
    while (now := time.monotonic() - began) < seconds:
        while sent < now * per_second:
            if len(open_ones) >= at_once:
                if per_second < math.inf:
                    met.held_back, sent = met.held_back + int(now * per_second) - sent, int(now * per_second)
                break
            sent += 1
            task = asyncio.create_task(_look(met, str(parts.hostname), int(parts.port or 80), paths[sent % len(paths)]))
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
