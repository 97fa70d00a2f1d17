"""Several processes that do the same work; some of them are killed, and each that was is started again."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from random import Random
from typing import Any

_FORK = multiprocessing.get_context("fork")  # the parent has no connection open, and a start must not take a second


class Crew:
    """So many processes. work: is given `arguments` and the number of its place, and returns when nothing is left to do."""

    def __init__(self, work: Callable[..., None], arguments: tuple[Any, ...], many: int) -> None:
        self._work, self._arguments = work, arguments
        self._processes = [self._start(number) for number in range(many)]
        self.killed = 0

    def kill_some(self, kills: int, *, every: float, random: Random, stop: Callable[[], bool]) -> None:
        """Kill one after the other, `every` seconds, and start it again, until it was so many, all have ended or `stop()`."""
        while self.killed < kills and not stop() and any(one.is_alive() for one in self._processes):
            time.sleep(every)
            self.kill_one(random)

    def kill_one(self, random: Random) -> None:
        """Kill one that still works, if it is one, and start it again."""
        number = random.randrange(len(self._processes))
        if self._processes[number].is_alive():
            self._processes[number].kill()
            self._processes[number].join()
            self._processes[number] = self._start(number)
            self.killed += 1

    def join(self, seconds: float) -> bool:
        """Wait until all have ended by themselves; tell whether they did, and none with an error."""
        deadline = time.monotonic() + seconds
        for process in self._processes:
            process.join(max(0.0, deadline - time.monotonic()))
        well = all(process.exitcode == 0 for process in self._processes)
        for process in self._processes:
            process.kill()
            process.join()
        return well

    def _start(self, number: int) -> Any:
        process = _FORK.Process(target=self._work, args=(*self._arguments, number), daemon=True)
        process.start()
        return process
