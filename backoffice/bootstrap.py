"""Put the back office together: database, door, gateway, listeners. Nothing runs before this is called."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events, staff_sessions, tables, verify
from backoffice.bridge import outbox
from backoffice.bridge.campaign_post import CampaignPost
from backoffice.bridge.mail import MailFolder
from backoffice.bridge.mailbox import Mailbox, read_new
from backoffice.bridge.outbox import Away, Message
from backoffice.bridge.outside import carrying, figures, handing_over
from backoffice.bridge.outside.door import Door
from backoffice.bridge.outside.over_http import ErpOverHttp
from backoffice.bridge.outside.port import Erp
from backoffice.bridge.smtp import MailServer
from backoffice.bridge.worker import Carrier, Job
from backoffice.config import Settings
from backoffice.crm import (
    accounts,
    arrivals,
    campaign_sending,
    case_escalating,
    companies,
    consents,
    customers,
    desk_orders,
    escalating,
    follow_ups,
    forecasting,
    identity,
    links,
    lost_demand,
    moving,
    orders,
    profiles,
    quotation_accepting,
    quotation_watch,
    reminding,
    report_mails,
    score_keeping,
    slip_calls,
    slips,
    tasks,
    telling,
    visits,
)
from backoffice.db import Database
from backoffice.erp import allotting, expiring, holds, learning, offers, plan_audit, reoptimising, replan
from backoffice.erp.models import Company
from backoffice.local import Till, capturing, open_shop
from backoffice.local.listening import INBOX, hear_again, listen
from backoffice.local.partners import forget_answers, open_partners
from backoffice.payments import billing, captures, dunning, withdrawing
from backoffice.payments.gateway import Gateway, GatewayError
from backoffice.payments.sandbox import SandboxGateway
from backoffice.planning.instants import next_hour
from backoffice.privacy import erasing
from backoffice.public import Shop
from backoffice.public.partners import Partners

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the web, the worker and the commands need."""

    settings: Settings
    db: Database
    clock: Clock
    shop: Shop
    gateway: Gateway
    till: Till
    partners: Partners


def build(settings: Settings, clock: Clock | None = None) -> Services:
    """Return the services over the settings' database, by its clock where none is given.

    Raises ValueError for a missing secret key outside the demo.
    """
    assert tables.metadata.tables  # every table is known before the first query
    settings = _with_secret(settings)
    db = Database(settings.database_url)
    gateway = _gateway(settings, db)
    shop, till = open_shop(settings, db, gateway)
    wire(settings.base_url)
    if settings.erp_url:
        handing_over.listen()
    return Services(settings, db, clock or db.clock, shop, gateway, till, open_partners(db, settings.secret_key))


def wire(base_url: str = "") -> None:
    """Tell the layers above what happens below. base_url: the shop's public address, for links in mails."""
    events.unwire()
    events.listen(events.PickingStarted, orders.on_picking_started)
    events.listen(events.PickingTakenOver, orders.on_picking_taken_over)
    events.listen(events.ShipmentPacked, orders.on_packed)
    events.listen(events.ShipmentShipped, orders.on_shipped)
    events.listen(events.ShipmentShipped, slips.on_shipped)
    events.listen(events.ShipmentDelivered, arrivals.on_delivered)
    events.listen(events.ExpectedDaysMoved, moving.on_days_moved)
    events.listen(events.OrderPlaced, follow_ups.on_order_placed)
    events.listen(events.OrderPlaced, quotation_accepting.on_order_placed)
    events.listen(events.PaymentOpened, desk_orders.on_payment_opened)
    events.listen(events.PaymentEnded, desk_orders.on_payment_ended)
    events.listen(events.OrderPlaced, reminding.on_order_placed)
    events.listen(events.OrderPlaced, companies.on_order_placed)
    events.listen(events.OrderPlaced, customers.on_order_placed)
    events.listen(events.ConsentGiven, consents.make_on_given(base_url))
    events.listen(events.MailWanted, _post)
    events.listen(events.MailsWanted, _post_all)
    events.listen(events.RefundWanted, _send_back)
    events.listen(events.CaptureEnds, _end_capture)
    events.listen(events.ShipmentShipped, captures.on_shipped)
    events.listen(events.GoodsCameBack, withdrawing.on_goods_came_back)


def _post(session: Session, mail: events.MailWanted) -> None:
    outbox.put(session, "mail", mail.aggregate, mail.kind, dict(mail.payload), now=mail.at)


def _post_all(session: Session, wanted: events.MailsWanted) -> None:
    new = [outbox.New(mail.aggregate, mail.kind, mail.payload, mail.at) for mail in wanted.mails]
    outbox.put_all(session, "mail", new)


