"""A DOUBLE of an outside ERP for tests: it answers over HTTP on loopback as docs/erp.md asks it of an ERP. It is no ERP.

It knows of no idempotency and gives its own numbers. On request, and by a seed, it behaves badly: it answers 503, commits and
drops the connection, or drops the connection and commits later, by the test's clock. What happens to a call depends on its
order and on how often it came, never on which thread was faster.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit


class Faults(NamedTuple):
    """Shares of calls. late: drops the connection and commits 5 to 90 seconds after its caller gave up."""

    busy: float = 0.0
    lost: float = 0.0
    late: float = 0.0


GOOD = Faults()
BAD = Faults(busy=0.15, lost=0.15, late=0.03)
GIVES_UP_AFTER = 15.0  # the caller's time-out, which nobody waits for here


class Dropped(Exception):
    """The connection ends here, without an answer."""


class ErpDouble:
    """The ERP's books in memory. now: the test's clock."""

    def __init__(self, now: Callable[[], datetime], *, seed: int = 1, faults: Faults = GOOD) -> None:
        self.now, self.seed, self.faults = now, seed, faults
        self.orders: dict[str, dict[str, Any]] = {}  # their number → our reference, lines, what they were told
        self.on_hand: dict[str, int] = {}
        self.sequence = 0
        self.behind: timedelta = timedelta(0)  # how old its stock figures are
        self.poison: set[str] = set()  # references over which it falls
        self.refused: set[str] = set()  # references that it will not have
        self.spared: set[str] = set()  # methods of HTTP that have no faults
        self.unique = False  # whether it notices a reference that it has: 409
        self.calls: Counter[str] = Counter()
        self.most_at_once = self._at_once = 0
        self._late: list[tuple[datetime, Callable[[], None]]] = []
        self._tries: Counter[tuple[str, str]] = Counter()
        self._states: dict[int, dict[str, tuple[int, int]]] = {}
        self.takes = 0.0  # real seconds for each call, so that some meet
        self._lock, self._counting = threading.RLock(), threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    # -- what a test does ------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Return the address."""
        return f"http://127.0.0.1:{self.port}/erp"

    def start(self) -> ErpDouble:
        """Be there, on the same port as before."""
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Be away: connections are refused."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(10)
            self._server.server_close()
            self._server = None

    def by_reference(self) -> Counter[str]:
        """Return how many orders there are of each of our references."""
        self._settle()
        return Counter(order["reference"] for order in self.orders.values())

    def told(self) -> dict[str, list[int]]:
        """Return the sequences of what was applied to each of our references, in the order in which it was."""
        self._settle()
        found = defaultdict(list)
        for order in self.orders.values():
            found[order["reference"]] += order["told"]
        return dict(found)

    # -- what it does ----------------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        """Answer one call, or raise Dropped."""
        parts = urlsplit(target)
        path = parts.path.removeprefix("/erp")
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self._counting:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self.calls[f"{method} {path.split('/')[1]}"] += 1
        try:
            threading.Event().wait(self.takes)
            with self._lock:
                self._settle()
                return self._route(method, path, asked, body)
        finally:
            with self._counting:
                self._at_once -= 1

    def _route(self, method: str, path: str, asked: dict[str, str], body: Any) -> tuple[int, Any]:
        if path == "/stock":
            return self._stock(int(asked["after"]) if "after" in asked else None)
        reference = asked.get("reference") or str(body["reference"])
        if reference in self.poison:
            return 500, None
        if method == "GET":
            return self._with_faults(method, reference, lambda: self._found(reference))
        if method == "POST":
            return self._with_faults(method, reference, lambda: self._create(body))
        their_id = path.rsplit("/", 1)[1]
        return self._with_faults(method, f"{reference}:{body['sequence']}", lambda: self._update(their_id, body))

    def _with_faults(self, method: str, what: str, work: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
        if method in self.spared:
            return work()
        self._tries[method, what] += 1
        draw = random.Random(f"{self.seed}:{method}:{what}:{self._tries[method, what]}")  # noqa: S311 - a fault, no secret
        chance = draw.random()
        if chance < self.faults.busy:
            return 503, None
        if chance < self.faults.busy + self.faults.lost:
            work()
            raise Dropped
        if chance < sum(self.faults):
            at = self.now() + timedelta(seconds=GIVES_UP_AFTER + draw.uniform(5, 90))
            self._late.append((at, lambda: (work(), None)[1]))
            raise Dropped
        return work()

    def _settle(self) -> None:
        with self._lock:
            now = self.now()
            due = sorted((one for one in self._late if one[0] <= now), key=lambda one: one[0])
            self._late = [one for one in self._late if one[0] > now]
            for _, commit in due:
                commit()

    def _found(self, reference: str) -> tuple[int, Any]:
        return 200, {"orders": [{"id": number} for number, order in self.orders.items() if order["reference"] == reference]}

    def _create(self, body: Any) -> tuple[int, Any]:
        if body["reference"] in self.refused:
            return 422, {"error": "we will not"}
        known = [number for number, order in self.orders.items() if order["reference"] == body["reference"]]
        if self.unique and known:
            return 409, {"id": known[0]}
        number = f"SO-{len(self.orders) + 5_001}"
        lines = {line["sku"]: line["quantity"] for line in body["lines"]}
        self.orders[number] = {"reference": body["reference"], "lines": lines, "told": [body["sequence"]], "document": body}
        return 201, {"id": number}

    def _update(self, number: str, body: Any) -> tuple[int, Any]:
        if number not in self.orders:
            return 404, None
        order = self.orders[number]
        if body["sequence"] in order["told"]:
            return 200, {}
        order["told"].append(body["sequence"])
        if body["event"] == "cancelled":
            order["lines"] = {}
        if body["event"] == "shipped":
            for line in body["parcel"]["lines"]:
                self.on_hand[line["sku"]] -= line["quantity"]
                order["lines"][line["sku"]] -= line["quantity"]
        return 200, {}

    def _stock(self, after: int | None) -> tuple[int, Any]:
        ours: Counter[str] = Counter()
        for order in self.orders.values():
            ours.update(order["lines"])
        state = {sku: (there - ours[sku], ours[sku]) for sku, there in self.on_hand.items()}
        self.sequence += 1
        self._states[self.sequence] = state
        before = self._states.get(after) if after is not None else None
        shown = state if before is None else {sku: row for sku, row in state.items() if before.get(sku) != row}
        rows = [{"sku": sku, "available": row[0], "ours": row[1]} for sku, row in sorted(shown.items())]
        kind = {"kind": "full"} if before is None else {"kind": "delta", "after": after}
        return 200, {"sequence": self.sequence, "as_of": (self.now() - self.behind).isoformat(), "items": rows, **kind}


class _Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


def _handler(double: ErpDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            try:
                status, said = double.answer(self.command, self.path, body)
            except Dropped:
                self.close_connection = True
                return
            content = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _any

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    return Handler
