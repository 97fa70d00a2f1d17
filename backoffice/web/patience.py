"""gunicorn's threads, kept for those who have asked: a connection waits for the end of its head without one.

As it comes, a client that sends half a head holds a thread for ever, and a few dozen of them hold all there are. Here the
loop looks at what has come (without taking it) and hands a connection over once its head is whole. A body is read by a thread
and has its time; who sends large ones slowly is kept off by the proxy in front.
"""

from __future__ import annotations

import errno
import socket
from functools import partial
from math import inf
from selectors import EVENT_READ
from time import monotonic
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import TConn, ThreadWorker

END_OF_HEAD = b"\r\n\r\n"
MOST_HEAD = 32 * 1024  # bytes; request lines end at 8 kB already
HEAD_SECONDS = 10
BODY_SECONDS = 30  # for the 1 MB that a body may have
QUIET = {errno.EAGAIN, errno.ECONNABORTED}  # whoever wanted to connect has gone again


class Reading(socket.socket):
    """A connection that is read from until `read_by` (monotonic seconds) and no longer. Writing takes as long as it takes."""

    read_by = inf

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Read. Raises TimeoutError once the time is over."""
        before, left = self.gettimeout(), max(0.001, self.read_by - monotonic())
        if left == inf:
            return super().recv(size, flags)
        self.settimeout(left if before is None else min(left, before))
        try:
            return super().recv(size, flags)
        finally:
            self.settimeout(before)

    def peek(self) -> bytes | None:
        """Return what has come, leaving it there; None: the other side has closed."""
        try:
            return super().recv(MOST_HEAD, socket.MSG_PEEK | socket.MSG_DONTWAIT) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn ships no types
    """A web process whose threads serve whole requests alone."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._waiting: dict[Any, float] = {}  # connection → when its patience ends

    def accept(self, listener: Any) -> None:
        """Take a new connection."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in QUIET:
                return
            raise
        self.nr_conns += 1
        self.enqueue_req(TConn(self.cfg, Reading(fileno=client.detach()), address, listener.getsockname()))

    def enqueue_req(self, conn: Any) -> None:
        """Let a connection wait for the next head."""
        self._look(conn, until=monotonic() + HEAD_SECONDS, seen_before=-1)

    def murder_pending(self) -> None:
        """Close what has waited too long; called each second."""
        super().murder_pending()
        for conn in [conn for conn, until in self._waiting.items() if until <= monotonic()]:
            del self._waiting[conn]
            self.poller.unregister(conn.sock)
            self._close(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)
        self._waiting = {conn: min(until, deadline) for conn, until in self._waiting.items()}

    def _look(self, conn: Any, *, until: float, seen_before: int) -> None:
        read_ahead = conn.parser.unreader.buf.getvalue() if conn.parser is not None else b""
        come = conn.sock.peek()
        if come is None or END_OF_HEAD in read_ahead + come or len(come) == seen_before:  # the last: nothing more will come
            self._hand_over(conn)
        elif len(come) >= MOST_HEAD:
            util.write_error(conn.sock, 431, "Request Header Fields Too Large", "")
            self._close(conn)
        else:
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, len(come) + 1)  # or the loop would spin on what it saw
            self._waiting[conn] = until
            self.poller.register(conn.sock, EVENT_READ, partial(self._look_again, conn, len(come)))

    def _look_again(self, conn: Any, seen_before: int, _socket: Any) -> None:
        self.poller.unregister(conn.sock)
        self._look(conn, until=self._waiting.pop(conn), seen_before=seen_before)

    def _hand_over(self, conn: Any) -> None:
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        conn.sock.read_by = monotonic() + BODY_SECONDS
        conn.data_ready = True
        self._serve(conn)

    def _serve(self, conn: Any) -> None:
        super().enqueue_req(conn)

    def _close(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()
