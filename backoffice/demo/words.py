"""The demo shop in German, and some of it in French."""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[str, tuple[str, str]]  # product key → name, description

CATEGORIES: Mapping[str, Mapping[str, str]] = {
    "de": {
        "tables": "Tische",
        "seating": "Sitzen",
        "storage": "Aufbewahren",
        "bedroom": "Schlafen",
        "small-things": "Kleine Dinge",
        "light": "Licht",
        "care": "Pflege & Ersatzteile",
    },
    "fr": {
        "tables": "Tables et bureaux",
        "seating": "S’asseoir",
        "storage": "Ranger",
        "bedroom": "Chambre",
        "small-things": "Petites choses",
        "light": "Lumière",
        "care": "Entretien et pièces",
    },
}

GERMAN: Words = {
    "linde": (
        "Esstisch Linde",
        "Ein Tisch für lange Abende. Die Platte ist aus Brettern eines einzigen Baumes verleimt, die Beine stehen ein wenig"
        " schräg, damit sich niemand das Knie stößt. Dreimal von Hand geölt; wir fertigen ihn für Sie, wenn Sie ihn bestellen.",
    ),
    "kiesel": ("Beistelltisch Kiesel", "Rund wie ein Kiesel und leicht genug für den Garten. Drei Beine wackeln nie."),
    "werra": (
        "Schreibtisch Werra",
        "Ein Schreibtisch mit einer leisen Schublade und Platz für zwei Ellbogen. Wir bauen ihn in kleinen Serien; die nächste"
        " steht gerade in der Werkstatt.",
    ),
    "amsel": (
        "Stuhl Amsel",
        "Ein Stuhl mit einer Lehne wie ein Gartenzaun, gemacht für langes Sitzen und leichtes Aufstehen. Das Kissen gehört nicht"
        " dazu, die Amsel auch nicht.",
    ),
    "dachs": ("Hocker Dachs", "Drei Beine, ein Sitz aus geflochtener Papierkordel. Neben dem Bett, im Flur, vor dem Ofen."),
    "zaun": ("Bank Zaun", "Eine Bank mit einer Lehne aus aufrechten Latten, für die Küche oder einen trockenen Platz draußen."),
    "regnitz": (
        "Regal Regnitz",
        "Ein offenes Regal, das von selbst steht. Die Böden liegen in Nuten: in zehn Minuten aufgebaut, ohne Werkzeug.",
    ),
    "nische": (
        "Wandregal Nische",
        "Ein Brett für die Bücher, die Sie gerade lesen. Zwei Messinghaken halten es, Schrauben und Dübel liegen bei.",
    ),
    "kabinett": (
        "Sideboard Kabinett",
        "Zwei Türen, drei Schubladen, Schwalbenschwänze, wo man sie sieht und wo nicht. Für Sie gefertigt.",
    ),
    "truhe": (
        "Truhe",
        "Eine Truhe für Decken, Spielzeug oder Winterstiefel, und ein Sitzplatz dazu. Der Deckel schließt langsam.",
    ),
    "mulde": (
        "Bett Mulde",
        "Ein Bett ohne Metall. Der Rahmen wird verkeilt, das Kopfteil ist ein breites Brett; der Lattenrost gehört dazu. Für Sie"
        " gefertigt.",
    ),
    "span": ("Servierbrett Span", "Gemacht aus dem, was die Tische übrig lassen. Für Brot, Käse und die letzte Birne."),
    "haken": ("Garderobe Haken", "Fünf gedrechselte Haken auf einem Brett. Es trägt die Mäntel einer Familie."),
    "mond": (
        "Tischleuchte Mond",
        "Eine Scheibe aus gefaltetem Papier auf einem Messingfuß, aus einem Atelier drei Täler weiter. Sie leuchtet wie der"
        " volle Mond.",
    ),
    "furt": (
        "Couchtisch Furt",
        "Niedrig, breit, mit einem Fach für das zuletzt Gelesene. Die Kanten sind rund: Kinder laufen gegen Tische.",
    ),
    "steg": ("Konsole Steg", "Ein schmaler Tisch für den Flur, mit einer Schublade für die Schlüssel. Für Sie gefertigt."),
    "lade": (
        "Tischplatte Lade",
        "Eine Platte für Ihr höhenverstellbares Gestell: gebohrt für die üblichen, mit einem Kabelschlitz hinten.",
    ),
    "star": ("Barhocker Star", "Hoch genug für die Kücheninsel, mit einer Sprosse, wo Füße eine suchen."),
    "tritt": (
        "Tritthocker Tritt",
        "Zwei Stufen zum oberen Fach, ein Sitz für kleine Menschen, ein Tisch für eine Tasse.",
    ),
    "falke": (
        "Sessel Falke",
        "Ein Sessel mit gefedertem Sitz, von unserer Polsterei mit Wollfilz bezogen. Für Sie gefertigt.",
    ),
    "diele": ("Schuhbank Diele", "Hinsetzen, Schuhe aus, darunter damit. Der Sitz ist mit Wollfilz gepolstert."),
    "turm": (
        "Bücherturm",
        "Sechs Böden auf der Fläche von einem. Auch die Rückwand ist aus Holz, er darf also mitten im Raum stehen.",
    ),
    "garten": (
        "Kleiderschrank Garten",
        "Zwei Türen aus Rahmen und Füllung, dahinter eine Stange und drei Fächer. Kommt in Teilen, steht in einer halben Stunde.",
    ),
    "fach": ("Kommode Fach", "Vier Schubladen, jede mit ein wenig Spiel beim Schließen. Für Sie gefertigt."),
    "stange": ("Kleiderständer Stange", "Für das Hemd von morgen und für Gäste. Er lässt sich flach zusammenlegen."),
    "kasten": ("Kiste Kasten", "Lässt sich stapeln und tragen und passt zweimal nebeneinander in das Regal Regnitz."),
    "nacht": (
        "Nachttisch Nacht",
        "Eine Schublade, ein Fach, Platz für eine Leuchte und ein Glas. Er passt zum Bett Mulde.",
    ),
    "wiege": ("Kinderbett Wiege", "Ein Kinderbett, das zur Bank wird, wenn es keiner mehr braucht. Für Sie gefertigt."),
    "leiter": ("Handtuchleiter", "Fünf Sprossen für Handtücher oder für das, was zu sauber zum Waschen ist."),
    "decke": ("Wolldecke", "Im Vogelsberg gewebt, aus der Wolle von Schafen, die dort weiden."),
    "teich": ("Spiegel Teich", "Rund, in einem Ring aus einem gedrechselten Stück Holz."),
    "stunde": ("Wanduhr Stunde", "Eine Uhr ohne Zahlen. Sie wissen schon."),
    "mulle": ("Schale Mulle", "Gedrechselt aus dem, was die Tischbeine übrig lassen, geölt wie die Tische."),
    "korn": ("Pfeffermühle Korn", "Ein Mahlwerk aus Keramik, das gut in der Hand liegt. Zehn Jahre Garantie auf das Mahlwerk."),
    "docht": ("Kerzenhalter Docht", "Hält die Kerze gerade, auch wenn der Tisch es nicht ist."),
    "brett": ("Tablett Brett", "Ein Frühstück für zwei passt darauf, und es passt durch die Tür."),
    "glocke": ("Hängeleuchte Glocke", "Aus dünnem Stahl gedrückt und von Hand lackiert, aus demselben Atelier wie der Mond."),
    "kerze": (
        "Akkuleuchte Kerze",
        "Eine Leuchte ohne Kabel: zwölf Stunden auf dem Balkon, dann eine Nacht an der Steckdose.",
    ),
    "licht": ("Leseleuchte Licht", "Ein Brett, so breit wie ein Buch, mit einem Licht unter der Kante."),
    "pflege": (
        "Hartwachsöl",
        "Das Öl, mit dem unsere Tische gemacht werden. Ein halber Liter reicht für einen Tisch, zehnmal.",
    ),
    "seife": ("Holzseife", "Reinigt und nährt geöltes Holz. Eine Kappe auf einen Eimer warmes Wasser."),
    "filz": ("Filzgleiter", "Für Stuhlbeine auf Holzböden: sechzehn Stück, mit Nägeln."),
    "set": ("Pflegeset", "Was ein geölter Tisch ein Jahr lang braucht: Öl, Seife, und Filz für die Stühle um ihn herum."),
    "buch": (
        "Das Buch unserer Hölzer",
        "Wo jedes unserer Hölzer wächst, wie es gefällt und getrocknet wird, und wie man es pflegt. Gedruckt in Coburg.",
    ),
    "latten": ("Lattenrost", "Ein Satz Latten für das Bett Mulde, wenn die Kinder genug gesprungen sind."),
}

