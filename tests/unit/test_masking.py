"""Tokens are kept masked: the rest of a text stays, and masked twice it is what it was."""

from __future__ import annotations

from backoffice.crm import links
from backoffice.masking import mask


def test_only_tokens_are_masked_and_come_back() -> None:
    token, address = links.order_token("key", "nonce"), "twenty-seven-letters-of-her"
    assert (len(token), len(address)) == (27, 27)
    text = f'{{"order_token": "{token}", "order_url": "https://x.test/o/{token}/moved/1", "email": "{address}@x.test"}}'
    kept = mask("key", "place", text)
    assert token not in kept
    assert (len(kept), kept.count(f'"{address}@x.test"')) == (len(text), 1)
    first, second = kept[17:44], kept[kept.index("/o/") + 3 :][:27]
    assert first != second  # each has a pad of its own
    assert mask("key", "place", kept) == text
    assert token not in mask("another key", "place", kept)
    assert token not in mask("key", "another place", kept)
    assert mask("key", "place", f"https://x.test/o/{token}").startswith("https://x.test/o/")
    assert token not in mask("key", "place", f"https://x.test/o/{token}")
