"""gunicorn with threads, started from our own command instead of its own.

Given a listening socket by systemd it serves that one, so that several servers may share it: one stops and starts again
while the other answers, and what waits in the socket's queue is lost by neither. Told to stop (SIGTERM) it takes no new
connection, answers what it has taken, and ends.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from flask import Flask
from gunicorn import systemd
from gunicorn.app.base import BaseApplication

from backoffice.web import tuning
from backoffice.web.threaded import Threaded

NOTIFY = "NOTIFY_SOCKET"  # where systemd hears that a service is ready


class _Readiness:
    """Tell systemd that we are ready when a web process has made the site, not before: a new version that cannot start must not
    look as if it had."""

    def __init__(self) -> None:
        self._address = os.environ.pop(NOTIFY, "")  # else gunicorn says so itself, before any web process is there

    def __call__(self, worker: object) -> None:
        """Say it, where somebody wants to hear it."""
        tuning.post_worker_init(worker)
        if self._address:
            os.environ[NOTIFY] = self._address
            systemd.sd_notify("READY=1", logging.getLogger("shopfloor.web"), unset_environment=True)


def _forget(_server: object, worker: Any) -> None:
    """Close the counters of a web process that has ended; what it counted stays in the sum."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call] # the library ships no types for it


class Server(BaseApplication):  # type: ignore[misc] # gunicorn ships no types
    """Serve the site that `wsgi.create_app` makes, each process making its own."""

    def __init__(self, host: str, port: int, *, processes: int, threads: int) -> None:
        self._options = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": processes,
            "worker_class": Threaded,
            "threads": threads,
            "timeout": 60,
            "graceful_timeout": 20,
            "keepalive": 15,
            "limit_request_line": 8190,
            "forwarded_allow_ips": "",  # which proxies we believe is our own setting
            "control_socket_disable": True,
            "loglevel": "warning",
            "proc_name": "shopfloor",
            "child_exit": _forget,
            "post_worker_init": _Readiness(),
        }
        super().__init__()

    def load_config(self) -> None:
        """Take our options, and none from files or the environment."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the site."""
        from wsgi import create_app

        return create_app()
