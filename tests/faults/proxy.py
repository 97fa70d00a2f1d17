"""A DOUBLE of a bad line: it stands before a server and, when told to, is slow, breaks, swallows, or loses the answer.

Standard library. Works for any protocol over TCP: what it carries it does not understand.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LINGER_NOT = struct.pack("ii", 1, 0)  # close() then sends RST instead of FIN


@dataclass(frozen=True, slots=True)
class Fault:
    """latency: seconds before each piece of an answer. reset: break what comes. swallow: take it and say nothing.

    lose: hand the question on, let it be done, and break the line instead of bringing the answer.
    """

    name: str
    latency: float = 0.0
    reset: bool = False
    swallow: bool = False
    lose: bool = False


WELL = Fault("well")
FAULTS = (
    Fault("latency 200 ms", latency=0.2),
    Fault("latency 2 s", latency=2.0),
    Fault("reset", reset=True),
    Fault("black hole", swallow=True),
    Fault("answer lost", lose=True),
)


class Proxy:
    """One line. upstream: opens a connection to the server. fault: may be changed at any time, also for open connections."""

    def __init__(self, upstream: Callable[[], socket.socket]) -> None:
        self._upstream, self.fault = upstream, WELL
        self._open: set[socket.socket] = set()
        self._spoilt: set[socket.socket] = set()  # something was taken and not handed on: they cannot go on afterwards
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def heal(self) -> None:
        """Be a good line again; what lost something on the way is broken."""
        self.fault = WELL
        with self._lock:
            spoilt, self._spoilt = self._spoilt, set()
        for one in spoilt:
            _break(one)

    def close(self) -> None:
        """Break every connection and listen no more."""
        self._listener.close()
        with self._lock:
            everything = list(self._open)
        for one in everything:
            _break(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        if self.fault.reset:
            _break(client)
            return
        try:
            server = self._upstream()
        except OSError:
            _break(client)
            return
        with self._lock:
            self._open |= {client, server}
        back = threading.Thread(target=self._pump, args=(server, client, True), daemon=True)
        back.start()
        self._pump(client, server, False)
        back.join()
        with self._lock:
            self._open -= {client, server}
            self._spoilt -= {client, server}
        for one in (client, server):
            one.close()

    def _pump(self, source: socket.socket, target: socket.socket, answer: bool) -> None:
        """Carry one direction until an end closes."""
        while True:
            try:
                piece = source.recv(65_536)
            except OSError:
                piece = b""
            if not piece:
                with contextlib.suppress(OSError):
                    target.shutdown(socket.SHUT_WR)
                return
            fault = self.fault
            if fault.reset or (fault.lose and answer):
                _break(source)
                _break(target)
                return
            if fault.swallow:
                with self._lock:
                    self._spoilt |= {source, target}
                continue
            if answer and fault.latency:
                time.sleep(fault.latency)
            try:
                target.sendall(piece)
            except OSError:
                _break(source)
                return


def _break(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextlib.contextmanager
def before(upstream: Callable[[], socket.socket]) -> Iterator[Proxy]:
    """Stand before a server until the block ends."""
    proxy = Proxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()
