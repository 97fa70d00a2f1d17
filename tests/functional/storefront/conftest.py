"""The shop window over the fake door, with a clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache

from storefront.app import blueprint, register_errors
from tests.functional.storefront.fake_shop import make_shop
from tests.functional.storefront.fake_state import NOW, State

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 600"><path d="M0 0h9v9z"/></svg>'


class Clock:
    """A clock for tests."""

    def __init__(self) -> None:
        self.now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, minutes: int) -> None:
        """Let time pass."""
        self.now += timedelta(minutes=minutes)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates compiled once for all tests, not once for each app."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(state: State, clock: Clock, tmp_path: Path, compiled: FileSystemBytecodeCache) -> Flask:
    media = tmp_path / "media"
    media.mkdir()
    (media / "stool.svg").write_text(DRAWING)
    (media / "notes.txt").write_text("not a picture")
    (tmp_path / "secret.svg").write_text(DRAWING)
    site = Flask("shop-window-under-test", static_folder=None)
    site.jinja_env.bytecode_cache = compiled
    site.register_blueprint(blueprint(make_shop(state), clock, media=media, demo=False))
    register_errors(site)
    return site


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
