"""One session of a run: workers live samples through the one door until all are finished or something says stop.

No task per sample, no gather over the data set, and no exception of one sample ends another's work.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from siuo_async.client.accounts import IMPORTED, SIMULATED
from siuo_async.client.bottleneck import GroupView
from siuo_async.client.endpoint import Endpoint
from siuo_async.client.halt import Halt
from siuo_async.client.registry import Registry
from siuo_async.engine.asking import Asker, Observer, Target
from siuo_async.engine.bench import Bench
from siuo_async.engine.budget import Budget
from siuo_async.engine.door import Door, SendingDoor
from siuo_async.engine.guards import Guards
from siuo_async.engine.held_money import HeldMoney
from siuo_async.engine.journal import Journal
from siuo_async.engine.limits_log import LimitsLog
from siuo_async.engine.limits_watch import LimitsWatch, groups_of
from siuo_async.engine.paying import Earlier, Payments, budget_file
from siuo_async.engine.plan import Participant, Plan
from siuo_async.engine.pool import Pool
from siuo_async.engine.private_files import private
from siuo_async.engine.records import CallRecord
from siuo_async.engine.replay import readers
from siuo_async.engine.run_directory import RunDirectory, write_json
from siuo_async.engine.scoreboard import ModelBoard
from siuo_async.engine.searching import Searches
from siuo_async.engine.spending import PICO, Spent
from siuo_async.engine.summary import exit_code, summarise
from siuo_async.errors import NO_MEMORY, SiuoError, StoppedEarly, UsageError, is_starved
from siuo_async.search.base import Searcher
from siuo_async.values import Answer, Json, Sample

WATCH_S = 0.25
SLOW_S = 120.0
SLOW_CHECK_S = 30.0


@dataclass(slots=True)
class SessionState:
    """What a screen looks at while the session goes on."""

    plan: Plan
    directory: RunDirectory
    boards: list[ModelBoard]
    judge: Endpoint | None = None
    endpoints: list[Endpoint] = field(default_factory=list)
    offline_s: Callable[[], float] = lambda: 0.0
    """For how many seconds the network has been gone."""
    limits: tuple[GroupView, ...] = ()
    """What the limit groups that had work are held back by, as looked at four times a second."""
    begun: float = field(default_factory=time.monotonic)
    reused: int = 0
    sent: int = 0
    notices: list[str] = field(default_factory=list)
    budget: Budget | None = None
    """What the whole command may spend; None where that is not limited."""
    grace_ends: float | None = None
    """When calls on the wire are cut, on the monotonic clock; None while nothing stops."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a session came to."""

    summary: dict[str, Json]
    """As in `summary.json`."""
    calls: dict[str, dict[str, int]]
    """By label: calls of this invocation."""
    code: int
    sent: int
    reused: int
    stops: tuple[str, ...]
    """Why something was stopped, one sentence each."""
    spent: Spent
    halted: bool
    """Whether everything was stopped, so that nothing else can be asked over the same connections."""
    bug: BaseException | None = None
    """What kept a sample from finishing, the first of them; all stand in `errors.log`."""