def _send_back(session: Session, refund: events.RefundWanted) -> None:
    outbox.put(session, "refund", refund.aggregate, "refund", {"refund_id": refund.refund_id}, now=refund.at)


def _end_capture(session: Session, wanted: events.CaptureEnds) -> None:
    outbox.put(session, "capture", wanted.aggregate, wanted.ending, {"payment_id": wanted.payment_id}, now=wanted.at)


def _gateway(settings: Settings, db: Database) -> Gateway:
    """Return Stripe where there is a key for it, else the sandbox."""
    if not settings.stripe_secret_key:
        return SandboxGateway(db, settings.secret_key)
    from backoffice.payments.stripe_gateway import StripeGateway  # takes longer to import than all the rest

    return StripeGateway(settings.stripe_secret_key, api_base=settings.stripe_api_base)


def carriers(services: Services) -> dict[str, Carrier]:
    """Return who delivers the messages of each target."""
    settings, till, clock = services.settings, services.till, services.clock

    def sender() -> str:
        return services.shop.profile.get().email

    post = MailServer(settings.smtp_url, sender) if settings.smtp_url else MailFolder(settings.mail_path, sender)
    letters = CampaignPost(services.db, post, settings.secret_key, clock)
    told: dict[str, Carrier] = {
        "mail": lambda message: letters(_with_link(message, settings)),
        "refund": _waiting(lambda message: till.send_refund(int(message.payload["refund_id"]), now=clock())),
        INBOX: _waiting(lambda message: hear_again(till, str(message.payload["event"]), now=clock())),
        "capture": _waiting(lambda message: capturing.send(till, int(message.payload["payment_id"]), message.kind, now=clock())),
    }
    if settings.erp_url:
        longest = timedelta(seconds=settings.erp_max_processing_seconds)
        told["erp"] = carrying.Carrier(services.db, _erp(settings), longest=longest, clock=clock)
    return told


def _waiting(carry: Carrier) -> Carrier:
    """Return a carrier to the payment provider that waits for as long as nobody is reached there: no try counts then."""

    def carried(message: Message) -> None:
        try:
            carry(message)
        except GatewayError as error:
            if error.away:
                raise Away(str(error)) from error
            raise

    return carried


def _erp(settings: Settings) -> Erp:
    """Return the outside ERP."""
    return ErpOverHttp(Door(settings.erp_url, settings.erp_key))


def _with_link(message: Message, settings: Settings) -> Message:
    """Return a mail with the secrets that are derived only now: the outbox alone must not let anybody in."""
    secret_key = settings.secret_key
    values = links.written(secret_key, message.payload)
    number = message.aggregate.rpartition("-")[2]
    if message.kind == "lead_answer" and number.isdecimal():
        values["thread"] = links.thread_token(secret_key, int(number))
    if message.kind in ("case_answer", "case_solved") and number.isdecimal():
        base = settings.base_url or values.get("base_url", "")
        values["thread"] = links.case_thread(secret_key, int(number))
        values["link"] = f"{base}/question/{links.case_token(secret_key, int(number))}" if base else ""
    if "nonce" in values:  # of an account, written by the program of before
        values["link"] = values["link_base"] + links.account_token(secret_key, values["nonce"])
    if settings.reply_address and values.get("thread"):
        local, _, host = settings.reply_address.rpartition("@")
        values["reply_to"] = f"{local}+{values['thread']}@{host}"
    return replace(message, payload=values)


def _nightly(hour: int, name: str, run: Callable[[datetime], object]) -> Job:
    """Return work for the night: done aside, due at this hour where the shop is, so that one kind comes after another."""

    def next_at(session: Session, now: datetime) -> datetime:
        zone = session.scalar(sa.select(Company.timezone))
        return next_hour(now, hour, ZoneInfo(zone or "UTC"))

    return Job(name, 86_400, run, aside=True, next_at=next_at)


