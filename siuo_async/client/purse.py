"""What a try needs to know of money: whether it may be spent, and who is told what became of it.

An endpoint asks only once it holds a slot, so that money is held for calls on the wire alone; who must wait for money gives the slot
back first.
"""

from __future__ import annotations

from typing import Protocol

from siuo_async.values import Completion


class Purse(Protocol):
    """The money of one call, over all its tries."""

    def take(self) -> bool:
        """Holds the most that a try may cost; False where that has to be waited for. Nothing happens where it is held already."""

    async def wait(self) -> None:
        """Waits until a try may be paid, and holds the most that it may cost.

        Raises:
            StoppedEarly: the money does not suffice, or the call was stopped.
        """

    def ended(self, *, maybe_billed: bool) -> None:
        """A try gave no result. Where it may have been billed all the same, the money is not given back."""

    def paid(self, completion: Completion) -> None:
        """A try gave a result, which is paid."""
