"""An endpoint: one model of one account, from a request as asked to an answer or a failure.

    pace, slot, cooldown (limit group) -> pictures -> transport -> dialect.read -> completion, with retries around it

The slot is never held while waiting. What stops an endpoint (its breaker, its account, the user) raises `StoppedEarly` and leaves
no trace of the call, so that it is simply made in the next session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf

from yarl import URL

from siuo_async.client.breaker import Breaker
from siuo_async.client.controller import NOTHING_YET, Mark
from siuo_async.client.halt import Halt
from siuo_async.client.limits import LimitGroup, Priority, Tokens
from siuo_async.client.offline import Host, Network, Trouble, trouble_of
from siuo_async.client.pictures import PictureCache
from siuo_async.client.purse import Purse
from siuo_async.client.redact import redact_completion, redact_error
from siuo_async.client.retry import let_go, retrying
from siuo_async.client.token_guess import TokenGuess
from siuo_async.client.transport import Transport
from siuo_async.errors import ACCOUNT_WIDE, RETRYABLE, CallError, DataError, ErrorKind, StoppedEarly
from siuo_async.keys import Secrets
from siuo_async.providers.dialects.base import Dialect, Profile, Reply, Request, WireRequest
from siuo_async.providers.hints import limits_told
from siuo_async.values import Completion, Json, Parameters, Picture, Prompt, Usage, quick_value

NO_SUCCESS_S = 900.0
"""A limit group that only ever says "rate limited" for this long opens the breaker."""


@dataclass(slots=True)
class Account:
    """One key at one base URL: what stops it stops all its endpoints."""

    provider: str
    """The provider identity, as in call ids."""
    key: str | None = field(repr=False)
    secrets: Secrets
    """The key, and whatever else must not get out."""
    transport: Transport
    sends_call_id: bool = False
    """Only to simulated providers: they answer the same call the same way."""
    endpoints: list[Endpoint] = field(default_factory=list)

    def stop(self, reason: StoppedEarly) -> None:
        """No endpoint of this account sends anything more."""
        for endpoint in self.endpoints:
            endpoint.stop(reason)


@dataclass(slots=True)
class EndpointStats:
    """Counters for the screen and `run_stats.json`; of this invocation only."""

    sent: int = 0
    """Tries put on the wire."""
    on_wire: int = 0
    results: int = 0
    failed: int = 0
    retried: int = 0
    rate_limited: int = 0
    maybe_billed: int = 0
    waited_s: float = 0.0
    latency_s: float = 0.0
    error: str = ""
    """What the last try said that failed and may be made again, without keys."""
    error_at: float = -inf
    """When it failed, on the monotonic clock."""


@dataclass(slots=True)
class Tries:
    """One call on its way: who it is, and what it took so far."""

    call_id: str
    priority: Priority
    halt: Halt
    order: int
    """Among calls of one priority, the lowest goes first."""
    purse: Purse | None = None
    attempts: int = 0
    """Tries that count: being told to wait, or to leave a parameter out, and being offline do not."""
    maybe_billed: int = 0
    waited_s: float = 0.0
    latency_s: float = 0.0
    started_at: float = 0.0
    """Epoch seconds of the first try."""
    begun: float = 0.0
    """When the last try was let in, on the monotonic clock."""
    left_out: frozenset[str] = frozenset()
    """What the last try left out since an earlier 400 ruled it out."""
    mark: Mark = NOTHING_YET
    """Where the limit group's counters stood when the last try was let in."""
    stays_away_s: float = 0.0
    """What the server told this call to wait, and no other."""
    tokens: Tokens | None = None
    """What the last try was let in with and is to be settled; None where nobody counts tokens."""
    trouble: Trouble | None = None
    """What the last try tells about the network."""
    first_page: float = inf
    """When a web page came in place of an answer for the first time, on the monotonic clock."""


@quick_value
class CallResult:
    """A finished call: a completion, or the error that is left after all tries."""

    completion: Completion | None
    error: CallError | None
    tries: Tries