def periodic(services: Services) -> list[Job]:
    """Return the worker's periodic work."""
    db, settings = services.db, services.settings
    jobs = [
        Job("sweep_holds", 30, lambda now: db.run(lambda session: holds.sweep(session, now=now))),
        Job("release_allotments", 300, lambda now: db.run(lambda session: allotting.sweep(session, now=now))),
        Job("freshen_offers", 5, lambda now: offers.freshen(db, now=now)),
        Job("tell_waiting", 60, lambda now: telling.tell_waiting(db, base_url=settings.base_url, now=now)),
        Job("add_up_lost_demand", 3600, lambda now: db.run(lambda session: lost_demand.add_up(session, now=now))),
        Job("let_go_of_expired", 3600, lambda now: expiring.sweep(db, now=now)),
        Job("remind_of_carts", 300, lambda now: reminding.remind(db, now=now)),
        Job("score_leads", 60, lambda now: score_keeping.score_open(db, now=now)),
        Job("watch_asked_days", 60, lambda now: tasks.watch(db, now=now)),
        Job("find_days", 300, lambda now: replan.find_days(db, now=now)),
        Job("learn_margins", 3600, lambda now: learning.learn(db, now=now)),
        Job("call_silent", 300, lambda now: slip_calls.call_silent(db, now=now)),
        Job("watch_quotations", 60, lambda now: quotation_watch.watch(db, now=now)),
        Job("issue_invoices", 15, lambda now: billing.issue_due(db, now=now)),
        Job("remind_of_invoices", 3600, lambda now: dunning.remind(db, now=now)),
        Job("poll_payments", 30, lambda now: services.till.poll(now=now), aside=True),
        Job("watch_authorisations", 600, lambda now: capturing.watch(services.till, now=now)),
        Job("listen_to_provider", 60, lambda now: listen(services.till, now=now), aside=True),
        Job("escalate", 60, lambda now: escalating.escalate(db, base_url=settings.base_url, now=now)),
        Job("escalate_cases", 60, lambda now: case_escalating.escalate(db, base_url=settings.base_url, now=now)),
        Job("close_settled", 3600, lambda now: db.run(lambda session: case_escalating.close_settled(session, now=now))),
        _nightly(3, "verify", lambda now: verify.verify(db, now=now)),
        _nightly(4, "audit_plan", lambda now: plan_audit.keep(db, now=now)),
        Job("link_orders", 60, lambda now: db.run(lambda session: visits.link_orders(session, now=now))),
        Job("follow_profiles", 60, lambda now: profiles.follow(db, now=now), aside=True),
        Job("resolve_identities", 3600, lambda now: identity.resolve(db, now=now), aside=True),
        _nightly(2, "refresh_profiles", lambda _: profiles.refresh_all(db)),
        Job("forget_visits", 3600, lambda now: _forget_visits(db, now - timedelta(days=settings.visit_days))),
        _nightly(1, "forecast", lambda now: forecasting.make(db, now=now)),
        Job("send_campaigns", 5, lambda now: campaign_sending.send_due(db, now=now), aside=True),
        Job("mail_reports", 3600, lambda now: report_mails.send_due(db, base_url=settings.base_url, now=now)),
        Job("forget_answers", 3600, lambda now: forget_answers(db, now=now)),
        _nightly(5, "empty_old_mails", lambda now: db.run(lambda session: outbox.empty_old_mails(session, now=now))),
        Job("drop_exports", 3600, lambda now: db.run(lambda session: erasing.drop_exports(session, now=now))),
        Job("forget_sessions", 3600, lambda now: db.run(lambda session: _forget_sessions(session, now))),
    ]
    if settings.erp_url:
        erp, max_age = _erp(settings), timedelta(seconds=settings.erp_max_snapshot_age_seconds)
        jobs.append(Job("read_stock", 60, lambda now: figures.pull(db, erp, max_age=max_age, now=now)))
    else:
        jobs.append(Job("keep_own_stock", 300, lambda now: figures.keep_own(db, now=now)))
    if settings.imap_url:
        mailbox = Mailbox(settings.imap_url)
        jobs.append(Job("read_mail", 60, lambda now: read_new(db, mailbox, secret_key=settings.secret_key, now=now), aside=True))
    if settings.reoptimise_seconds:
        jobs.append(Job("reoptimise", 900, lambda _: _reoptimise(services), aside=True))
    return jobs


def _forget_visits(db: Database, before: datetime) -> int:
    return db.run(lambda session: visits.forget_old(session, before=before))


def _forget_sessions(session: Session, now: datetime) -> None:
    staff_sessions.forget(session, now=now)
    accounts.forget_sessions(session, now=now)


def _reoptimise(services: Services) -> object:
    return reoptimising.reoptimise(services.db, seconds=services.settings.reoptimise_seconds, clock=services.clock)


def _with_secret(settings: Settings) -> Settings:
    """Return settings with a secret key; a demo keeps one of its own below its folder."""
    if settings.secret_key:
        return settings
    if not settings.demo:
        raise ValueError("SHOPFLOOR_SECRET_KEY is not set")
    return settings.model_copy(update={"secret_key": _kept_secret(settings.var_dir / "secret_key")})


def _kept_secret(path: Path) -> str:
    """Return the demo's key, made once: of several processes that start together, one puts a whole key in place."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        proposed = path.with_name(f".{path.name}.{os.getpid()}")
        proposed.touch(mode=0o600)
        proposed.write_text(secrets.token_urlsafe(48), encoding="ascii")
        with suppress(FileExistsError):
            os.link(proposed, path)
        proposed.unlink()
    return path.read_text(encoding="ascii").strip()
