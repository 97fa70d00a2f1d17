"""Run several of our processes as one: all stop together, and nothing is left behind.

Each child holds the reading end of a pipe as its standard input and stops when it closes: so the children end with us
even when we are killed and can tell nobody.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

GRACE_SECONDS = 15.0
LOOK_EVERY_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stop_with_parent() -> None:
    """In a child: stop this process like SIGTERM would when the one that started it is gone."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def run(
    commands: Sequence[Sequence[str]],
    *,
    environment: Mapping[str, str],
    started: Callable[[Callable[[], bool]], None] = lambda _alive: None,
) -> int:
    """Run `shopfloor` with each of `commands` until one ends or a signal tells us to stop; then stop all.

    started: called once all run, with a function that tells whether they still do. Returns the exit code: 0 after a
    signal, 1 when a child ended by itself.
    """
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in STOP_SIGNALS}
    children = [_start(command, environment) for command in commands]

    def alive() -> bool:
        return not stop.is_set() and all(child.poll() is None for child in children)

    try:
        started(alive)
        while alive():
            stop.wait(LOOK_EVERY_SECONDS)
        return 0 if stop.is_set() else 1
    finally:
        _stop(children)
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own: Ctrl-C reaches us alone, and we tell the children."""
    return subprocess.Popen(  # noqa: S603 - our own program with our own words
        [sys.executable, "-m", "backoffice.cli", *command],
        stdin=subprocess.PIPE,
        env=dict(environment),
        start_new_session=True,
    )


def _stop(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)  # with the processes that it started itself
            child.wait()