class Session:
    """A run, from its plan to its summary.

    Args:
        plan: what is asked.
        directory: where it is kept.
        registry: where calls go.
        generate: False when only verdicts are paid for.
        searcher: searches, where the benchmark does.
        money: the budget, and what this run's earlier sessions cost; None where money is not limited.
    """

    def __init__(
        self,
        plan: Plan,
        directory: RunDirectory,
        registry: Registry,
        *,
        generate: bool = True,
        searcher: Searcher | None = None,
        money: tuple[Budget, Earlier] | None = None,
    ) -> None:
        self._plan = plan
        self._directory = directory
        self._registry = registry
        self._generate = generate
        self._samples = plan.samples()
        self._fatal: BaseException | None = None
        self._stops: list[str] = []
        self._before = directory.read_stats()
        self._pools: list[Pool] = []
        self._guards = Guards(accept_served=plan.config.accept_served)
        self._bench = Bench(plan, self._samples, self._endpoint)
        self._search = plan.search
        self._searches: Searches | None = None
        if self._search and searcher:
            self._searches = Searches(searcher, self._halt, network=registry.network, url=plan.config.search_url)
            self._search = replace(self._search, find=self._searches.find)
        self.state = SessionState(plan, directory, [self._board(participant) for participant in plan.models])
        self.state.judge = self._bench.judge.endpoint if self._bench.judge else None
        self.state.endpoints = registry.endpoints
        self.state.offline_s = lambda: registry.network.offline_s
        registry.network.tell = self.state.notices.append
        groups = groups_of(registry.endpoints)
        self._limits = LimitsWatch(groups, offline=lambda: registry.network.offline)
        self._limits_log = LimitsLog(directory.limits, groups)
        self._money = money
        self._payments = Payments(money[0], plan.prices or {}) if money else None
        self.state.budget = money[0] if money else None

    def _endpoint(self, participant: Participant) -> Endpoint | None:
        """Where a participant's calls go; None where what it said was imported, and nobody is there to be asked."""
        if participant.provider == IMPORTED:
            return None
        config = participant.config
        return self._registry.endpoint(config.provider, config.name, config.profile)

    def _board(self, participant: Participant) -> ModelBoard:
        target: Target = participant.target(self._plan.generation())
        if self._generate and (endpoint := self._endpoint(participant)) is not None:
            target = replace(target, endpoint=endpoint, halt=Halt(above=endpoint.halt))
        return ModelBoard(target, self._plan.benchmark, self._samples, self._plan.prices or {})

    async def run(self) -> Outcomes:
        """Runs to the end, or to whatever stops it; what is finished is on disk in either case.

        Raises:
            UsageError: the directory is locked or damaged, or a picture changed.
        """
        config = self._plan.config
        self._directory.make()
        journal = Journal(self._directory.calls, sync=config.fsync, on_fatal=self._halt)
        self._open_budget()
        reuse = readers(config.reuse)
        door = SendingDoor(journal, reuse=reuse, retry_failed=config.retry_failed, judge_only=not self._generate)
        self._watch_stops()
        async with self._signals():  # until the last file is written
            try:
                self._directory.begin(self._plan.all_samples, self._plan.manifest())
                if self._before.get("finished_at"):  # not so while more is asked, however that ends
                    write_json(self._directory.stats, {**self._before, "finished_at": None})
                async with self._background(journal, door):
                    await self._work(door)
            finally:
                for reader in reuse:
                    reader.close()
                with contextlib.suppress(StoppedEarly):  # told through on_fatal
                    journal.close()
                if self.state.budget is not None:
                    self.state.budget.end()
                if self._payments is not None:
                    self._payments.close()
            return self._finish(door)

    def _open_budget(self) -> None:
        if self._money is not None:
            budget, before = self._money
            benchmark = self._plan.benchmark
            calls = benchmark.answers * (1 + benchmark.calls_per_answer * len(self._bench.targets))
            held = HeldMoney(budget_file(self._directory), before.kept_pico, before.tries)
            budget.begin(self.state.boards, calls, self._halt, held)

    def _halt(self, reason: StoppedEarly) -> None:
        """Nothing more is sent."""
        self._tell(reason)
        self._registry.stop(reason)
        if self.state.budget is not None:
            self.state.budget.serve()

    def _tell(self, reason: StoppedEarly) -> None:
        """Notes why something was stopped; once."""
        if str(reason) not in self._stops:
            self._stops.append(str(reason))
            self.state.notices.append(str(reason))

    def _watch_stops(self) -> None:
        def stopped(endpoint: Endpoint, reason: StoppedEarly) -> None:
            self._tell(reason)
            if endpoint in self._bench.deciding():  # answers that nobody can judge would only be paid for
                self._registry.stop(reason)
            if self._searches is not None and self._all_stopped():
                self._searches.halt.set(reason)
                self._registry.network.release_halted()

        for endpoint in self._registry.endpoints:
            endpoint.on_stop = stopped

    async def _work(self, door: Door) -> None:
        """A pool of workers per model, all taking samples from one iterator."""
        self._pools = [self._pool(board, door) for board in self.state.boards]
        for pool in self._pools:
            pool.grow()
        for pool in self._pools:
            await pool.finished()

    def _pool(self, board: ModelBoard, door: Door) -> Pool:
        judges = (judge.endpoint for judge in self._bench.targets)
        endpoints = [endpoint for endpoint in (board.target.endpoint, *judges) if endpoint is not None]
        return Pool(
            board,
            partial(self._live, board, door, self._observer(board), self._answer_observer(board.target)),
            lambda: max((endpoint.group.slots for endpoint in endpoints), default=1),
        )

    async def _live(self, board: ModelBoard, door: Door, observe: Observer, on_answer: Callable[[Answer], None], position: int) -> None:
        """The life of one sample."""
        asker: Asker | None = None
        sample: Sample | None = None
        try:
            sample = self._samples[position]
            bench = self._bench
            asker = Asker(
                door,
                board.target,
                bench.judge,
                sample.id,
                observe,
                on_answer,
                position,
                self._search,
                bench.others,
                bench.of(position),
                self._payments,
            )
            result = await self._plan.benchmark.evaluate(sample, asker)
        except StoppedEarly:
            board.stop(position)
        except UsageError as error:
            board.stop(position)
            self._fatal = self._fatal or error
            self._halt(StoppedEarly(str(error)))
        except Exception as error:  # a bug must not end other samples' work
            board.stop(position)
            if is_starved(error):
                self._halt(StoppedEarly(NO_MEMORY))
            else:
                self._note_bug(sample, error)
        else:
            board.finish(position, sample.category, result)
        if self.state.budget is not None:
            self.state.budget.progress()
        if asker is None or not asker.sent:
            await asyncio.sleep(0)  # a sample answered from the journal never waits, and the screen wants its turn

    def _observer(self, board: ModelBoard) -> Observer:
        def observe(target: Target, stage: str, record: CallRecord, fresh: bool) -> None:
            board.observe(target, stage, record, fresh)
            if target.endpoint is not None and (reason := self._guards.served(target, stage, record, fresh=fresh)):
                target.endpoint.stop(reason)

        return observe

    def _answer_observer(self, target: Target) -> Callable[[Answer], None]:
        def observe(answer: Answer) -> None:
            if target.endpoint is None or target.halt is None:
                return
            if (reason := self._guards.answered(target, answer)) and target.halt.set(reason):
                self._tell(reason)
                target.endpoint.send_away()

        return observe

    def _note_bug(self, sample: Sample | None, error: Exception) -> None:
        self._fatal = self._fatal or error
        with contextlib.suppress(OSError), open(self._directory.path / "errors.log", "a", encoding="utf-8", opener=private) as log:
            stamp = datetime.now(UTC).isoformat(timespec="seconds")
            trace = "".join(traceback.format_exception(error, limit=-12))
            log.write(f"{stamp} sample {sample.id if sample else '?'}\n{self._registry.secrets.out_of(trace)}\n")

    @contextlib.asynccontextmanager
    async def _background(self, journal: Journal, door: SendingDoor) -> AsyncIterator[None]:
        self._look_at_limits()
        tasks = [asyncio.create_task(journal.keep_synced()), asyncio.create_task(self._watch(door))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._look_at_limits(last=True)
            self._limits_log.close()

    async def _watch(self, door: SendingDoor) -> None:
        """Keeps the screen's counters and enough workers; says once in a while which calls are slow."""
        said = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_S)
            self.state.sent, self.state.reused = door.sent, door.reused
            self._look_at_limits()
            if self.state.budget is not None:
                self.state.budget.tick()
            for pool in self._pools:
                pool.grow()
            if time.monotonic() - said > SLOW_CHECK_S:
                said = time.monotonic()
                slow = [age for age in self._registry.sweep.ages() if age > SLOW_S]
                if slow:
                    self.state.notices.append(
                        f"{len(slow)} calls have been on the wire for over {SLOW_S:.0f} s (longest {max(slow):.0f} s)"
                    )

    def _look_at_limits(self, *, last: bool = False) -> None:
        self.state.limits = self._limits.look()
        if (sentence := self._limits_log.write(last=last)) is not None:
            self.state.notices.append(sentence)

    @contextlib.asynccontextmanager
    async def _signals(self) -> AsyncIterator[None]:
        """First signal: no new call, calls on the wire get their grace. Second: cut."""
        loop = asyncio.get_running_loop()
        numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # not in the main thread: the caller's business
            for number in numbers:
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                    loop.add_signal_handler(number, self.interrupt, signal.Signals(number).name)
        try:
            yield
        finally:
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                for number in numbers:
                    loop.remove_signal_handler(number)

    def interrupt(self, name: str = "SIGINT") -> None:
        """Stops the session as Ctrl-C does; a second time cuts calls on the wire."""
        if self.state.grace_ends is not None:
            self._cut()
            return
        grace = self._plan.config.grace
        self.state.grace_ends = time.monotonic() + grace
        self._halt(StoppedEarly(f"stopped by {name}; run the same command again to continue"))
        asyncio.get_running_loop().call_later(grace, self._cut)

    def _cut(self) -> None:
        """Ends what is left; calls on the wire are made again in the next session."""
        for pool in self._pools:
            pool.cancel()

    def _finish(self, door: SendingDoor) -> Outcomes:
        self.state.sent, self.state.reused = door.sent, door.reused
        if isinstance(self._fatal, SiuoError):
            raise self._fatal
        summary = summarise(self._plan, self.state.boards)
        code = 1 if self._fatal else exit_code(summary["models"], scored=self._plan.scored)
        try:
            write_json(self._directory.summary, summary)
            write_json(self._directory.stats, self._stats(door))
        except StoppedEarly as error:  # the journal holds everything, so the next session writes them for nothing
            self._tell(error)
            code = code if self._fatal else error.exit_code
        calls = {board.target.label: board.calls.as_json() for board in self.state.boards}
        return Outcomes(
            summary, calls, code, door.sent, door.reused, tuple(self._stops), self._spent(), self._all_stopped(), self._fatal
        )

    def _spent(self) -> Spent:
        boards, budget = self.state.boards, self.state.budget
        unpriced = sum(board.generation.unpriced + board.judging.unpriced for board in boards)
        now = sum(board.paid_pico for board in boards) / PICO
        if budget is None:
            return Spent(now, unpriced)
        return Spent(now, unpriced, budget.limit_usd, budget.used_usd, budget.kept_pico / PICO)

    def _all_stopped(self) -> bool:
        return all(endpoint.halt.reason is not None for endpoint in self._registry.endpoints)

    def _stats(self, door: SendingDoor) -> dict[str, Json]:
        before, now = self._before, datetime.now(UTC).isoformat(timespec="seconds")
        complete = all(board.pending == 0 for board in self.state.boards)
        if self._plan.imported and not self._stops and self._fatal is None:
            complete = True  # what the files lack never comes
        session: dict[str, Json] = {
            "ended_at": now,
            "wall_s": round(time.monotonic() - self.state.begun, 3),
            "sent": door.sent,
            "reused": door.reused,
            "stops": self._stops,
            "endpoints": {endpoint.name: _endpoint_stats(endpoint) for endpoint in self._registry.endpoints},
            "limits": self._limits.totals(),
        }
        if self.state.budget is not None:
            session["budget"] = self._spent().as_json()
        finished_at = (before.get("finished_at") if door.sent == 0 else None) or now
        return {"sessions": [*before.get("sessions", []), session], "finished_at": finished_at if complete else None}


def _endpoint_stats(endpoint: Endpoint) -> dict[str, Json]:
    stats = endpoint.stats
    return {
        "tries": stats.sent,
        "results": stats.results,
        "failed": stats.failed,
        "retried": stats.retried,
        "rate_limited": stats.rate_limited,
        "cooldowns": endpoint.group.controller.cooldowns,
        "maybe_billed": stats.maybe_billed,
        "waited_s": round(stats.waited_s, 3),
        "mean_latency_s": round(stats.latency_s / stats.results, 4) if stats.results else None,
        "slots": endpoint.group.slots,
        "simulated": endpoint.account.provider == SIMULATED,
    }
