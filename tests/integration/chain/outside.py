"""The workshop with an outside ERP, which is a double on loopback, and a worker on the test's clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backoffice import bootstrap
from backoffice.bootstrap import Services
from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.worker import Worker
from tests.erp_double import ErpDouble
from tests.integration.chain.conftest import Workshop


class Outside:
    """erp: the double; shop: the workshop; `work` lets the worker carry, `until_quiet` lets time pass as well."""

    def __init__(self, services: Services, shop: Workshop, erp: ErpDouble, clock: Any) -> None:
        self.services, self.shop, self.erp, self.clock = services, shop, erp, clock
        self.carriers = bootstrap.carriers(services)
        self.worker = Worker(services.db, self.carriers, [], name="worker", clock=clock)

    def work(self) -> None:
        """Carry what may be carried now."""
        while self.worker.turn():
            pass

    def later(self, seconds: float) -> None:
        """Let time pass and carry."""
        self.clock.advance(seconds=seconds)
        self.shop.now = self.clock()
        self.work()

    def until_quiet(self, *, seconds: float = 5, most: int = 1_000) -> int:
        """Carry until nothing waits; return the seconds that it took by the clock."""
        self.work()
        for turn in range(most):
            if not self.waiting():
                return int(turn * seconds)
            self.later(seconds)
        raise AssertionError(self.waiting())

    def waiting(self) -> list[tuple[str, str, str]]:
        """Return what waits for the ERP or is dead."""
        rows = self.shop.rows(OutboxMessage, target="erp")
        return [(row.aggregate, row.kind, row.state) for row in rows if row.state != "done"]

    def pull(self, change: Callable[[ErpDouble], object] | None = None) -> Any:
        """Let the works' ERP change its books, then read a snapshot."""
        if change is not None:
            change(self.erp)
        jobs = {job.name: job for job in bootstrap.periodic(self.services)}
        return jobs["read_stock"].run(self.shop.now)