FRENCH: Words = {
    "linde": (
        "Table Linde",
        "Une table pour les longues soirées. Le plateau vient d’un seul arbre, les pieds sont un peu inclinés pour que personne"
        " ne s’y cogne le genou. Huilée trois fois à la main ; fabriquée pour vous.",
    ),
    "kiesel": ("Guéridon Kiesel", "Rond comme un galet, assez léger pour le jardin. Trois pieds ne boitent jamais."),
    "amsel": (
        "Chaise Amsel",
        "Un dossier comme une clôture de jardin, pour rester assis longtemps et se lever sans peine. Le coussin n’est pas"
        " compris, le merle non plus.",
    ),
    "nische": (
        "Étagère murale Nische",
        "Une planche pour les livres du moment. Deux crochets en laiton, vis et chevilles fournies.",
    ),
    "span": ("Planche Span", "Faite de ce que les tables laissent. Pour le pain, le fromage et la dernière poire."),
    "mulle": ("Bol Mulle", "Tourné dans ce que les pieds de table laissent, huilé comme les tables."),
    "docht": ("Bougeoir Docht", "Tient la bougie droite, même quand la table ne l’est pas."),
    "decke": ("Couverture en laine", "Tissée dans le Vogelsberg avec la laine des moutons qui y paissent."),
}

_FACT_NAMES = {
    "Width": "Breite",
    "Depth": "Tiefe",
    "Height": "Höhe",
    "Length": "Länge",
    "Surface": "Oberfläche",
    "Seat height": "Sitzhöhe",
    "Weight": "Gewicht",
    "Diameter": "Durchmesser",
    "Carries": "Tragkraft",
    "Height of the head": "Höhe des Kopfteils",
    "Bulb": "Leuchtmittel",
    "Cover": "Bezug",
    "Material": "Material",
    "Reach": "Reichweite",
    "Pages": "Seiten",
}
_FACT_VALUES = {
    "hard wax oil": "Hartwachsöl",
    "wool felt": "Wollfilz",
    "wool": "Wolle",
    "E27, included": "E27, liegt bei",
    "E27, not included": "E27, liegt nicht bei",
    "LED, built in": "LED, eingebaut",
    "24 m² a litre": "24 m² je Liter",
}


def german_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """Return a product's facts in German; numbers with a comma. Raises KeyError for a fact that has no German name."""
    return {_FACT_NAMES[name]: _FACT_VALUES.get(value, value.replace(".", ",")) for name, value in facts.items()}
