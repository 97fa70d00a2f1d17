"""What a customer is told when there is no payment page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from backoffice.payments.gateway import GatewayError
from backoffice.public.errors import Refused

log = structlog.get_logger()


def refusal_of(error: GatewayError, *, again: bool) -> Refused:
    """Return why there is no payment page, for the customer. again: it was asked for before, so the next try is a new one."""
    if error.about:
        return Refused(f"{error.about}_refused")
    return Refused("stale" if again and error.permanent else "payment_away")


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn a provider that does not answer into words for the customer: Refused(payment_away). What is held stays held."""
    try:
        yield
    except GatewayError as error:
        log.warning("payment_provider_away", error=error.reason)
        raise Refused("payment_away") from error
