"""Several processes as one. Each holds the writing end of a pipe: its reader sees the end when all of them are gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.need import ROOT

PROGRAM = """
import os, signal, sys, time
from backoffice import supervise

said = int(sys.argv[1])

here, there = os.pipe()

def say(words):
    os.write(said, (words + "\\n").encode())
    os.write(there, b".")

def works():
    signal.signal(signal.SIGTERM, lambda *_: (say("told to stop"), sys.exit(0)))
    say(f"works {os.getpid()}")
    while True:
        signal.pause()

def dies():
    say(f"dies {os.getpid()}")
    signal.pause()

def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say(f"stubborn {os.getpid()}")
    while True:
        signal.pause()

def hasty():
    say(f"hasty {os.getpid()}")
    signal.pause()

heard = []
start = supervise.multiprocessing.context.ForkProcess.start

def start_and_be_told(process):
    told = process._args[0] is hasty
    start(process)
    if told:
        while len(heard) < 2:  # both work by now, and nobody here listens yet
            heard.append(os.read(here, 1))
        os.kill(os.getpid(), signal.SIGTERM)

supervise.multiprocessing.context.ForkProcess.start = start_and_be_told
supervise.GRACE_SECONDS = 0.2
parts = {"works": works, "dies": dies, "stubborn": stubborn, "hasty": hasty}
sys.exit(supervise.run([parts[name] for name in sys.argv[2:]]))
"""


class Running:
    """A supervisor with its parts, and what they say."""

    def __init__(self, *parts: str) -> None:
        reading, writing = os.pipe()
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(writing), *parts], cwd=ROOT, pass_fds=[writing])
        os.close(writing)
        self.said = os.fdopen(reading)
        self.pids = {}
        for _ in parts:
            name, pid = self.said.readline().split()
            self.pids[name] = int(pid)

    def end(self) -> tuple[str, int]:
        """Wait until every process has gone; return what was said last and the supervisor's exit code."""
        rest = self.said.read()
        self.said.close()
        return rest, self.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_and_is_no_failure(number: signal.Signals) -> None:
    running = Running("works", "dies")
    running.process.send_signal(number)
    assert running.end() == ("told to stop\n", 0)


def test_when_one_dies_the_other_is_stopped_and_the_exit_code_says_so() -> None:
    running = Running("works", "dies")
    os.kill(running.pids["dies"], signal.SIGKILL)
    assert running.end() == ("told to stop\n", 1)


def test_one_that_does_not_stop_is_killed() -> None:
    running = Running("works", "stubborn")
    running.process.send_signal(signal.SIGTERM)
    assert running.end() == ("told to stop\n", 0)


def test_nothing_is_left_when_the_supervisor_is_killed() -> None:
    running = Running("works", "dies")
    running.process.kill()
    assert running.end() == ("told to stop\n", -signal.SIGKILL)


def test_one_that_does_not_stop_does_not_outlive_a_killed_supervisor() -> None:
    running = Running("works", "stubborn")
    running.process.kill()
    assert running.end() == ("told to stop\n", -signal.SIGKILL)


def test_a_signal_while_the_parts_are_started_is_not_lost() -> None:
    """The second part asks for the end before the supervisor has come back from starting it."""
    running = Running("works", "hasty")
    assert running.end() == ("told to stop\n", 0)
