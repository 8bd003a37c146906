"""A budget: before a try is sent the most that it may cost is held, so that no more than the budget is ever spent.

What a call really cost takes the place of what was held for it. A try without a result that the provider may charge for all the same
keeps what was held. Who cannot be paid waits, by the place of its sample, for what calls on the wire give back; when nothing on the
wire could give back enough, the run stops. Near the end of the money models advance together: a sample is begun with one model only
when the others are nearly there, so that the same samples are finished with each of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from math import inf

from siuo_async.client.halt import Halt
from siuo_async.client.limits import Priority
from siuo_async.engine.held_money import HeldMoney
from siuo_async.engine.scoreboard import ModelBoard
from siuo_async.engine.spending import PICO, cost_of
from siuo_async.engine.upper_bound import Size, UpperBound
from siuo_async.errors import JournalWriteError, StoppedEarly
from siuo_async.values import Completion

_ENOUGH_FINISHED = 3
"""Samples of a model, until what they cost tells what the next one does."""
_ENOUGH_CALLS, _MARGIN = 6, 1.5
"""Calls, until what they cost, and half of it more, tells what the next ones do; before that each is as dear as it can be."""
_Place = tuple[int, int, int]
"""(place of the sample, judges first, who came first)."""


class Budget:
    """The money of a command: all its runs, all their sessions, judging included.

    Args:
        limit_pico: 10^-12 USD that may be spent.
        spent_pico: what earlier sessions' results cost.
        kept_pico: what else earlier sessions may have to pay, at most.
    """

    def __init__(self, limit_pico: int, spent_pico: int = 0, kept_pico: int = 0) -> None:
        self.limit_pico = limit_pico
        self.spent_pico = spent_pico
        self.kept_pico = kept_pico
        """For tries that gave no result and may have been billed, at most."""
        self.held_pico = 0
        """For calls on the wire, at most."""
        self.worst_pico = 0
        """The most that one call was thought to cost."""
        self._waiting: list[tuple[_Place, CallPurse, asyncio.Future[None]]] = []
        self._arrivals = 0
        self._purses = 0
        self._on_wire = 0
        self._gate: float = inf
        self._boards: Sequence[ModelBoard] = ()
        self._calls_per_sample = 1
        self._stop: Callable[[StoppedEarly], None] = lambda _: None
        self._held_money: HeldMoney | None = None
        self._settled = [0, 0, 0]
        """Calls of this session that were paid, what they were thought to cost at most, and what they did cost."""

    def begin(
        self, boards: Sequence[ModelBoard], calls_per_sample: int, stop: Callable[[StoppedEarly], None], held_money: HeldMoney
    ) -> None:
        """A session begins.

        Args:
            boards: tell how far each model is.
            calls_per_sample: that a model takes, its judge included; for as long as nobody knows what a sample costs.
            stop: told when the money does not suffice for going on.
            held_money: is told what is held before anything is sent.
        """
        self._boards, self._calls_per_sample, self._stop, self._held_money = boards, max(1, calls_per_sample), stop, held_money
        self.progress()

    def purse(
        self, bound: UpperBound, size: Size, cap: int | None, n: int, *, priority: Priority, order: int, halt: Halt, name: str
    ) -> CallPurse:
        """The money of one call; to be closed when it is over."""
        self._purses += 1
        self._arrivals += 1
        return CallPurse(self, bound, size, cap, n, (order, int(priority), self._arrivals), halt, name)

    @property
    def committed_pico(self) -> int:
        """Spent, or to be spent at most."""
        return self.spent_pico + self.kept_pico + self.held_pico

    @property
    def used_usd(self) -> float:
        """Spent, and kept for what may have been billed."""
        return (self.spent_pico + self.kept_pico) / PICO

    @property
    def limit_usd(self) -> float:
        """What may be spent."""
        return self.limit_pico / PICO

    def may_take(self, purse: CallPurse) -> bool:
        """Whether the call may be paid now, and is: nobody with an earlier sample waits, and there is enough."""
        if self._waiting and self._waiting[0][0] < purse.place:
            return False
        if purse.place[0] >= self._gate or self.committed_pico + purse.most_pico > self.limit_pico:
            return False
        return self._holds(purse)

    async def wait_for(self, purse: CallPurse) -> None:
        """Returns when the call is paid.

        Raises:
            StoppedEarly: the money does not suffice, or the call was stopped.
        """
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (purse.place, purse, granted))
        self.serve()
        try:
            await granted
        except asyncio.CancelledError:
            granted.cancel()
            raise

    def serve(self) -> None:
        """Lets whoever may go on, by the places of their samples; stops the run where nothing could let anybody go on."""
        self._send_away_halted()
        while self._waiting:
            place, purse, granted = self._waiting[0]
            purse.look_again()
            if granted.done():
                heapq.heappop(self._waiting)
            elif place[0] >= self._gate and len(self._waiting) < self._purses:
                return  # others are on their way, and the gate opens as they get on
            elif self.committed_pico + purse.most_pico <= self.limit_pico:
                if not self._holds(purse):
                    return
                heapq.heappop(self._waiting)
                granted.set_result(None)
            elif self.held_pico:
                return  # what is on the wire gives back
            else:
                self._exhausted(purse)
                return

    def tick(self) -> None:
        """Looks after what nobody tells; a few times a second."""
        self.progress()
        if self._held_money is not None:
            with self._stopping():
                self._held_money.lower(self.held_pico, self._on_wire)

    def end(self) -> None:
        """The session is over: nothing is on the wire any more."""
        if self._held_money is not None:
            with self._stopping():
                self._held_money.close()
            self._held_money = None

    def progress(self) -> None:
        """A sample was finished, or is not to be: those behind may go on."""
        self._gate = self._open_until()
        self.serve()

    def may_cost(self, pico: int) -> None:
        """A call may cost more than any before: while nobody knows what samples cost, that says how many may be begun."""
        self.worst_pico = pico
        self._gate = self._open_until()

    def settle(self, purse: CallPurse, cost: int | None) -> None:
        """What was held for a call on the wire is given back; what it cost is spent, or kept where nobody knows that."""
        bound = self._released(purse)
        if cost is None:
            self._keep(bound, tries=0)
        else:
            self.spent_pico += cost
            self._settled = [self._settled[0] + 1, self._settled[1] + bound, self._settled[2] + cost]

    def give_back(self, purse: CallPurse, *, maybe_billed: bool) -> None:
        """A try gave no result: what was held for it goes back, or is kept."""
        bound = self._released(purse)
        if maybe_billed and bound:
            self._keep(bound, tries=1)
        self.serve()

    def _released(self, purse: CallPurse) -> int:
        bound, purse.held_pico = purse.held_pico, 0
        self.held_pico -= bound
        self._on_wire -= bound > 0
        return bound

    def _keep(self, pico: int, *, tries: int) -> None:
        """So much may have been billed for what left no result, or none with a price."""
        self.kept_pico += pico
        if self._held_money is not None:
            with self._stopping():
                self._held_money.keep(pico, tries)

    def closed(self) -> None:
        """A call is over."""
        self._purses -= 1
        if self._settled[0] == _ENOUGH_CALLS:  # many may be begun now, which could not before
            self._gate = self._open_until()
        if self._waiting:
            self.serve()

    def _holds(self, purse: CallPurse) -> bool:
        """Holds a call's money; False where that could not be written down, so that it must not be sent."""
        if self._held_money is not None:
            with self._stopping() as trouble:
                self._held_money.raise_to(self.held_pico + purse.most_pico, self._on_wire + 1)
            if trouble:
                return False
        purse.held_pico = purse.most_pico
        self.held_pico += purse.held_pico
        self._on_wire += 1
        return True

    @contextlib.contextmanager
    def _stopping(self) -> Iterator[list[StoppedEarly]]:
        """A disk that takes nothing stops the run, never the call that happens to find out: that one is paid, and to be recorded."""
        trouble: list[StoppedEarly] = []
        try:
            yield trouble
        except JournalWriteError as error:
            trouble.append(error)
            self._stop(error)

    def _send_away_halted(self) -> None:
        staying = []
        for entry in self._waiting:
            _, purse, granted = entry
            if purse.halt.reason is None:
                staying.append(entry)
            elif not granted.done():
                granted.set_exception(purse.halt.reason.with_traceback(None))
        if len(staying) < len(self._waiting):
            heapq.heapify(staying)
            self._waiting = staying

    def _open_until(self) -> float:
        """The first place whose samples may not be paid for yet.

        Of the positions that the money is expected to last for, half may be begun ahead of the model that is furthest behind: then it
        can always catch up.
        """
        active = [board for board in self._boards if board.pending > board.stopped and not _halted(board)]
        if len(active) < 2:
            return inf
        each = sum(self._sample_pico(board) for board in active)
        if each <= 0:
            return inf
        _, most, paid = self._settled
        wire = self.held_pico * paid // most if most else self.held_pico
        left = max(0, self.limit_pico - self.spent_pico - self.kept_pico - wire)
        return min(board.prefix for board in active) + max(1, int(left / each) // 2)

    def _sample_pico(self, board: ModelBoard) -> float:
        """What a sample of this model costs, judging included."""
        paid = board.judging.pico_usd + (board.generation.pico_usd if board.target.endpoint is not None else 0)
        if board.finished >= _ENOUGH_FINISHED:
            return paid / board.finished
        calls, _, cost = self._settled
        each = _MARGIN * cost / calls if calls >= _ENOUGH_CALLS else self.worst_pico
        return float(self._calls_per_sample * each)

    def _exhausted(self, purse: CallPurse) -> None:
        self._stop(StoppedEarly(self._why(purse)))
        self._send_away_halted()

    def _why(self, purse: CallPurse) -> str:
        kept = f" ({_usd(self.kept_pico, up=True)} of it for calls that may have been billed)" if self.kept_pico else ""
        far = ""
        if self._settled[0]:  # else what earlier sessions finished is not counted yet
            total = max((board.total for board in self._boards), default=0)
            done = min((board.finished for board in self._boards), default=0)
            far = f"{done} of {total} samples are finished with every model; "
        return (
            f"the budget allows no other call: {_usd(self.spent_pico + self.kept_pico)} of {_usd(self.limit_pico)} is spent{kept}, and "
            f"a call of {purse.name} may cost {_usd(purse.most_pico, up=True)}; {far}run the same command again with a larger budget "
            f"to continue, such as --budget {self.wanted_usd(purse)}"
        )

    def wanted_usd(self, purse: CallPurse) -> str:
        """A budget that is expected to suffice for what is left of this run, in two digits."""
        used = self.spent_pico + self.kept_pico
        left = sum(self._sample_pico(board) * board.pending for board in self._boards if not _halted(board))
        wanted = 1.1 * (used + left) if self._settled[0] else 2.0 * used
        return _rounded_up(max(wanted, self.limit_pico + 10.0 * purse.most_pico) / PICO)


def _halted(board: ModelBoard) -> bool:
    return board.target.halt is not None and board.target.halt.reason is not None


def _usd(pico: int, *, up: bool = False) -> str:
    """With as many places as it takes to tell it from nothing."""
    usd = pico / PICO
    places = 2 if usd >= 1 else 4
    if up:
        usd = max(usd, 10**-places)
    return f"${usd:.{places}f}"


def _rounded_up(usd: float) -> str:
    for places in range(4):
        step = 10**-places
        if usd >= 10 * step:
            return f"{-(-usd // step) * step:.{places}f}"
    return f"{max(usd, 0.0001):.4f}"


class CallPurse:
    """The money of one call, over all its tries."""

    __slots__ = ("_bound", "_budget", "_cap", "_n", "_size", "halt", "held_pico", "most_pico", "name", "place")

    def __init__(
        self, budget: Budget, bound: UpperBound, size: Size, cap: int | None, n: int, place: _Place, halt: Halt, name: str
    ) -> None:
        self._budget = budget
        self._bound = bound
        self._size = size
        self._cap = cap
        self._n = n
        self.place = place
        self.halt = halt
        self.name = name
        self.held_pico = 0
        self.most_pico = 0

    def look_again(self) -> None:
        """Works out what a try may cost, by what is known now; a call may wait for long."""
        self.most_pico = most = self._bound.pico_usd(self._size, self._cap, self._n)
        if most > self._budget.worst_pico:
            self._budget.may_cost(most)

    def take(self) -> bool:
        """Holds the most that a try may cost; False where that has to be waited for."""
        if self.held_pico:
            return True
        self.look_again()
        return self._budget.may_take(self)

    async def wait(self) -> None:
        """Waits until a try may be paid, and holds the most that it may cost.

        Raises:
            StoppedEarly: the money does not suffice, or the call was stopped.
        """
        await self._budget.wait_for(self)

    def ended(self, *, maybe_billed: bool) -> None:
        """A try gave no result."""
        self._budget.give_back(self, maybe_billed=maybe_billed)

    def paid(self, completion: Completion) -> None:
        """A try gave a result."""
        cost = cost_of(completion, self._bound.price)
        self._bound.learn(self._size, self._n, completion.usage)
        if cost is not None:
            self._bound.was(self.held_pico, cost)
        self._budget.settle(self, cost)

    def close(self) -> None:
        """The call is over. What is still held was on the wire when it was cut, and may have been billed."""
        if self.held_pico:
            self.ended(maybe_billed=True)
        self._budget.closed()
