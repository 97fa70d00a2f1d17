"""A letter's headers: one click ends it (RFC 8058), whole, in one piece, and only where there is a way out."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP, SMTPUTF8

import pytest

from backoffice.bridge.mail import compose
from backoffice.crm.campaign_texts import fill, first_name
from tests.mails import message


@pytest.mark.parametrize("policy", [SMTP, SMTPUTF8])
@pytest.mark.parametrize("host", ["s.test", "a-name-that-is-much-longer-than-any-other.shops-of-the-world.example.test"])
def test_the_address_stands_whole(host: str, policy: object) -> None:
    address = f"https://{host}/de/unsubscribe/1234567-kR3xP0wT9sLqYhZbNfVcUaMdEgI_-4"
    sent = compose(message("campaign", "en", unsubscribe=address), "shop@example.test").as_bytes(policy=policy)  # type: ignore[arg-type] # both are
    read = message_from_bytes(sent)
    assert "".join(read["List-Unsubscribe"].split()) == f"<{address}>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert b"=?" not in sent.partition(b"\r\n\r\n")[0]


def test_a_trial_has_no_way_out() -> None:
    mail = compose(message("campaign", "en", unsubscribe=""), "shop@example.test")
    assert (mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "first"),
    [("Ada Okafor", "Ada"), ("Jean-Luc P.", "Jean-Luc"), ("Ünal", "Ünal"), ("https://x.test", ""), ("x.test", ""), ("A", ""),
     ("ada@post.test", ""), ("", ""), ("R2D2", "")],
)  # fmt: skip
def test_a_name_is_nobodys_address(name: str, first: str) -> None:
    assert first_name(name) == first
    letter = fill({"subject": "s", "body": "Hello {first_name},"}, name=name, shop="W", address="https://s.test", code="c")
    assert letter.plain == (f"Hello {first}," if first else "Hello,")


def test_links_of_ours_say_where_they_came_from() -> None:
    body = "See https://s.test/de/p/stool?a=1&utm_source=x#top, (https://s.test.evil.test/) and {link}."
    letter = fill({"subject": "s", "body": body}, name="Ada", shop="W", address="https://s.test/de", code="grün-1")
    traced = "utm_source=newsletter&utm_medium=email&utm_campaign=gr%C3%BCn-1"
    assert letter.plain == (
        f"See https://s.test/de/p/stool?a=1&{traced}#top, (https://s.test.evil.test/) and https://s.test/de?{traced}."
    )
