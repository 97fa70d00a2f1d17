"""Every mail in a real browser: nothing wider than a phone, no fault for assistive technology; pictures in both languages."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from backoffice.bridge.mail import compose
from tests.mails import PAYLOADS, message
from tests.need import SCREENSHOTS

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenständer aus massivem Eichenholz"

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["en", "de"])
def test_pictures_of_every_mail(language: str, new_page: Callable[..., Any]) -> None:
    page, faults = new_page(viewport={"width": 360, "height": 740}), []
    folder = SCREENSHOTS / "mails"
    folder.mkdir(parents=True, exist_ok=True)
    for kind in PAYLOADS:
        mail = compose(message(kind, language, name="Nino Beridze", shop="Hobel & Kante"), "shop@example.test")
        page.set_content(mail.get_body(("html",)).get_content())  # type: ignore[union-attr] # it has one
        for width, scheme in ((360, "light"), (700, "dark")):
            page.set_viewport_size({"width": width, "height": 740})
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=folder / f"{kind}-{language}-{scheme}.png", full_page=True)
            if page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") > 0:
                faults.append(f"{kind}: wider than {width} px")
            page.evaluate(AXE)
            found = page.evaluate("tags => axe.run({runOnly: tags, resultTypes: ['violations']})", AXE_TAGS)
            faults += [f"{kind} {scheme}: {one['id']} {one['nodes'][0]['target']}" for one in found["violations"]]
    _on_one_sheet(page, [folder / f"{kind}-{language}-light.png" for kind in PAYLOADS], SCREENSHOTS / f"mails-{language}.jpg")
    assert faults == []


def _on_one_sheet(page: Any, pictures: list[Path], sheet: Path) -> None:
    """Put pictures beside each other into one, for the documents."""
    shown = "".join(f'<img src="data:image/png;base64,{b64encode(one.read_bytes()).decode()}">' for one in pictures)
    page.set_viewport_size({"width": 1240, "height": 800})
    style = "body { margin: 12px; display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px } img { width: 100% }"
    page.set_content(f"<style>{style}</style>{shown}")
    page.screenshot(path=sheet, type="jpeg", quality=75, full_page=True)


def test_a_long_word_breaks_instead_of_the_mail(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for kind in ("order_confirmed", "order_shipped", "day_moved"):
        lines = [line | {"name": LONG} for line in PAYLOADS["order_confirmed"]["lines"]]
        mail = compose(message(kind, "de", lines=lines, item=LONG, tracking="9" * 60), "shop@example.test")
        page.set_content(mail.get_body(("html",)).get_content())  # type: ignore[union-attr] # it has one
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, kind
