"""Searches by an HTTP endpoint that answers with JSON.

Three tries with jittered waits: a search engine is asked far less than a model, and a failed search only leaves one answer without
its material. Redirects are followed by hand, since a key must not travel to another host.
"""

from __future__ import annotations

import asyncio
import html
import random
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

import aiohttp
from asyncio_throttle import Throttler
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from yarl import URL

from siuo_async.errors import ErrorKind
from siuo_async.keys import NONE, Secrets
from siuo_async.network import authorities, proxy_for
from siuo_async.providers import lenient
from siuo_async.providers.hints import retry_after
from siuo_async.search.base import LIMIT_CHARS, NOTHING, Found, SearchError, clean, clean_query
from siuo_async.search.reading import found_in
from siuo_async.search.template import UrlTemplate
from siuo_async.values import Json

TRIES: Final = 3
LONGEST_WAIT_S: Final = 8.0
MOST_HINT_S: Final = 60.0
"""A longer `Retry-After` is not waited for."""
CONNECT_S: Final = 10.0
MOST_REPLY_BYTES: Final = 2 << 20
MOST_REDIRECTS: Final = 5
READING: Final = 1
"""Counted up when the same reply would be read or written down differently; part of the identity."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KINDS = {
    401: ErrorKind.AUTH,
    402: ErrorKind.QUOTA,
    403: ErrorKind.AUTH,
    404: ErrorKind.NOT_FOUND,
    408: ErrorKind.SERVER,
    410: ErrorKind.NOT_FOUND,
    429: ErrorKind.RATE_LIMITED,
}
_HIGHLIGHT = re.compile(r"</?(?:b|strong|em|i|mark|span|br)\b[^>]*>", re.IGNORECASE)
_LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How an endpoint is asked."""

    limit_chars: int = LIMIT_CHARS
    timeout_s: float = 30.0
    """Of one try, redirects included; waiting for a place or the pace is not counted."""
    at_once: int = 8
    rpm: float | None = None
    """Requests per minute, tries included; None: no pace."""


