"""Buyers over HTTP, as browsers without JavaScript: for races and benches."""

from __future__ import annotations

import http.client
import re
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit


@dataclass
class Browser:
    """One person's browser: keeps cookies, follows no redirect by itself. stays: it keeps its connection, until `leave`."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    stays: bool = False
    connection: http.client.HTTPConnection | None = None
    retry_after: str = ""  # as the last answer said

    @property
    def more(self) -> dict[str, str]:
        """Return further headers that it sends."""
        return {}

    def open(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Send one request; return (status, where to, body)."""
        connection = self.connection or http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)
        self.connection = connection
        headers = self.more | {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Origin": self.address,
        }
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            for header in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = header.split(";", 1)[0].partition("=")
                self.cookies[name] = value
            self.retry_after = answer.headers.get("Retry-After", "")
            return answer.status, answer.headers.get("Location", ""), answer.read().decode()
        finally:
            if not self.stays:
                self.leave()

    def leave(self) -> None:
        """Close the connection; the next request opens another."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def hidden(body: str, name: str) -> str:
    """Return the value of a hidden field."""
    for tag in re.findall(r"<input[^>]*>", body):
        if f'name="{name}"' in tag:
            found = re.search(r'value="([^"]*)"', tag)
            return found.group(1) if found else ""
    raise AssertionError(f"no field {name} on the page")


def buy(address: str, slug: str, sku: str, who: int, browser: Browser | None = None) -> str:
    """Buy one piece from the product page to the order page; return bought | refused, or what went wrong."""
    browser = browser or Browser(address)
    answer, pay_url = to_pay(browser, slug, sku, who)
    if answer != "opened":
        return answer
    status, order_url, _ = browser.open("POST", urlsplit(pay_url).path, {"action": "pay"})
    if status != 303:
        return f"pay {status}"
    status, _, body = browser.open("GET", urlsplit(order_url).path)
    return "bought" if status == 200 and "SF-" in body else f"order {status}"


def to_pay(browser: Browser, slug: str, sku: str, who: int) -> tuple[str, str]:
    """Go with one piece to the payment page; return opened | refused, or what went wrong, and the page's address."""
    status, _, body = browser.open("POST", "/cart/add", {"sku": sku, "slug": slug, "quantity": "1", "postcode": "10115"})
    if status == 409:
        return "refused", ""
    if status != 303:
        return f"add {status} {body[:200]}", ""
    status, _, body = browser.open("GET", "/checkout")
    if status != 200:
        return f"checkout {status}", ""
    status, pay_url, body = browser.open("POST", "/checkout", form_of(body, who))
    if status != 303:
        return f"start {status} {re.sub('<[^>]+>', ' ', body)[:400]}", ""
    return "opened", pay_url


def form_of(page: str, who: int) -> dict[str, str]:
    """Return what somebody sends from the checkout page."""
    shown = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    form = {name: shown[name] for name in ("key", "cart_version", "total_minor", "shown_postcode", "shown_country")}
    form |= {"email": f"buyer{who}@example.test", "name": f"Buyer {who}", "phone": "", "street": "Weg 1"}
    return form | {"postcode": "10115", "city": "Berlin", "country": "DE", "note": ""}


def at_once(people: Sequence[Callable[[], str]]) -> Counter[str]:
    """Let everybody start at the same moment; count what they say."""
    gate = threading.Barrier(len(people))
    said: list[str] = []

    def run(person: Callable[[], str]) -> None:
        gate.wait()
        try:
            said.append(person())
        except Exception as error:  # whatever went wrong is the result that the test compares
            said.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=run, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    return Counter(said)
