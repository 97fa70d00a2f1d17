"""When the database does not answer, people are told to come back in a moment, and nothing is lost."""

from __future__ import annotations

from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from backoffice.bootstrap import Services
from tests.company import open_company


def test_a_silent_database_is_503_with_when_to_come_back(client: FlaskClient, app, now, monkeypatch) -> None:
    services: Services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))

    def gone(*_args, **_named):
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(services.shop.promises, "quote", gone)
    answer = client.get("/p/stool")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "gone" not in answer.text
    monkeypatch.undo()
    assert client.get("/p/stool").status_code == 200
