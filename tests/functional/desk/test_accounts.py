"""The bookkeeper's list of papers and its file, and the customer's copy behind the order's link."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from backoffice.payments import billing, cancelling
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
HEADS = "Number,Kind,Date,Paid on,Order,For,Name,Company,Country,Currency,Tax rate,Net,Tax,Gross"


def sold_and_cancelled(workshop: Workshop, name: str) -> str:
    """Let somebody buy and cancel; return the order's number."""
    start = workshop.start(workshop.cart(STOOL=1), name=name)
    workshop.pay(start)
    number = str(workshop.order(start).number)
    workshop.db.run(lambda session: cancelling.cancel(session, number, by="Bea", now=workshop.now))
    workshop.services.till.send_refund(1, now=workshop.now)
    billing.issue_due(workshop.db, now=workshop.now)
    return number


def test_a_months_papers_with_their_sums(at_desk: AtDesk, workshop: Workshop) -> None:
    ada = at_desk("Ada")
    assert "Nothing here" in ada.get("/desk/accounts")
    number = sold_and_cancelled(workshop, "Ada Lovelace")
    page = ada.get("/desk/accounts?month=2026-11")
    for words in ("Invoices of November 2026", "INV-2026-000001", "CN-2026-000001", number, "€45.38", "-€45.38", "€0.00"):
        assert words in page, words
    assert "Nothing here" in ada.get("/desk/accounts?month=2026-10")
    assert "November 2026" in ada.get("/desk/accounts?month=2026-13")  # no such month: this one
    paper = ada.get("/desk/accounts/CN-2026-000001")
    for words in ("Credit note", "INV-2026-000001", "-€54.00", "Money back"):
        assert words in paper, words
    ada.get("/desk/accounts/INV-2026-000002", 404)


def test_the_file_has_numbers_and_no_formulas(at_desk: AtDesk, workshop: Workshop) -> None:
    number = sold_and_cancelled(workshop, "=HYPERLINK(1)")
    answer = at_desk("Ada").client.get("/desk/accounts/export.csv?month=2026-11")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="invoices-2026-11.csv"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    heads, *rows = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert ",".join(heads) == HEADS
    whose = ["'=HYPERLINK(1)", "", "DE", "EUR", "19.00"]
    day = ["2026-11-24", "2026-11-24", number]
    assert rows == [
        ["INV-2026-000001", "Invoice", *day, "", *whose, "45.38", "8.62", "54.00"],
        ["CN-2026-000001", "Credit note", *day, "INV-2026-000001", *whose, "-45.38", "-8.62", "-54.00"],
    ]


def test_nobody_else_opens_the_accounts(at_desk: AtDesk) -> None:
    for name in ("Bea", "Wim", "Petra"):
        at_desk(name).get("/desk/accounts", 403)


def test_the_customer_has_a_copy_that_only_their_link_opens(visitor: Callable[[], Colleague], workshop: Workshop) -> None:
    client = visitor().client
    first, second = workshop.start(workshop.cart(STOOL=1)), workshop.start(workshop.cart(STOOL=2))
    for one in (first, second):
        workshop.pay(one)
    assert "Invoice INV" not in client.get(f"/o/{first.order_token}").text
    billing.issue_due(workshop.db, now=workshop.now)
    client.set_cookie("orders", first.order_proof)  # as the browser that bought it keeps it
    assert f'href="/o/{first.order_token}/papers/INV-2026-000001"' in client.get(f"/o/{first.order_token}").text
    page = client.get(f"/o/{first.order_token}/papers/INV-2026-000001")
    for words in ("Invoice INV-2026-000001", "Tue 24 Nov 2026", "Werkstr. 1", "Weg 1", "19 %", "€8.62", "€45.38", "€54.00"):
        assert words in page.text, words
    assert page.headers["Cache-Control"] == "no-store"
    other = client.get(f"/o/{first.order_token}/papers/INV-2026-000002")
    assert other.status_code == 404
    nobody = client.get("/o/unknown/papers/INV-2026-000001")
    assert (nobody.status_code, nobody.text.count("We find no order")) == (404, other.text.count("We find no order"))