@dataclass(slots=True)
class Endpoint:
    """One (account, model). Everything that calls the same model of the same account shares it."""

    account: Account
    model: str
    dialect: Dialect
    base_url: str
    profile: Profile
    group: LimitGroup
    pictures: PictureCache
    max_wait_s: float
    network: Network
    host: Host
    stats: EndpointStats = field(default_factory=EndpointStats)
    halt: Halt = field(default_factory=Halt)
    breaker: Breaker = field(default_factory=Breaker)
    guess: TokenGuess = field(default_factory=TokenGuess)
    ruled_out: frozenset[str] = frozenset()
    on_stop: Callable[[Endpoint, StoppedEarly], None] = lambda _endpoint, _reason: None
    _urls: dict[str, URL] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`provider/model`."""
        return f"{self.account.provider}/{self.model}"

    @property
    def max_n(self) -> int:
        """The most answers one call is asked for."""
        return 1 if "n" in self.ruled_out else self.profile.max_n

    def stop(self, reason: StoppedEarly) -> None:
        """Sends nothing more; calls on the wire may finish."""
        if self.halt.set(reason):
            self.send_away()
            self.on_stop(self, reason)

    def send_away(self) -> None:
        """Calls whose halt was set wait no longer."""
        self.group.release_halted()
        self.network.release_halted()

    async def call(
        self,
        prompt: Prompt,
        parameters: Parameters,
        n: int,
        *,
        call_id: str,
        priority: Priority,
        order: int = 0,
        halt: Halt | None = None,
        purse: Purse | None = None,
    ) -> CallResult:
        """Makes one call, retries included.

        Args:
            order: among calls that wait, the lowest goes first.
            halt: the caller's own, below this endpoint's.
            purse: what pays for it; None where nobody counts money.

        Raises:
            StoppedEarly: the endpoint was stopped before the call had a result.
            DataError: a picture is gone or changed.
        """
        request = Request(self.model, prompt, parameters, n, self.profile)
        tries = Tries(call_id, priority, halt or self.halt, order, purse)

        self.host.calls += 1
        try:
            try:
                completion = await self._until_let_in(request, tries)
            except CallError as error:
                let_go(error)
                if error.kind in RETRYABLE:  # any other failure stands, stopped or not
                    tries.halt.check()
                completion = await self._retried(error, request, tries)
        except CallError as error:
            let_go(error)
            return self._failed(error, tries, call_id)
        finally:
            self.host.calls -= 1
        self.breaker.success()
        self.stats.results += 1
        self.stats.latency_s += tries.latency_s
        return CallResult(completion, None, tries)

    async def _retried(self, error: CallError, request: Request, tries: Tries) -> Completion:
        """More tries, after the first one failed with `error`."""

        async def again() -> Completion:
            self.stats.retried += tries.attempts > 0
            return await self._until_let_in(request, tries)

        return await retrying(error, again, sleep=tries.halt.sleep, most_hint_s=self.max_wait_s)

    def _failed(self, error: CallError, tries: Tries, call_id: str) -> CallResult:
        """Counts a call that failed for good; stops what must be stopped."""
        said = f"{self.name}: {error.message}"
        if error.kind in ACCOUNT_WIDE:
            self.account.stop(StoppedEarly(f"{said} ({error.kind}); {_WAY_OUT[error.kind]}"))
            self.halt.check()
        if error.retry_after_s is not None and error.retry_after_s > self.max_wait_s:
            self.stop(StoppedEarly(f"{said}; the server asks to wait {error.retry_after_s:.0f} s; run the same command again then"))
            self.halt.check()
        self.stats.failed += 1
        # What a provider rejects may be the sample's fault, and one sample makes several calls.
        whose = f"sample {tries.order}" if error.kind in (ErrorKind.BAD_REQUEST, ErrorKind.NOT_FOUND) else call_id
        if self.breaker.failure(error.kind, whose):
            self.stop(
                StoppedEarly(
                    f"{self.name} was stopped after 10 calls failed in a row ({error.kind}: {error.message}); {_way_out(error)}"
                )
            )
        return CallResult(None, error, tries)

    async def _until_let_in(self, request: Request, tries: Tries) -> Completion:
        """One try in the sense of the retry policy: being told to wait or to leave a parameter out, or offline, uses none up."""
        while True:
            try:
                return await self._try(request, tries)
            except CallError as error:
                if not await self._excused(error, tries):
                    raise
                tries.attempts -= 1
                if tries.stays_away_s:
                    await self._stay_away(tries)

    async def _stay_away(self, tries: Tries) -> None:
        """Waits as long as the server told this call, while others may go on."""
        stays_s, tries.stays_away_s = tries.stays_away_s, 0.0
        tries.waited_s += stays_s
        self.stats.waited_s += stays_s
        await tries.halt.sleep(stays_s)

    async def _excused(self, error: CallError, tries: Tries) -> bool:
        """Whether the try is simply made again: nothing was wrong with the call."""
        own = self.host.replied_at > tries.first_page
        if tries.trouble is Trouble.PAGE:
            tries.first_page = min(tries.first_page, time.monotonic())
        if await self.network.excuses(self.host, tries.trouble, tries.begun, tries.halt, own_page=own):
            return True
        if error.kind is ErrorKind.UNSUPPORTED_PARAMETER and error.param is not None and error.param not in tries.left_out:
            self.ruled_out |= {error.param}
            return True
        return error.kind is ErrorKind.RATE_LIMITED and (error.retry_after_s or 0) <= self.max_wait_s

    def _rate_limited(self, error: CallError, tries: Tries) -> None:
        self.stats.rate_limited += 1
        if (error.retry_after_s or 0) > self.max_wait_s:
            return
        if self.group.controller.limited_s > NO_SUCCESS_S:
            self.stop(StoppedEarly(f"{self.name}: nothing but rate limits for 15 minutes; lower --rpm or --concurrency and run again"))
            self.halt.check()
        tries.stays_away_s = self.group.rejected(tries.begun, tries.mark, error.retry_after_s, error.limit)

    async def _try(self, request: Request, tries: Tries) -> Completion:
        """One HTTP request, after waiting for its turn."""
        asked_at = time.monotonic()
        tries.tokens = None
        try:
            await self._enter(request, tries)
        except BaseException:
            if tries.purse is not None:  # it may have been granted while this call was sent away
                tries.purse.ended(maybe_billed=False)
            raise
        tries.begun = time.monotonic()
        tries.mark = self.group.mark()
        tries.waited_s += tries.begun - asked_at
        self.stats.waited_s += tries.begun - asked_at
        reply = None
        try:
            # Built only now: what was ruled out while this call waited is left out at once.
            tries.left_out = self.ruled_out
            n = min(request.n, self.max_n)
            if self.ruled_out or n != request.n:
                request = replace(request, ruled_out=self.ruled_out, n=n)
            wire = self.dialect.build(request, self.account.key)
            reply = await self._post(wire, tries)
            self.group.tell(limits_told(reply.headers, reply.received_at), tries.begun, tries.mark)
            completion = self.dialect.read(reply, n)
            if not completion.answers:
                raise CallError(ErrorKind.GARBLED, "the reply holds no answer", status=reply.status, maybe_billed=True)
        except CallError as error:
            redact_error(error, self.account.secrets)
            if error.kind is ErrorKind.ROUTE and self.host.reached:  # it was good before: a login page, or one bad server
                error.kind = ErrorKind.CONNECTION
            tries.trouble = trouble_of(error, reply)
            tries.maybe_billed += error.maybe_billed
            self.stats.maybe_billed += error.maybe_billed
            self._note_tokens(request, tries, Usage(0, 0))
            if tries.purse is not None:
                tries.purse.ended(maybe_billed=error.maybe_billed)
            if error.kind is ErrorKind.RATE_LIMITED:  # before the slot is free: nobody must slip in ahead of the cooldown
                self._rate_limited(error, tries)
            elif error.kind in RETRYABLE:
                self.group.controller.failed()
                self.stats.error, self.stats.error_at = f"{error.kind}: {error.message}", time.monotonic()
            reply = None
            let_go(error)
            raise
        except (StoppedEarly, DataError):  # before it was sent
            self._note_tokens(request, tries, Usage(0, 0))
            if tries.purse is not None:
                tries.purse.ended(maybe_billed=False)
            raise
        finally:
            self.group.leave()
        self._note_tokens(request, tries, completion.usage)
        if tries.purse is not None:
            tries.purse.paid(completion)
        self.group.succeeded(tries.begun, tries.mark.in_flight)
        self.network.reached(self.host)
        return redact_completion(_with_sent(completion, wire.sent), self.account.secrets)

    def _note_tokens(self, request: Request, tries: Tries, usage: Usage) -> None:
        """Settles what the call was let in with; where the provider does not say what it used, the guess stands."""
        if tries.tokens is None:
            return
        used = (tries.tokens[0] if usage.input is None else usage.input, tries.tokens[1] if usage.output is None else usage.output)
        self.group.controller.settled(tries.tokens, used)
        tries.tokens = None
        if usage.input:
            self.guess.learn(request.turns, request.n, usage)

    async def _enter(self, request: Request, tries: Tries) -> None:
        """Waits for the network, for the limit group's door and for money; holds a slot when it returns."""
        guess = partial(self.guess.of, request.turns, request.parameters, request.n)
        while True:
            probe = self.network.offline and await self.network.wait(self.host, tries.halt)
            tries.tokens = await self.group.enter(tries.priority, tries.halt, tries.order, guess)
            offline = not probe and self.network.holds(self.host)  # since it queued
            if not offline and (tries.purse is None or tries.purse.take()):
                return
            self._note_tokens(request, tries, Usage(0, 0))
            self.group.leave()
            if not offline and tries.purse is not None:
                await tries.purse.wait()

    async def _post(self, wire: WireRequest, tries: Tries) -> Reply:
        headers = wire.headers
        if self.account.sends_call_id:
            headers = {**headers, "x-siuo-call-id": tries.call_id}
        url = self._urls.get(wire.path) or self._url(wire.path)
        if len(wire.body) == 1 and isinstance(text := wire.body[0], bytes):
            tries.halt.check()
            return await self._send(url, headers, (text,), tries)
        pinned: list[Picture] = []
        parts: list[bytes] = []
        try:
            for part in wire.body:
                if isinstance(part, Picture):
                    parts.append(await self.pictures.pin(part))
                    pinned.append(part)
                else:
                    parts.append(part)
            tries.halt.check()
            return await self._send(url, headers, parts, tries)
        finally:
            for picture in pinned:
                self.pictures.unpin(picture)

    def _url(self, path: str) -> URL:
        """The URL of a path below the base URL, parsed once: an endpoint has one or two."""
        return self._urls.setdefault(path, URL(self.base_url + path, encoded=True))

    async def _send(self, url: URL, headers: Mapping[str, str], parts: Sequence[bytes], tries: Tries) -> Reply:
        tries.attempts += 1
        tries.started_at = tries.started_at or time.time()
        self.stats.sent += 1
        self.stats.on_wire += 1
        begun = time.monotonic()
        try:
            reply = await self.account.transport.post(url, headers, parts)
        finally:
            self.stats.on_wire -= 1
        tries.latency_s = time.monotonic() - begun
        return reply


def _with_sent(completion: Completion, sent: Mapping[str, Json]) -> Completion:
    """`replace(completion, sent=sent)`, without looking up the fields for every call."""
    return Completion(
        completion.answers,
        completion.usage,
        sent,
        completion.served_model,
        completion.request_id,
        completion.provider_cost_usd,
        completion.repaired,
    )


_WAY_OUT = {
    ErrorKind.AUTH: "check the key and what it may use, then run the same command again",
    ErrorKind.QUOTA: "raise the account's limit or wait for it to reset, then run the same command again",
    ErrorKind.ROUTE: "for an authority of your own set SSL_CERT_FILE, for a proxy HTTPS_PROXY with its password, and run again",
    ErrorKind.ACCOUNT: "settle it with the provider, then run the same command again",
}


def _way_out(error: CallError) -> str:
    if error.kind is ErrorKind.NOT_FOUND:
        return "check the model's name and the base URL, then run again"
    if error.kind in (ErrorKind.BAD_REQUEST, ErrorKind.UNSUPPORTED_PARAMETER):
        return "change what is asked for, or add --retry-failed to ask the same again"
    return "run the same command again when it is back"
