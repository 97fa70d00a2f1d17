"""Who bought from the demo company lately. All invented; the addresses exist as places, not as people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer, and where it goes."""

    name: str
    email: str
    street: str
    postcode: str
    city: str
    country: str = "DE"
    language: str = "de"
    company: str = ""


NORDLICHT, ALPENBLICK = "Büro Nordlicht GmbH", "Alpenblick Gasthöfe GmbH"  # where several of them work
CUSTOMERS = (
    Customer("Anna Schubert", "anna.schubert@post.example", "Gartenweg 4", "10115", "Berlin"),
    Customer("Jürgen Öztürk", "j.oeztuerk@brief.example", "Am Markt 11", "50667", "Köln"),
    Customer("Marie-Luise Freifrau von Hohenstein-Waldburg", "mlh@hohenstein.example", "Schlossallee 1", "96047", "Bamberg"),
    Customer("Emil Sørensen", "emil@brev.example", "Hafenstraße 20", "20095", "Hamburg", language="en", company=NORDLICHT),
    Customer("Κατερίνα Παππά", "katerina@grammata.example", "Lindenstraße 8", "80331", "München", language="en"),
    Customer("Franz Huber", "franz.huber@post.example", "Mariahilfer Straße 50", "1070", "Wien", "AT", company=ALPENBLICK),
    Customer("Sophie Gruber", "sophie.gruber@brief.example", "Getreidegasse 9", "5020", "Salzburg", "AT", company=ALPENBLICK),
    Customer("Oleksandra Shevchenko", "oleksandra@lyst.example", "Ringstraße 30", "04109", "Leipzig", language="en"),
    Customer("Büro Nordlicht", "einkauf@nordlicht.example", "Speicherstadt 2", "20457", "Hamburg", company=NORDLICHT),
    Customer("Praxis Dr. Amsel", "praxis@dr-amsel.example", "Hauptstraße 70", "69117", "Heidelberg", company="Praxis Dr. Amsel"),
    Customer(
        "Hotel Seeblick", "hotel@seeblick.example", "Uferpromenade 1", "88045", "Friedrichshafen", company="Hotel Seeblick KG"
    ),
    Customer("Elisabeth Quell", "elisabeth@quelle.example", "Brunnenweg 6", "6020", "Innsbruck", "AT"),
    Customer("Thi Mai Pham", "mai.pham@thu.example", "Seestraße 12", "18055", "Rostock"),
    Customer("Lukas Weidner", "lukas@weidner.example", "Bergweg 3", "99084", "Erfurt"),
    Customer("Giulia Rossi", "giulia@lettere.example", "Kaiserstraße 5", "60311", "Frankfurt am Main", language="en"),
    Customer("Hanne Petersen", "hanne@post.example", "Deichweg 17", "24103", "Kiel", company=NORDLICHT.upper()),
    Customer("Samir Khoury", "samir@risala.example", "Marktplatz 6", "70173", "Stuttgart", language="en"),
    Customer("Elisabeth Brandstätter", "e.brandstaetter@hof.example", "Dorfstraße 2", "94032", "Passau"),
)
