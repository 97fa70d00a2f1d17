"""The loop of a web process turns away by itself and waits for nobody's goodbye."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from flask import Flask
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from backoffice.web import shedding
from backoffice.web.patience import Reading
from backoffice.web.threaded import Threaded

pytestmark = pytest.mark.enable_socket
LOOK = b"GET /p/stool HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Pool:
    """Threads that are all busy: what they are handed waits."""

    def __init__(self) -> None:
        self.waits: list[TConn] = []

    def submit(self, _work: Any, conn: TConn) -> Future[Any]:
        self.waits.append(conn)
        return Future()


@pytest.fixture
def worker(app: Flask) -> Iterator[Threaded]:
    """A web process whose room is full."""
    config = Config()
    made = Threaded(1, os.getppid(), [], None, 30, config, Logger(config))
    made.wsgi, made.tpool, made.poller, made.alive = app, Pool(), selectors.DefaultSelector(), True
    made.standing = shedding.of(app)
    made.standing.waiting = lambda: 100_000
    yield made
    made.poller.close()


def come(worker: Threaded, says: bytes) -> socket.socket:
    """Let somebody come and say something; return their end."""
    theirs, ours = socket.socketpair()
    theirs.sendall(says)
    worker.nr_conns += 1
    worker.enqueue_req(TConn(worker.cfg, Reading(fileno=ours.detach()), ("127.0.0.1", 1), ("127.0.0.1", 80)))
    theirs.settimeout(5)
    return theirs


def test_who_is_turned_away_takes_no_thread(worker: Threaded) -> None:
    theirs = come(worker, LOOK)
    assert theirs.recv(65_536).startswith(b"HTTP/1.1 503")
    assert worker.tpool.waits == []


@pytest.mark.parametrize(
    "says",
    [
        b"POST /contact HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n",  # its body would have to be waited for
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /p/stool\r\nHost: localhost\r\n\r\n",  # what is no request is told so by gunicorn
        b"GET  HTTP/1.1\r\n\r\n",
    ],
)
def test_what_could_keep_the_loop_waiting_is_left_to_a_thread(worker: Threaded, says: bytes) -> None:
    theirs = come(worker, says)
    assert len(worker.tpool.waits) == 1
    theirs.close()


def test_who_buys_in_another_language_is_no_looker(worker: Threaded) -> None:
    assert worker.standing is not None
    worker.standing.waiting, worker.standing.threads = (lambda: 9), 1
    come(worker, LOOK.replace(b"/p/stool", b"/de/checkout")).close()
    assert len(worker.tpool.waits) == 1
    assert come(worker, LOOK.replace(b"/p/stool", b"/de/p/stool")).recv(65_536).startswith(b"HTTP/1.1 503")


def test_a_refusal_is_whole_and_over_at_once(worker: Threaded) -> None:
    theirs = come(worker, LOOK.replace(b"Connection: close", b"X-Request-Id: of-the-proxy-1\r\nX-Forwarded-Proto: https"))
    assert (worker.nr_conns, worker._leaving) == (0, {})
    said = b""
    while part := theirs.recv(65_536):
        said += part
    head, _, content = said.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    assert status == "HTTP/1.1 503 Service Unavailable"
    assert (fields["Retry-After"], fields["Connection"], fields["X-Request-Id"]) == ("5", "close", "of-the-proxy-1")
    assert fields["Strict-Transport-Security"].startswith("max-age=")
    assert fields["Cache-Control"] == "no-store"
    assert int(fields["Content-Length"]) == len(content) > 0
    assert content == worker.standing.words({"PATH_INFO": "/p/stool"})[0]  # type: ignore[union-attr] # it is there since the fixture


def test_a_refusal_without_tls_asks_nobody_to_keep_to_it_and_of_a_head_only_the_head(worker: Threaded) -> None:
    theirs = come(worker, LOOK.replace(b"GET", b"HEAD"))
    said = b""
    while part := theirs.recv(65_536):
        said += part
    assert said.endswith(b"\r\n\r\n")
    assert b"Strict-Transport-Security" not in said
    assert b"\r\nContent-Length: 0" not in said


def test_who_goes_before_they_are_refused_costs_nobody_anything(worker: Threaded) -> None:
    theirs, ours = socket.socketpair()
    theirs.sendall(LOOK)
    theirs.close()
    worker.nr_conns += 1
    worker.enqueue_req(TConn(worker.cfg, Reading(fileno=ours.detach()), ("127.0.0.1", 1), ("127.0.0.1", 80)))
    assert (worker.nr_conns, worker._leaving, worker.tpool.waits) == (0, {}, [])


def test_who_says_nothing_yet_takes_no_thread(worker: Threaded) -> None:
    theirs = come(worker, b"")
    assert (worker.tpool.waits, len(worker._waiting)) == ([], 1)
    theirs.sendall(LOOK)
    worker.wait_for_and_dispatch_events(1)
    assert theirs.recv(65_536).startswith(b"HTTP/1.1 503")
    assert not worker._waiting


def test_who_has_said_half_of_it_takes_no_thread_either(worker: Threaded) -> None:
    theirs = come(worker, LOOK[:20])
    assert (worker.tpool.waits, len(worker._waiting)) == ([], 1)
    theirs.sendall(LOOK[20:])
    worker.wait_for_and_dispatch_events(1)
    assert theirs.recv(65_536).startswith(b"HTTP/1.1 503")


@pytest.mark.parametrize("field", [b"Content-Length: 3", b"Transfer-Encoding: chunked"])
def test_the_loop_waits_for_nobodys_goodbye(worker: Threaded, field: bytes) -> None:
    with_body = LOOK.replace(b"Connection", field + b"\r\nConnection")  # it may still come
    slow, quick = come(worker, with_body), come(worker, with_body)
    assert worker.nr_conns == 2
    quick.close()
    worker.wait_for_and_dispatch_events(1)
    assert worker.nr_conns == 1  # the other one may still say it
    [left] = worker._leaving
    left.timeout = 0.0
    worker.murder_pending()
    assert (worker.nr_conns, worker._leaving) == (0, {})
    assert slow.recv(65_536).startswith(b"HTTP/1.1 503")  # and it was heard all the same
