"""`make docs-pictures`: put the pictures of the browser tests on a sheet for each area, small enough for the documents.

Reads build/screenshots/pages, writes docs/pictures/pages-*.jpg, each under 400 kB, and the mails' sheets beside them.
"""

from __future__ import annotations

import shutil
from base64 import b64encode
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.need import CHROMIUM_ARGUMENTS, CHROMIUM_NAMES, ROOT, SCREENSHOTS

PAGES, TARGET = SCREENSHOTS / "pages", ROOT / "docs" / "pictures"
MOST_BYTES = 400_000
SHEETS = {  # area: pages, by the beginning of their pictures' names; what has no place here is told
    "shop": [
        "home",
        "category",
        "category-narrowed",
        "category-nothing-left",
        "search",
        "search-nothing",
        "product-here",
        "product-made",
        "product-none",
        "product-too-many",
    ],
    "shop-words": ["contact", "contact-wrong", "thanks", "delivery", "returns", "about", "privacy", "imprint", "no-such-page"],
    "checkout": [
        "cart-empty",
        "cart",
        "checkout",
        "checkout-wrong",
        "sandbox",
        "sandbox-declined",
        "order",
        "order-ask-wrong",
        "day-moved",
        "day-moved-chosen",
    ],
    "sales": [
        "login",
        "desk-home",
        "inbox",
        "inbox-due",
        "message",
        "message-to-call-again",
        "by-telephone",
        "desk-order",
        "customer",
    ],
    "warehouse": [
        "parcels",
        "parcel",
        "parcel-wrong",
        "goods-in",
        "waves",
        "wave",
        "wave-wrong",
        "on-their-way",
        "shelves",
        "shelf",
        "shelf-wrong",
    ],
    "planning": ["planning", "planning-late", "ways-back", "production", "receipts", "load", "work-centre", "desk-no-such-page"],
    "planning-board": [
        "load-by-week",
        "lanes-week",
        "lanes-day",
        "lanes-nothing",
        "traced-order",
        "traced-production",
        "traced-receipt",
        "traced-item",
        "what-if",
        "what-if-stopped",
        "what-if-ordered",
        "what-if-wrong",
        "kept-promises",
    ],
    "admin": [
        "health",
        "people",
        "absences",
        "company",
        "company-wrong",
        "keys",
        "outgoing",
        "payments",
        "rules",
        "answers",
        "changes",
    ],
    "account": [
        "account-login",
        "account-login-wrong",
        "account-register",
        "account-forgot",
        "account-sent",
        "account-empty",
        "account",
        "account-again",
        "account-settings",
        "account-addresses",
        "account-address",
        "account-address-new",
        "account-address-wrong",
    ],
    "sales-orders": [
        "customers",
        "customers-nobody",
        "company-of-customers",
        "orders",
        "orders-none",
        "order-at-desk",
        "order-cancel-at-desk",
        "order-refund-wrong",
        "order-refund-waits",
        "refunds",
        "refund-own",
    ],
}
LOOKS = ("phone-light", "desktop-light", "desktop-dark")
CELL = {"phone": 130, "desktop": 400}  # pixels across
TALL = 300


def main() -> None:
    """Make every sheet; say what is on it."""
    TARGET.mkdir(parents=True, exist_ok=True)
    found = next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1010, "height": 800})
        for area, names in SHEETS.items():
            rows = [(name, pictures) for name in names if (pictures := _of(name))]
            if rows:
                size = sheet(page, rows, TARGET / f"pages-{area}.jpg")
                print(f"pages-{area}.jpg  {size // 1000} kB  {', '.join(name for name, _ in rows)}")
        browser.close()
    there = {name for path in PAGES.glob("*-phone-light.jpg") if (name := path.stem.removesuffix("-phone-light"))}
    if homeless := there - {name for names in SHEETS.values() for name in names}:
        print(f"on no sheet: {', '.join(sorted(homeless))}")
    for mails in SCREENSHOTS.glob("mails-*.jpg"):
        shutil.copyfile(mails, TARGET / mails.name)


def _of(name: str) -> list[Path]:
    return [path for look in LOOKS if (path := PAGES / f"{name}-{look}.jpg").exists()]


def sheet(page: Any, rows: list[tuple[str, list[Path]]], target: Path) -> int:
    """Put a row for each page on one picture; return its size in bytes. Raises RuntimeError when it cannot be small enough."""
    style = (
        "body { margin: 8px; font: 13px sans-serif; background: #fff } h2 { font-size: 13px; margin: 8px 0 3px } "
        "div { display: flex; gap: 8px; align-items: flex-start } "
        f"span {{ max-height: {TALL}px; overflow: hidden; border: 1px solid #ccc }} img {{ width: 100%; display: block }} "
        + " ".join(f".{screen} {{ width: {wide}px }}" for screen, wide in CELL.items())
    )
    body = "".join(
        f"<h2>{name}</h2><div>{''.join(_image(picture, name) for picture in pictures)}</div>" for name, pictures in rows
    )
    page.set_content(f"<style>{style}</style>{body}")
    for quality in (75, 60, 45, 30):
        page.screenshot(path=target, type="jpeg", quality=quality, full_page=True)
        if target.stat().st_size < MOST_BYTES:
            return target.stat().st_size
    raise RuntimeError(f"{target.name} has {target.stat().st_size} bytes; put fewer pages on it")


def _image(picture: Path, name: str) -> str:
    screen = picture.stem.removeprefix(f"{name}-").partition("-")[0]
    return f'<span class="{screen}"><img src="data:image/jpeg;base64,{b64encode(picture.read_bytes()).decode()}"></span>'


if __name__ == "__main__":
    main()
