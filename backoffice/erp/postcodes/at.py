"""Austria: the first digit and the state that most of it lies in, as ISO 3166-2 numbers them.

Source: the postal regions of Österreichische Post and the Länder's lists of municipalities. 67, 68 and 69 are
Vorarlberg, the rest of 6 is Tyrol; 99 is East Tyrol. Every first digit from 1 to 9 is assigned.
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIXES: Mapping[str, str] = {
    "1": "9",  # Vienna
    "2": "3",  # Lower Austria, east
    "3": "3",  # Lower Austria, west
    "4": "4",  # Upper Austria
    "5": "5",  # Salzburg
    "6": "7",  # Tyrol
    "67": "8",  # Vorarlberg
    "68": "8",
    "69": "8",
    "7": "1",  # Burgenland
    "8": "6",  # Styria
    "9": "2",  # Carinthia
    "99": "7",  # East Tyrol
}
