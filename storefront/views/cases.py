"""A question about an order: its own page behind a secret link, to read, to write again, to say how content one is.

What is opened changes nothing: a mail's buttons lead to this page with a form, as programs open links too.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Blueprint, Response, request, url_for

from backoffice.public.errors import BadInput, Refused
from storefront import case_words, wording
from storefront.front import Front, see
from storefront.views.orders import guard

SCORES = ("1", "2", "3", "4", "5")


@dataclass(frozen=True, slots=True)
class Typed:
    """What one of the page's forms held. form: write | rate."""

    form: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Views:
    """A question's addresses."""

    front: Front

    def question(self, token: str) -> Response:
        """Show it; a score in the address is only chosen in the form."""
        chosen = request.args.get("score", "")
        return self._page(token, Typed(values={"score": chosen}) if chosen in SCORES else Typed())

    def question_write(self, token: str) -> Response:
        """Take what is written again."""
        message, key = request.form.get("message", ""), request.form.get("key", "")[:64] or secrets.token_urlsafe(24)
        who, now = request.remote_addr or "", self.front.clock()
        try:
            found = self.front.shop.cases.write(token, message, key=key, who_asks=who, now=now)
        except (BadInput, Refused) as error:
            return self._page(token, _typed("write", {"message": message}, error), status=error.status)
        return guard(see(url_for("shop.question", token=found, written=1)))

    def question_rate(self, token: str) -> Response:
        """Keep how content they are."""
        values = {name: request.form.get(name, "") for name in ("score", "comment")}
        try:
            self.front.shop.cases.rate(token, values["score"], values["comment"], now=self.front.clock())
        except (BadInput, Refused) as error:
            return self._page(token, _typed("rate", values, error), status=error.status)
        return guard(see(url_for("shop.question", token=token, rated=1)))

    def _page(self, token: str, typed: Typed, *, status: int = 200) -> Response:
        page = self.front.page(
            "storefront/question.html",
            self.front.clock(),
            status=status,
            one=self.front.shop.cases.get(token),
            token=token,
            typed=typed,
            kinds=case_words.kinds(),
            states=case_words.states(),
            scores=case_words.scores(),
            key=secrets.token_urlsafe(24),
            written="written" in request.args,
            rated="rated" in request.args,
        )
        return guard(page)


def _typed(form: str, values: Mapping[str, str], error: BadInput | Refused) -> Typed:
    fields = wording.say_fields(error.fields) if isinstance(error, BadInput) else {}
    return Typed(form, values, fields, "" if fields else wording.say(error))


def register(routes: Blueprint, front: Front) -> None:
    """Add a question's addresses."""
    views = Views(front)
    routes.add_url_rule("/question/<token>", "question", views.question)
    routes.add_url_rule("/question/<token>/write", "question_write", views.question_write, methods=["POST"])
    routes.add_url_rule("/question/<token>/rate", "question_rate", views.question_rate, methods=["POST"])
