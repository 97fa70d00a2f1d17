"""One mail of every kind, as it is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from backoffice.bridge.outbox import Message

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
FRAME: dict[str, Any] = {
    "to": "ada@example.test",
    "name": "Ada Okafor",
    "shop": "Holzwerk",
    "number": "SF-4K7P-Q2MN",
    "link": "https://shop.test/o/token",
}
MOVED = {
    "item": "Long table, oak",
    "promised_on": "2026-12-08",
    "cause": {
        "code": "receipt_later",
        "item": "Oak board",
        "due_on": "2026-12-03",
        "chain": [
            {"kind": "receipt", "ref": "PO-00017", "name": "Oak board", "days": 5},
            {"kind": "order", "ref": "MO-00009", "name": "Table top", "days": None},
            {"kind": "line", "ref": "", "name": "Long table, oak", "days": 3},
        ],
    },
    "others": [],
    "choose": "https://shop.test/o/token/moved/1",
}
REFUND = {"amount": {"amount_minor": 129_900, "currency": "EUR"}, "reason": "partial"}
QUOTED = {
    "number": "Q-00007",
    "version": 1,
    "link": "https://shop.test/o/token",
    "lines": [
        {
            "name": "Long table, oak",
            "options": "180 cm",
            "quantity": 2,
            "total": {"amount_minor": 240_000, "currency": "EUR"},
            "deliver_on": "2026-12-08",
        },
    ],
    "total": {"amount_minor": 244_900, "currency": "EUR"},
    "deliver_on": "2026-12-08",
    "valid_until": "2026-12-01T17:00:00+00:00",
}
PAYLOADS: dict[str, dict[str, Any]] = {
    "order_confirmed": {
        "lines": [
            {
                "name": "Long table, oak",
                "options": "180 cm",
                "quantity": 1,
                "total": {"amount_minor": 129_000, "currency": "EUR"},
                "deliver_on": "2026-12-08",
            },
            {
                "name": "Stool",
                "options": "",
                "quantity": 4,
                "total": {"amount_minor": 35_600, "currency": "EUR"},
                "deliver_on": "2026-12-08",
            },
        ],
        "total": {"amount_minor": 169_500, "currency": "EUR"},
        "address": ["Ada Okafor", "Gasse 1", "96450 Coburg"],
        "country": "DE",
        "deliver_on": "2026-12-08",
    },
    "day_moved": MOVED | {"expected_on": "2026-12-11"},
    "day_unknown": MOVED,
    "choice_noted": {
        "choice": "substituted",
        "item": "Bench, ash",
        "instead_of": "Bench, oak",
        "by_phone": True,
        "amount": {"amount_minor": 9_000, "currency": "EUR"},
        "parts": [
            {"on": "2026-12-08", "goods": [{"name": "Stool", "options": "", "quantity": 4}]},
            {"on": "", "goods": [{"name": "Bench", "options": "ash", "quantity": 1}]},
        ],
        "deliver_on": "",
    },
    "invoice_overdue": {
        "invoice": "INV-2026-000007",
        "due_on": "2026-12-24",
        "amount": {"amount_minor": 14_700, "currency": "EUR"},
    },
    "order_shipped": {
        "tracking": "JD014600001234",
        "deliver_on": "2026-12-08",
        "parcel": 1,
        "parcels": 2,
        "contents": [{"name": "Stool", "quantity": 4}],
    },
    "order_cancelled": {"amount": {"amount_minor": 169_500, "currency": "EUR"}, "by_customer": True},
    "order_link": {},
    "order_code": {"code": "048213"},
    "withdrawal_noted": {
        "lines": [{"name": "Stool", "options": "Oak", "quantity": 2}],
        "declared_at": "2026-11-24T09:00+01:00",
        "return_number": "SF-ABCD-EFGH-R1",
        "send_to": ["Werk", "Werkstr. 1", "10115 Berlin"],
        "days": 14,
        "amount": {"amount_minor": 4_900, "currency": "EUR"},
    },
    "order_refunded": REFUND,
    "order_to_pay": {
        "lines": [
            {
                "name": "Long table, oak",
                "options": "180 cm",
                "quantity": 1,
                "total": {"amount_minor": 129_000, "currency": "EUR"},
                "deliver_on": "2026-12-08",
            }
        ],
        "total": {"amount_minor": 133_900, "currency": "EUR"},
        "deliver_on": "2026-12-08",
        "pay_until": "2026-11-24T14:31+01:00",
    },
    "lead_overdue": {"number": "L-00007", "handed": True, "link": "https://shop.test/o/token"},
    "lead_answer": {"text": "Yes, in oak.\nShall we?", "subject": "A table for eight", "asked": "In oak?\nBy May?"},
    "case_overdue": {"number": "C-00007", "handed": False, "link": "https://shop.test/o/token"},
    "case_answer": {"text": "It is found.", "subject": "Where is it?", "asked": "Where is it?\nIt is late.", "solved": True},
    "case_solved": {"subject": "Where is it?", "asked": "Where is it?\nIt is late."},
    "account_confirm": {},
    "account_known": {},
    "account_reset": {},
    "consent_wanted": {"wording": "Write to me now and then about new things."},
    "consent_given": {"wording": "Write to me now and then about new things."},
    "campaign": {
        "subject": "New in oak",
        "body": "Yes, in oak.\n\nhttps://shop.test/o/token",
        "paragraphs": [[("Yes, in oak.", "")], [("https://shop.test/o/token", "https://shop.test/o/token")]],
        "unsubscribe": "https://shop.test/o/token",
    },
    "quotation": QUOTED | {"again": False, "note": "As we said by telephone.\nWith the lamp."},
    "quotation_ends": QUOTED,
    "quotation_moved": QUOTED | {"was_on": "2026-12-08", "now_on": "2026-12-10"},
    "report": {
        "first_on": "2026-11-23",
        "last_on": "2026-11-29",
        "came": 7,
        "won": 2,
        "lost": 1,
        "in_time": 5,
        "late": 1,
        "link": "https://shop.test/o/token",
    },
    "can_be_had": {"item": "Stool", "quantity": 1, "deliver_on": "2026-12-08"},
}


def message(kind: str, language: str, **changes: Any) -> Message:
    """Return a mail of a kind, as the worker gives it to its carrier."""
    payload = FRAME | {"language": language} | PAYLOADS[kind] | changes
    return Message(7, "mail", "order:1", kind, payload, 1, AT, AT)
