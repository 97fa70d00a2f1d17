"""The one door for calls to an outside system over HTTP: with time-outs, a limit, no redirect and no try of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from backoffice.bridge.outside.port import NoAnswer, NotReached

SECONDS_TO_CONNECT, SECONDS_TO_ANSWER = 5.0, 15.0
AT_ONCE = 10
MOST_BYTES = 20_000_000


class Answer(NamedTuple):
    """What came back. body: JSON, None where there was none."""

    status: int
    body: Any


class Door:
    """Calls below one address. key: sent as a bearer token. Raises ValueError for what is no address.

    A call counts as unanswered unless all of an answer came: who called must assume that it was heard.
    """

    def __init__(self, url: str, key: str, *, seconds: float = SECONDS_TO_ANSWER) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("SHOPFLOOR_ERP_URL must be https:// (or http://) and a host")
        self._url = url.rstrip("/")
        self._headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        # no reuse of connections: one that the other side has just closed looks like an answer that was lost
        self._headers["Connection"] = "close"
        timeout = urllib3.Timeout(connect=SECONDS_TO_CONNECT, read=seconds)
        self._pool = urllib3.PoolManager(maxsize=AT_ONCE, timeout=timeout, retries=False)

    def call(self, method: str, path: str, body: Any = None, *, query: Mapping[str, str] | None = None) -> Answer:
        """Send one request; return the answer, whatever its status. Raises NotReached, NoAnswer."""
        content = None if body is None else json.dumps(body).encode()
        address = self._url + path + (f"?{urlencode(query)}" if query else "")
        try:
            response = self._pool.request(
                method, address, body=content, headers=self._headers, redirect=False, preload_content=False
            )
        except (NewConnectionError, ConnectTimeoutError, NameResolutionError) as error:
            raise NotReached(type(error).__name__) from error
        except (HTTPError, OSError) as error:
            raise NoAnswer(type(error).__name__) from error
        try:
            text = response.read(MOST_BYTES + 1)
            if len(text) > MOST_BYTES:
                raise NoAnswer("more than we read")
            return Answer(response.status, json.loads(text) if text else None)
        except (HTTPError, OSError) as error:
            raise NoAnswer(type(error).__name__) from error
        except ValueError as error:
            if response.status >= 400:  # the page of something in front of it
                return Answer(response.status, None)
            raise NoAnswer("no JSON") from error
        finally:
            response.close()
