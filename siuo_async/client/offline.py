"""Whether this machine is cut off, which is no provider's fault.

While it is, no try is used and no breaker counts: calls wait here, one for each host goes out as a probe, soon and then every 15
seconds, and the first reply lets all go on. The rules:

- A host never reached in this process is not offline but misconfigured: its errors count as usual.
- All hosts in use must be in trouble. A host that only says nothing yet leaves a doubt: whoever failed waits, holding up nobody else,
  until another one replies or fails too. A reply tells that the network is there now, not that it was there then: so it is asked
  once more for nothing, and only what fails after that is its own fault.
- A single host is enough where nobody but the network can have failed: no name, no route, a connection that died of silence, somebody
  else's certificate. Not so for refused connections, since a machine that is cut off has nobody to refuse it.
- A host that takes no connection while it answers on others has its hands full: it is asked again, and nobody else waits.
- A server of this machine, or of its own network, says nothing of the networks beyond.
- A try that was on the wire while the process stood still, or when the network was away, is made again whatever it ended with.
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from math import inf

import aiohttp
from yarl import URL

from siuo_async.client.halt import Halt
from siuo_async.errors import CallError, ErrorKind, StoppedEarly
from siuo_async.network import is_here, is_near
from siuo_async.providers.dialects.base import Reply

OFFLINE_WAIT_S = 7_200.0
FIRST_PROBE_S, PROBE_S = 1.0, 15.0
"""The first probe comes soon, since most outages are short; each one after it twice as late, up to this."""
JUMP_S = 30.0
"""Wall clock and monotonic clock part by this much only when the machine slept (or was set right, which excuses a few tries)."""
HELD_S = 5.0
"""A beat this late means that the process stood still."""
_SURE_S = 1.0
"""What comes sooner after the network changed may be left over from before."""
_TOLD_AFTER_S = 3.0
"""An outage shorter than this is not worth a sentence."""


class Trouble(StrEnum):
    """What a try without its provider's reply tells about the network."""

    UNREACHABLE = "cannot be reached"  # no name resolution, no route, no proxy, or silence
    LATE = "takes no connections"  # none in time
    FOREIGN = "is hidden behind somebody else's server; is there a page to log in to the network?"  # its certificate, or a 511
    PAGE = "answers with a web page; is there one to log in to the network?"
    REFUSED = "refuses connections"
    CUT = "cuts connections"
    OTHER = "does not answer"  # timed out, cut short: may be anybody's fault


