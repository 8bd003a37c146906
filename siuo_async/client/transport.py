"""One HTTP POST over aiohttp: bodies in parts, replies as bytes, timeouts by one sweep.

The transport knows no dialect. What can go wrong on the wire becomes a `CallError` here; what a whole reply means is the dialect's
business.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload
from yarl import URL

from siuo_async.client.direct import CHUNK, Direct, own_headers, possible
from siuo_async.client.room import Room
from siuo_async.client.sockets import TAKEN_UNREAD, may_be_taken_late, open_socket
from siuo_async.errors import CallError, ErrorKind
from siuo_async.network import proxy_for
from siuo_async.providers.dialects.base import Reply
from siuo_async.providers.lenient import printable

CONNECT_S = 10.0
TOTAL_S = 600.0
SWEEP_S = 1.0
HELD_S = 5.0
"""A sweep this late means that the process was suspended (Ctrl-Z, a frozen container); that time counts in no timeout."""
MOST_REPLY_BYTES = 32 << 20
"""No text answer is this long, even with the log-probabilities of all its thoughts; more is a server gone wrong."""
_PROXY_IS_BUSY = frozenset({408, 429})
_USER_AGENT = f"siuo-async/{version('siuo-async')}"


class PartsPayload(Payload):
    """A request body in parts, written one after another so that a picture's base64 is never copied into a joined body.

    Args:
        parts: the body, in order.
        timer: told of progress, so that the clock for the answer starts when the upload is done.
    """

    _autoclose = True

    def __init__(self, parts: Sequence[bytes], timer: Timer) -> None:
        super().__init__(parts, content_type="application/json")
        self._size = sum(map(len, parts))
        self._parts = parts
        self._timer = timer

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The whole body as text; only for debugging."""
        return b"".join(self._parts).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Writes the parts; large ones in chunks, so that a slow uplink shows progress."""
        may_be_taken_late(getattr(writer, "transport", None), late=sum(map(len, self._parts)) > TAKEN_UNREAD)
        for part in self._parts:
            if len(part) <= CHUNK:
                await writer.write(part)
            else:
                view = memoryview(part)
                for start in range(0, len(part), CHUNK):
                    await writer.write(view[start : start + CHUNK])
                    self._timer.restart()
        self._timer.restart()
        self._timer.uploaded = True


class Timer:
    """The clock of one try: restarted by each step of the upload, run out when nothing finished in time."""

    __slots__ = ("_total_s", "deadline", "expired", "task", "uploaded")

    def __init__(self, task: asyncio.Task[Any], total_s: float) -> None:
        self.task = task
        self._total_s = total_s
        self.expired = False
        self.uploaded = False
        self.restart()

    def restart(self) -> None:
        """The full time again."""
        self.deadline = time.monotonic() + self._total_s

    def ran_out(self) -> bool:
        """Whether the cancellation that the task just met was this timer's, and nobody else's."""
        return self.expired and self.task.uncancel() == 0

    @property
    def age_s(self) -> float:
        """Seconds since the last restart."""
        return self._total_s - (self.deadline - time.monotonic())


class Sweep:
    """Looks once a second over all calls on the wire and cancels those whose time has run out.

    One shared sweep is cheaper than a timer per call, and a second of grace does not matter in ten minutes.

    Args:
        beat: called when it begins, and with each sweep.
    """

    def __init__(self, beat: Callable[[], None] = lambda: None) -> None:
        self._beat = beat
        self._timers: set[Timer] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self, total_s: float) -> Timer:
        """Puts the running task under a timer; `stop` must follow. When the time has run out, the task is cancelled."""
        task = asyncio.current_task()
        assert task is not None
        if self._task is None:
            self._beat()
            self._task = asyncio.get_running_loop().create_task(self._run())
        timer = Timer(task, total_s)
        self._timers.add(timer)
        return timer

    def stop(self, timer: Timer) -> None:
        """Ends a timer."""
        self._timers.discard(timer)

    def ages(self) -> list[float]:
        """For each call on the wire, seconds since its upload ended."""
        return [timer.age_s for timer in self._timers]

    async def _run(self) -> None:
        now = time.monotonic()
        while True:
            before = now
            await asyncio.sleep(SWEEP_S)
            self._beat()
            now = time.monotonic()
            if (held_s := now - before - SWEEP_S) > HELD_S:  # the whole process stood still: replies wait to be read
                for timer in self._timers:
                    timer.deadline += held_s
            for timer in [t for t in self._timers if t.deadline < now and not t.expired]:
                timer.expired = True
                timer.task.cancel()

    async def close(self) -> None:
        """Ends the sweep."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None


