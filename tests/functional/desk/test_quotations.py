"""A quotation on its pages: drawn up at the desk, read and accepted by its link, printed, approved, asked for again."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

from flask import Flask
from pypdf import PdfReader
from werkzeug.test import TestResponse

from backoffice.crm import links, quotation_watch
from backoffice.crm.models import Lead, Quotation
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.functional.desk.test_sales_orders import ADDRESS, hidden, pay
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
Ask = Callable[..., Lead]
PAGE = "/desk/sales/leads/1/quotation"


def form_of(page: str, **changes: Any) -> dict[str, Any]:
    """Return the form as the page holds it, for two stools with 10 % off."""
    kept = {name: hidden(page, name) for name in ("version", "key", "shown", "total_minor", "told_on")}
    return kept | ADDRESS | {"sku": ["STOOL"], "quantity": ["2"], "percent": ["10"], "days": "7"} | changes


def look(colleague: Colleague, **changes: Any) -> str:
    answer = colleague.post(PAGE, **form_of(colleague.get(PAGE), action="look", **changes))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return html.unescape(answer.get_data(as_text=True))


def send(colleague: Colleague, **changes: Any) -> str:
    return colleague.send(PAGE, **form_of(look(colleague, **changes), action="send", **changes))


def link(workshop: Workshop, at: int = -1) -> str:
    key = workshop.services.settings.secret_key
    return f"/quotation/{links.quotation_token(key, workshop.rows(Quotation)[at].link_nonce)}"


def words(answer: TestResponse) -> str:
    return html.unescape(answer.get_data(as_text=True))


def accept(site: Flask, path: str) -> TestResponse:
    page = site.test_client().get(path).get_data(as_text=True)
    form = {name: hidden(page, name) for name in ("version", "total_minor", "told_on")}
    return site.test_client().post(f"{path}/accept", data=form)


def test_from_the_desk_to_the_paid_order(site: Flask, at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    page = look(at_desk("Bea"))
    for said in ("€93.20", "€44.10", "Thu 3 Dec", "Wed 25 Nov"):
        assert said in page
    assert workshop.rows(Quotation) == []
    lead = send(at_desk("Bea"))
    assert "Q-00001" in lead
    assert "kept until Tue 1 Dec, 23:59" in lead
    path = link(workshop)
    answer = site.test_client().get(path)
    assert (answer.status_code, answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == (
        200,
        "no-store",
        "no-referrer",
    )
    said = words(answer)
    for one in (
        "arrives by Thu 3 Dec",
        "Accept today, and it arrives on Wed 25 Nov.",
        "10 percent off",
        "€93.20",
        "Kowalska GmbH",
    ):
        assert one in said, one
    assert "http" in accept(site, path).headers["Location"] or accept(site, path).headers["Location"].startswith("/")
    pay(workshop)
    assert "it is your order now" in words(site.test_client().get(path))
    assert accept(site, path).headers["Location"].startswith("/o/")
    assert "Became an order" in at_desk("Bea").get("/desk/sales/leads/1")


def test_the_browser_decides_no_price_and_no_day(site: Flask, at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    send(at_desk("Bea"))
    path = link(workshop)
    for wrong in ({"total_minor": "1"}, {"told_on": "2027-01-01"}, {"version": "7"}, {"told_on": "never"}, {"total_minor": "x"}):
        form = {"version": "1", "total_minor": "9320", "told_on": "2026-12-03"} | wrong
        assert site.test_client().post(f"{path}/accept", data=form).status_code == 409
    assert workshop.stock("STOOL") == (5, 0, 2)
    for guess in ("nope", links.quotation_token("another key", workshop.rows(Quotation)[0].link_nonce)):
        assert site.test_client().get(f"/quotation/{guess}").status_code == 404


def test_the_paper_is_in_the_customer_s_language_and_script(site: Flask, at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    people = {"de": ("Jörg Müller", "Angebot", ""), "ka": ("გიორგი", "Quotation", "Georgian")}
    people |= {"bn": ("অনিকা", "Quotation", "Bengali"), "ar": ("ليلى", "Quotation", "Arabic")}
    for at, (language, (name, title, script)) in enumerate(people.items(), 1):
        lead = ask(key=f"page-{at}", language=language, name=name, email=f"{at}@example.test")
        bea, page = at_desk("Bea"), PAGE.replace("/1/", f"/{lead.id}/")
        shown = bea.post(page, **form_of(bea.get(page), action="look", quantity=["1"], name=name, email=f"{at}@example.test"))
        form = form_of(shown.get_data(as_text=True), action="send", quantity=["1"], name=name, email=f"{at}@example.test")
        bea.send(page, **form)
        answer = site.test_client().get(f"{link(workshop)}/paper.pdf")
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        [sheet] = PdfReader(BytesIO(answer.data)).pages
        held = sheet["/Resources"]["/Font"].get_object().values()  # type: ignore[index]  # pypdf's own objects
        fonts = [str(one.get_object()["/BaseFont"]) for one in held]
        assert any(f"Noto-Sans-{script}".rstrip("-") in one for one in fonts), fonts  # a box for each letter needs no font
        text = sheet.extract_text()
        assert f"{title} Q-{lead.id:05d}" in text
        assert set(name) - {"\N{ARABIC LETTER YEH}"} <= set(text)  # that one's form at the end of a word reads as another letter


def test_a_newer_version_says_so_at_the_old_link(site: Flask, at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    send(at_desk("Bea"))
    old = link(workshop)
    send(at_desk("Bea"), quantity=["3"], percent=["0"])
    said = words(site.test_client().get(old))
    assert "There is a newer version of this quotation" in said
    assert "version 2" in said
    form = {"version": "1", "total_minor": "9320", "told_on": "2026-12-03"}
    assert site.test_client().post(f"{old}/accept", data=form).status_code == 409
    assert accept(site, old).status_code == 303  # what the page shows is the new one


def test_above_the_limit_it_waits_for_another_person(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    assert "Above the limit" in look(at_desk("Ada"), percent=["30"])
    assert "waits for approval" in send(at_desk("Ada"), percent=["30"])
    approvals = "/desk/admin/quotations"
    assert "You asked for this yourself" in at_desk("Ada").get(approvals)
    at_desk("Ada").refused(f"{approvals}/{workshop.rows(Quotation)[0].id}/approve", 409)
    at_desk("Bea").get(approvals, 403)
    assert workshop.rows(Quotation)[0].state == "waiting"


def test_ended_it_is_said_and_may_be_asked_for_again(
    site: Flask, at_desk: AtDesk, ask: Ask, workshop: Workshop, clock: FixedClock
) -> None:
    ask()
    send(at_desk("Bea"))
    path = link(workshop)
    form = {"version": "1", "total_minor": "9320", "told_on": "2026-12-03"}
    clock.at = workshop.rows(Quotation)[0].valid_until_at + timedelta(minutes=1)
    answer = site.test_client().post(f"{path}/accept", data=form)
    assert answer.status_code == 409
    assert "ask for it again below" in words(answer)
    services = workshop.services
    quotation_watch.watch(services.db, now=clock.at)
    for _ in range(2):
        again = site.test_client().post(f"{path}/again", data={"message": "Yes, please!"})
        assert (again.status_code, again.headers["Location"]) == (303, f"{path}?asked=1")
    assert "We have your message" in words(site.test_client().get(f"{path}?asked=1"))
    assert [one.kind for one in workshop.rows(Lead)] == ["question", "quote_request"]


def test_the_page_needs_no_script_and_has_none_inline(site: Flask, at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask(language="de")
    send(at_desk("Bea"))
    page = words(site.test_client().get(f"/de{link(workshop)}"))
    assert 'lang="de"' in page
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=", page)
