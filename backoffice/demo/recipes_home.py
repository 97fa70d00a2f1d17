"""How the smaller furniture is made, and what comes from elsewhere ready to be sold.

The wardrobe and the chest of drawers go three levels down: a case of panels, panels of boards. Upholstered seats are made
by our own upholstery of felt and foam.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backoffice.demo.parts import Answer, Bought, Made, Steps, drawer, panel

SUPPLIERS = (
    ("VOGELSBERG", "Filz & Wolle Vogelsberg", "wolle@vogelsberg.example", True),
    ("MAHLWERK", "Mahlwerk Nord", "post@mahlwerk-nord.example", True),
)

BOUGHT = (
    Bought("FELT", "Wool felt, by the metre", "roll", "VOGELSBERG", 8, 1, 1, 42000, 3, 100),
    Bought("FOAM", "Seat foam", "sheet", "VOGELSBERG", 8, 4, 2, 2400, 18),
    Bought("CLOCKWORK", "Clockwork, silent", "piece", "MAHLWERK", 10, 10, 10, 900, 40),
    Bought("MILL", "Ceramic mill", "piece", "MAHLWERK", 10, 10, 10, 1400, 60),
    Bought("GLASS-50", "Mirror glass 50 cm", "piece", "MAHLWERK", 12, 4, 2, 2200, 12),
    Bought("GLASS-70", "Mirror glass 70 cm", "piece", "MAHLWERK", 12, 4, 2, 3900, 8),
    Bought("LED", "Light strip with switch", "piece", "PERLBACH", 14, 6, 2, 1900, 20),
    Bought("DECKE-MOSS", "Decke wool blanket, moss", "piece", "VOGELSBERG", 15, 4, 2, 8200, 14),
    Bought("DECKE-BRICK", "Decke wool blanket, brick", "piece", "VOGELSBERG", 15, 4, 2, 8200, 9),
    Bought("DECKE-LINEN", "Decke wool blanket, linen", "piece", "VOGELSBERG", 15, 4, 2, 8200, 11),
    Bought("GLOCKE-LINEN", "Glocke pendant lamp, linen", "piece", "PERLBACH", 18, 6, 2, 9800, 0),
    Bought("GLOCKE-MOSS", "Glocke pendant lamp, moss", "piece", "PERLBACH", 18, 6, 2, 9800, 0),
    Bought("GLOCKE-BRICK", "Glocke pendant lamp, brick", "piece", "PERLBACH", 18, 6, 2, 9800, 0),
    Bought("KERZE-LINEN", "Kerze rechargeable lamp, linen", "piece", "PERLBACH", 18, 6, 2, 4300, 16),
    Bought("KERZE-MOSS", "Kerze rechargeable lamp, moss", "piece", "PERLBACH", 18, 6, 2, 4300, 7),
    Bought("PFLEGE-250ML", "Hard wax oil, 250 ml", "tin", "PETERSEN", 4, 12, 12, 700, 48),
    Bought("PFLEGE-500ML", "Hard wax oil, 500 ml", "tin", "PETERSEN", 4, 12, 12, 1150, 60),
    Bought("SEIFE-500ML", "Wood soap, 500 ml", "bottle", "PETERSEN", 4, 12, 12, 560, 75),
    Bought("BUCH", "The book of our woods", "piece", "KOLB", 10, 20, 20, 1150, 40),
    Bought("FILZ-16PIECES", "Felt glides, 16 pieces", "bag", "KOLB", 5, 20, 20, 310, 120),
    Bought("LATTEN-ONESET", "Sprung slats, one set", "set", "WIESENTHAL", 9, 4, 2, 6800, 0),
)

_QUICK: Steps = [("SAW", 8, 6), ("CNC", 10, 8), ("SANDING", 5, 6), ("FINISHING", 8, 8)]
_TURNED: Steps = [("CNC", 12, 9), ("SANDING", 5, 5), ("FINISHING", 5, 5)]
_BUILT: Steps = [("SAW", 12, 12), ("CNC", 15, 14), ("ASSEMBLY", 10, 25), ("SANDING", 8, 12), ("FINISHING", 10, 18)]

# key → (boards, posts, other parts of each, steps)
_PLAIN: Mapping[str, tuple[int, int, Mapping[str, int], Steps]] = {
    "furt": (4, 1, {"BOLT": 8, "GLUE": 80, "OIL": 120}, _BUILT),
    "lade": (5, 0, {"INSERT": 8, "GLUE": 120, "OIL": 130}, _QUICK),
    "star": (1, 2, {"BOLT": 4, "GLUE": 40, "OIL": 40}, _BUILT),
    "tritt": (1, 1, {"BOLT": 4, "GLUE": 30, "OIL": 40}, _QUICK),
    "turm": (9, 0, {"GLUE": 160, "OIL": 260}, _BUILT),
    "stange": (0, 2, {"BOLT": 6, "OIL": 30}, _QUICK),
    "kasten": (1, 0, {"GLUE": 40, "OIL": 30}, _QUICK),
    "leiter": (1, 1, {"GLUE": 30, "OIL": 30}, _QUICK),
    "wiege": (4, 2, {"BOLT": 16, "INSERT": 16, "SLATS": 1, "OIL": 150}, _BUILT),
    "stunde": (1, 0, {"CLOCKWORK": 1, "OIL": 10}, _TURNED),
    "mulle": (1, 0, {"OIL": 15}, _TURNED),
    "korn": (0, 1, {"MILL": 1, "OIL": 5}, _TURNED),
    "docht": (0, 1, {"OIL": 5}, _TURNED),
    "brett": (1, 0, {"GLUE": 20, "OIL": 20}, _QUICK),
    "licht": (1, 0, {"LED": 1, "HOOK-BRASS": 2, "OIL": 20}, _QUICK),
}


def _plain(key: str) -> Callable[[str, str, str], Answer]:
    boards, posts, other, steps = _PLAIN[key]

    def made(_wood: str, upper: str, _size: str) -> Answer:
        wood = {f"BOARD-{upper}": boards, f"POST-{upper}": posts}
        return [], {sku: quantity for sku, quantity in {**wood, **other}.items() if quantity}, steps

    return made


def _with_a_drawer(_wood: str, upper: str, _size: str) -> Answer:
    box = drawer(upper)
    parts = {box.sku: 1, f"BOARD-{upper}": 2, f"POST-{upper}": 2, "BOLT": 8, "OIL": 100}
    return [box], parts, _BUILT


def _fach(wood: str, upper: str, _size: str) -> Answer:
    side, box = panel(wood, upper), drawer(upper)
    body = Made(
        f"CASE-FACH-{upper}", f"Chest case, {wood.lower()}", {side.sku: 4, "GLUE": 160}, [("CNC", 15, 30), ("ASSEMBLY", 10, 45)]
    )
    return (
        [side, box, body],
        {body.sku: 1, box.sku: 4, "OIL": 260},
        [("ASSEMBLY", 10, 60), ("SANDING", 10, 30), ("FINISHING", 15, 90)],
    )


def _garten(wood: str, upper: str, size: str) -> Answer:
    side = panel(wood, upper)
    wide = 8 if size == "100" else 11
    body = Made(
        f"CASE-GARTEN-{size}-{upper}",
        f"Wardrobe case {size} cm, {wood.lower()}",
        {side.sku: wide, "BOLT": 24},
        [("CNC", 20, 60), ("ASSEMBLY", 15, 70)],
    )
    leaf = Made(f"LEAF-{upper}", f"Wardrobe door, {wood.lower()}", {side.sku: 2, "HINGE": 3, "GLUE": 60}, [("CNC", 15, 25)])
    parts = {body.sku: 1, leaf.sku: 2, f"POST-{upper}": 1, "OIL": 480}
    return [side, body, leaf], parts, [("ASSEMBLY", 15, 120), ("SANDING", 10, 60), ("FINISHING", 20, 160)]


def _seat() -> Made:
    return Made("SEAT-FELT", "Padded seat, wool felt", {"FELT": 1, "FOAM": 1, "GLUE": 20}, [("UPHOLSTERY", 15, 25)])


def _falke(_wood: str, upper: str, _size: str) -> Answer:
    seat = _seat()
    parts = {seat.sku: 2, f"BOARD-{upper}": 2, f"POST-{upper}": 2, "BOLT": 10, "OIL": 90}
    return [seat], parts, [*_BUILT[:3], ("UPHOLSTERY", 10, 60), *_BUILT[3:]]


def _diele(_wood: str, upper: str, _size: str) -> Answer:
    seat = _seat()
    return [seat], {seat.sku: 1, f"BOARD-{upper}": 3, f"POST-{upper}": 1, "BOLT": 8, "OIL": 80}, _BUILT


def _teich(_wood: str, upper: str, size: str) -> Answer:
    return [], {f"BOARD-{upper}": 1, f"GLASS-{size}": 1, "GLUE": 10, "OIL": 15}, _TURNED


RECIPES: Mapping[str, Callable[[str, str, str], Answer]] = {
    **{key: _plain(key) for key in _PLAIN},
    "steg": _with_a_drawer,
    "nacht": _with_a_drawer,
    "fach": _fach,
    "garten": _garten,
    "falke": _falke,
    "diele": _diele,
    "teich": _teich,
}
