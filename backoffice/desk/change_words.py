"""What the record of changes holds, in words."""

from __future__ import annotations

from collections.abc import Mapping

from backoffice.desk.phrases import gettext as _


def change_words() -> Mapping[str, str]:
    """Return each kind of change with its words."""
    return {
        "api_key.create": _("made an API key"),
        "api_key.class": _("changed the class of an API key"),
        "api_key.revoke": _("ended an API key"),
        "company.change": _("changed the company's data"),
        "service.change": _("changed a way to send"),
        "staff.add": _("added a colleague"),
        "staff.change": _("changed a colleague"),
        "staff.reset_password": _("made a new password"),
        "staff_absence.remove": _("took an absence back"),
        "absence.add": _("wrote an absence down"),
        "rule.save": _("saved an assignment rule"),
        "assignment_rule.remove": _("took an assignment rule away"),
        "template.save": _("saved a ready answer"),
        "mail_template.remove": _("took a ready answer away"),
        "stock_snapshot.approve": _("took doubtful stock figures over"),
        "stock_snapshot.decline": _("declined doubtful stock figures"),
        "outbox.drop": _("gave a message up"),
        "outbox.replay": _("tried a message again"),
        "outbox.replay_all": _("tried all messages again"),
        "payment.handled": _("dealt with a payment"),
        "production.earlier": _("planned a production order earlier"),
        "production.begin": _("noted that production can begin"),
        "production.delay": _("noted that production cannot begin"),
        "allotment.set": _("kept a quantity for a class of customers"),
        "allotment.release": _("gave a kept quantity free"),
        "item.substitutes": _("changed what may stand in for an item"),
        "item.part": _("changed what may stand in for a part"),
        "item.work": _("changed where an operation may be done"),
        "calendar.day": _("changed the hours of a day"),
        "work_centre.pace": _("changed the pace of a work centre"),
        "item.supplier": _("changed a supplier's offer"),
        "receipt.due": _("moved a receipt"),
        "receipt.shorten": _("noted that fewer come"),
        "slip.choose": _("chose after a day had moved"),
        "receipt.expedite": _("asked a supplier for an earlier day"),
        "receipt.expedite_declined": _("noted that the supplier cannot"),
        "refund.request": _("gave money back"),
    }
