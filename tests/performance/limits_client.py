"""Real endpoints against the simulator's limits in virtual time: only sockets are left out.

An endpoint with its retries, limit group, controller and pace sends requests of its dialect; a server of the simulator's parts (limits,
error bodies, headers) answers them after a network and a model's time. What is counted are requests as they reach the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from yarl import URL

from siuo_async.client.accounts import Environment, account_spec
from siuo_async.client.controller import START_PER_S, Ceilings, Controller
from siuo_async.client.endpoint import Account, Endpoint
from siuo_async.client.limits import LimitGroup, Priority
from siuo_async.client.offline import Network
from siuo_async.client.pace import ThrottlerPace
from siuo_async.client.pictures import PictureCache
from siuo_async.config import ProviderConfig
from siuo_async.errors import StoppedEarly
from siuo_async.providers.dialects.base import Reply
from siuo_async.providers.profiles import profile_for
from siuo_async.simulator import Hints, Limits, LimitSettings, anthropic, gemini, openai
from siuo_async.simulator.decide import slowdown
from siuo_async.simulator.server import too_fast
from siuo_async.simulator.wire import Answer, Asked, Quota, Signal
from siuo_async.values import Parameters, Turn
from tests.performance.virtual_time import VirtualLoop, virtual_loop

ROUND_TRIP_S, MEDIAN_S, SIGMA = 0.04, 1.0, 0.4
MEAN_S = MEDIAN_S * math.exp(SIGMA**2 / 2)
QUESTION, CAP = "How many calls a minute? " * 32, 300
ANSWER = Answer(Signal.STOP, "As many as the limit allows. " * 11)
CALLERS = 500
DIALECTS: Mapping[str, Any] = {"openai": openai, "anthropic": anthropic, "gemini": gemini}


@dataclass(slots=True)
class Seen:
    """When requests reached the server, seconds since the first could have been sent."""

    let_in: list[float] = field(default_factory=list)
    turned_away: list[float] = field(default_factory=list)
    allowed: list[float | None] = field(default_factory=list)
    """Requests per second that the limits of rate allowed, second by second."""
    stopped: str | None = None
    """Why the endpoint was stopped, if it was."""


class Server:
    """A transport that answers by itself."""

    def __init__(self, settings: LimitSettings, hints: Hints, dialect: str, knee: int, loop: VirtualLoop, dice: random.Random) -> None:
        self.limits = Limits(settings)
        self.seen = Seen()
        self._hints, self._knee = hints, knee
        self._dialect = DIALECTS[dialect]
        self._loop, self._dice = loop, dice
        self._begun = loop.time()
        self._in_flight = 0
        self._asked = Asked("m", (QUESTION,), QUESTION, 0, cap=CAP)
        self._body = orjson.dumps(self._dialect.write(self._asked, (ANSWER,), "reply"))
        self._charged = self._asked.input_tokens + CAP
        self._used = self._asked.input_tokens + ANSWER.visible

    async def post(self, url: URL, headers: Mapping[str, str], parts: Sequence[bytes]) -> Reply:
        """Takes a request; as `Transport.post`."""
        await self._travel()
        now = self._loop.time()
        admission = self.limits.admit("m", now, self._charged, self._in_flight)
        quotas = admission.quotas if self._hints is Hints.FULL else {}
        if not admission.admitted:
            self.seen.turned_away.append(now - self._begun)
            told = self._dialect.error(too_fast("m", admission, self._hints), "r")
            reply = self._reply(told.status, orjson.dumps(told.body), quotas, told.headers)
            await self._travel()
            return reply
        self.seen.let_in.append(now - self._begun)
        self._in_flight += 1
        delay_s = MEDIAN_S * math.exp(self._dice.gauss(0.0, SIGMA)) * slowdown(self._in_flight, self._knee)
        reply = self._reply(200, self._body, quotas, {})
        await asyncio.sleep(delay_s)
        self._in_flight -= 1
        self.limits.settle("m", self._loop.time(), self._charged, self._used, now)
        await self._travel()
        return reply

    async def _travel(self) -> None:
        await asyncio.sleep(ROUND_TRIP_S / 2 * self._dice.uniform(0.8, 1.3))

    def _reply(self, status: int, body: bytes, quotas: Mapping[str, Quota], more: Mapping[str, str]) -> Reply:
        told = {**self._dialect.headers("r", quotas, self._loop.time()), **more}
        return Reply(status, {name.lower(): value for name, value in told.items()}, body, self._loop.time())

    async def watch(self) -> None:
        """Notes every second what the limits allow."""
        while True:
            self.seen.allowed.append(self.limits.allowed(self._loop.time()))
            await asyncio.sleep(1.0)


def endpoint_of(server: Any, dialect: str, loop: VirtualLoop, dice: random.Random, ceilings: Ceilings | None = None) -> Endpoint:
    """An endpoint of a provider nobody knows anything about, whose transport is `server`."""
    configured = {"lab": ProviderConfig(base_url="http://lab.example/v1", dialect=dialect, key_env="KEY")}  # type: ignore[arg-type]
    spec = account_spec("lab", configured, Environment({"KEY": "k"}))
    wire, base_url, known = spec.route("m")
    controller = Controller(ceilings, start_per_s=START_PER_S, clock=loop.time, dice=dice.random)
    pace = functools.partial(ThrottlerPace, clock=loop.time)
    network = Network(clock=loop.time, wall=loop.time)
    account = Account(spec.identity, spec.key, spec.secrets, server)
    endpoint = Endpoint(
        account=account,
        model="m",
        dialect=wire,
        base_url=base_url,
        profile=profile_for(wire.name, "m", known),
        group=LimitGroup("lab/m", controller, pace=pace, clock=loop.time),
        pictures=PictureCache(),
        max_wait_s=900.0,
        network=network,
        host=network.host(base_url),
    )
    account.endpoints.append(endpoint)
    return endpoint


def ran(
    settings: LimitSettings,
    hints: Hints,
    *,
    seed: int,
    seconds: float,
    dialect: str = "openai",
    knee: int = 0,
    ceilings: Ceilings | None = None,
) -> tuple[Seen, LimitGroup]:
    """What a server of these limits saw of a client that always has more to send."""
    dice = random.Random(seed)
    with virtual_loop() as loop:
        server = Server(settings, hints, dialect, knee, loop, dice)
        endpoint = endpoint_of(server, dialect, loop, dice, ceilings)
        loop.run_until_complete(_drive(endpoint, server, seconds))
    return server.seen, endpoint.group


async def _drive(endpoint: Endpoint, server: Server, seconds: float) -> None:
    prompt, parameters = (Turn("user", (QUESTION,)),), Parameters(max_tokens=CAP)

    async def call_on() -> None:
        number = 0
        while True:
            number += 1
            await endpoint.call(prompt, parameters, 1, call_id=f"c{number}", priority=Priority.GENERATION, order=number)

    tasks = [asyncio.ensure_future(call_on()) for _ in range(CALLERS)] + [asyncio.ensure_future(server.watch())]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if endpoint.halt.reason is not None:
        server.seen.stopped = str(endpoint.halt.reason)
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, StoppedEarly):
            await task
    endpoint.group.close()
    await asyncio.sleep(0)
