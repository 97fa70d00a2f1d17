"""Headers on every answer: pages, files and errors alike."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request
from werkzeug.security import safe_join

from backoffice import throttle

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",  # no nonces: no inline script is allowed at all (docs/decisions/0051)
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"
ONE_YEAR = 365 * 24 * 3600
HTTPS_ONLY = f"max-age={ONE_YEAR}; includeSubDomains"
DEFAULTS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def install(app: Flask, payment_page: str = "") -> None:
    """Set the headers below on every answer; what a view set itself (a stricter policy) stays.

    payment_page: the origin that the checkout's form leads on to; browsers hold a redirect to the form's policy too.
    """
    policy = CONTENT_SECURITY_POLICY
    if payment_page:
        policy = policy.replace("form-action 'self'", f"form-action 'self' {payment_page}")
    app.after_request(lambda response: _secure(response, policy))
    app.after_request(_keep_static_files)


def _secure(response: Response, policy: str) -> Response:
    headers = response.headers
    given = {name.lower() for name, _ in headers}
    for name, value in {**DEFAULTS, "Content-Security-Policy": policy}.items():
        if name.lower() not in given:
            headers.add(name, value)
    if response.status_code == 429:
        headers.setdefault("Retry-After", str(int(throttle.WINDOW.total_seconds())))
    if request.is_secure:  # over plain HTTP browsers ignore it, and a demo on a local network has nothing else
        headers["Strict-Transport-Security"] = HTTPS_ONLY
    return response


def on_every_answer(*, secure: bool) -> dict[str, str]:
    """Return what an answer has that no view made. secure: over HTTPS."""
    return DEFAULTS | ({"Strict-Transport-Security": HTTPS_ONLY} if secure else {})


def _keep_static_files(response: Response) -> Response:
    """Let browsers keep a static file for a year when its address carries the hash of what it holds now."""
    endpoint = request.endpoint or ""
    if response.status_code not in {200, 304} or not (endpoint == "static" or endpoint.endswith(".static")):
        return response
    claimed = request.args.get("v", "")
    if len(claimed) >= 8 and _hash_of_static_file(endpoint).startswith(claimed):
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR}, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    return response


def _hash_of_static_file(endpoint: str) -> str:
    owner = current_app.blueprints[endpoint.rpartition(".")[0]] if "." in endpoint else current_app
    path = safe_join(owner.static_folder or "", (request.view_args or {}).get("filename", ""))
    return _hash(path, Path(path).stat().st_mtime_ns) if path else ""


@lru_cache(maxsize=512)
def _hash(path: str, changed: int) -> str:  # noqa: ARG001 - `changed` is part of the key: a new file has a new hash
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
