"""Who wrote to the demo company lately: leads in several languages, some answered, some late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import wording
from backoffice.crm import follow_ups, leads
from backoffice.crm.models import Lead
from backoffice.demo.company import TIMEZONE
from backoffice.erp.models import Staff
from backoffice.public.leads import LeadForm


@dataclass(frozen=True, slots=True)
class Enquiry:
    """One message. hours: how long ago; upto: new | working | answered | done | lost.

    back: to be called again so many days ago. doubtful: a machine wrote it. by_phone: somebody of ours took it down.
    """

    name: str
    email: str
    language: str
    hours: int
    message: str
    kind: str = "contact"
    sku: str = ""
    quantity: str = ""
    phone: str = ""
    postcode: str = ""
    upto: str = "new"
    answer: str = ""
    note: str = ""
    call: str = ""
    back: int | None = None
    doubtful: bool = False
    by_phone: bool = False
    source: str = ""
    campaign: str = ""


WAITING_FOR_PAYMENT, BOUGHT = "Gerlinde Aydın", "Kita Sonnenhügel"  # who are sold something: see sales_orders

_ENQUIRIES = (
    Enquiry(
        "Clara Steinmetz",
        "clara.steinmetz@post.example",
        "de",
        170,
        "Guten Tag, wir richten ein Besprechungszimmer ein und suchen zwei Tische in Eiche, je 220 cm. Gibt es einen"
        " Mengenpreis, und bis wann könnten beide hier in Erfurt sein?",
        kind="question",
        sku="LINDE-220-OAK",
        quantity="2",
        phone="+49 30 23125 014",
        postcode="99084",
        upto="done",
        answer="Guten Tag Frau Steinmetz, für zwei Tische geben wir fünf Prozent. Den Tag nennt Ihnen der Warenkorb"
        " verbindlich, sobald Sie Erfurt als Ziel eingeben. Herzliche Grüße aus Bamberg",
        note="Called back, she will order for the foundation next week.",
    ),
    Enquiry(
        "Nguyễn Thị Ánh",
        "anh.nguyen@thu.example",
        "vi",
        150,
        "Xin chào, tôi muốn mua ghế Amsel màu óc chó cho quán cà phê, khoảng tám chiếc. Khi nào có đủ hàng?",
        kind="question",
        sku="AMSEL-WALNUT",
        quantity="8",
        postcode="10115",
        upto="answered",
        answer="Hello, thank you for asking. Three walnut chairs are here, six more are being made this week: eight can be"
        " with you together. Shall we reserve them for you?",
        back=3,
    ),
    Enquiry(
        "অনন্যা চৌধুরী",
        "ananya@chithi.example",
        "bn",
        120,
        "নমস্কার, আপনাদের ওক কাঠের খাবার টেবিলটি আমার খুব পছন্দ হয়েছে। কাঠের যত্ন কীভাবে নিতে হয়? শিশুদের জন্য তেল কি নিরাপদ?",
        kind="question",
        sku="LINDE-180-OAK",
        postcode="50667",
        upto="answered",
        answer="Hello, the oil is food safe once it has dried and safe for children. Wipe the table with a damp cloth and oil"
        " it once a year: a small tin comes with it.",
    ),
    Enquiry(
        "Rokas Petrauskas",
        "rokas@laiskas.example",
        "lt",
        96,
        "Sveiki, ar galite pagaminti lovą „Mulde“ 200 cm pločio? Jei taip, kiek tai kainuotų?",
        sku="MULDE-180-OAK",
        upto="working",
        note="Asked the workshop about 200 cm: possible, price to be worked out.",
        phone="+370 5 2000 771",
        call="Called him: 200 cm would do. He talks to his wife and wants to hear from us once more.",
        back=0,
    ),
    Enquiry(
        "Familie Brandl",
        "brandl@hof.example",
        "de",
        74,
        "Bitte melden, sobald die Truhe in Eiche wieder da ist.",
        kind="tell_me",
        sku="TRUHE-OAK",
        quantity="1",
        postcode="94032",
    ),
    Enquiry(
        "ნინო ბერიძე",
        "nino.beridze@tserili.example",
        "ka",
        52,
        "გამარჯობა! მინდა შევიძინო ორი თარო სახლისთვის ვენაში. შესაძლებელია მიწოდება ავსტრიაში?",
        postcode="1070",
    ),
    Enquiry(
        "Tom Akintola",
        "tom.akintola@letters.example",
        "en",
        30,
        "Hi, the long walnut table takes weeks, you say. Is there any way to have it before Christmas? Another board would be"
        " fine with us.",
        kind="question",
        sku="LINDE-220-WALNUT",
        quantity="1",
        phone="+49 89 99998 311",
        postcode="80331",
        upto="working",
    ),
    Enquiry(
        "सुनीता राव",
        "sunita.rao@patra.example",
        "hi",
        20,
        "नमस्ते, क्या चंद्रमा वाला लैंप लाल रंग में जल्दी मिल सकता है? मुझे उपहार के लिए चाहिए।",
        kind="question",
        sku="MOND-BRICK",
        quantity="1",
        postcode="60311",
    ),
    Enquiry(
        "ليلى حداد",
        "layla.haddad@risala.example",
        "ar",
        5,
        "مرحباً، هل يمكن طلب الخزانة الجانبية من خشب الجوز مع أبواب أعرض قليلاً؟ وشكراً لكم.",
        kind="question",
        sku="KABINETT-WALNUT",
        quantity="1",
    ),
    Enquiry(
        "Pauline Mercier",
        "pauline@courrier.example",
        "fr",
        2,
        "Bonjour, pourriez-vous m’envoyer un échantillon de chêne et de frêne huilés ? Merci d’avance.",
        source="newsletter",
        campaign="autumn-oils",
    ),
    Enquiry(
        "Hotel Bergblick",
        "empfang@bergblick.example",
        "de",
        100,
        "Wir hätten gern zwölf Nachttische in Nussbaum zum Saisonstart nächste Woche. Geht das?",
        kind="quote_request",
        sku="NISCHE-60-WALNUT",
        quantity="12",
        phone="+49 8821 99998 40",
        postcode="82467",
        upto="lost",
        note="Twelve would be ready two weeks after their opening; they bought elsewhere.",
    ),
    Enquiry(
        "BEST RANKING 4U",
        "seo@ranking.example",
        "en",
        9,
        "Dear site owner, we bring you to the first place of every search. Click now!!!",
        doubtful=True,
    ),
    Enquiry(
        WAITING_FOR_PAYMENT,
        "",
        "de",
        3,
        "Die Wanduhr Stunde in Eiche, ein Stück, als Geschenk. Hat am Telefon zugesagt und zahlt über den Link.",
        kind="phone",
        sku="STUNDE-OAK",
        quantity="1",
        phone="+49 951 99998 16",
        postcode="96047",
        by_phone=True,
    ),
    Enquiry(
        BOUGHT,
        "",
        "de",
        26,
        "Zwei Tabletts in Eiche für die Teeküche, möglichst diese Woche.",
        kind="phone",
        sku="BRETT-OAK",
        quantity="2",
        phone="+49 911 99998 52",
        postcode="90402",
        by_phone=True,
        source="fair",
    ),
)


def write_enquiries(session: Session, *, now: datetime) -> None:
    """Let the messages come in and be worked on, each at its own time, by the rules that hold for all."""
    sales = session.scalars(sa.select(Staff).where(Staff.role == "sales").order_by(Staff.id)).all()
    for number, enquiry in enumerate(_ENQUIRIES):
        asked = now - timedelta(hours=enquiry.hours)
        form = LeadForm(
            key=f"demo-{number}",
            kind=enquiry.kind,
            name=enquiry.name,
            email=enquiry.email,
            phone=enquiry.phone,
            message=enquiry.message,
            sku=enquiry.sku,
            quantity=enquiry.quantity,
            postcode=enquiry.postcode,
            language=enquiry.language,
            page="/",
            trap="http://ranking.example" if enquiry.doubtful else "",
            source=enquiry.source,
            campaign=enquiry.campaign,
        )
        staff = sales[number % len(sales)]
        if enquiry.by_phone:
            follow_ups.phone_in(session, form, staff=staff, now=asked)
            continue
        lead = leads.submit(session, form, now=asked)
        back_on = None if enquiry.back is None else wording.day_in(TIMEZONE, now) - timedelta(days=enquiry.back)
        _work_on(session, lead, enquiry, staff, asked, back_on)


def _work_on(session: Session, lead: Lead, enquiry: Enquiry, staff: Staff, asked: datetime, back_on: date | None) -> None:
    if enquiry.upto == "new":
        return
    at = asked + timedelta(hours=1)
    lead = leads.take(session, lead.id, staff_id=staff.id, version=lead.version, now=at)
    if enquiry.answer:
        at += timedelta(minutes=25)
        lead = leads.answer(session, lead.id, enquiry.answer, staff=staff, version=lead.version, now=at, follow_up_on=back_on)
    if enquiry.note:
        at += timedelta(minutes=30)
        lead = leads.note(session, lead.id, enquiry.note, staff=staff, version=lead.version, now=at)
    if enquiry.call:
        at += timedelta(minutes=40)
        lead = follow_ups.call(session, lead.id, enquiry.call, follow_up_on=back_on, staff=staff, version=lead.version, now=at)
    if enquiry.upto == "lost":
        reason = "Could not wait for the day that we could name."
        follow_ups.lose(session, lead.id, reason, staff=staff, version=lead.version, now=at + timedelta(minutes=5))
    if enquiry.upto == "done":
        leads.done(session, lead.id, staff=staff, version=lead.version, now=at + timedelta(minutes=5))
