"""The file that somebody gets with all that is known of them (GDPR, articles 15 and 20): for machines, and to be read."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import datetime

from backoffice.bridge import papers
from backoffice.privacy.telling import Known

OLDEST = (1980, 1, 1, 0, 0, 0)  # of a ZIP entry: the same rows are the same bytes, whenever they were packed


def pack(known: Known, *, language: str, now: datetime) -> bytes:
    """Return a ZIP of `person.json`, which another program can read, and `person.html`, which a person can, in their language."""
    page = papers.draw("person.html", language, known=known, made_on=now.date().isoformat())
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in (("person.json", json.dumps(known, ensure_ascii=False, indent=2)), ("person.html", page)):
            entry = zipfile.ZipInfo(name, OLDEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return made.getvalue()


def hash_of(file: bytes) -> str:
    """Return the SHA-256 by which a file that was handed over is known again."""
    return hashlib.sha256(file).hexdigest()
