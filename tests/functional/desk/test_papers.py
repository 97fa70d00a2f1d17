"""Papers as a printer gets them: exact words, the address in its country's order, long and foreign names, nothing fetched."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy.orm import Session

from backoffice import printing
from backoffice.erp import plan
from backoffice.erp.models import Shipment, ShippingService
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
PARCEL = "/desk/warehouse/shipments/1"


def paper(colleague: Colleague, name: str) -> PdfReader:
    """Return a paper of the first parcel."""
    answer = colleague.client.get(f"{PARCEL}/{name}")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Cache-Control"] == "no-store"
    return PdfReader(BytesIO(answer.get_data()))


def lines(reader: PdfReader) -> list[str]:
    """Return the text, line by line."""
    return [line.strip() for page in reader.pages for line in page.extract_text().splitlines() if line.strip()]


def fonts(reader: PdfReader) -> str:
    """Return the names of the fonts that the paper carries."""
    found = [font for page in reader.pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]  # pypdf's own objects
    return " ".join(str(font.get_object()["/BaseFont"]) for font in found)


def buy(workshop: Workshop, **address: str) -> Shipment:
    """Buy two stools to an address; return the parcel."""
    workshop.pay(workshop.start(workshop.cart(STOOL=2), **address))
    found: Shipment = workshop.rows(Shipment)[0]
    return found


def test_the_slip_says_what_lies_in_the_parcel_without_prices(at_desk: AtDesk, workshop: Workshop) -> None:
    shipment = buy(workshop)
    said = lines(paper(at_desk("Wim"), "slip.pdf"))
    assert said[:5] == ["Werk · Werkstr. 1 · 10115 Berlin", "Ada Lovelace", "Weg 1", "10115 BERLIN", "GERMANY"]
    assert "Packing slip" in said
    assert f"Order {shipment.order_ref} (Tue 24 Nov 2026)" in " ".join(said)
    assert "2 Stool STOOL" in " ".join(said)
    assert "49" not in " ".join(said)
    assert "1 / 1" in said


def test_the_label_is_ours_and_says_so(at_desk: AtDesk, workshop: Workshop) -> None:
    shipment = buy(workshop)
    reader = paper(at_desk("Wim"), "label.pdf")
    assert len(reader.pages) == 1
    box = reader.pages[0].mediabox
    assert [round(float(side) / 72 * 25.4) for side in (box.width, box.height)] == [100, 150]
    said = lines(reader)
    assert said[0] == "Parcel Post"
    assert shipment.number in said
    assert "In-house label: not a carrier's label, no postage is paid by it." in " ".join(said)


@pytest.mark.parametrize(
    ("name", "font"),
    [("ნინო ბერიძე", "Georgian"), ("মোহাম্মদ রহমান", "Bengali"), ("أحمد الخطيب", "Arabic")],
    ids=["georgian", "bengali", "arabic"],
)
@pytest.mark.parametrize("kind", ["slip.pdf", "label.pdf"])
def test_names_of_other_scripts_are_printed(at_desk: AtDesk, workshop: Workshop, name: str, font: str, kind: str) -> None:
    buy(workshop, name=name)
    reader = paper(at_desk("Wim"), kind)
    assert font in fonts(reader)
    if font == "Georgian":  # the only one of these scripts whose letters stay one by one
        assert name in lines(reader)


def test_long_names_stay_on_one_label(at_desk: AtDesk, workshop: Workshop) -> None:
    buy(workshop, name="Donaudampfschifffahrtsgesellschaft " * 2, street="Straße des " * 9)
    reader = paper(at_desk("Wim"), "label.pdf")
    assert len(reader.pages) == 1
    assert "In-house label" in " ".join(lines(reader))


def test_only_the_warehouse_prints(at_desk: AtDesk, visitor: Callable[[], Colleague], workshop: Workshop) -> None:
    buy(workshop)
    for name in ("slip.pdf", "label.pdf"):
        assert at_desk("Bea").client.get(f"{PARCEL}/{name}").status_code == 403
        assert visitor().client.get(f"{PARCEL}/{name}").status_code == 302
        assert at_desk("Wim").client.get(f"/desk/warehouse/shipments/99/{name}").status_code == 404


@pytest.mark.parametrize("url", ["file:///etc/hostname", "http://127.0.0.1:9/x.png", "data:image/png;base64,AA=="])
def test_nothing_is_fetched(site: Flask, url: str) -> None:
    from weasyprint.urls import FatalURLFetchingError

    assert site
    with pytest.raises(FatalURLFetchingError):
        printing.make(f'<p>x</p><img src="{url}">')


def test_papers_name_the_service_that_it_is_sent_with(at_desk: AtDesk, workshop: Workshop) -> None:
    express = {"name": "Express", "price_minor": 1_490, "transit_days": 1, "cutoff_minute": None, "countries": []}
    row = ShippingService(code="express", position=1, active=True, **express)

    def add(session: Session) -> None:
        session.add(row)
        plan.bump(session, master=True)

    workshop.db.run(add)
    cart = workshop.cart(STOOL=2)
    workshop.pay(workshop.start(workshop.shop.carts.set_service(cart.token, "express", now=workshop.now)))
    wim = at_desk("Wim")
    assert lines(paper(wim, "label.pdf"))[0] == "Parcel Post · Express"
    assert "Sent with Express" in " ".join(lines(paper(wim, "slip.pdf")))
