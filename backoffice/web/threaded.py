"""gunicorn's worker with threads, whose main loop waits for nobody and turns away at the door.

One loop takes connections, hands them to threads and ends them. gunicorn ends a connection there by waiting up to two seconds
until the other side has ended it too: whoever is slow to do so keeps everybody else at the door. Here the loop goes on
meanwhile, and takes all who stand at the door at once. Who is to be turned away (`shedding`) is, by the loop itself: with a
thread busy, handing over to another one costs more than all the rest of a refusal.
"""

from __future__ import annotations

import socket
import time
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn

from backoffice.web.patience import END_OF_HEAD, Worker
from backoffice.web.shedding import Shedding, no_room

LINGER_SECONDS = 2.0  # for the other side's goodbye
MOST_DRAINED = 1024 * 1024  # bytes that somebody who was answered may still send: a body that nobody read
AT_ONCE = 64  # connections taken before the loop looks at anything else


class Threaded(Worker):
    """The worker class. Connections that end are counted until they have (`worker_connections` bounds them too)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin with none."""
        super().__init__(*args, **kwargs)
        self._leaving: dict[TConn, int] = {}  # the oldest first → bytes that came since
        self.standing: Shedding | None = None  # before the site, once it is made

    def accept(self, listener: Any) -> None:
        """Take who stands at the door; where too many wait already, all of them at once, to turn them away.

        Until then one on each turn of the loop: else the process that looks first takes everybody, and the others have nobody.
        """
        for _ in range(AT_ONCE):
            before = self.nr_conns
            super().accept(listener)
            crowded = self.standing is not None and self.standing.is_crowded()
            if not crowded or self.nr_conns in (before, self.worker_connections):
                return

    def _serve(self, conn: TConn) -> None:
        """Hand a connection to a thread, or turn it away. Only a whole request without a body, the first of its connection,
        is dealt with here: nothing of it can be waited for.
        """
        if conn.initialized or self.standing is None or not self.standing.is_crowded():
            super()._serve(conn)
            return
        head = conn.sock.peek() or b""
        method, _, rest = head.partition(b" ")
        target = rest.partition(b" ")[0].decode("latin-1")
        if method not in (b"GET", b"HEAD") or END_OF_HEAD not in head or not self.standing.is_full(method.decode(), target):
            super()._serve(conn)
            return
        done: Future[Any] = Future()
        said = no_room.set(True)
        try:
            done.set_result(self.handle(conn))
        finally:
            no_room.reset(said)
        self.finish_request(conn, done)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Go on with a connection whose thread is done with it; end it without waiting."""
        if fs.cancelled() or fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
            return
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, EVENT_READ, partial(self._drain, conn))
        except (OSError, ValueError):  # it has gone already
            self._end(conn)
        else:
            conn.timeout = time.monotonic() + LINGER_SECONDS
            self._leaving[conn] = 0

    def murder_pending(self) -> None:
        """End those that did not say goodbye; gunicorn comes by here on every turn of the loop."""
        super().murder_pending()
        now = time.monotonic()
        while self._leaving and (conn := next(iter(self._leaving))).timeout <= now:
            self._end(conn)

    def _drain(self, conn: TConn, sock: Any) -> None:
        """Throw away what still comes: closed with anything unread, the answer could be lost on its way (RFC 9112, 9.6)."""
        try:
            came = len(sock.recv(65_536))
        except BlockingIOError:
            return
        except OSError:
            came = 0
        self._leaving[conn] += came
        if not came or self._leaving[conn] > MOST_DRAINED:
            self._end(conn)

    def _end(self, conn: TConn) -> None:
        if self._leaving.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()
