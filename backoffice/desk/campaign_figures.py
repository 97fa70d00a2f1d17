"""What became of a campaign: who got it, who did not and why, and what they did who followed one of its links.

A link is known by its words (utm_source, utm_medium, utm_campaign): the first such link that a browser followed is named by the
enquiry or the order made there. Who opened a letter is not known, and nothing in it tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.campaign_texts import MEDIUM, SOURCE
from backoffice.crm.models import Campaign, CampaignRecipient, Checkout, Lead, Order
from backoffice.payments.models import Payment


@dataclass(frozen=True, slots=True)
class Takings:
    """Orders of one currency that stand. total_minor: what was paid; returned_minor: what of it went back."""

    currency: str
    orders: int
    total_minor: int
    returned_minor: int

    @property
    def kept_minor(self) -> int:
        """Return what stayed."""
        return self.total_minor - self.returned_minor


@dataclass(frozen=True, slots=True)
class Results:
    """What became of a campaign. left_out: reason → people."""

    sent: int
    waiting: int
    left_out: Mapping[str, int]
    unsubscribed: int
    leads: int
    takings: Sequence[Takings]

    @property
    def people(self) -> int:
        """Return how many of the segment were looked at."""
        return self.sent + self.waiting + sum(self.left_out.values())

    @property
    def orders(self) -> int:
        """Return how many orders stand, in whatever currency."""
        return sum(one.orders for one in self.takings)


def find_results(session: Session, campaign: Campaign) -> Results:
    """Return the results of a campaign as of now."""
    row = CampaignRecipient
    counted = (
        sa.select(row.state, row.reason, sa.func.count(), sa.func.count(row.unsubscribed_at))
        .where(row.campaign_id == campaign.id)
        .group_by(row.state, row.reason)
        .order_by(row.reason)
    )
    rows = session.execute(counted).all()
    left_out = {reason: people for state, reason, people, _gone in rows if state == "left_out"}
    by_state = {state: people for state, _reason, people, _gone in rows if state != "left_out"}
    traced = (Lead.source == SOURCE, Lead.medium == MEDIUM, Lead.campaign == campaign.code, Lead.state != "quarantined")
    leads = session.scalar(sa.select(sa.func.count()).select_from(Lead).where(*traced)) or 0
    gone = sum(gone for *_row, gone in rows)
    takings = _takings(session, campaign)
    return Results(by_state.get("sent", 0), by_state.get("waiting", 0), left_out, gone, leads, takings)


def _takings(session: Session, campaign: Campaign) -> Sequence[Takings]:
    """Return the orders of who came by a link, or whose enquiry did; each once."""
    words = {"source": SOURCE, "medium": MEDIUM, "campaign": campaign.code}
    came = sa.and_(*(Checkout.source[name].as_string() == value for name, value in words.items()))
    asked = sa.exists().where(
        Lead.source == SOURCE,
        Lead.medium == MEDIUM,
        Lead.campaign == campaign.code,
        sa.or_(Lead.id == Checkout.lead_id, Lead.won_order_ref == Order.number),
    )
    rows = session.execute(
        sa.select(Order.currency, sa.func.count(), sa.func.sum(Order.total_minor), sa.func.sum(Payment.refunded_minor))
        .join(Checkout, Checkout.id == Order.checkout_id)
        .join(Payment, Payment.id == Order.payment_id)
        .where(Order.state != "cancelled", Order.placed_at >= campaign.confirmed_at, sa.or_(came, asked))
        .group_by(Order.currency)
        .order_by(Order.currency)
    )
    return [Takings(currency, orders, int(total), int(back)) for currency, orders, total, back in rows]
