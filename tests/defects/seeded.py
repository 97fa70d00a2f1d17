"""The defects: where, what instead of what, and the test that must see it."""

from __future__ import annotations

from typing import NamedTuple


class Defect(NamedTuple):
    """number: of the list of 24 that shops are tried with. old stands in `file` exactly once; test: what must fail."""

    number: int
    name: str
    file: str
    old: str
    new: str
    test: str


FLOWS = "tests/faults/test_crash_points.py::test_an_end_at_any_point_changes_nothing_in_the_end"
SCHEMA = "tests/integration/test_migrations.py::test_up_gives_the_models_tables"

SEEDED = (
    Defect(
        1,
        "reserve what was read to be free, without a condition where it is written",
        "backoffice/erp/stock.py",
        "session.execute(_changing(tuple(deltas), tuple(guards)), asked | guards)",
        "session.execute(_changing(tuple(deltas), ()), asked)",
        "tests/unit/erp/test_stock.py::test_a_total_changes_under_its_condition_or_not_at_all",  # a race may be over too soon
    ),
    Defect(
        2,
        "the table's own check against overselling dropped",
        "backoffice/erp/models/stocking.py",
        "allocated >= 0 AND reserved >= 0 AND allocated + reserved <= on_hand",
        "allocated >= 0",
        SCHEMA,
    ),
    Defect(
        3,
        "a repeated form is known in a transaction of its own, before its work is done",
        "backoffice/desk/context.py",
        "        if scope and key:\n"
        '            claimed, ours = idempotency.claim(session, f"desk.{scope}", key, request_hash=_form_hash(), now=now())\n'
        '            if not ours and claimed.request_hash not in ("", _form_hash()):  # those of earlier versions have none\n'
        '                raise Refused("form_reused")\n'
        "            if not ours:\n"
        "                return False\n"
        "        changed = _watch(session)\n"
        "        work(session)\n"
        "        session.flush()\n"
        "        if changed and not audit.has_recorded(session):  # no words of its own in the record: it is there by its page\n"
        "            _record(session)\n"
        "        return True\n\n",
        "        changed = _watch(session)\n"
        "        work(session)\n"
        "        session.flush()\n"
        "        if changed and not audit.has_recorded(session):  # no words of its own in the record: it is there by its page\n"
        "            _record(session)\n"
        "        return True\n\n"
        '    if scope and key and not services().db.run(lambda s: idempotency.claim(s, f"desk.{scope}", key, now=now())[1]):\n'
        "        return False\n",
        f"'{FLOWS}[receive]'",
    ),
    Defect(
        4,
        "the provider's event is noted as done before it is acted on",
        "backoffice/local/checkout.py",
        "        try:\n            return self.db.run(settle)\n        except settling.NoOrderError",
        "        heard = {'provider': self.gateway.name, 'now': now}\n"
        "        if not self.db.run(lambda s: settling.keep_event(s, event_id, news.state, news.ref, **heard)):\n"
        "            return None\n"
        "        try:\n            return self.db.run(settle)\n        except settling.NoOrderError",
        f"'{FLOWS}[pay and leave]'",
    ),
    Defect(
        5,
        "two orders may stand on one payment",
        "backoffice/crm/models/buying.py",
        "payment_id: Mapped[int] = mapped_column(unique=True)",
        "payment_id: Mapped[int] = mapped_column()",
        SCHEMA,
    ),
    Defect(
        6,
        "goods go back on sale before the provider has closed the payment page",
        "backoffice/local/checkout.py",
        "        news = self.gateway.expire_session(ref, now=now)\n",
        "        seen = self.gateway.get_session(ref, now=now)\n"
        "        news = settling.PaymentSession(seen.ref, seen.pay_url, 'expired', seen.amount, seen.expires_at, seen.intent)\n",
        "tests/integration/chain/test_orders.py::test_coming_back_to_the_cart_closes_the_payment_page_and_keeps_the_goods",
    ),
    Defect(
        7,
        "the same wish for a refund is another one each time",
        "backoffice/payments/refunds.py",
        "    known = session.scalar(sa.select(Refund).where(Refund.key == key))\n",
        "    known, key = None, f'{key}:{payment.refunded_minor}'\n",
        "tests/integration/payments/test_refunds.py",
    ),
    Defect(
        8,
        "money that is on its way counts as paid",
        "backoffice/payments/settling.py",
        'if news.state in ("paid", "authorised"):',
        'if news.state in ("paid", "authorised", "processing"):',
        "tests/integration/payments",
    ),
    Defect(
        9,
        "a payment that went back is taken as paid when its message comes late",
        "backoffice/payments/settling.py",
        'if "succeeded" not in PAYMENT_MOVES[state]:',
        'if state == "succeeded":',
        "tests/integration/payments/test_permutations.py",
    ),
    Defect(
        10,
        "a mail is put into the outbox after the commit",
        "backoffice/bootstrap.py",
        '    outbox.put(session, "mail", mail.aggregate, mail.kind, dict(mail.payload), now=mail.at)\n',
        "    from sqlalchemy import event\n\n"
        "    def put(_session: Session) -> None:\n"
        "        with Session(session.get_bind()) as later, later.begin():\n"
        '            outbox.put(later, "mail", mail.aggregate, mail.kind, dict(mail.payload), now=mail.at)\n\n'
        '    event.listen(session, "after_commit", put, once=True)\n',
        f"'{FLOWS}[buy]'",
    ),
    Defect(
        11,
        "a message is noted as delivered before it is",
        "backoffice/bridge/worker.py",
        "            carrier(message)\n",
        "            self._db.run(lambda session: outbox.done(session, message, self._name, now=self._clock()))\n"
        "            carrier(message)\n",
        f"'{FLOWS}[pick and ship]'",
    ),
    Defect(
        12,
        "an outside ERP is asked again when no answer came, without a search for what it did",
        "backoffice/bridge/outside/carrying.py",
        '        number = document["reference"]\n        their_id = self._find(number)\n',
        '        number = document["reference"]\n        their_id = None\n',
        "tests/faults/test_hand_off.py::test_with_all_its_faults_each_order_is_there_once",
    ),
    Defect(
        13,
        "a stock snapshot that was overtaken is taken in over a newer one",
        "backoffice/erp/stock_snapshots.py",
        '    if sequence <= last.sequence or (last.sequence and as_of < last.as_of):\n        return "older"\n',
        "",
        "tests/integration/chain/test_stock_snapshots.py::test_an_older_one_after_a_newer_is_refused_and_kept",
    ),
    Defect(
        14,
        "the same thing put into the cart twice is held once",
        "backoffice/crm/carts.py",
        "quantity + (row.quantity if row else 0), minutes=minutes",
        "quantity, minutes=minutes",
        "tests/functional/test_bad_input.py::test_the_same_one_twice_is_one_line",
    ),
    Defect(
        15,
        "supplies are locked in the order in which a plan happens to name them",
        "backoffice/erp/taking.py",
        "for key, asked in sorted(self._asked.items(), key=lambda one: one[0]):",
        "for key, asked in sorted(self._asked.items(), key=lambda one: one[0], reverse=True):",
        "tests/concurrency/test_lock_order.py",
    ),
    Defect(
        16,
        "money is computed in floating point",
        "backoffice/public/money.py",
        "return Money(self.amount_minor * count, self.currency)",
        "return Money(self.amount_minor / 100 * count * 100, self.currency)",
        "tests/unit/test_money.py",
    ),
    Defect(
        17,
        "the amount that the page sends is what is paid",
        "backoffice/crm/checkout.py",
        "    if form.total_minor != subtotal + delivery - discount:\n"
        '        raise Refused("price_changed", total_minor=subtotal + delivery - discount)\n',
        "    subtotal = form.total_minor - delivery + discount\n",
        "tests/functional/test_bad_input.py tests/functional/api/test_writing.py",
    ),
    Defect(
        18,
        "an enquiry is saved over what a colleague saved meanwhile",
        "backoffice/crm/leads.py",
        "    if lead.version != version:\n"
        '        raise Refused("stale", state=lead.state, owner=_owner_name(session, lead))\n'
        "    allowed",
        "    version = lead.version\n    allowed",
        "tests/integration/leads/test_working.py::test_a_stale_save_changes_nothing",
    ),
    Defect(
        19,
        "a route that nobody said who may open",
        "backoffice/policy.py",
        '    | _to(WAREHOUSE, "shelves", "home count")\n',
        "",
        "tests/integration/web/test_policy.py::test_the_whole_site_has_a_complete_policy",
    ),
    Defect(
        20,
        "the beginning of an order's link is enough",
        "backoffice/crm/links.py",
        "return hashlib.sha256(token.encode()).hexdigest()",
        "return hashlib.sha256(token[:12].encode()).hexdigest()",
        "tests/integration/chain/test_orders.py::test_unknown_links_all_look_the_same",
    ),
    Defect(
        21,
        "wall clocks are read as if they never changed",
        "backoffice/planning/instants.py",
        "return before if after >= before else _change_between(after, before, zone)",
        "return before",
        "tests/unit/planning/test_calendars.py",
    ),
    Defect(
        22,
        "a key that was used answers another request",
        "backoffice/idempotency.py",
        '    if row.request_hash != request_hash:\n        raise BadInput("idempotency_key_reused")\n',
        "",
        "tests/functional/api/test_writing.py::test_the_same_key_is_the_same_cart",
    ),
    Defect(
        23,
        "who did it is written down after the commit",
        "backoffice/audit.py",
        "    session.add(AuditEntry(",
        "    def write(_session: Session) -> None:\n"
        "        with Session(session.get_bind()) as later, later.begin():\n"
        "            later.add(entry)\n\n"
        "    sa.event.listen(session, 'after_commit', write, once=True)\n"
        "    entry = (AuditEntry(",
        f"'{FLOWS}[cancel at the desk]'",
    ),
    Defect(
        24,
        "a cell that begins with a tab is not guarded",
        "backoffice/spreadsheet.py",
        'GUARDED = ("=", "+", "-", "@", "\\t", "\\r", "\\0", "\'")',
        'GUARDED = ("=", "+", "-", "@", "\\r", "\\0", "\'")',
        "tests/unit/test_spreadsheet.py",
    ),
)
