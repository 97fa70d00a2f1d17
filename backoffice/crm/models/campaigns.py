"""Tables of the CRM layer: letters to a segment, and who was meant to get each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class Campaign(Base):
    """One letter to a segment. state: draft → sending → sent | stopped (see crm.campaigns).

    code: its utm_campaign. texts: language → subject and body. matching, conditions: the segment's, kept when sending is
    confirmed, so that who changes or deletes the segment later changes nothing. addresses: language → the shop's address then.
    expected: people of the segment when the first of them was looked at. reached_id: the last of them that was.
    """

    __tablename__ = "campaign"
    __table_args__ = (
        sa.CheckConstraint("state IN ('draft', 'sending', 'sent', 'stopped')", name="state"),
        sa.CheckConstraint("(state = 'draft') = (confirmed_at IS NULL)", name="confirmed"),
        sa.CheckConstraint("(state IN ('sent', 'stopped')) = (ended_at IS NOT NULL)", name="ended"),
        sa.Index("ix_campaign_state_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str]
    code: Mapped[str] = mapped_column(unique=True)
    segment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("segment.id", ondelete="SET NULL"), index=True)
    texts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    starts_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="draft", server_default="draft")
    matching: Mapped[str] = mapped_column(default="all", server_default="all")
    conditions: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    addresses: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    expected: Mapped[int] = mapped_column(default=0, server_default="0")
    reached_id: Mapped[int] = mapped_column(default=0, server_default="0")
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    written_by: Mapped[str]
    updated_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class CampaignRecipient(Base):
    """Somebody of the segment, once for each campaign. state: waiting | sent (handed to the mail server) | left_out (reason).

    consent_id: what allows it; its party's address is written to. party_id: the person (see crm.identity).
    """

    __tablename__ = "campaign_recipient"
    __table_args__ = (
        sa.UniqueConstraint("campaign_id", "party_id"),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'left_out')", name="state"),
        sa.CheckConstraint(
            "reason IN ('', 'no_consent', 'withdrawn', 'had_one', 'undeliverable', 'stopped') "
            "AND (state = 'left_out') = (reason <> '')",
            name="reason",
        ),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        sa.Index("ix_campaign_recipient_campaign_id_state", "campaign_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(sa.ForeignKey("campaign.id"))
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    consent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("consent.id", ondelete="SET NULL"), index=True)
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    sent_at: Mapped[datetime | None] = mapped_column(index=True)
    unsubscribed_at: Mapped[datetime | None]
