"""Who reads the name and the address of an order behind its link.

A link is passed on: to whoever takes the parcel in, to a colleague, with a screenshot. They see the goods and the day; where
somebody lives is for whoever bought it in this browser, for its customer who is logged in, and for whoever types the code that
was mailed to that customer.

Neither code nor proof is stored: both are derived of the order's link and the secret key, so a new link ends them too.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from backoffice import events, throttle
from backoffice.crm import accounts, links, orders
from backoffice.crm.models import Checkout, Order
from backoffice.public.errors import Refused, TooOften
from backoffice.public.orders import Reader

CODE_HOLDS = timedelta(minutes=15)  # at least: until the quarter of an hour after the one it was asked for in has ended
MOST_CODES, MOST_TRIES = 3, 5  # of one order within an hour


def may_read(session: Session, order: Order, checkout: Checkout, reader: Reader, *, secret_key: str, now: datetime) -> bool:
    """Tell whether somebody may read whose order it is and where it goes."""
    proof = links.order_proof(secret_key, checkout.link_nonce)
    if any(hmac.compare_digest(one.encode(), proof.encode()) for one in reader.proofs):
        return True
    found = accounts.find_session(session, reader.account, now=now) if reader.account else None
    return found is not None and (order.party_id == found[0].party_id or checkout.account_id == found[0].id)


def send_code(session: Session, token: str, *, now: datetime) -> None:
    """Mail the order's customer a code. Raises NotFound(unknown_order), TooOften(too_many_order_codes),
    Refused(wrong_state: they were forgotten).
    """
    order, checkout = orders.get_by_link(session, token)
    if not checkout.email:
        raise Refused("wrong_state")
    _count(session, f"code mailed:{order.number}", MOST_CODES, now)
    payload = orders.mail_frame(session, order)
    secret = links.unwritten("order_code", "", f"{checkout.link_nonce}:{_quarter(now)}")
    payload["secrets"] = payload["secrets"] | {"code": secret}
    events.publish(session, events.MailWanted("order_code", f"order:{order.number}", payload, now))


def find_proof(session: Session, token: str, typed: str, *, secret_key: str, now: datetime) -> str | None:
    """Return the proof that a browser keeps for a code that is right, else None; count the try, so it is to be committed.

    Raises NotFound(unknown_order), TooOften(too_many_order_codes).
    """
    order, checkout = orders.get_by_link(session, token)
    _count(session, f"code typed:{order.number}", MOST_TRIES, now)
    code = "".join(typed.split())[:32].encode()
    right = [links.order_code(secret_key, f"{checkout.link_nonce}:{_quarter(at)}").encode() for at in (now, now - CODE_HOLDS)]
    same = [hmac.compare_digest(code, one) for one in right]
    return links.order_proof(secret_key, checkout.link_nonce) if any(same) else None


def _quarter(at: datetime) -> int:
    return int(at.timestamp() // CODE_HOLDS.total_seconds())


def _count(session: Session, what: str, tries: int, now: datetime) -> None:
    wait = throttle.find_wait(session, "", what, tries=tries, now=now, window=throttle.HOUR)
    if wait is not None:
        raise TooOften("too_many_order_codes", retry_after=wait.total_seconds())
