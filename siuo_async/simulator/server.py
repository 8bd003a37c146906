"""The HTTP server: from a request to the bytes of a reply, with latency, limits and mischief in between."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import os
import socket
import struct
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import orjson
from aiohttp import web

from siuo_async.simulator import anthropic, gemini, openai, search
from siuo_async.simulator.decide import decide, delay_s, mischief, outage, slowdown
from siuo_async.simulator.dice import Dice, dice_for
from siuo_async.simulator.limits import Admission, Limits
from siuo_async.simulator.personas import PERSONAS, Mischief, Persona, persona_name, persona_of
from siuo_async.simulator.settings import Settings
from siuo_async.simulator.stats import Stats
from siuo_async.simulator.trouble import Spell, Trouble
from siuo_async.simulator.wire import Answer, Asked, Dialect, Fault, Hints, Json, Problem, Quota, RejectedError, Reply

CALL_ID = "x-siuo-call-id"
MAX_BODY = 128 * 2**20
BACKLOG = 4096
NO_QUOTAS: Mapping[str, Quota] = MappingProxyType({})
SLOW_SEARCH_S = 30.0
BLANK_LINES_S = (0.1, 0.1, 0.1)
COME_BACK_S = 1.0
"""What a request is told to wait that a spell turned away."""
TOLD_S = 0.05
"""So that whoever orders the server away has its reply."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class LetIn:
    """What the limits said of a request that they let in."""

    at: float
    charged: int
    """Tokens."""
    quotas: Mapping[str, Quota]
    """The limits that are told."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that passed the checks and the limits."""

    asked: Asked
    persona: str
    dice: Dice
    attempt: int
    """Which try of its call it is, from 1."""
    let_in: LetIn


