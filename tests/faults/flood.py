"""A flood of people who look around, from processes of its own: so many requests a second, however they are answered.

Each request has a connection of its own, as nginx gives it one (docs/units/nginx.conf).
"""

from __future__ import annotations

import math
import multiprocessing
import select
import socket
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
    there.send(_Part(address, paths, per_second, at_once).flood(seconds))


@dataclass(slots=True)
class _Look:
    """One request on its way. head: what came of the answer first."""

    sock: socket.socket
    request: bytes
    began: float
    sent: bool = False
    head: bytes = b""


class _Part:
    """A process of the flood: one loop over plain sockets, because what it costs is taken from the shop that it floods."""

    def __init__(self, address: str, paths: list[str], per_second: float, at_once: int) -> None:
        parts = urlsplit(address)
        self._to = (str(parts.hostname), int(parts.port or 80))
        host = f"{self._to[0]}:{self._to[1]}"
        self._requests = [f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode() for path in paths]
        self._per_second, self._at_once = per_second, at_once
        self._met, self._open, self._poll = Flooded(), dict[int, _Look](), select.epoll()

    def flood(self, seconds: float) -> Flooded:
        """Look around for so long, then wait for the answers that are due."""
        began, due = time.monotonic(), 0  # due: those that were sent, and those that were held back
        while (now := time.monotonic()) - began < seconds or self._open:
            wanted = self._per_second if self._per_second == math.inf else (now - began) * self._per_second
            if now - began >= seconds:
                wanted = 0
            while due < wanted and len(self._open) < self._at_once:
                due += 1
                self._begin(self._requests[due % len(self._requests)], now)
            if due < wanted < math.inf:
                self._met.held_back, due = self._met.held_back + int(wanted) - due, int(wanted)
            for number, _ in self._poll.poll(0.005):
                self._go_on(self._open[number])
            self._lose_patience(now)
        self._poll.close()
        return self._met

    def _begin(self, request: bytes, now: float) -> None:
        self._met.sent += 1
        sock = socket.socket()
        sock.setblocking(False)
        look = _Look(sock, request, now)
        self._open[sock.fileno()] = look
        self._poll.register(sock.fileno(), select.EPOLLOUT)
        sock.connect_ex(self._to)

    def _go_on(self, look: _Look) -> None:
        """Send what is to be sent, or read what has come."""
        try:
            if not look.sent:
                look.sock.sendall(look.request)  # a few hundred bytes: they find room at once
                look.sent = True
                self._poll.modify(look.sock.fileno(), select.EPOLLIN)
                return
            came = look.sock.recv(1 << 18)
        except OSError as error:
            self._end(look, type(error).__name__)
            return
        if not came:
            self._judge(look)
        elif b"\r\n\r\n" not in look.head:
            look.head += came

    def _judge(self, look: _Look) -> None:
        head = look.head.partition(b"\r\n\r\n")[0].decode("latin-1")
        status, took = head[9:12] or "nothing", time.monotonic() - look.began
        if status == "200":
            self._met.took.append(took)
        elif status in {"429", "503"}:
            self._met.turned_away.append(took)
            if "\nretry-after:" not in head.lower():
                status += " without Retry-After"
        self._end(look, status)

    def _end(self, look: _Look, said: str) -> None:
        self._met.said[said] += 1
        del self._open[look.sock.fileno()]
        look.sock.close()  # which takes it out of the poll as well

    def _lose_patience(self, now: float) -> None:
        while self._open and now - (oldest := next(iter(self._open.values()))).began > PATIENCE:
            self._end(oldest, "no answer")
