"""Tasks at every desk: what is to do by a day, and the days that customers need, which planning is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm import leads, tasks
from backoffice.desk import context, forms, listing, task_lists
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("tasks", __name__, url_prefix="/desk/tasks")


@bp.get("")
def home() -> ResponseReturnValue:
    """List what is to do."""
    return _page()


@bp.post("")
def add() -> ResponseReturnValue:
    """Write a task down, for oneself or for a desk."""
    me, now = context.me(), context.now()

    def work(db: Session) -> None:
        desk, owner_id = _for_whom(db)
        due_on = forms.day("due_on", earliest=context.today())
        tasks.add(db, forms.text("title"), due_on, desk=desk, owner_id=owner_id, lead_id=_lead_id(), by=me.name, now=now)

    return _save(work, _("Written down."), scope="task")


@bp.post("/<int:task_id>/done")
def done(task_id: int) -> ResponseReturnValue:
    """Say that it is done."""
    me, now = context.me(), context.now()
    return _save(lambda db: tasks.finish(db, task_id, by=me.name, role=me.role, now=now), _("Done."))


@bp.post("/<int:task_id>/decline")
def decline(task_id: int) -> ResponseReturnValue:
    """Say why a day that a customer needs cannot be had."""
    me, now, words = context.me(), context.now(), forms.text("answer")
    return _save(
        lambda db: tasks.decline(db, task_id, words, by=me.name, role=me.role, now=now),
        _("Sales is told, and sees your words."),
        typed_for=task_id,
    )


@bp.post("/ask/<int:lead_id>")
def ask(lead_id: int) -> ResponseReturnValue:
    """Ask planning for the day that an enquiry needs."""
    me, now = context.me(), context.now()
    if "sales" not in me.desks:
        raise NotFound("unknown_lead")
    return _save(
        lambda db: tasks.ask_for_day(db, leads.get_lead(db, lead_id), by=me.name, now=now),
        _("Planning is asked. You are told here as soon as there is an answer."),
    )


def _save(work: Callable[[Session], object], said: str, *, scope: str = "", typed_for: int = 0) -> ResponseReturnValue:
    """Do it and go back to where the form stood; if it cannot be done, show the tasks with what was typed."""
    try:
        context.write(work, scope=scope)
    except ShopError as error:
        if isinstance(error, NotFound):
            raise
        return _page(explain(error), error.fields if isinstance(error, BadInput) else {}, typed_for), error.status
    flash(said)
    lead_id = _lead_id() or (request.view_args or {}).get("lead_id")
    if lead_id is not None and "sales" in context.me().desks:
        return redirect(url_for("sales.lead", lead_id=lead_id), 303)
    return redirect(url_for("tasks.home"), 303)


def _for_whom(db: Session) -> tuple[str, int | None]:
    """Return the desk, and the person if it is one's own. Raises BadInput(invalid_form, for)."""
    chosen, me = forms.text("for"), context.me()
    if chosen in context.DESKS:
        return chosen, None
    person = db.get(Staff, int(chosen)) if chosen.isdecimal() and len(chosen) < 12 else None
    desks = tasks.DESK_OF.get(person.role, ()) if person is not None and person.active else ()
    if not desks or person is None:
        raise BadInput("invalid_form", {"for": "bad_choice"})
    return next((one for one in desks if one in me.desks), desks[0]), person.id


def _lead_id() -> int | None:
    number = forms.text("lead")
    return int(number) if number.isdecimal() and len(number) < 16 and "sales" in context.me().desks else None


def _page(problem: str = "", fields: Mapping[str, str] | None = None, typed_for: int = 0) -> str:
    me, now, page = context.me(), context.now(), forms.page()
    which = request.args.get("which", "")
    which = which if which in task_lists.WHICH else "mine"
    rows, number = context.read(lambda db: task_lists.find_tasks(db, which, role=me.role, staff_id=me.id, page=page, now=now))
    return render_template(
        "desk/tasks.html",
        rows=rows,
        total=number,
        which=which,
        page_number=page,
        page_size=listing.PAGE,
        people=context.read(task_lists.find_people),
        today=context.today(),
        problem_text=problem,
        fields=fields or {},
        typed=request.form,
        typed_for=typed_for,
    )
