"""Headers, guards, request ids and logs on every answer."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backoffice.config import Settings
from backoffice.web import headers, logs

HASH = hashlib.sha256(b"a{}").hexdigest()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/hello", 200), ("/nowhere", 404), ("/broken", 500), ("/forms", 405), ("/static/pages/a.css", 200), ("/%00", 400)],
)
def test_every_answer_carries_the_headers(visitor: FlaskClient, path: str, status: int) -> None:
    answer = visitor.get(path)
    assert answer.status_code == status
    assert answer.headers["Content-Security-Policy"] == headers.CONTENT_SECURITY_POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert len(answer.headers["X-Request-Id"]) == 32
    assert "Strict-Transport-Security" not in answer.headers
    assert "Set-Cookie" not in answer.headers


def test_hsts_only_over_https(visitor: FlaskClient) -> None:
    answer = visitor.get("/hello", base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize(
    ("query", "cache"),
    [
        (f"?v={HASH[:12]}", "public, max-age=31536000, immutable"),
        ("?v=0123456789ab", "no-cache"),  # a page of another version asks: what we hold must not stay under its name
        (f"?v={HASH[:4]}", "no-cache"),
        ("", "no-cache"),
    ],
)
def test_static_files_are_kept_only_under_their_own_hash(visitor: FlaskClient, query: str, cache: str) -> None:
    assert visitor.get(f"/static/pages/a.css{query}").headers["Cache-Control"] == cache


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),  # a page that sends no referrer
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "http://localhost.evil.test"}, 403),
        ({"Origin": "garbage"}, 403),
        ({"Origin": "null"}, 200),
    ],
)
def test_changes_sent_by_another_site_are_refused(visitor: FlaskClient, sent: dict[str, str], status: int) -> None:
    assert visitor.post("/forms", data={"a": "1"}, headers=sent).status_code == status


@pytest.mark.parametrize(("sent", "status"), [({}, 403), ({"Origin": "null"}, 403), ({"Origin": "http://localhost"}, 200)])
def test_a_staff_session_needs_a_named_origin(visitor: FlaskClient, sent: dict[str, str], status: int) -> None:
    with visitor.session_transaction() as session:
        session["_user_id"] = "1"
    assert visitor.post("/forms", data={"a": "1"}, headers=sent).status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_from_another_site_is_allowed(visitor: FlaskClient, method: str) -> None:
    assert visitor.open("/hello", method=method, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize("path", ["/hello?a=%00", "/hello?%00=a", "/o/a%00b", "/hello?a=1&a=%00"])
def test_nul_in_an_address_is_refused(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).status_code == 400


@pytest.mark.parametrize("data", [{"a": "b\0"}, {"a\0": "b"}, {"a": ["1", "\0"]}])
def test_nul_in_a_form_is_refused(visitor: FlaskClient, data: dict[str, str]) -> None:
    assert visitor.post("/forms", data=data).status_code == 400
    assert visitor.post("/forms", data=data, content_type="multipart/form-data").status_code == 400


@pytest.mark.parametrize("path", ["/forms", "/unread"])
def test_a_body_of_two_megabytes_is_refused(visitor: FlaskClient, path: str) -> None:
    assert visitor.post(path, data={"a": "x" * 2_000_000}).status_code == 413


def test_a_long_text_passes(visitor: FlaskClient) -> None:
    assert visitor.post("/forms", data={"a": "ж" * 5_000}).data == b"got 1"


def test_a_request_id_is_taken_over_only_when_well_formed(visitor: FlaskClient) -> None:
    given = "0123abcd-ABCD_9"
    assert visitor.get("/hello", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given
    for refused in ("short", "x" * 65, 'a"b"c"d"e"', "größe-größe"):
        assert visitor.get("/hello", headers={"X-Request-Id": refused}).headers["X-Request-Id"] != refused


def test_only_trusted_hosts_are_answered(
    site_for: Callable[[Settings], Flask], settings_for: Callable[..., Settings], sqlite_url: str
) -> None:
    site = site_for(settings_for(sqlite_url, trusted_hosts="shop.example, .other.example"))
    client = site.test_client()
    assert client.get("/hello", base_url="http://shop.example").status_code == 200
    assert client.get("/hello", base_url="http://www.other.example:8000").status_code == 200
    refused = client.get("/hello", base_url="http://evil.test")
    assert refused.status_code == 400
    assert refused.headers["X-Content-Type-Options"] == "nosniff"


def test_the_public_address_is_trusted_when_no_host_is_listed(
    site_for: Callable[[Settings], Flask], settings_for: Callable[..., Settings], sqlite_url: str
) -> None:
    client = site_for(settings_for(sqlite_url, base_url="https://shop.example:8443/")).test_client()
    assert client.get("/hello", base_url="https://shop.example:8443").status_code == 200
    assert client.get("/hello", base_url="https://evil.test").status_code == 400


@pytest.mark.parametrize(("demo", "elsewhere"), [(True, 200), (False, 400)])
def test_without_an_address_only_a_demo_answers_to_any_host(
    site_for: Callable[[Settings], Flask], settings_for: Callable[..., Settings], sqlite_url: str, demo: bool, elsewhere: int
) -> None:
    """Links in mails are made of the host then: a stranger who names their own would be sent a customer's reset link."""
    client = site_for(settings_for(sqlite_url, demo=demo)).test_client()
    for own in ("http://localhost:8000", "http://127.0.0.1:8000"):
        assert client.get("/hello", base_url=own).status_code == 200
    assert client.get("/hello", base_url="http://evil.test").status_code == elsewhere


def test_a_short_secret_key_stops_the_start(
    site_for: Callable[[Settings], Flask], settings_for: Callable[..., Settings], sqlite_url: str
) -> None:
    with pytest.raises(RuntimeError, match="SHOPFLOOR_SECRET_KEY"):
        site_for(settings_for(sqlite_url, secret_key="x" * 31))


def test_the_log_names_the_route_and_never_the_address(visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    logs.configure(as_json=True)
    visitor.get("/o/secret-token?q=private", headers={"X-Request-Id": "request-1"})
    visitor.get("/broken?q=private")
    visitor.get("/private-nowhere")
    logging.getLogger("shopfloor").handlers.clear()
    text = written.getvalue()
    assert "secret-token" not in text
    assert "private" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert {key: lines[0][key] for key in ("event", "method", "route", "status", "request_id")} == {
        "event": "request",
        "method": "GET",
        "route": "/o/<token>",
        "status": 200,
        "request_id": "request-1",
    }
    assert lines[0]["ms"] >= 0
    assert [(line["event"], line["route"]) for line in lines[1:]] == [
        ("unhandled error", "/broken"),
        ("request", "/broken"),
        ("request", "-"),
    ]
    assert "ZeroDivisionError" in lines[1]["exception"]
