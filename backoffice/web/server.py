"""gunicorn with threads, started from our own command instead of its own."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication


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
            "worker_class": "gthread",
            "threads": threads,
            "timeout": 60,
            "graceful_timeout": 10,
            "keepalive": 15,
            "limit_request_line": 8190,
            "forwarded_allow_ips": "",  # which proxies we believe is our own setting
            "control_socket_disable": True,
            "loglevel": "warning",
            "proc_name": "shopfloor",
            "child_exit": _forget,
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