@dataclass(slots=True)
class Transport:
    """One account's connections."""

    session: aiohttp.ClientSession
    sweep: Sweep
    total_s: float
    direct: Direct | None
    """The short way; None where this aiohttp does not have it."""
    room: Room

    @classmethod
    def open(cls, sweep: Sweep, *, total_s: float = TOTAL_S, short: bool = True, trusted: ssl.SSLContext | bool = True) -> Transport:
        """As many connections as slots allow.

        Args:
            short: False sends everything through the session.
            trusted: who may vouch for a server; True for the system's own.
        """
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, limit_per_host=0, ttl_dns_cache=300, keepalive_timeout=15, socket_factory=open_socket, ssl=trusted
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": _USER_AGENT},
            auto_decompress=True,
        )
        return cls(session, sweep, total_s, Direct(_USER_AGENT) if short and possible() else None, Room(MOST_REPLY_BYTES))

    async def post(self, url: URL, headers: Mapping[str, str], parts: Sequence[bytes]) -> Reply:
        """Sends one request and reads the whole reply.

        Raises:
            CallError: nothing whole came back (timeout, connection, cut or endless body).
        """
        timer = self.sweep.start(self.total_s)
        try:
            proxy = proxy_for(url.scheme, url.host)
            if proxy is None and self.direct is not None and (own := own_headers(headers)) is not None:
                return await self.direct.post(self.session, url, own, parts, timer, self.room)
            return await self._through_session(url, headers, parts, timer, proxy)
        except asyncio.CancelledError:
            if not timer.ran_out():
                raise
            raise _late(url, self.total_s, sent=timer.uploaded) from TimeoutError()
        except TimeoutError as error:
            raise _late(url, self.total_s, sent=timer.uploaded) from error
        except aiohttp.ClientPayloadError as error:
            raise CallError(ErrorKind.GARBLED, f"the reply of {url.host} was cut short", maybe_billed=True) from error
        except aiohttp.ClientHttpProxyError as error:
            # 5xx: the proxy could not reach the host just now
            kind = ErrorKind.CONNECTION if error.status >= 500 or error.status in _PROXY_IS_BUSY else ErrorKind.ROUTE
            message = f"the proxy on the way to {url.host} answered {error.status} ({_plain(error.message)})"
            raise CallError(kind, message) from error
        except aiohttp.ClientResponseError as error:
            message = f"the reply of {url.host} is no HTTP that can be read: {_plain(error.message)}"
            raise CallError(ErrorKind.GARBLED, message, maybe_billed=True) from error
        except aiohttp.InvalidURL as error:
            raise CallError(ErrorKind.NOT_FOUND, f"{url} is no usable URL") from error
        except aiohttp.ClientConnectorCertificateError as error:
            why = getattr(error.certificate_error, "verify_message", "") or _plain(error.certificate_error)
            raise CallError(ErrorKind.ROUTE, f"the certificate of {url.host} is not trusted ({why})") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # ValueError: aiohttp's parser on bytes that are no HTTP
            message = f"no connection to {url.host}: {_plain(error)}"
            raise CallError(ErrorKind.CONNECTION, message, maybe_billed=timer.uploaded) from error
        finally:
            self.sweep.stop(timer)

    async def _through_session(
        self, url: URL, headers: Mapping[str, str], parts: Sequence[bytes], timer: Timer, proxy: str | None
    ) -> Reply:
        payload = PartsPayload(parts, timer)
        async with self.session.post(url, data=payload, headers=headers, proxy=proxy, allow_redirects=False) as response:
            return Reply(response.status, response.headers, await self.room.whole(response.content), time.time())

    def tidy(self) -> None:
        """To be called now and then: closes connections that were idle for too long."""
        if self.direct is not None:
            self.direct.tidy()

    def refresh(self) -> None:
        """Forgets what may lead nowhere when the network has changed: idle connections, names that were looked up."""
        if self.direct is not None:
            self.direct.close()
        if isinstance(self.session.connector, aiohttp.TCPConnector):
            self.session.connector.clear_dns_cache()

    async def close(self) -> None:
        """Closes the connections."""
        if self.direct is not None:
            self.direct.close()
        await self.session.close()


def _late(url: URL, total_s: float, *, sent: bool) -> CallError:
    if not sent:
        return CallError(ErrorKind.CONNECTION, f"no connection to {url.host} in time")
    return CallError(ErrorKind.TIMEOUT, f"no whole reply from {url.host} within {total_s:.0f} s", maybe_billed=True)


def _plain(error: BaseException | str) -> str:
    """What a library says, on one line without what no terminal should get."""
    text = printable(str(error) or type(error).__name__)
    return text if len(text) <= 200 else text[:200] + "..."
