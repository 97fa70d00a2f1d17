"""Errors, promises and orders in words: every code and every kind has its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from flask import Flask

from backoffice.public import errors
from backoffice.public.errors import NotFound, Refused
from backoffice.public.promise import Promise, Step
from storefront import languages, wording
from storefront.app import NOBODY
from storefront.formats import Formats
from storefront.promising import badge, reason, step_lines

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
FORMATS = Formats(Locale("en"), ZoneInfo("Europe/Berlin"), date(2026, 11, 24))


@pytest.fixture(autouse=True)
def words() -> Iterator[None]:
    """Phrases need an app to know their language."""
    app = Flask("words")
    languages.wire(app, lambda: NOBODY)
    with app.test_request_context():
        yield


def test_every_code_of_the_error_tree_has_words() -> None:
    tree = (errors.__doc__ or "").split("ShopError", 1)[1]
    codes = set(re.findall(r"\b[a-z]+_[a-z_]+\b|\bstale\b", tree))
    assert len(codes) >= 14
    assert codes <= wording.ERRORS.keys()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 503])
def test_what_is_not_our_fault_is_not_called_so(status: int) -> None:
    assert wording.status_title(status) != wording.status_title(500) == "Something broke on our side"


def test_a_code_without_words_never_reaches_a_person() -> None:
    text = wording.say(Refused("quite_new"))
    assert "Nothing was lost" in text
    assert "quite_new" not in text
    assert wording.say_field("quite_new") == "Please look at this again."
    assert wording.status_title(418) == "Something broke on our side"


def test_how_many_can_be_had_is_counted_right() -> None:
    assert wording.say(Refused("not_available", most=1)) == "We cannot promise that many. One piece can be had."
    assert wording.say(Refused("not_available", most=4)) == "We cannot promise that many. 4 pieces can be had."
    assert "We cannot promise a day" in wording.say(Refused("not_available", most=0))
    assert "We cannot promise a day" in wording.say(Refused("not_available"))
    assert "no product" in wording.say(NotFound("unknown_product"))


@pytest.mark.parametrize(
    ("basis", "tone", "word"),
    [
        ("stock", "here", "Here"),
        ("receipt", "coming", "On its way"),
        ("make", "made", "Made for you"),
        ("mixed", "made", "Made for you"),
        ("buy", "made", "Ordered for you"),
        (None, "ask", "Ask us"),
        ("none", "ask", "Ask us"),
    ],
)
def test_a_badge_has_a_tone_an_icon_and_a_word(basis: str | None, tone: str, word: str) -> None:
    found = badge(basis)
    assert (found.tone, found.word) == (tone, word)
    sprite = (Path(languages.__file__).parent / "static" / "icons.svg").read_text()
    assert f'id="{found.icon}"' in sprite


def step(kind: str, hours: float = 0, **details: str | int) -> Step:
    """Return a step from now on."""
    return Step(kind, NOW, NOW + timedelta(hours=hours), {"zone": "Europe/Berlin", **details})


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (step("stock", item="Stool"), "Stool: in stock, nothing to wait for"),
        (step("receipt", 24, item="Stool", quantity=4), "4 × Stool: on its way to us"),
        (step("buy", 24, item="Oak", lead_days=1), "Oak: ordered from our supplier, who needs 1 day"),
        (step("buy", 72, item="Oak", lead_days=3), "Oak: ordered from our supplier, who needs 3 days"),
        (step("make", item="Leg set"), "Leg set: made in our workshop"),
        (step("operation", 5, item="Table", work_centre="Saw"), "Table at the station “Saw”"),
        (
            step("wait", 48, work_centre="Saw", cause="busy"),
            "The station “Saw” is busy with earlier orders until Thu 26 Nov, 09:00",
        ),
        (step("wait", 48, work_centre="Saw", cause="closed"), "Our workshop is closed until Thu 26 Nov, 09:00"),
        (step("wait", 2, work_centre="Saw", cause="stopped"), "The station “Saw” stands still until Tue 24 Nov, 11:00"),
        (step("wait", 48, work_centre="Saw", cause="frozen"), "The next days at the station “Saw” are already fixed"),
        (step("wait", 48, holiday="Epiphany"), "Closed: Epiphany"),
        (step("pick_pack", 24), "We pick and pack your parcel"),
        (step("cutoff", 5, minute=840, missed=0), "In time for the carrier, who comes at 14:00"),
        (step("cutoff", 29, minute=840, missed=1), "The carrier comes next on Wed 25 Nov, 14:00"),
        (step("ship"), "It leaves our house"),
        (step("transit", 48, days=2), "On the road: 2 working days"),
        (step("deliver"), "At your door"),
        (step("something_new"), "One more step"),
    ],
)  # fmt: skip
def test_each_kind_of_step_has_words(one: Step, text: str) -> None:
    assert [line.text for line in step_lines([one], FORMATS)] == [text]


def test_a_step_over_days_names_both_and_a_short_pause_is_left_out() -> None:
    lines = step_lines([step("wait", 2.5, work_centre="Saw", cause="busy"), step("transit", 48, days=2)], FORMATS)
    assert [line.when.replace("\u00a0", " ") for line in lines] == ["Tue 24 Nov – Thu 26 Nov"]
    assert len(step_lines([step("wait", 3, work_centre="Saw", cause="busy")], FORMATS)) == 1


def test_a_stop_inside_a_step_is_noted() -> None:
    (line,) = step_lines(
        [step("operation", 30, item="Table", work_centre="Saw", stopped_until="2026-11-25T06:00:00+00:00")], FORMATS
    )
    assert line.note == "in between it stands still until Wed 25 Nov, 07:00"


def test_a_second_language_is_only_a_catalogue(tmp_path: Path) -> None:
    assert languages.offered(tmp_path) == {"en"}
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.mo").write_bytes(b"")
    assert languages.offered(tmp_path) == {"en", "de"}


def test_days_in_reserve_are_a_step_and_the_reason_names_the_day_of_the_plan() -> None:
    friday, tuesday = NOW + timedelta(days=3), NOW + timedelta(days=7)
    steps = [Step("receipt", NOW, friday, {"item": "Lamp"}), Step("margin", friday, tuesday, {"days": 2})]
    on = date(2026, 12, 1)
    promise = Promise("LAMP", 1, "receipt", tuesday, on, on, steps, NOW, 1, earliest_on=date(2026, 11, 30))
    assert reason(promise, FORMATS) == "A delivery brings it to us on Fri 27 Nov; it leaves on Tue 1 Dec."
    assert step_lines(steps, FORMATS)[1].text == "Kept in reserve, because something may run late: 2 working days"
