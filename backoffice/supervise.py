"""Run several parts of the program as processes of one: all stop together, and nothing is left behind.

The children are forks, so what the parent has imported is there at once. Each holds the reading end of a pipe whose
writing end only the parent has: when it closes the parent is gone, even if it was killed and could tell nobody.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

GRACE_SECONDS = 25.0
LOOK_EVERY_SECONDS = 0.2
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(parts: Sequence[Callable[[], None]], *, started: Callable[[Callable[[], bool]], None] = lambda _alive: None) -> int:
    """Run each part in a process of its own until one ends or a signal tells us to stop; then stop all.

    Call it from a process with one thread. A part is told to stop by SIGTERM. started: called once all run, with a
    function that tells whether they still do. Returns the exit code: 0 after a signal, 1 when a part ended by itself.
    """
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    reading, writing = os.pipe()
    fork = multiprocessing.get_context("fork")
    children: list[BaseProcess] = [fork.Process(target=_be_child, args=(part, reading, writing)) for part in parts]
    # a signal that comes while the parts are being started waits until somebody listens, here and in each part
    free = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    for child in children:
        child.start()
    before = {number: signal.signal(number, on_signal) for number in STOP_SIGNALS}
    signal.pthread_sigmask(signal.SIG_SETMASK, free)

    def alive() -> bool:
        return not stop.is_set() and all(child.is_alive() for child in children)

    try:
        started(alive)
        while alive():
            wait([child.sentinel for child in children], LOOK_EVERY_SECONDS)
        return 0 if stop.is_set() else 1
    finally:
        _stop(children)
        os.close(reading)
        os.close(writing)
        for number, handler in before.items():
            signal.signal(number, handler)


def _be_child(part: Callable[[], None], reading: int, writing: int) -> None:
    """Run a part in a session of its own: Ctrl-C in the terminal reaches the parent alone, which tells us."""
    os.setsid()
    os.close(writing)
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    threading.Thread(target=_stop_with_parent, args=(reading,), name="watch-parent", daemon=True).start()
    part()


def _stop_with_parent(reading: int) -> None:
    os.read(reading, 1)  # nobody ever writes: this returns when the parent is gone
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)  # our own session, with the processes that we started: nobody else would end it


def _stop(children: Sequence[BaseProcess]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        child.join(GRACE_SECONDS)
        if child.is_alive() and child.pid:
            os.killpg(child.pid, signal.SIGKILL)  # with the processes that it started itself
            child.join()
