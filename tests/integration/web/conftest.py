"""A site with a few pages of its own, so that what hardens it is tried without shop or desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Blueprint, Flask, request
from flask.testing import FlaskClient

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.web.site import make_site


@pytest.fixture
def site_for(tmp_path: Path, sqlite_db: Database, clock: Callable[[], datetime]) -> Callable[[Settings], Flask]:
    """Make the hardened site with four pages: /hello, /broken, /forms, /o/<token>, and a static file."""
    static = tmp_path / "static"
    static.mkdir()
    (static / "a.css").write_text("a{}")

    def make(settings: Settings) -> Flask:
        site = make_site(settings, sqlite_db, clock)
        pages = Blueprint("pages", __name__, static_folder=str(static), static_url_path="/static/pages")
        pages.add_url_rule("/hello", "hello", lambda: "hello")
        pages.add_url_rule("/broken", "broken", lambda: str(1 // 0))
        pages.add_url_rule("/forms", "forms", lambda: f"got {len(request.form)}", methods=["POST"])
        pages.add_url_rule("/unread", "unread", lambda: "never read", methods=["POST"])
        pages.add_url_rule("/o/<token>", "order", lambda token: f"{len(token)} letters")
        site.register_blueprint(pages)
        return site

    return make


@pytest.fixture
def site(site_for: Callable[[Settings], Flask], settings_for: Callable[..., Settings], sqlite_url: str) -> Flask:
    """The site with plain settings."""
    return site_for(settings_for(sqlite_url))


@pytest.fixture
def visitor(site: Flask) -> Iterator[FlaskClient]:
    """Somebody who is not logged in and sends no headers of a browser."""
    site.config["PROPAGATE_EXCEPTIONS"] = False
    with site.test_client() as client:
        yield client