class HttpSearcher:
    """An HTTP endpoint given by URL template.

    Args:
        template: where to ask.
        settings: bounds.
        key: sent in `key_header`, or where the template has `{key}`.
        key_header: `Authorization` sends `Bearer KEY`, any other header the key alone.
        secrets: what else must not get out of what the endpoint says.
        identity: instead of host and digest of the template.
        sleep: waits between tries.

    Raises:
        ConfigError: the authorities that a variable names cannot be used.
    """

    def __init__(
        self,
        template: UrlTemplate,
        settings: HttpSettings,
        *,
        key: str | None = None,
        key_header: str = "Authorization",
        secrets: Secrets = NONE,
        identity: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.identity = identity or f"http:{template.host}#{template.digest}-{READING}-{settings.limit_chars}"
        self._template, self._settings, self._key, self._sleep = template, settings, key, sleep
        self._secrets = Secrets.of(key) | secrets
        self._authorities = authorities()  # read now: no search must wait for it
        self._headers = {"Accept": "application/json"}
        if key and not template.takes_key:
            self._headers[key_header] = f"Bearer {key}" if key_header.lower() == "authorization" else key
        self._slots = asyncio.Semaphore(settings.at_once)
        self._pace = _pace(settings.rpm) if settings.rpm else None
        self._pace_turn = asyncio.Lock()
        self._quiet_until = 0.0
        self._session: aiohttp.ClientSession | None = None

    async def search(self, query: str) -> Found:
        """What the endpoint finds.

        Raises:
            SearchError: no result after all tries.
        """
        asked = clean_query(query)
        if not asked:
            return NOTHING
        url = self._template.url(asked, self._key)
        policy = AsyncRetrying(
            retry=retry_if_exception(_worth_it), stop=stop_after_attempt(TRIES), wait=_wait_s, sleep=self._sleep, reraise=True
        )
        try:
            found: Found = await policy(self._try, url)
        except SearchError as error:
            error.attempts = int(policy.statistics["attempt_number"])
            error.message = self._secrets.out_of(error.message)
            error.args = (error.message,)
            raise
        return replace(found, text=self._secrets.out_of_answer(found.text), attempts=int(policy.statistics["attempt_number"]))

    async def close(self) -> None:
        """Closes the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _try(self, url: URL) -> Found:
        async with self._slots:
            await self._turn()
            value = await self._fetch(url)
        try:
            return found_in(value, self._settings.limit_chars, tidy=_plain_text)
        except SearchError as error:
            error.message = f"{error.message} ({self._template.host})"
            raise

    async def _turn(self) -> None:
        """Waits until the endpoint, which may have asked for quiet, may be asked."""
        if (quiet_s := self._quiet_until - asyncio.get_running_loop().time()) > 0:
            await self._sleep(quiet_s)
        if self._pace is not None:
            async with self._pace_turn, self._pace:  # one waiter at a time, since the throttler polls
                pass

    async def _fetch(self, url: URL) -> Json:
        host = self._template.host
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await self._followed(url)
        except TimeoutError as error:
            raise SearchError(ErrorKind.TIMEOUT, f"no search result from {host} within {self._settings.timeout_s:g} s") from error
        except aiohttp.ClientPayloadError as error:
            raise SearchError(ErrorKind.GARBLED, f"the search result of {host} was cut short") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: aiohttp's parser on bytes that are no HTTP
            raise SearchError(ErrorKind.CONNECTION, f"no connection to the search at {host}: {_short(str(error))}") from error

    async def _followed(self, url: URL) -> Json:
        session = self._session = self._session or _open_session(self._authorities)
        for _ in range(MOST_REDIRECTS + 1):
            proxy = proxy_for(url.scheme, url.host)
            async with session.get(url, headers=self._headers, allow_redirects=False, proxy=proxy) as response:
                if response.status not in _REDIRECTS:
                    return self._read(response, await self._body(response))
                url = self._redirected(url, response)
        raise SearchError(ErrorKind.NOT_FOUND, f"the search at {self._template.host} redirects more than {MOST_REDIRECTS} times")

    def _redirected(self, url: URL, response: aiohttp.ClientResponse) -> URL:
        host = self._template.host
        try:
            target = url.join(URL(response.headers.get("Location", "")))
            usable = target.scheme in ("http", "https") and bool(target.host) and target.user is None
        except ValueError:
            usable = False
        if not usable:
            raise SearchError(ErrorKind.NOT_FOUND, f"the search at {host} redirects to no usable address", status=response.status)
        if self._key is not None and not _keeps_key_safe(url, target):
            why = (
                f"the search at {host} redirects to {target.host}, where the key must not go; give that address if it is the right one"
            )
            raise SearchError(ErrorKind.NOT_FOUND, why, status=response.status)
        return target

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        blocks: list[bytes] = []
        size = 0
        while block := await response.content.readany():
            size += len(block)
            if size > MOST_REPLY_BYTES:
                why = f"the search result of {self._template.host} is longer than {MOST_REPLY_BYTES >> 20} MiB"
                raise SearchError(ErrorKind.BAD_REQUEST, why, status=response.status)
            blocks.append(block)
        return b"".join(blocks)

    def _read(self, response: aiohttp.ClientResponse, body: bytes) -> Json:
        """The value in a reply.

        Raises:
            SearchError: an error status, or no JSON.
        """
        value, problem = _json_in(body, response.charset)
        status, host = response.status, self._template.host
        if status >= 400 or status < 200:
            kind = _KINDS.get(status, ErrorKind.SERVER if status >= 500 else ErrorKind.BAD_REQUEST)
            hint_s = retry_after(response.headers, value, time.time())
            if hint_s is not None and hint_s <= MOST_HINT_S:
                self._quiet_until = max(self._quiet_until, asyncio.get_running_loop().time() + hint_s)
            told = "" if problem and body.lstrip()[:1] == b"<" else _short(clean(body[:1000].decode("utf-8", "replace")))
            why = f"the search at {host} answered {status}" + (f": {told}" if told else "")
            raise SearchError(kind, why, status=status, retry_after_s=hint_s)
        if problem or not isinstance(value, dict | list):
            why = f"the search at {host} answered with {problem or 'a bare value'} instead of JSON results"
            raise SearchError(ErrorKind.GARBLED, why, status=status)
        return value


def _open_session(trusted: ssl.SSLContext | bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=15, ssl=trusted),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "siuo-async"},
    )


def _pace(rpm: float) -> Throttler:
    period_s = 60 / rpm
    return Throttler(rate_limit=1, period=period_s, retry_interval=min(0.05, period_s / 20))


def _keeps_key_safe(url: URL, target: URL) -> bool:
    if target.origin() == url.origin():
        return True
    return (
        target.host == url.host
        and (url.scheme, target.scheme) == ("http", "https")
        and url.is_default_port()
        and target.is_default_port()
    )


def _json_in(body: bytes, charset: str | None) -> tuple[Json, str | None]:
    """The value in a body, and what stands in JSON's place where there is none."""
    if not body.strip():
        return None, "nothing"
    try:
        if charset is not None and charset.lower().replace("-", "") != "utf8":
            body = body.decode(charset, "replace").encode("utf-8", "replace")
        return lenient.loads(body)[0], None
    except (ValueError, LookupError):
        return None, "HTML" if body.lstrip()[:1] == b"<" else "something else"


def _plain_text(text: str) -> str:
    """A snippet without the tags that search engines mark its words with."""
    return html.unescape(_HIGHLIGHT.sub("", text))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "..."


def _worth_it(error: BaseException) -> bool:
    return isinstance(error, SearchError) and error.retryable and (error.retry_after_s or 0) <= MOST_HINT_S


def _wait_s(state: RetryCallState) -> float:
    """Full jitter over 2, 4, ... at most 8 seconds; the server's hint comes on top of nothing but a second's spread."""
    assert state.outcome is not None
    hint_s = getattr(state.outcome.exception(), "retry_after_s", None)
    if hint_s is not None:
        return float(hint_s) + random.uniform(0, 1)  # noqa: S311 - spreads clients out, guards nothing
    return random.uniform(0, min(LONGEST_WAIT_S, 2.0**state.attempt_number))  # noqa: S311
