"""`make lighthouse`: what Lighthouse says about home, catalogue, product and checkout on a phone.

The demo company on SQLite, gunicorn with 2 processes, and Debian's Chromium; Lighthouse comes from npm into a folder of its
own under build/. Pages are compressed on the way as nginx does it in docs/units/nginx.conf. Prints the four figures of each page
and what keeps it from 100, and a last JSON line. Without node, npm or Chromium it says so and ends with 0.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.demo.load import load
from backoffice.tables import metadata
from tests.buyers import Browser
from tests.need import CHROMIUM_ARGUMENTS, CHROMIUM_NAMES, ROOT, Gunicorn

TOOLS = ROOT / "build" / "lighthouse"
SKU, SLUG = "AMSEL-OAK", "amsel-chair"
PAGES = {"home": "/", "catalogue": "/c/seating", "product": f"/p/{SLUG}", "checkout": "/checkout"}
TRIES = 5
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
SQUEEZED = ("text/", "application/json", "application/javascript", "image/svg+xml")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each page; the median counts")
    given = parser.parse_args()
    chromium = next((found for name in CHROMIUM_NAMES if (found := shutil.which(name))), None)
    missing = [
        name
        for name, there in (("node", shutil.which("node")), ("npm", shutil.which("npm")), ("chromium", chromium))
        if not there
    ]
    if missing or chromium is None:
        print(f"NOT TRIED: {', '.join(missing)} missing (apt-get install nodejs npm chromium)", file=sys.stderr)
        return
    command = install()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        shop = demo(Path(folder))
        door = ThreadingHTTPServer(("127.0.0.1", 0), squeezing(shop.address))
        threading.Thread(target=door.serve_forever, daemon=True).start()
        try:
            shop.wait_until_ready()
            address = f"http://127.0.0.1:{door.server_address[1]}"
            buyer = cart(shop.address)
            for name, path in PAGES.items():
                cookies = buyer if path == "/checkout" else ""
                figures[name] = look(command, chromium, address, path, Path(folder), given.runs, cookies)
                print(
                    f"{name:<10}", *(f"{one} {figures[name][one]:>3}" for one in CATEGORIES), *figures[name]["less"], flush=True
                )
        finally:
            door.shutdown()
            shop.stop()
    print(json.dumps({"bench": "lighthouse", "figures": figures}))


def install() -> list[str]:
    """Install Lighthouse where it is not there yet; return its command."""
    program = TOOLS / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not program.exists():
        TOOLS.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(TOOLS), "lighthouse"], check=True
        )
    return ["node", str(program)]


def demo(folder: Path) -> Gunicorn:
    """Make the demo company; return its server."""
    url = f"sqlite:///{folder}/shopfloor.db"
    db = Database(url)
    metadata.create_all(db.engine)
    load(db, media=folder / "media", now=datetime.now(UTC))
    db.dispose()
    settings = Settings(
        database_url=url, var_dir=folder, secret_key="b" * 40, demo=False, trusted_hosts="127.0.0.1", log_json=True
    )
    return Gunicorn(settings, workers=2, threads=4, log=folder / "shop.log")


def squeezing(address: str) -> type[BaseHTTPRequestHandler]:
    """Return a handler that passes on what the shop answers, compressed: nginx's part in this."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Pass a page on."""
            shop = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
            kept = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "accept-encoding"}}
            shop.request("GET", self.path, headers=kept | {"Host": self.headers["Host"]})
            answer = shop.getresponse()
            body = answer.read()
            shop.close()
            self.send_response(answer.status)
            squeeze = answer.headers.get("Content-Type", "").startswith(SQUEEZED) and len(body) > 512
            for name, value in answer.headers.items():
                if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                    self.send_header(name, value)
            if squeeze:
                body = gzip.compress(body, 5)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Door


def look(command: list[str], chromium: str, address: str, path: str, folder: Path, runs: int, cookies: str) -> dict[str, Any]:
    """Return the figures of one page: of several runs the one in the middle by performance."""
    found = sorted(
        (_run(command, chromium, address, path, folder, cookies) for _ in range(runs)),
        key=lambda one: one["categories"]["performance"]["score"] or 0,
    )
    report = found[len(found) // 2]
    figures = {name: round(100 * (report["categories"][name]["score"] or 0)) for name in CATEGORIES}
    audits = report["audits"]
    counted = {ref["id"] for name in CATEGORIES for ref in report["categories"][name]["auditRefs"] if ref["weight"] > 0}
    less = sorted(one for one in counted if (audits[one]["score"] if audits[one]["score"] is not None else 1) < 0.9)
    seconds = {
        key: round(audits[name]["numericValue"])
        for key, name in (("lcp_ms", "largest-contentful-paint"), ("bytes", "total-byte-weight"))
    }
    return figures | seconds | {"less": less}


def _run(command: list[str], chromium: str, address: str, path: str, folder: Path, cookies: str) -> dict[str, Any]:
    """Let Lighthouse look once, as a phone, which is what it does by itself."""
    target = folder / "report.json"
    flags = " ".join(["--headless=new", *CHROMIUM_ARGUMENTS])
    words = [*command, f"{address}{path}", "--quiet", "--output=json", f"--output-path={target}", f"--chrome-flags={flags}"]
    words += [f"--only-categories={','.join(CATEGORIES)}"]
    if cookies:
        words += [f"--extra-headers={json.dumps({'Cookie': cookies})}"]
    for tries_left in reversed(range(TRIES)):  # it loses the trace now and then and says: "Please run Lighthouse again"
        done = subprocess.run(words, check=tries_left == 0, env=os.environ | {"CHROME_PATH": chromium}, timeout=300)
        if done.returncode == 0:
            break
    report: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    if urlsplit(report["finalDisplayedUrl"]).path != path:
        raise RuntimeError(f"asked for {path}, came to {report['finalDisplayedUrl']}")
    return report


def cart(address: str) -> str:
    """Put something into a cart; return its cookies: there is a checkout only for whom has a cart."""
    browser = Browser(address)
    status, _, body = browser.open("POST", "/cart/add", {"sku": SKU, "slug": SLUG, "quantity": "1", "postcode": "96047"})
    if status != 303:
        raise RuntimeError(f"the cart answered {status}: {body[:200]}")
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


if __name__ == "__main__":
    main()
