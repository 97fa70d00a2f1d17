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
from urllib.parse import unquote_to_bytes

from gunicorn.util import http_date
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
        target, _, version = rest.partition(b"\r\n")[0].partition(b" ")
        is_request = target.startswith(b"/") and version.startswith(b"HTTP/1.")
        whole = method in (b"GET", b"HEAD") and is_request and END_OF_HEAD in head
        if not whole or not self.standing.is_full(method.decode(), target.decode("latin-1")):
            super()._serve(conn)
            return
        self._turn_away(conn, head)

    def _turn_away(self, conn: TConn, head: bytes) -> None:
        """Say to whoever sent this head that there is no room, and end it. The site itself says it, from as much of a request as
        that needs: made as gunicorn makes one for a page, a refusal costs as much as a small page.
        """
        try:
            conn.sock.setblocking(False)
            conn.sock.send(self._refusal(head))  # some kilobytes: what a new connection takes at once
            come = conn.sock.recv(len(head) + 1)
        except OSError:  # it has gone already
            self._close(conn)
            return
        body_comes = any(field in head.lower() for field in (b"\r\ncontent-length:", b"\r\ntransfer-encoding:"))
        if come == head and head.endswith(END_OF_HEAD) and not body_comes:  # nothing is unread: nothing said is lost (see _drain)
            self._close(conn)
        else:
            self._leave(conn)

    def _refusal(self, head: bytes) -> bytes:
        line, *fields = head.partition(END_OF_HEAD)[0].decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ", 2)
        given = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(target.partition("?")[0]).decode("latin-1"),
            "HTTP_X_REQUEST_ID": given.get("x-request-id", ""),
            "wsgi.url_scheme": "https" if given.get("x-forwarded-proto") == "https" else "http",
        }
        said: list[str] = []

        def start(status: str, headers: list[tuple[str, str]]) -> None:
            named = (f"{name}: {value}" for name, value in headers)
            said.extend((f"HTTP/1.1 {status}", f"Date: {http_date()}", "Connection: close", *named, "", ""))

        token = no_room.set(True)
        try:
            content = b"".join(self.wsgi(environ, start))
        finally:
            no_room.reset(token)
        return "\r\n".join(said).encode("latin-1") + (content if method == "GET" else b"")

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Go on with a connection whose thread is done with it; end it without waiting."""
        if fs.cancelled() or fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
        else:
            self._leave(conn)

    def _leave(self, conn: TConn) -> None:
        """Say goodbye, and throw away what still comes until the other side says it too."""
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
