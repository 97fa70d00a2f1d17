"""Germany: the two-digit routing regions (Leitregionen) of Deutsche Post and the state that most of each lies in.

Source: the published postcode regions of Deutsche Post and the states' own lists of municipalities. 00, 05, 11, 43 and
62 were never assigned. Where a three-digit prefix lies wholly in another state than its region, it has its own row,
so that this state's holidays count.
"""

from __future__ import annotations

from collections.abc import Mapping

_REGIONS = {
    "BB": "03 14 15 16",
    "BE": "10 12 13",
    "BW": "68 69 70 71 72 73 74 75 76 77 78 79 88 89",
    "BY": "80 81 82 83 84 85 86 87 90 91 92 93 94 95 96 97",
    "HB": "28",
    "HE": "34 35 36 60 61 63 64 65",
    "HH": "20 22",
    "MV": "17 18 19",
    "NI": "21 26 27 29 30 31 37 38 49",
    "NW": "32 33 40 41 42 44 45 46 47 48 50 51 52 53 57 58 59",
    "RP": "54 55 56 67",
    "SH": "23 24 25",
    "SL": "66",
    "SN": "01 02 04 08 09",
    "ST": "06 39",
    "TH": "07 98 99",
}

_PARTS = {
    "BE": "140 141",  # Berlin's west; the rest of 14 is Potsdam and its surroundings
    "BY": "637 638 881 892 893 894",  # Aschaffenburg; Lindau; Neu-Ulm, Günzburg, Dillingen
    "HB": "275",  # Bremerhaven
    "HH": "210 211",  # Bergedorf, Harburg
    "MV": "239",  # Wismar, Grevesmühlen
    "TH": "364 373",  # Bad Salzungen, Heiligenstadt
}

PREFIXES: Mapping[str, str] = {
    prefix: state for table in (_REGIONS, _PARTS) for state, prefixes in table.items() for prefix in prefixes.split()
}
