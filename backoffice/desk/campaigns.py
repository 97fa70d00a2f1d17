"""Campaigns at the desk: a letter to a segment is written, tried, sent, watched, stopped, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel import negotiate_locale
from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice import spreadsheet
from backoffice.crm import audience, campaign_texts, campaigns, segment_rules, segments
from backoffice.crm.audience import Audience
from backoffice.crm.models import Campaign
from backoffice.desk import context, forms, phrases
from backoffice.desk.campaign_figures import Results, find_results
from backoffice.desk.drafts import shop_address
from backoffice.desk.formats import local
from backoffice.desk.phrases import gettext as _
from backoffice.desk.phrases import ngettext
from backoffice.desk.wording import explain
from backoffice.erp.company import get_company
from backoffice.local.checkout import public_address
from backoffice.public.errors import BadInput, ShopError
from backoffice.wording import decimal_of

bp = Blueprint("campaigns", __name__, url_prefix="/desk/sales/campaigns")
LONGEST_TYPED = 6_000


@bp.get("")
def home() -> ResponseReturnValue:
    """List the campaigns, the newest first, each with how far it is."""

    def ask(session: Session) -> list[tuple[Campaign, Mapping[str, int]]]:
        found = campaigns.newest(session)
        far = campaigns.progress(session, [one.id for one in found])
        return [(one, far[one.id]) for one in found]

    return render_template("desk/sales/campaigns.html", rows=context.read(ask), states=_states())


@bp.get("/new")
def new() -> ResponseReturnValue:
    """Show an empty form."""
    return _form(None, {"segment_id": forms.text("segment_id")})


@bp.get("/<int:campaign_id>")
def campaign(campaign_id: int) -> ResponseReturnValue:
    """Show a draft as a form, and what was sent as it is."""
    kept = context.read(lambda db: campaigns.get_campaign(db, campaign_id))
    if kept.state != "draft":
        return render_template("desk/sales/campaign_sent.html", kept=kept, **_progress(kept))
    return _form(kept, _typed_of(kept))


@bp.get("/audience")
def count() -> ResponseReturnValue:
    """Say how many of a segment would get a letter now: a part of the page."""
    return render_template("desk/sales/campaign_audience.html", found=_audience(_number("segment_id")), reasons=_reasons())


@bp.get("/<int:campaign_id>/progress")
def progress(campaign_id: int) -> ResponseReturnValue:
    """Say how far a campaign is: a part of the page."""
    kept = context.read(lambda db: campaigns.get_campaign(db, campaign_id))
    return render_template("desk/sales/campaign_progress.html", kept=kept, **_progress(kept))


@bp.post("")
def save() -> ResponseReturnValue:
    """Keep a draft; the same form twice keeps one."""
    typed, me, now, version, number = _typed(), context.me(), context.now(), forms.version(), _number("campaign_id")
    kept: list[int] = []

    def work(session: Session) -> None:
        row = campaigns.save(
            session,
            number,
            name=typed["name"],
            segment_id=_number("segment_id"),
            texts=typed["texts"],
            own=_own(),
            starts_at=forms.moment("starts_at", context.house().zone) if typed["starts_at"] else None,
            version=version,
            by=me.email,
            now=now,
        )
        kept.append(row.id)

    try:
        done = context.write(work, scope="campaign")
    except ShopError as error:
        shown = context.read(lambda db: campaigns.get_campaign(db, number)) if number else None
        return _form(shown, typed, error)
    if done:
        flash(_("Saved."))
    return redirect(url_for("campaigns.campaign", campaign_id=kept[-1]) if done else url_for("campaigns.home"), 303)


@bp.post("/<int:campaign_id>/trial")
def trial(campaign_id: int) -> ResponseReturnValue:
    """Send every text to whoever asks."""
    me, now = context.me(), context.now()
    addresses = _addresses(campaign_id)
    context.write(
        lambda db: campaigns.try_out(db, campaign_id, to=me.email, name=me.name, addresses=addresses, now=now),
        scope=f"campaign.trial.{campaign_id}",
    )
    flash(_("A trial is on its way to %(address)s.", address=me.email))
    return redirect(url_for("campaigns.campaign", campaign_id=campaign_id), 303)


@bp.get("/<int:campaign_id>/send")
def sure(campaign_id: int) -> ResponseReturnValue:
    """Show to how many it would go, and ask once more."""
    kept = context.read(lambda db: campaigns.get_campaign(db, campaign_id))
    if kept.state != "draft":
        return redirect(url_for("campaigns.campaign", campaign_id=campaign_id), 303)
    return _sure(kept, "", 200)


@bp.post("/<int:campaign_id>/send")
def send(campaign_id: int) -> ResponseReturnValue:
    """Let it leave; the second of two who ask is told that it is on its way."""
    me, now, version, addresses = context.me(), context.now(), forms.version(), _addresses(campaign_id)
    try:
        context.write(
            lambda db: campaigns.send(db, campaign_id, version=version, addresses=addresses, by=me.email, role=me.role, now=now)
        )
    except ShopError as error:
        kept = context.read(lambda db: campaigns.get_campaign(db, campaign_id))
        if error.code == "wrong_state":
            flash(_("It is on its way already. Nothing is sent twice."))
            return redirect(url_for("campaigns.campaign", campaign_id=campaign_id), 303)
        return _sure(kept, explain(error), error.status)
    flash(_("It is on its way."))
    return redirect(url_for("campaigns.campaign", campaign_id=campaign_id), 303)


@bp.post("/<int:campaign_id>/stop")
def stop(campaign_id: int) -> ResponseReturnValue:
    """Let nothing more of it leave."""
    me, now = context.me(), context.now()
    try:
        context.write(lambda db: campaigns.stop(db, campaign_id, by=me.email, role=me.role, now=now))
    except ShopError as error:
        flash(explain(error))
    else:
        flash(_("Stopped. What has not left does not leave."))
    return redirect(url_for("campaigns.campaign", campaign_id=campaign_id), 303)


@bp.get("/<int:campaign_id>/results")
def results(campaign_id: int) -> ResponseReturnValue:
    """Show what became of it."""
    kept, found = _results(campaign_id)
    return render_template("desk/sales/campaign_results.html", kept=kept, found=found, reasons=_reasons(), states=_states())


@bp.get("/<int:campaign_id>/results.csv")
def export(campaign_id: int) -> Response:
    """Return the same as a file."""
    kept, found = _results(campaign_id)
    words = _reasons()
    rows: list[tuple[spreadsheet.Value, ...]] = [
        (_("People of the segment"), found.people, ""),
        (_("Sent"), found.sent, ""),
        (_("Waiting"), found.waiting, ""),
        *((_("Left out: %(why)s", why=words[reason]), people, "") for reason, people in found.left_out.items()),
        (_("Want no more letters"), found.unsubscribed, ""),
        (_("Enquiries"), found.leads, ""),
    ]
    for one in found.takings:
        rows += [
            (_("Orders"), one.orders, one.currency),
            (_("Paid"), decimal_of(one.total_minor, one.currency), one.currency),
            (_("Gone back"), decimal_of(one.returned_minor, one.currency), one.currency),
            (_("Stayed"), decimal_of(one.kept_minor, one.currency), one.currency),
        ]
    answer = Response(spreadsheet.write((_("What"), _("Number"), _("Currency")), rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="campaign-{kept.id}.csv"'
    return answer


def _results(campaign_id: int) -> tuple[Campaign, Results]:
    def ask(session: Session) -> tuple[Campaign, Results]:
        kept = campaigns.get_campaign(session, campaign_id)
        return kept, find_results(session, kept)

    return context.read(ask)


def _typed() -> dict[str, Any]:
    def cut(name: str) -> str:
        return forms.text(name).replace("\x00", "")[:LONGEST_TYPED]

    return {
        "name": cut("name"),
        "segment_id": forms.text("segment_id"),
        "starts_at": forms.name("starts_at"),
        "texts": {one.code: {part: cut(f"{part}-{one.code}") for part in ("subject", "body")} for one in phrases.languages()},
    }


def _typed_of(kept: Campaign) -> dict[str, Any]:
    return {
        "name": kept.name,
        "segment_id": str(kept.segment_id or ""),
        "starts_at": local(kept.starts_at).strftime("%Y-%m-%dT%H:%M") if kept.starts_at else "",
        "texts": kept.texts,
    }


def _form(kept: Campaign | None, typed: Mapping[str, Any], error: ShopError | None = None) -> ResponseReturnValue:
    segment_id = typed.get("segment_id") or ""
    page = render_template(
        "desk/sales/campaign.html",
        kept=kept,
        typed={**typed, "key": forms.kept_key(error)} if error else typed,
        version=forms.version() if error and kept else kept.version if kept else 0,
        fields=error.fields if isinstance(error, BadInput) else {},
        problem_text=explain(error) if error else "",
        segments=context.read(segments.every),
        spoken=sorted(phrases.languages(), key=lambda one: one.code != _own()),
        own=_own(),
        placeholders=campaign_texts.PLACEHOLDERS,
        found=_audience(int(segment_id) if segment_id.isdecimal() and len(segment_id) < 16 else None),
        reasons=_reasons(),
    )
    return page, error.status if error else 200


def _sure(kept: Campaign, problem: str, status: int) -> ResponseReturnValue:
    found = _audience(kept.segment_id)
    return render_template(
        "desk/sales/campaign_sure.html", kept=kept, found=found, reasons=_reasons(), problem_text=problem
    ), status


def _audience(segment_id: int | None) -> Audience | None:
    """Return who of a segment would get a letter now; None: there is no such segment."""
    now = context.now()

    def ask(session: Session) -> Audience | None:
        segment = next((one for one in segments.every(session) if one.id == segment_id), None)
        if segment is None:
            return None
        return audience.count(session, segment.matching, segment_rules.read(segment.conditions), now=now)

    return context.read(ask)


def _progress(kept: Campaign) -> Mapping[str, Any]:
    far = context.read(lambda db: campaigns.progress(db, [kept.id]))[kept.id]
    looked_at = sum(far.values())
    return {
        "far": far,
        "looked_at": looked_at,
        "expected": max(kept.expected, looked_at),
        "states": _states(),
        "waits": kept.state == "sending" and kept.starts_at is not None and kept.starts_at > context.now(),
    }


def _addresses(campaign_id: int) -> Mapping[str, str]:
    """Return the shop's address in every language that there is a text in."""
    texts = context.read(lambda db: campaigns.get_campaign(db, campaign_id)).texts
    return {one: public_address(context.services().settings.base_url, shop_address(one)).rstrip("/") for one in texts}


def _own() -> str:
    """Return the company's language, as texts are named; every letter that has none in its reader's language is in it."""
    there_are = {one.code.replace("-", "_"): one.code for one in phrases.languages()}
    wanted = context.read(lambda db: get_company(db).language).replace("-", "_")
    return there_are.get(negotiate_locale([wanted], list(there_are)) or "", phrases.SOURCE)


def _number(name: str) -> int | None:
    typed = forms.text(name)
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 16 else None


def _states() -> Mapping[str, str]:
    return {"draft": _("Draft"), "sending": _("Being sent"), "sent": _("Sent"), "stopped": _("Stopped")}


def _reasons() -> Mapping[str, str]:
    return {
        "no_consent": _("never allowed letters"),
        "withdrawn": _("want no more letters"),
        "had_one": ngettext("had one on the last %(num)d day", "had one in the last %(num)d days", _cap()),
        "undeliverable": _("the mail server refused their address"),
        "stopped": _("the campaign was stopped"),
    }


def _cap() -> int:
    return context.read(lambda db: get_company(db).campaign_days)