@dataclass(slots=True)
class Simulator:
    """One simulated provider, three dialects. All that changes is counters: for `/stats`, limits, tries and repeats."""

    settings: Settings
    stats: Stats = field(default_factory=Stats)
    limits: Limits = field(init=False)
    seen: Counter[str] = field(default_factory=Counter)
    """Persona and call id, or body, -> requests admitted."""
    first_at: float | None = None
    """When the limits' clock began, at the first request: so runs that begin alike meet the same edges."""
    spell: Spell | None = None
    """The last trouble that was ordered, over or not."""
    leave: Callable[[float], None] = lambda seconds: None
    """Drops every connection and listens no more for so many seconds."""

    def __post_init__(self) -> None:
        self.limits = Limits(self.settings.limits)

    def clock(self) -> float:
        """Seconds since the first request that met the limits."""
        if self.first_at is None:
            self.first_at = time.monotonic()
        return time.monotonic() - self.first_at

    def app(self) -> web.Application:
        """The application with all routes."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post("/v1/chat/completions", self._serving(openai, "openai"))
        app.router.add_post("/v1/messages", self._serving(anthropic, "anthropic"))
        for version in ("v1", "v1beta"):
            app.router.add_post(f"/{version}/models/{{model}}:generateContent", self._serving(gemini, "gemini"))
            app.router.add_get(f"/{version}/models", self._models)
        app.router.add_get("/search", self._search)
        app.router.add_get("/search/{kind}", self._search)
        app.router.add_get("/stats", self._stats)
        app.router.add_post("/reset", self._reset)
        app.router.add_post("/trouble", self._trouble)
        return app

    async def _stats(self, request: web.Request) -> web.Response:
        return _json(200, self.stats.as_json(calls=request.query.get("calls") == "1"))

    async def _search(self, request: web.Request) -> web.Response:
        kind = request.match_info.get("kind", "plain")
        self.stats.searches[kind] += 1
        if kind == "slow":
            await asyncio.sleep(float(request.query.get("wait_s", SLOW_SEARCH_S)))
        found = search.reply(kind, request.query.get("q", ""))
        return web.Response(status=found.status, body=found.body, content_type=found.content_type)

    async def _reset(self, request: web.Request) -> web.Response:
        self.stats.reset()
        self.limits.reset()
        self.first_at = None
        self.seen.clear()
        return _json(200, {})

    async def _trouble(self, request: web.Request) -> web.Response:
        try:
            self.spell = Spell.told(orjson.loads(await request.read()), time.monotonic())
        except ValueError as error:
            return _json(400, {"error": str(error)})
        if self.spell.trouble is Trouble.GONE:
            self.leave(self.spell.seconds)
        return _json(200, {})

    async def _models(self, request: web.Request) -> web.Response:
        dialect: Dialect = openai
        if "x-goog-api-key" in request.headers or "key" in request.query:
            dialect = gemini
        elif "anthropic-version" in request.headers:
            dialect = anthropic
        try:
            self._check_key(dialect, request)
        except RejectedError as error:
            reply = dialect.error(error.fault, _request_id(request.path.encode()))
            return _json(reply.status, reply.body)
        return _json(200, dialect.models(PERSONAS))

    def _serving(self, dialect: Dialect, route: str) -> Handler:
        async def serve(request: web.Request) -> web.StreamResponse:
            self.stats.arrived(route)
            try:
                return await self._serve(request, dialect)
            finally:
                self.stats.in_flight -= 1

        return serve

    async def _serve(self, request: web.Request, dialect: Dialect) -> web.StreamResponse:
        raw = b""
        try:
            self._check_key(dialect, request)
            raw = await _read_body(request)
            asked, persona, body = self._understand(request, dialect, raw)
            let_in = self._let_in(asked)
        except _TooFastError as error:
            self.stats.rate_limited += 1
            return self._refuse(request, dialect, raw, error.fault, error.quotas)
        except RejectedError as error:
            return self._refuse(request, dialect, raw, error.fault, NO_QUOTAS)
        admitted = self._admit(request, dialect, asked, persona, body, let_in)
        await self._wait(admitted)
        return await self._answer(request, dialect, admitted)

    def _check_key(self, dialect: Dialect, request: web.Request) -> None:
        key = dialect.key(request.headers, request.query)
        if not key:
            raise RejectedError(Fault(Problem.NO_KEY))
        if key not in self.settings.keys if self.settings.keys else key == "wrong":
            raise RejectedError(Fault(Problem.WRONG_KEY, param=key))

    def _understand(self, request: web.Request, dialect: Dialect, raw: bytes) -> tuple[Asked, str, dict[str, Json]]:
        """The request in neutral form, the name of its persona, and its body."""
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise RejectedError(Fault(Problem.INVALID, "The body is not valid JSON.")) from error
        if not isinstance(body, dict):
            raise RejectedError(Fault(Problem.INVALID, "The body is not a JSON object."))
        asked = dialect.read(body, request.headers, request.match_info.get("model", ""))
        persona = persona_name(asked.model)
        if persona_of(persona) is None:
            raise RejectedError(Fault(Problem.NO_MODEL, param=asked.model))
        self.stats.by_persona[persona] += 1
        return asked, persona, body

    def _let_in(self, asked: Asked) -> LetIn:
        if self.spell and self.spell.turns_away(time.monotonic()):
            fault = Fault(Problem.TOO_FAST, param=asked.model, retry_after_s=COME_BACK_S, hints=self.settings.hints)
            raise _TooFastError(fault, NO_QUOTAS)
        now, charged = self.clock(), asked.input_tokens + (asked.cap or 0) * asked.n
        admission = self.limits.admit(asked.model, now, charged, self.stats.in_flight - 1)
        quotas = admission.quotas if self.settings.hints is Hints.FULL else NO_QUOTAS
        if not admission.admitted:
            raise _TooFastError(too_fast(asked.model, admission, self.settings.hints), quotas)
        return LetIn(now, charged, quotas)

    def _admit(
        self, request: web.Request, dialect: Dialect, asked: Asked, persona: str, body: dict[str, Json], let_in: LetIn
    ) -> Admitted:
        """Count the request for its call and give it its dice."""
        call_id = request.headers.get(CALL_ID)
        if call_id is not None:
            self.stats.calls[call_id] += 1
            identity = f"id:{call_id}"
        else:
            bare = orjson.dumps(dialect.without_n(body), option=orjson.OPT_SORT_KEYS)
            identity = f"body:{hashlib.blake2b(bare, digest_size=16).hexdigest()}"
        name = f"{persona}\0{identity}"
        self.seen[name] += 1
        attempt = self.seen[name]
        if call_id is None:
            # Equal requests without an id are repetitions, and get answers of their own.
            identity = f"{identity}:{attempt}"
        return Admitted(asked, persona, dice_for(self.settings.seed, persona, identity), attempt, let_in)

    async def _wait(self, admitted: Admitted) -> None:
        persona = _known(admitted.persona)
        delay = delay_s(persona, self.settings.latency_s, self.settings.latency_sigma, admitted.dice)
        if math.isinf(delay):
            await asyncio.Event().wait()
        if delay:
            await asyncio.sleep(delay * slowdown(self.stats.in_flight, self.settings.knee))
        if self.spell and (held_s := self.spell.held_s(time.monotonic())):
            await asyncio.sleep(held_s)

    def _settle(self, admitted: Admitted, decided: tuple[Answer, ...] | Fault) -> None:
        """Charge what the reply's usage tells; what fails is free."""
        used = 0
        if not isinstance(decided, Fault):
            output = sum(answer.reasoning + answer.visible for answer in decided)
            used = admitted.asked.input_tokens + output
            self.stats.tokens["input"] += admitted.asked.input_tokens
            self.stats.tokens["output"] += output
        if not self.settings.tpm:
            return
        let_in = admitted.let_in
        self.limits.settle(admitted.asked.model, self.clock(), let_in.charged, used, let_in.at)

    async def _answer(self, request: web.Request, dialect: Dialect, admitted: Admitted) -> web.StreamResponse:
        persona, dice = _known(admitted.persona), admitted.dice
        request_id = f"req_{dice.name('request', admitted.attempt)}"
        trouble = mischief(persona, dice, admitted.attempt)
        if trouble is None and self.spell:
            trouble = self.spell.mischief(time.monotonic(), dice, admitted.attempt)
        decided = outage(dice) if trouble is Mischief.SERVER else decide(persona, admitted.asked, dice)
        self._settle(admitted, decided)
        if isinstance(decided, Fault):
            reply = dialect.error(decided, request_id)
        else:
            reply = Reply(200, dialect.write(admitted.asked, decided, dice.name("reply")))
        headers = {**dialect.headers(request_id, admitted.let_in.quotas, time.time()), **reply.headers}
        self.stats.by_status["reset" if trouble is Mischief.RESET else str(reply.status)] += 1
        if trouble not in _UNANSWERED and (call_id := request.headers.get(CALL_ID)) is not None:
            self.stats.answered[call_id] += 1
        match trouble:
            case Mischief.RESET:
                return _reset_connection(request)
            case Mischief.CUT:
                return await _cut(request, orjson.dumps(reply.body), headers)
            case Mischief.BLANKS:
                return await _after_blanks(request, orjson.dumps(reply.body), headers)
            case Mischief.HTML:
                return web.Response(text="<html><body>Bad gateway</body></html>", content_type="text/html")
            case _:
                return _json(reply.status, reply.body, headers)

    def _refuse(self, request: web.Request, dialect: Dialect, raw: bytes, fault: Fault, quotas: Mapping[str, Quota]) -> web.Response:
        request_id = _request_id(raw or request.path.encode())
        reply = dialect.error(fault, request_id)
        self.stats.by_status[str(reply.status)] += 1
        return _json(reply.status, reply.body, {**dialect.headers(request_id, quotas, time.time()), **reply.headers})


