"""What shard `upgrade` does with the program of before: run with its folder in PYTHONPATH, as `python -P earlier.py …`.

`open URL PIECES` writes its company into a database, `buy ADDRESS PEOPLE` lets that many people buy from its pages until the
input ends. Each request that was answered, or was not, is a line of JSON: when it began (seconds of this machine's monotonic
clock, which is one for all processes), how long it took, its status (0: no answer); each purchase is one with what came of it.
Only what every program of before has as well may be imported here.
"""

from __future__ import annotations

import http.client
import itertools
import json
import sys
import threading
import time
from typing import Any

REST = 0.2  # seconds between two purchases of one person


def open_shop(url: str, pieces: int) -> None:
    """Write the company that the program's own tests write."""
    from backoffice.clock import utc_now
    from backoffice.db import Database
    from tests.company import open_company

    Database(url).run(lambda session: open_company(session, now=utc_now(), stools=pieces))


def buy(address: str, people: int) -> None:
    """Let people buy one piece after the other, each as somebody else from another network."""
    from tests import buyers

    numbers, over, lock = itertools.count(1), threading.Event(), threading.Lock()
    own = threading.local()
    request, send = buyers.Browser.open, http.client.HTTPConnection.request

    def say(**what: Any) -> None:
        with lock:
            print(json.dumps(what), flush=True)

    def timed(browser: Any, method: str, path: str, form: dict[str, str] | None = None) -> Any:
        began, status = time.monotonic(), 0
        try:
            answer = request(browser, method, path, form)
            status = answer[0]
            return answer
        finally:
            say(began=began, seconds=time.monotonic() - began, status=status, what=f"{method} /{path.split('/')[1]}")

    def from_afar(connection: Any, method: str, path: str, body: Any, headers: dict[str, str]) -> None:
        number = own.number
        send(
            connection, method, path, body, headers | {"X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
        )

    def run() -> None:
        while not over.is_set():
            own.number = next(numbers)
            try:
                came = buyers.buy(address, "stool", "STOOL", own.number)
            except Exception as error:  # whatever it was is what the shard judges
                came = f"{type(error).__name__}: {error}"
            say(bought=came)
            over.wait(REST)

    setattr(buyers.Browser, "open", timed)  # noqa: B010 - put over the one of before, whose shape this file does not know
    setattr(http.client.HTTPConnection, "request", from_afar)  # noqa: B010 - the same
    threads = [threading.Thread(target=run) for _ in range(people)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    {"open": open_shop, "buy": buy}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
