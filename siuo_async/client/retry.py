"""One retry policy, in one place: which error is tried again, how often, after how long.

The first try runs outside tenacity (its bookkeeping costs about 20 microseconds a call); only a call that failed enters here.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from siuo_async.errors import RETRYABLE, CallError, ErrorKind

T = TypeVar("T")

TRIES = 6
"""For transient errors, the first try included."""
GARBLED_TRIES = 3
"""A reply that nobody can read may have been billed, so it gets two more tries only."""
LONGEST_WAIT_S = 60.0


def _error(state: RetryCallState) -> CallError:
    assert state.outcome is not None
    error = state.outcome.exception()
    assert isinstance(error, CallError)
    return error


def tries_of(kind: ErrorKind) -> int:
    """How many tries an error of this kind is given."""
    return GARBLED_TRIES if kind is ErrorKind.GARBLED else TRIES


def let_go(error: BaseException | None) -> None:
    """Takes from an error the frames it came through.

    They hold request, pictures and reply for as long as a backoff lasts, and the error itself too: a cycle that is only freed by a
    collection, which may be long in coming.
    """
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def wait_s(state: RetryCallState) -> float:
    """Half of 2, 4, 8, ... at most 60 seconds for certain, the other half by chance, never less than the server's hint.

    So six tries span 31 seconds at least. Were all of it chance, then of 256 calls at once ten would have given up after six seconds,
    and a server that is unwell for no longer than that would open the breaker.
    """
    bound: float = min(LONGEST_WAIT_S, 2.0**state.attempt_number)
    jitter = random.uniform(bound / 2, bound)  # noqa: S311 - spreads clients out, guards nothing
    return max(_error(state).retry_after_s or 0.0, jitter)


async def retrying(
    first: CallError, again: Callable[[], Awaitable[T]], *, sleep: Callable[[float], Awaitable[None]], most_hint_s: float
) -> T:
    """Tries again after the failed first try.

    Args:
        first: what the first try raised; raised again when it is of a kind that is never retried.
        again: one more try.
        sleep: waits, and may end the wait by raising.
        most_hint_s: a longer hint of the server is not waited for.

    Raises:
        CallError: of the last try.
    """
    pending: CallError | None = first

    async def attempt() -> T:
        nonlocal pending
        if pending is not None:
            error, pending = pending, None
            raise error
        return await again()

    def worth_it(error: BaseException) -> bool:
        let_go(error)
        return isinstance(error, CallError) and error.kind in RETRYABLE and (error.retry_after_s or 0) <= most_hint_s

    policy = AsyncRetrying(
        retry=retry_if_exception(worth_it),
        stop=lambda state: state.attempt_number >= tries_of(_error(state).kind),
        wait=wait_s,
        sleep=sleep,
        reraise=True,
    )
    try:
        return await policy(attempt)
    finally:
        policy.iter_state.reset()  # its steps are closures over the policy, a cycle too
