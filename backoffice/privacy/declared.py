"""Which table holds what of a person, and what becomes of it when they are forgotten. A table without a word here fails a test.

Of a table that keeps its rows, every column of text or JSON is either emptied or named among those that stay, so that a new
column is not forgotten either.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from backoffice.db import Base
from backoffice.privacy.person import Person

Theirs = Callable[[Person], sa.ColumnElement[bool]]
New = Callable[[sa.Row[Any]], object]  # of a row: what a column holds afterwards
T = Base.metadata.tables
# what an enquiry came by in our own words, not in those of an address that somebody was given
OUR_DOORS = frozenset({"web", "api", "phone", "mail", "plan", "payment", "cart", "quotation", "import"})


@dataclass(frozen=True, slots=True)
class To:
    """The same value for every row."""

    value: object

    def __call__(self, _row: sa.Row[Any]) -> object:
        """Return it."""
        return self.value


@dataclass(frozen=True, slots=True)
class Held:
    """One table. theirs: which rows; empties: column → what it holds afterwards; goes: the rows go as a whole.

    stays: columns of text or JSON that say nothing of the person once the others are empty.
    hidden: columns that are no use to them and could open something, left out of what they are given.
    shared: columns that keep a door of ours, and what the rows of somebody else say as well: that tells nothing of them, and
    sums by it stay.
    by_law: why and how long the rows must be kept as they are; empty: nothing says so.
    """

    theirs: Theirs
    empties: Mapping[str, New] = field(default_factory=dict)
    goes: bool = False
    stays: str = ""
    hidden: str = ""
    shared: str = ""
    by_law: str = ""


def _blank(names: str) -> dict[str, New]:
    return dict.fromkeys(names.split(), To(""))


def _is_among(table: str, column: str, keys: str) -> Theirs:
    return lambda person: T[table].c[column].in_(getattr(person, keys))


def _is_theirs(table: str) -> Theirs:
    return lambda person: T[table].c.party_id.in_(person.party_ids)


def _visits(person: Person) -> sa.Select[Any]:
    return sa.select(T["visit"].c.id).where(T["visit"].c.party_id.in_(person.party_ids))


def _browsers(person: Person) -> sa.ColumnElement[bool]:
    """Tell which browsers are theirs alone; one that a household shares stays, without their visits."""
    visit = T["visit"].c
    others = sa.exists().where(visit.visitor_id == T["visitor"].c.id, visit.party_id.not_in(person.party_ids))
    theirs = sa.select(visit.visitor_id).where(visit.party_id.in_(person.party_ids))
    return sa.and_(T["visitor"].c.id.in_(theirs), ~others)


def _newer(row: sa.Row[Any]) -> int:
    """Whoever has it open at a desk must not save over it."""
    return int(row.version) + 1


def _without_what_they_typed(row: sa.Row[Any]) -> dict[str, Any]:
    return {name: value for name, value in row.values.items() if name not in ("typed", "came_by", "was")}


def _country_alone(row: sa.Row[Any]) -> dict[str, str]:
    return {name: value if name == "country" else "" for name, value in row.ship_to.items()}


def mentions(column: sa.Column[Any], emails: list[str]) -> sa.ColumnElement[bool]:
    """Tell whether a column of JSON holds one of these addresses."""
    text = sa.cast(column, sa.Text)
    return sa.or_(sa.false(), *(text.icontains(json.dumps(one)[1:-1], autoescape=True) for one in emails))


def _searched_alone(person: Person) -> sa.ColumnElement[bool]:
    """Tell which words nobody but them searched for, as far as is known: such are shown to nobody (crm.lost_demand)."""
    row, other = T["demand_mark"].c, T["demand_mark"].alias()
    others = sa.exists().where(other.c.words == row.words, other.c.mark != row.mark)
    return sa.and_(row.words.in_(person.searches), ~others)


def _of_answers(person: Person) -> sa.ColumnElement[bool]:
    row = T["idempotency_key"].c
    return sa.and_(row.scope.startswith("api:"), mentions(row.answer, [*person.emails, *person.order_numbers]))


def _of_messages(person: Person) -> sa.ColumnElement[bool]:
    row = T["outbox_message"].c
    return sa.and_(
        row.target.in_(("mail", "erp")), sa.or_(row.aggregate.in_(person.subjects), mentions(row.payload, list(person.emails)))
    )


def _of_changes(person: Person) -> sa.ColumnElement[bool]:
    row = T["audit_entry"].c
    return sa.or_(row.subject.in_(person.subjects), mentions(row.details, list(person.emails)))


HOLDS: dict[str, Held] = {
    "party": Held(
        lambda person: T["party"].c.id.in_(person.party_ids),
        _blank("phone phone_key job company_role vat_number source campaign")
        | {"name": To("–"), "email": To(None), "company_key": To(None), "company_id": To(None), "facts": To({})}
        | {"version": _newer},
        stays="kind language country customer_class",
    ),
    "consent": Held(_is_theirs("consent"), goes=True),
    "campaign_recipient": Held(
        _is_theirs("campaign_recipient"),
        {  # a letter that waits goes to nobody: its mail is emptied too, and the campaign must end without it
            "state": lambda row: "left_out" if row.state == "waiting" else row.state,
            "reason": lambda row: "withdrawn" if row.state == "waiting" else row.reason,
        },
    ),
    "cart_reminder": Held(_is_theirs("cart_reminder"), goes=True),
    "perhaps_same": Held(
        lambda person: sa.or_(
            T["perhaps_same"].c.low_id.in_(person.party_ids),
            T["perhaps_same"].c.high_id.in_(person.party_ids),
        ),
        goes=True,
    ),
    "visitor": Held(_browsers, goes=True, hidden="token_hash"),
    "visit": Held(_is_theirs("visit"), goes=True),
    "visit_event": Held(lambda person: T["visit_event"].c.visit_id.in_(_visits(person)), goes=True),
    "identity_link": Held(
        lambda person: sa.or_(
            T["identity_link"].c.visit_id.in_(_visits(person)),
            T["identity_link"].c.party_id.in_(person.party_ids),
            T["identity_link"].c.other_id.in_(person.party_ids),
        ),
        goes=True,
    ),
    "profile": Held(_is_theirs("profile"), goes=True),
    "account": Held(_is_theirs("account"), goes=True, hidden="password_hash"),
    "account_session": Held(_is_among("account_session", "account_id", "accounts"), goes=True, hidden="token_hash"),
    "account_link": Held(_is_among("account_link", "account_id", "accounts"), goes=True, hidden="token_hash"),
    "address": Held(_is_among("address", "account_id", "accounts"), goes=True),
    "lead": Held(
        _is_theirs("lead"),
        _blank("message postcode campaign medium landing company page source") | {"version": _newer},
        stays="number kind state stage currency sku order_ref language outcome won_order_ref score_parts scored_for",
        shared="source medium campaign",
    ),
    "task": Held(
        _is_among("task", "lead_id", "leads"),
        _blank("title answer"),
        stays="kind state desk outcome asked_by ended_by",  # by: colleagues
    ),
    "service_case": Held(
        _is_theirs("service_case"),
        _blank("message comment") | {"version": _newer},
        stays="number order_ref kind language source priority state",
    ),
    "mail_taken": Held(
        lambda person: sa.or_(T["mail_taken"].c.lead_id.in_(person.leads), T["mail_taken"].c.case_id.in_(person.cases)),
        {"message_hash": To(None)},
        stays="mailbox outcome problem",
        hidden="message_hash",
    ),
    "activity": Held(
        _is_theirs("activity"),
        _blank("text") | {"values": _without_what_they_typed},
        stays="order_ref kind actor",  # actor: a colleague; of values amounts, days and goods stay
    ),
    "cart": Held(
        _is_among("cart", "id", "carts"),
        {"postcode": To(None), "source": To({}), "token_hash": lambda row: f"forgotten:{row.id}"},
        stays="country parcels service customer_class state coupon_code",
        hidden="token_hash",
    ),
    "checkout": Held(
        _is_among("checkout", "id", "checkouts"),
        _blank("request_hash email name phone street city postcode company region note link_nonce")
        | {"source": To({}), "token_hash": lambda row: f"forgotten:{row.id}"},
        stays="key state country parcels service channel language currency lines base_url coupon_code",
        hidden="token_hash link_nonce request_hash key",
    ),
    "orders": Held(
        _is_theirs("orders"),
        _blank("tracking") | {"version": _newer},
        stays="number state currency cancelled_by",
    ),
    "order_line": Held(
        _is_among("order_line", "order_id", "orders"),
        stays="sku name options no_withdrawal basis moved_because moved_cause promise",
    ),
    "quotation": Held(
        _is_theirs("quotation"),
        _blank("note reason link_nonce") | {"buyer": To({}), "token_hash": lambda row: f"forgotten:{row.id}"},
        stays="number state key asked language lines currency order_ref base_url",
        hidden="token_hash link_nonce key",
    ),
    "slip": Held(_is_among("slip", "order_id", "orders"), stays="state lines choice chosen_by"),
    "shipment": Held(
        _is_among("shipment", "order_ref", "order_numbers"),
        {"ship_to": _country_alone, "tracking": To("")},
        stays="number order_ref state carrier picker",
    ),
    "payment": Held(
        _is_among("payment", "id", "payments"),
        {"pay_url": To(None)},
        stays="provider provider_ref state currency intent_ref problem ending",
        hidden="pay_url",
    ),
    "payment_event": Held(
        _is_among("payment_event", "provider_ref", "payment_refs"),
        {"payload": To({})},
        stays="id provider kind provider_ref outcome",
    ),
    "refund": Held(
        _is_among("refund", "payment_id", "payments"),
        stays="key currency reason state provider_ref problem requested_by parts",
    ),
    "receivable": Held(_is_among("receivable", "payment_id", "payments")),
    "receipt": Held(
        _is_among("receipt", "payment_id", "payments"),
        stays="key currency reference",
        by_law="what the books stand on, whole and unchanged: in Germany eight years (§ 147 AO), elsewhere what its law says",
    ),
    "dispute": Held(_is_among("dispute", "payment_id", "payments"), stays="provider_ref currency reason state"),
    "withdrawal": Held(_is_among("withdrawal", "order_id", "orders"), stays="key lines return_number"),
    "goods_return": Held(_is_among("goods_return", "order_ref", "order_numbers"), stays="number order_ref state"),
    "coupon_redemption": Held(
        _is_among("coupon_redemption", "checkout_id", "checkouts"),
        _blank("customer"),
        stays="state",
        hidden="customer",
    ),
    "invoice": Held(
        _is_among("invoice", "order_ref", "order_numbers"),
        stays="kind number cause order_ref currency seller buyer",
        by_law="what the books stand on, whole and unchanged: in Germany eight years (§ 147 AO), elsewhere what its law says",
    ),
    "refund_request": Held(
        _is_among("refund_request", "payment_id", "payments"), _blank("reason note"), stays="order_ref key currency state"
    ),
    "sandbox_session": Held(
        _is_among("sandbox_session", "id", "payment_refs"),
        _blank("description return_url cancel_url"),
        stays="id currency state",
        hidden="return_url cancel_url",
    ),
    "demand_mark": Held(_searched_alone, goes=True),
    "saved_view": Held(lambda person: mentions(T["saved_view"].c.args, list(person.emails)), goes=True),
    "idempotency_key": Held(  # the key stays: sent again it is not done again
        _of_answers,
        {"answer": To({"status": 410, "headers": {}, "body": ""})},
        stays="scope key request_hash",
        hidden="key request_hash answer",
    ),
    "outbox_message": Held(
        _of_messages,
        {"payload": To({}), "last_error": To("")},
        stays="target aggregate kind state leased_by",
    ),
    "audit_entry": Held(  # emptied by audit.forget: nothing else may
        _of_changes,
        {"details": To({}), "salt": To("")},
        stays="actor role action subject details_hash hash",
        hidden="salt details_hash hash",
    ),
}
