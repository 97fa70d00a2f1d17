"""What somebody may ask of us: all that is known of them, and to be erased, in one action; and the proof that it was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm.models import Party
from backoffice.desk import context, forms, person_words
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.privacy import erasing, forgetting, handing_out, person, telling
from backoffice.privacy.erasing import Asked, House
from backoffice.privacy.models import Erasure
from backoffice.public.errors import BadInput, NotFound, Refused, ShopError

bp = Blueprint("persons", __name__, url_prefix="/desk/admin/persons")


@bp.get("")
def home() -> ResponseReturnValue:
    """Look somebody up by e-mail, telephone or name: who is known, and whether such a person was erased."""
    sought = forms.sought()
    secret_key = context.services().settings.secret_key
    found = context.read(lambda db: person.find_people(db, sought))
    return render_template(
        "desk/admin/persons.html",
        sought=sought,
        found=found,
        was_erased=context.read(lambda db: erasing.find_erased(db, sought, secret_key)) if sought else [],
        last=[] if sought else context.read(erasing.find_last),
        hows=person_words.hows(),
        problem_text="",
        fields={},
    )


@bp.get("/<int:party_id>")
def one(party_id: int) -> ResponseReturnValue:
    """Show all by which a person is known, what has to end first, and the one action."""
    erasure_id = context.read(lambda db: erasing.find_erasure_of(db, party_id))
    if erasure_id is not None:
        return redirect(url_for("persons.proof", erasure_id=erasure_id), 303)
    return _page(party_id)


@bp.post("/<int:party_id>/export")
def export(party_id: int) -> ResponseReturnValue:
    """Hand out all that is known of somebody, as a file; nothing is erased."""
    made: list[bytes] = []
    me, now = context.me(), context.now()

    def work(db: Session) -> None:
        known = telling.hand_out(db, party_id, by=me.email, role=me.role, now=now)
        language = db.get_one(Party, party_id).language
        made.append(handing_out.pack(known, language=language, now=now))

    try:
        context.write(work)
    except Refused as error:
        return _page(party_id, explain(error), status=error.status)
    return _file(made[-1], f"person-{party_id}.zip")


@bp.post("/<int:party_id>/erase")
def erase(party_id: int) -> ResponseReturnValue:
    """Export and erase somebody; the same form sent again shows the same proof."""
    me, services, now = context.me(), context.services(), context.now()
    try:
        if forms.text("sure") != "yes":
            raise BadInput("invalid_form", {"sure": "missing"})
        asked = Asked(forms.text("how"), forms.past_day("on"), me.email, me.role)
        erasure_id = erasing.erase(services.db, party_id, asked, House.of(services.settings), now=now)
    except NotFound:
        raise
    except ShopError as error:
        return _page(party_id, explain(error), dict(error.fields) if isinstance(error, BadInput) else {}, error.status)
    flash(_("Erased. Orders keep their goods and amounts, and say nothing of who it was."))
    return redirect(url_for("persons.proof", erasure_id=erasure_id), 303)


@bp.get("/erased/<int:erasure_id>")
def proof(erasure_id: int) -> ResponseReturnValue:
    """Show the proof, and the export while it waits."""
    erasure = context.read(lambda db: erasing.get_erasure(db, erasure_id))
    return render_template(
        "desk/admin/erasure.html",
        erasure=erasure,
        kept=_dated(erasure.kept),
        how=person_words.hows()[erasure.asked_how],
        tables=person_words.tables(),
    )


@bp.post("/erased/<int:erasure_id>/export")
def fetch(erasure_id: int) -> ResponseReturnValue:
    """Give the export out, while it waits."""
    found: list[Erasure] = []
    context.write(lambda db: found.append(erasing.get_erasure(db, erasure_id)))
    if found[-1].export is None:
        flash(_("The export is not here any more: it was handed over, or waited for a week."))
        return redirect(url_for("persons.proof", erasure_id=erasure_id), 303)
    return _file(found[-1].export, f"erased-{erasure_id}.zip")


@bp.post("/erased/<int:erasure_id>/handed-over")
def handed_over(erasure_id: int) -> ResponseReturnValue:
    """Delete the export: it reached the person."""
    me, now = context.me(), context.now()
    context.write(lambda db: erasing.drop_export(db, erasure_id, actor=me.email, role=me.role, now=now))
    flash(_("Deleted. Nothing is left of them here but what the law keeps."))
    return redirect(url_for("persons.proof", erasure_id=erasure_id), 303)


def _dated(kept: Sequence[Mapping[str, str]]) -> list[tuple[str, date]]:
    return [(paper["number"], date.fromisoformat(paper["until"])) for paper in kept]


def _file(made: bytes, name: str) -> Response:
    return Response(made, mimetype="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _page(party_id: int, problem: str = "", fields: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    years = context.services().settings.invoice_years

    def look(db: Session) -> dict[str, object]:
        them = person.get_person(db, party_id)
        return {
            "them": them,
            "parties": person.find_parties(db, them),
            "known": {table: len(rows) for table, rows in telling.tell(db, party_id).items()},
            "open_ones": forgetting.find_open(db, them),
            "kept": _dated(erasing.find_kept(db, them, years)),
        }

    try:
        seen = context.read(look)
    except Refused as error:
        flash(explain(error))
        return redirect(url_for("persons.home"), 303)
    return render_template(
        "desk/admin/person.html",
        party_id=party_id,
        **seen,
        hows=person_words.hows(),
        tables=person_words.tables(),
        opens=person_words.opens(),
        problem_text=problem,
        fields=fields or {},
        today=context.today(),
    ), status
