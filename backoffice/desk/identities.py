"""How we know that a visit or a record is this customer's: each link with its evidence, undone by a button."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm import collapsing, identity, parties, profiles
from backoffice.desk import context, identity_lists
from backoffice.desk.phrases import gettext as _
from backoffice.public.errors import NotFound

bp = Blueprint("identities", __name__, url_prefix="/desk/sales/customers/<int:party_id>/identity")


@bp.get("")
def home(party_id: int) -> ResponseReturnValue:
    """Show with whom they are perhaps one, which records are theirs, and which visits were."""
    before = request.args.get("before", "")
    return render_template(
        "desk/sales/identity.html",
        party=context.read(lambda db: parties.get_party(db, party_id)),
        twins=context.read(lambda db: collapsing.find_twins(db, party_id)),
        records=context.read(lambda db: identity_lists.find_records(db, party_id)),
        part=context.read(lambda db: identity_lists.find_visits(db, party_id, before)),
        before=before,
        reason=identity_lists.reason,
    )


@bp.post("/<int:link_id>/undo")
def undo(party_id: int, link_id: int) -> ResponseReturnValue:
    """Undo a link for good, and read the figures of whoever it tied together anew."""
    me, now, done = context.me(), context.now(), [False]

    def work(db: Session) -> None:
        touched = identity.find_ends(db, party_id, link_id)
        if not touched:
            raise NotFound("unknown_record")
        done[0] = identity.undo(db, link_id, by=me.name, now=now)
        profiles.refresh(db, touched)

    context.write(work)
    flash(_("Undone. No rule ties them together again.") if done[0] else _("It was undone before."))
    return redirect(url_for("identities.home", party_id=party_id), 303)
