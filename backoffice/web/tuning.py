"""What a web process does once it has made the site, before its first request."""

from __future__ import annotations

import gc

NEW_OBJECTS = 20_000  # between two looks for garbage; Python's own 700 means several in each request


def post_worker_init(_worker: object) -> None:
    """Let garbage be looked for seldom, and never among what lives as long as the process (docs/benchmarks.md).

    The name is gunicorn's: given as `--config python:backoffice.web.tuning` it calls this in each process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 50, 100)
