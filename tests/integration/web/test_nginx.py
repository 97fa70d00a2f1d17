"""docs/units/nginx.conf in a real nginx: no secret in its logs, its own pages as guarded as ours, no header twice."""

from __future__ import annotations

import http.client
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from backoffice.web.headers import DEFAULTS, HTTPS_ONLY
from tests.need import free_port, lacks
from tests.units import UNITS

TOKEN = "t0ken-that-nobody-may-read-"
OWN = {**DEFAULTS, "Strict-Transport-Security": HTTPS_ONLY}


class Program(BaseHTTPRequestHandler):
    """Answers as the program does: with every header; 429 where it is asked for."""

    def do_GET(self) -> None:
        self.send_response(429 if "slow" in self.path else 200)
        for name, value in {**OWN, "Retry-After": "2400", "Content-Length": "0"}.items():
            if name != "Retry-After" or "slow" in self.path:
                self.send_header(name, value)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path, ThreadingHTTPServer]]:
    """An nginx with our file on a free port; its port, its logs' folder, and the program behind it."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    openssl = shutil.which("openssl")
    if nginx is None or openssl is None:
        lacks("nginx", "no nginx or no openssl here")
    folder = tmp_path_factory.mktemp("nginx")
    make = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=shop.example"]
    subprocess.run([*make, "-keyout", folder / "key.pem", "-out", folder / "fullchain.pem"], check=True, capture_output=True)
    backend = ThreadingHTTPServer(("127.0.0.1", 0), Program)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    plain, secure = free_port(), free_port()
    site = (UNITS / "nginx.conf").read_text(encoding="utf-8")
    for ours, here in (
        (r"listen (\[::\]:\d+.*);", ""),
        (r"listen 80;", f"listen 127.0.0.1:{plain};"),
        (r"listen 443", f"listen 127.0.0.1:{secure}"),
        (r"/etc/ssl/shopfloor|/var/log/nginx", str(folder)),
        (r"127\.0\.0\.1:8000", f"127.0.0.1:{backend.server_port}"),
    ):
        site, changed = re.subn(ours, here, site)
        assert changed, ours
    (folder / "site.conf").write_text(site, encoding="utf-8")
    temporary = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    main = f"pid {folder}/pid; error_log {folder}/start.log; events {{}}\nhttp {{ {temporary} include site.conf; }}\n"
    (folder / "main.conf").write_text(main, encoding="utf-8")
    program = [nginx, "-p", str(folder), "-c", str(folder / "main.conf"), "-e", str(folder / "start.log")]
    tried = subprocess.run([*program, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    subprocess.run(program, check=True, stderr=subprocess.DEVNULL)  # it goes on by itself once it listens
    yield secure, folder, backend
    subprocess.run([*program, "-s", "stop"], check=True, stderr=subprocess.DEVNULL)
    backend.server_close()


def ask(port: int, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, list[str]]]:
    """Return status and every header with all its values."""
    trusting = ssl._create_unverified_context()  # noqa: S323 - its certificate was made a moment ago
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusting, timeout=10)
    connection.request(method, path, body=body, headers={"Host": "shop.example", "Referer": f"https://x.test/{TOKEN}"})
    answer = connection.getresponse()
    found: dict[str, list[str]] = {}
    for name, value in answer.getheaders():
        found.setdefault(name, []).append(value)
    connection.close()
    return answer.status, found


def test_its_own_pages_are_guarded_and_its_logs_tell_no_secret(proxy: tuple[int, Path, ThreadingHTTPServer]) -> None:
    port, folder, backend = proxy
    answers = {"ours": ask(port, "GET", f"/o/{TOKEN}?email={TOKEN}"), "slowed": ask(port, "GET", f"/o/{TOKEN}/slow")}
    answers["too large"] = ask(port, "POST", f"/o/{TOKEN}/ask", b"x" * 1_100_000)
    logins = [ask(port, "POST", f"/account/login?next=/o/{TOKEN}") for _ in range(40)]
    answers["guesses"] = logins[-1]
    backend.shutdown()
    backend.server_close()
    answers["away"] = ask(port, "GET", f"/o/{TOKEN}")
    assert {which: status for which, (status, _) in answers.items()} == {
        "ours": 200,
        "slowed": 429,
        "too large": 413,
        "guesses": 429,
        "away": 502,
    }
    for which, (_, headers) in answers.items():
        assert {name: len(headers.get(name, [])) for name in OWN} == dict.fromkeys(OWN, 1), which
        assert headers["Strict-Transport-Security"] == [HTTPS_ONLY], which
        assert headers["Content-Security-Policy"][0].startswith("default-src 'none'"), which
    assert {which: headers.get("Retry-After") for which, (_, headers) in answers.items() if "Retry-After" in headers} == {
        "slowed": ["2400"],
        "guesses": ["2"],
    }
    logged = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.log")}
    assert len(logged["shopfloor.access.log"].splitlines()) == 44
    assert " 502 " in logged["shopfloor.access.log"].splitlines()[-1]
    assert [name for name, text in logged.items() if TOKEN in text] == []
