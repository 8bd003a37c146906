"""Whether this machine is cut off, which is no provider's fault.

While it is, no try is used and no breaker counts: calls wait here, one of them goes out as a probe every 15 seconds, and the first
reply of any host lets all go on. A host never reached in this process is not offline but misconfigured: its errors count as usual.
So do refused connections of a single host, since a machine that is cut off has nobody to refuse it.
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from yarl import URL

from siuo_async.client.halt import Halt
from siuo_async.errors import CallError, ErrorKind, StoppedEarly
from siuo_async.providers.dialects.base import Reply

OFFLINE_WAIT_S = 7_200.0
PROBE_S = 15.0
JUMP_S = 30.0
"""Wall clock and monotonic clock part by this much only when the machine slept (or was set right, which costs one probe)."""


class Trouble(StrEnum):
    """What a try without its provider's reply tells about the network."""

    UNREACHABLE = "unreachable"  # no name resolution, no route, no connection in time, no proxy
    REFUSED = "refused"
    FOREIGN = "foreign"  # HTML or a certificate of somebody in between
    OTHER = "other"  # reset, cut, timed out: may be anybody's fault


_CUT_OFF = frozenset({Trouble.UNREACHABLE, Trouble.REFUSED, Trouble.FOREIGN})


def trouble_of(error: CallError, reply: Reply | None) -> Trouble | None:
    """What a failed try tells about the network; None: the host was reached.

    Args:
        error: as raised by the transport (its cause is the library's error) or the dialect.
        reply: what the dialect could not use, or None where the transport raised.
    """
    if reply is not None:
        return Trouble.FOREIGN if _foreign(reply) else None
    cause = error.__cause__
    if error.kind is not ErrorKind.CONNECTION or cause is None:
        return Trouble.OTHER
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return Trouble.FOREIGN
    if isinstance(cause, TimeoutError | aiohttp.ClientConnectorDNSError | aiohttp.ClientProxyConnectionError):
        return Trouble.UNREACHABLE
    if isinstance(cause, aiohttp.ClientConnectorError) and not isinstance(cause, aiohttp.ClientSSLError):
        # Several addresses of one host, failing in different ways, come as one error without a number.
        number, wanted = cause.os_error.errno, errno.ECONNREFUSED
        if number == wanted or (number is None and f"[Errno {wanted}]" in str(cause.os_error)):
            return Trouble.REFUSED
        return Trouble.UNREACHABLE
    return Trouble.OTHER


def _foreign(reply: Reply) -> bool:
    html = (reply.headers.get("content-type") or "").startswith("text/html") or reply.body[:64].lstrip().startswith(b"<")
    return html and (reply.status < 400 or reply.status == 511)


@dataclass(slots=True)
class Host:
    """One host and port: how many calls want it now, whether it ever replied, and the trouble of the last try."""

    name: str
    calls: int = 0
    reached: bool = False
    trouble: Trouble | None = None


class Network:
    """What all endpoints of a process know together about being offline.

    Args:
        wait_s: how long being offline is waited out; then `give_up` is told.
        probe_s: from one probe to the next.
        clock, wall: seconds that do not, and that do, pass in sleep.
    """

    def __init__(
        self,
        *,
        wait_s: float = OFFLINE_WAIT_S,
        probe_s: float = PROBE_S,
        give_up: Callable[[StoppedEarly], None] = lambda _reason: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._wait_s, self._probe_s = wait_s, probe_s
        self._give_up = give_up
        self._clock, self._wall = clock, wall
        self._hosts: dict[str, Host] = {}
        self._since: float | None = None
        self._apart_s = wall() - clock()
        self._woke_at: float | None = None
        self._waiting: deque[tuple[asyncio.Future[bool], Halt]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def offline(self) -> bool:
        """Whether calls are held back."""
        return self._since is not None

    @property
    def offline_s(self) -> float:
        """For how long; 0 while the network is there."""
        return 0.0 if self._since is None else self._clock() - self._since

    def host(self, base_url: str) -> Host:
        """The host of a base URL, one for all endpoints."""
        name = URL(base_url).authority.rpartition("@")[2]
        return self._hosts.setdefault(name, Host(name))

    async def wait(self, halt: Halt) -> bool:
        """Returns when calls may be sent: False, or True for a call that is to find out whether the network is back.

        Raises:
            StoppedEarly: `halt` was set before.
        """
        if not self.offline:
            return False
        halt.check()
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, halt))
        return await turn

    def note(self, host: Host, trouble: Trouble | None, began_at: float) -> bool:
        """Notes how a try ended that began at `began_at` (this object's clock); whether it is held against nobody."""
        self._look_at_clocks()
        host.trouble = trouble
        if trouble is None:
            host.reached = True
            if self.offline:
                self._since = None
                self.close()
                while self._waiting:
                    self._let_go(False)
            return False
        slept = self._woke_at is not None and began_at <= self._woke_at
        if self._since is None and (slept or self._cut_off()):
            self._since = self._clock()
            self._arm(0.0 if slept else self._probe_s)
        return self.offline

    def release_halted(self) -> None:
        """Sends those away whose endpoint was halted."""
        for turn, halt in self._waiting:
            if halt.reason is not None and not turn.done():
                turn.set_exception(halt.reason.with_traceback(None))
        self._waiting = deque(waiter for waiter in self._waiting if not waiter[0].done())

    def close(self) -> None:
        """Sends no more probes."""
        if self._timer is not None:
            self._timer.cancel()

    def _look_at_clocks(self) -> None:
        now = self._clock()
        before_s, self._apart_s = self._apart_s, self._wall() - now
        if self._apart_s - before_s > JUMP_S:
            self._woke_at = now

    def _cut_off(self) -> bool:
        used = [host for host in self._hosts.values() if host.calls and host.reached]
        several = len({host.name.rpartition(":")[0] or host.name for host in used}) > 1
        return all(h.trouble in _CUT_OFF for h in used) and (several or any(h.trouble is Trouble.UNREACHABLE for h in used))

    def _arm(self, after_s: float) -> None:
        self.close()
        self._timer = asyncio.get_running_loop().call_later(after_s, self._probe)

    def _probe(self) -> None:
        if self.offline_s >= self._wait_s:
            last = ", ".join(f"{host.name} {host.trouble}" for host in self._hosts.values() if host.calls and host.trouble)
            why = f"offline for {self.offline_s / 60:.0f} minutes ({last}); run the same command again when the network is back"
            self._give_up(StoppedEarly(why))
        else:
            while self._waiting and not self._let_go(True):
                pass
            self._arm(min(self._probe_s, self._wait_s - self.offline_s))

    def _let_go(self, as_probe: bool) -> bool:
        turn, _ = self._waiting.popleft()
        if waits := not turn.done():
            turn.set_result(as_probe)
        return waits