_UNANSWERED = (Mischief.SERVER, Mischief.RESET, Mischief.CUT, Mischief.HTML)
"""What leaves no whole answer."""


class _TooFastError(RejectedError):
    """Turned away by a limit, which is told in the headers."""

    def __init__(self, fault: Fault, quotas: Mapping[str, Quota]) -> None:
        super().__init__(fault)
        self.quotas = quotas


def too_fast(model: str, admission: Admission, hints: Hints) -> Fault:
    """As much of a rejection as `hints` let out."""
    if hints is Hints.NONE:
        return Fault(Problem.TOO_FAST, param=model)
    return Fault(
        Problem.TOO_FAST,
        param=model,
        retry_after_s=admission.wait_s,
        limit=admission.by,
        ceiling=admission.ceiling,
        hints=hints,
    )


async def _read_body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise RejectedError(Fault(Problem.TOO_LARGE)) from error


def _request_id(material: bytes) -> str:
    return f"req_{hashlib.blake2b(material, digest_size=8).hexdigest()}"


def _json(status: int, body: Json, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=headers)


def _reset_connection(request: web.Request) -> web.Response:
    """Close with a TCP reset, before any byte of a reply."""
    if request.transport is not None:
        _reset_transport(request.transport)
    return web.Response()


def _reset_transport(transport: asyncio.Transport) -> None:
    held = transport.get_extra_info("socket")
    # A duplicate, since not every event loop lets one set options on its own object.
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(held.fileno())) as copy:
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _cut(request: web.Request, body: bytes, headers: dict[str, str]) -> web.StreamResponse:
    """Promise the whole body, send half of it, hang up."""
    response = web.StreamResponse(headers={**headers, "Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _after_blanks(request: web.Request, body: bytes, headers: dict[str, str]) -> web.StreamResponse:
    """Blank lines keep the connection alive, then the body follows."""
    response = web.StreamResponse(headers={**headers, "Content-Type": "application/json"})
    await response.prepare(request)
    for pause_s in BLANK_LINES_S:
        await response.write(b"\n")
        await asyncio.sleep(pause_s)
    await response.write(body)
    await response.write_eof()
    return response


async def serve(settings: Settings, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serve on loopback until `stop` is set; `ready` is told the URL once connections are accepted."""
    simulator = Simulator(settings)
    runner = web.AppRunner(simulator.app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    absences: set[asyncio.Task[None]] = set()

    def leave(seconds: float) -> None:
        absence = asyncio.get_running_loop().create_task(_absent(runner, seconds))
        absences.add(absence)
        absence.add_done_callback(absences.discard)

    simulator.leave = leave
    try:
        await web.TCPSite(runner, "127.0.0.1", settings.port, backlog=BACKLOG).start()
        ready(f"http://127.0.0.1:{runner.addresses[0][1]}")
        await stop.wait()
    finally:
        for absence in absences:
            absence.cancel()
        await runner.cleanup()


def _known(name: str) -> Persona:
    """The persona of a request that was let in."""
    persona = persona_of(name)
    assert persona is not None
    return persona


async def _absent(runner: web.AppRunner, seconds: float) -> None:
    """To a client this is a server that is killed and started again; what it has counted stays."""
    port = runner.addresses[0][1]
    await asyncio.sleep(TOLD_S)
    for site in list(runner.sites):
        await site.stop()
    for connection in runner.server.connections if runner.server else ():
        if connection.transport is not None:
            _reset_transport(connection.transport)
    await asyncio.sleep(seconds)
    await web.TCPSite(runner, "127.0.0.1", port, backlog=BACKLOG).start()
