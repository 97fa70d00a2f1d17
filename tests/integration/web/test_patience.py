"""Half a head holds no thread: gunicorn as it really runs serves everybody else, however many such connections there are."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from backoffice.config import Settings
from backoffice.web.patience import MOST_HEAD, Reading

SLOW = 100
HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
def address(processes: Callable[..., str], settings_for: Callable[..., Settings], sqlite_url: str) -> str:
    """One web process with two threads."""
    return processes(settings_for(sqlite_url), workers=1, threads=2)


@pytest.fixture
def connect(address: str) -> Iterator[Callable[[], socket.socket]]:
    """Open connections to it."""
    where = urlsplit(address)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection((where.hostname, where.port), timeout=10))


def answer_of(connection: socket.socket) -> bytes:
    connection.settimeout(10)
    come = connection.recv(4096)
    while come.startswith(b"HTTP/1.1 200") and not come.endswith(b"ok\n"):
        come += connection.recv(4096)
    return come.split(b"\r\n", 1)[0]


def test_a_hundred_slow_heads_keep_nobody_from_being_served(address: str, connect: Callable[[], socket.socket]) -> None:
    slow = [connect() for _ in range(SLOW)]
    for number, one in enumerate(slow):
        one.sendall(HEAD[: number % len(HEAD)])
    kept = connect()
    kept.sendall(HEAD + b"\r\n")
    assert answer_of(kept) == b"HTTP/1.1 200 OK"
    kept.sendall(HEAD)  # the next one on the same connection is as slow
    for _ in range(3):
        with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:  # noqa: S310 - loopback
            assert answer.status == 200
    for number, one in enumerate(slow):  # a little more, and a little more: they are slow, and no enemies
        one.sendall(HEAD[number % len(HEAD) :])
    for one in slow[:3]:
        one.sendall(b"\r\n")
        assert answer_of(one) == b"HTTP/1.1 200 OK"
    kept.sendall(b"\r\n")
    assert answer_of(kept) == b"HTTP/1.1 200 OK"
    endless, long, gone = connect(), connect(), connect()
    endless.sendall(HEAD + b"X-More: " + b"x" * MOST_HEAD)
    assert b" 431 " in answer_of(endless)
    long.sendall(b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert answer_of(long) == b"HTTP/1.1 414 URI Too Long"
    gone.sendall(HEAD)
    gone.shutdown(socket.SHUT_WR)
    gone.settimeout(10)
    assert gone.recv(4096) == b""


def test_a_body_has_its_time() -> None:
    here, there = socket.socketpair()
    with Reading(fileno=there.detach()) as reading, here:
        here.sendall(b"a")
        reading.read_by = 0.0
        assert reading.recv(1) == b"a"  # what is there is read
        with pytest.raises(TimeoutError):
            reading.recv(1)
        assert reading.gettimeout() is None