_CUT_OFF = frozenset(Trouble) - {Trouble.OTHER}
_STRANGE = frozenset({Trouble.UNREACHABLE, Trouble.LATE, Trouble.FOREIGN, Trouble.PAGE})
"""What is the network's more often than a provider's, and so leaves a doubt."""
_SILENT = frozenset(
    getattr(errno, name)
    for name in ("ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "EHOSTDOWN", "ENETRESET", "EADDRNOTAVAIL")
    if hasattr(errno, name)
)
"""What the kernel says of a connection whose other end is not to be found any more."""


def trouble_of(error: CallError, reply: Reply | None) -> Trouble | None:
    """What a failed try tells about the network; None: the host was reached.

    Args:
        error: as raised by the transport (its cause is the library's error) or the dialect.
        reply: what the dialect could not use, or None where the transport raised.
    """
    if reply is not None:
        return _page(reply)
    cause = error.__cause__
    if error.kind is not ErrorKind.CONNECTION or cause is None:
        return Trouble.OTHER
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return Trouble.FOREIGN
    if isinstance(cause, aiohttp.ServerTimeoutError):
        return Trouble.LATE
    if isinstance(cause, TimeoutError | aiohttp.ClientConnectorDNSError | aiohttp.ClientProxyConnectionError):
        return Trouble.UNREACHABLE
    if isinstance(cause, aiohttp.ClientConnectorError) and not isinstance(cause, aiohttp.ClientSSLError):
        # Several addresses of one host, failing in different ways, come as one error without a number.
        number, wanted = cause.os_error.errno, errno.ECONNREFUSED
        if number == wanted or (number is None and f"[Errno {wanted}]" in str(cause.os_error)):
            return Trouble.REFUSED
        return Trouble.UNREACHABLE
    if isinstance(cause, OSError) and cause.errno in _SILENT:
        return Trouble.UNREACHABLE
    cut = isinstance(cause, aiohttp.ClientSSLError | aiohttp.ServerDisconnectedError | ConnectionError | aiohttp.ClientOSError)
    return Trouble.CUT if cut else Trouble.OTHER


def _page(reply: Reply) -> Trouble | None:
    """HTML in place of an answer; a provider's own page of errors has a status that says so."""
    if reply.status == 511:
        return Trouble.FOREIGN
    start, kind = reply.body[:64].lstrip(), reply.headers.get("content-type") or ""
    # Some gateways call their JSON HTML; what is wrong with it is theirs.
    html = start.startswith(b"<") or (kind.startswith("text/html") and not start.startswith((b"{", b"[")))
    return Trouble.PAGE if reply.status < 400 and (html or reply.status >= 300) else None


class Reach(IntEnum):
    """How much of the network a host needs."""

    HERE = 0
    """This machine."""
    NEAR = 1
    """A private address: this machine's own network."""
    FAR = 2


def _reach(host: str) -> Reach:
    return Reach.HERE if is_here(host) else Reach.NEAR if is_near(host) else Reach.FAR


@dataclass(slots=True)
class Host:
    """One host and port: how many calls want it now, whether it ever replied, and the trouble of the last try."""

    name: str
    machine: str
    """The name without the port."""
    reach: Reach
    secured: bool
    """Whether it proves with a certificate who it is, so that a page is its own."""
    calls: int = 0
    reached: bool = False
    trouble: Trouble | None = None
    replied_at: float = -inf
    benefit_at: float = -inf
    """When it was given the benefit of a doubt, for the first time since it replied."""

    @property
    def tells_alone(self) -> bool:
        """Whether its trouble can only be the network's, even where no other host is asked."""
        if self.trouble is Trouble.PAGE:
            return not self.secured
        return self.trouble in (Trouble.UNREACHABLE, Trouble.LATE, Trouble.FOREIGN)


@dataclass(slots=True, eq=False)
class _Waiter:
    """A call that waits: for the network (its turn is True for a probe), or for what another host says (True: excused)."""

    host: Host
    halt: Halt
    turn: asyncio.Future[bool]
    since: float

    def told(self, what: bool) -> bool:
        """Wakes it, unless somebody did; whether this was the first."""
        if waits := not self.turn.done():
            self.turn.set_result(what)
        return waits


class Network:
    """What all endpoints of a process know together about being offline.

    Args:
        wait_s: how long being offline is waited out; then `give_up` is told.
        probe_s: from one probe to the next, at most.
        give_up: told when it took too long.
        refresh: drops what may lead nowhere now: idle connections, names that were looked up.
        clock, wall: seconds that do not, and that do, pass in sleep.
    """

    def __init__(
        self,
        *,
        wait_s: float = OFFLINE_WAIT_S,
        probe_s: float = PROBE_S,
        give_up: Callable[[StoppedEarly], None] = lambda _reason: None,
        refresh: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.tell: Callable[[str], None] = lambda _sentence: None
        """Told in a sentence of what lasts longer than a moment."""
        self._wait_s, self._probe_s = wait_s, probe_s
        self._give_up, self._refresh = give_up, refresh
        self._clock, self._wall = clock, wall
        self._hosts: dict[str, Host] = {}
        self._since: float | None = None
        self._gone = Reach.FAR
        """The nearest that cannot be reached, while offline."""
        self._told = False
        self._apart_s = wall() - clock()
        self._beat_at = inf
        self._away_at = -inf
        """When the network was last known to be away, or the process to stand still."""
        self._waiting: deque[_Waiter] = deque()
        self._doubting: list[_Waiter] = []
        self._timer: asyncio.TimerHandle | None = None
        self._next_s = FIRST_PROBE_S

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
        url = URL(base_url)
        name = url.authority.rpartition("@")[2]
        machine = url.host or name
        return self._hosts.setdefault(name, Host(name, machine, _reach(machine), url.scheme == "https"))

    def holds(self, host: Host) -> bool:
        """Whether calls to this host wait."""
        return self._since is not None and host.reach >= self._gone

    async def wait(self, host: Host, halt: Halt) -> bool:
        """Returns when calls may be sent: False, or True for a call that is to find out whether the network is back.

        Raises:
            StoppedEarly: `halt` was set before.
        """
        if not self.holds(host):
            return False
        halt.check()
        waiter = self._waiter(host, halt)
        self._waiting.append(waiter)
        return await waiter.turn

    def reached(self, host: Host) -> None:
        """Notes that a host replied."""
        host.trouble, host.reached = None, True
        host.replied_at = now = self._clock()
        if self._since is not None and host.reach >= self._gone:
            self._back()
        for waiter in self._doubting:
            if waiter.host is host:
                waiter.told(True)
            elif waiter.host.machine != host.machine and host.reach >= waiter.host.reach and now - waiter.since >= _SURE_S:
                if waiter.host.benefit_at < waiter.host.replied_at:
                    waiter.host.benefit_at = now
                waiter.told(waiter.since <= waiter.host.benefit_at)

    async def excuses(self, host: Host, trouble: Trouble | None, began_at: float, halt: Halt, *, own_page: bool = False) -> bool:
        """Notes how a try failed; whether it is held against nobody.

        Args:
            began_at: when the try began, on this object's clock.
            own_page: whether the host gave this call a page before and answered others since.

        Raises:
            StoppedEarly: `halt` was set while it was in doubt.
        """
        self.beat()
        if trouble is None:
            self.reached(host)
            return False
        host.trouble = trouble
        # A connection that was cut meanwhile may be used once more before anybody looks.
        if began_at <= self._away_at + (_SURE_S if trouble is Trouble.CUT else 0.0) or self.holds(host):
            return True
        if not host.reached or trouble not in _CUT_OFF or host.reach is Reach.HERE:
            return False
        if trouble is Trouble.LATE and host.replied_at > began_at:  # others meanwhile: it is there, and has its hands full
            return True
        cut_off = self._cut_off(host, own_page=own_page and trouble is Trouble.PAGE)
        if cut_off is None:
            return await self._doubt(host, halt)
        if cut_off:
            self._away(host)
        return cut_off

    def beat(self) -> None:
        """To be called once a second, so that it is noticed when the process, or the whole machine, stood still."""
        now = self._clock()
        before_s, self._apart_s = self._apart_s, self._wall() - now
        late_s, self._beat_at = now - self._beat_at, now
        if late_s > HELD_S or self._apart_s - before_s > JUMP_S:
            self._away_at = now
            self._refresh()

    def release_halted(self) -> None:
        """Sends those away whose endpoint was halted."""
        for waiter in (*self._waiting, *self._doubting):
            if waiter.halt.reason is not None and not waiter.turn.done():
                waiter.turn.set_exception(waiter.halt.reason.with_traceback(None))
        self._waiting = deque(waiter for waiter in self._waiting if not waiter.turn.done())

    def close(self) -> None:
        """Sends no more probes."""
        if self._timer is not None:
            self._timer.cancel()

    def _waiter(self, host: Host, halt: Halt) -> _Waiter:
        return _Waiter(host, halt, asyncio.get_running_loop().create_future(), self._clock())

    def _cut_off(self, host: Host, *, own_page: bool) -> bool | None:
        """Whether all hosts in use are in trouble, as far as they need as much of the network as `host`; None: nobody knows yet."""
        used = [other for other in self._hosts.values() if other.calls and other.reached and other.reach >= host.reach]
        several = len({other.machine for other in used}) > 1
        if not several:
            return not own_page and any(other.tells_alone for other in used)
        if all(other.trouble in _CUT_OFF for other in used):
            return True
        return None if host.trouble in _STRANGE else False

    async def _doubt(self, host: Host, halt: Halt) -> bool:
        halt.check()
        waiter = self._waiter(host, halt)
        self._doubting.append(waiter)
        try:
            async with asyncio.timeout(self._probe_s):
                return await waiter.turn
        except TimeoutError:  # still nobody knows: it is simply tried again
            return True
        finally:
            self._doubting.remove(waiter)

    def _away(self, host: Host) -> None:
        if self._since is None:
            self._since, self._gone = self._clock(), host.reach
            self._next_s, self._told = min(FIRST_PROBE_S, self._probe_s), False
            self._refresh()
            self._arm()
        self._gone = min(self._gone, host.reach)
        for waiter in self._doubting:
            if self.holds(waiter.host):
                waiter.told(True)

    def _back(self) -> None:
        if self._told:
            self.tell(f"the network is back after {_duration(self.offline_s)}")
        self._since, self._away_at = None, self._clock()
        self.close()
        while self._waiting:
            self._waiting.popleft().told(False)

    def _arm(self) -> None:
        self.close()
        after_s = max(0.0, min(self._next_s, self._wait_s - self.offline_s))
        self._next_s = min(2 * self._next_s, self._probe_s)
        self._timer = asyncio.get_running_loop().call_later(after_s, self._probe)

    def _probe(self) -> None:
        last = ", ".join(
            f"{host.name.removesuffix(':443')} {host.trouble}" for host in self._hosts.values() if host.calls and host.trouble
        )
        if self.offline_s >= self._wait_s:
            why = f"offline for {_duration(self.offline_s)} ({last}); run the same command again when the network is back"
            self._give_up(StoppedEarly(why))
            return
        if not self._told and self.offline_s >= _TOLD_AFTER_S:
            self._told = True
            self.tell(f"offline ({last}): calls wait, nothing is lost; trying again every {self._probe_s:.0f} s")
        self._refresh()
        self._let_one_go_for_each_host()
        self._arm()

    def _let_one_go_for_each_host(self) -> None:
        tried: set[str] = set()
        for waiter in list(self._waiting):
            if waiter.turn.done():
                self._waiting.remove(waiter)
            elif waiter.host.name not in tried:
                tried.add(waiter.host.name)
                self._waiting.remove(waiter)
                waiter.told(True)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
