"""Secret links and tokens: 128 bits or more, looked up by their hash, never stored as they are sent."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any

_THREAD = re.compile(r"\b(\d{1,15})-[0-9a-f]{32}\b", re.ASCII)
_CASE = re.compile(r"\bc(\d{1,15})-[0-9a-f]{32}\b", re.ASCII)


def new_token() -> str:
    """Return a fresh secret of 160 bits for a browser to keep."""
    return secrets.token_urlsafe(20)


def hash_token(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def order_token(secret_key: str, nonce: str) -> str:
    """Derive an order's link from its nonce and the server's secret.

    So a mail written a week later can carry the link although the database alone does not hold it, and a new nonce
    revokes it.
    """
    digest = hmac.new(secret_key.encode(), b"order-link:" + nonce.encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest[:20]).decode().rstrip("=")


def order_proof(secret_key: str, nonce: str) -> str:
    """Derive what a browser keeps that may read whose order it is; as its link, it ends with the nonce."""
    digest = hmac.new(secret_key.encode(), b"order-proof:" + nonce.encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest[:20]).decode().rstrip("=")


def order_code(secret_key: str, of: str) -> str:
    """Derive the six digits that are mailed to an order's customer. of: the nonce of its link, and which quarter of an hour."""
    digest = hmac.new(secret_key.encode(), b"order-code:" + of.encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:8]) % 10**6:06}"


def quotation_token(secret_key: str, nonce: str) -> str:
    """Derive the link of one version of a quotation, as an order's."""
    digest = hmac.new(secret_key.encode(), b"quotation-link:" + nonce.encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest[:20]).decode().rstrip("=")


def account_token(secret_key: str, nonce: str) -> str:
    """Derive the link that is mailed to the owner of an account; the outbox holds its nonce, the link only its hash."""
    digest = hmac.new(secret_key.encode(), b"account-link:" + nonce.encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest[:20]).decode().rstrip("=")


def consent_token(secret_key: str, consent_id: str) -> str:
    """Derive the part of a link by which somebody confirms their own consent, or takes it back, without logging in."""
    digest = hmac.new(secret_key.encode(), f"consent-link:{consent_id}".encode(), hashlib.sha256).digest()
    return f"{consent_id}-{urlsafe_b64encode(digest[:20]).decode().rstrip('=')}"


_DERIVED: dict[str, Callable[[str, str], str]] = {
    "order": order_token,
    "order_code": order_code,
    "quotation": quotation_token,
    "account": account_token,
    "consent": consent_token,
}


def unwritten(kind: str, before: str, of: str, after: str = "") -> dict[str, str]:
    """Return what a message keeps in the place of a secret link: what it is derived of as the message leaves, see `written`.

    kind: order | quotation | account (of: the link's nonce) | order_code (of: see there) | consent (of: its id).
    before, after: the address around the token.
    """
    return {"kind": kind, "before": before, "of": of, "after": after}


def written(secret_key: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message with the links that stood unwritten among its `secrets` (name → `unwritten`)."""
    values = {name: value for name, value in payload.items() if name != "secrets"}
    for name, one in payload.get("secrets", {}).items():
        values[name] = f"{one['before']}{_DERIVED[one['kind']](secret_key, one['of'])}{one['after']}"
    return values


def order_number(nonce: str) -> str:
    """Return the number of the order whose link is made of a nonce.

    Readable over the telephone, and telling nothing about how many orders there are. An order that is written again after our
    books were lost has the number that its customer, its parcel and other systems already know.
    """
    alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    drawn = int.from_bytes(hashlib.sha256(b"order-number:" + nonce.encode()).digest()[:5])  # 40 bits: 8 letters of 32
    letters = "".join(alphabet[drawn >> 5 * place & 31] for place in range(8))
    return f"SF-{letters[:4]}-{letters[4:]}"


def thread_token(secret_key: str, lead_id: int) -> str:
    """Derive what names an enquiry in our mails' headers and in the address for replies: lower case, 128 bits.

    Mail servers may write an address in lower case, so it is written in digits that have no other.
    """
    digest = hmac.new(secret_key.encode(), b"mail-thread:" + str(lead_id).encode(), hashlib.sha256).hexdigest()
    return f"{lead_id}-{digest[:32]}"


def read_thread(secret_key: str, text: str) -> int | None:
    """Return the enquiry that a header names with its secret; None for none, or for one that somebody made up."""
    for found in _THREAD.finditer(text.lower()):
        lead_id = int(found[1])
        if hmac.compare_digest(found[0], thread_token(secret_key, lead_id)):
            return lead_id
    return None


def case_thread(secret_key: str, case_id: int) -> str:
    """Derive what names a service case in our mails, as `thread_token` does an enquiry."""
    return _of_case(secret_key, b"case-thread:", case_id)


def case_token(secret_key: str, case_id: int) -> str:
    """Derive the link to the page of a case: another secret than its mails', which whoever is copied in sees."""
    return _of_case(secret_key, b"case-link:", case_id)


def read_case_thread(secret_key: str, text: str) -> int | None:
    """Return the case that a header names with its secret; None for none, or for one that somebody made up."""
    return _read_case(secret_key, b"case-thread:", text)


def read_case_token(secret_key: str, token: str) -> int | None:
    """Return the case whose link this is; None if somebody made it up."""
    return _read_case(secret_key, b"case-link:", token)


def _of_case(secret_key: str, purpose: bytes, case_id: int) -> str:
    digest = hmac.new(secret_key.encode(), purpose + str(case_id).encode(), hashlib.sha256).hexdigest()
    return f"c{case_id}-{digest[:32]}"


def _read_case(secret_key: str, purpose: bytes, text: str) -> int | None:
    for found in _CASE.finditer(text.lower()):
        if hmac.compare_digest(found[0], _of_case(secret_key, purpose, int(found[1]))):
            return int(found[1])
    return None
