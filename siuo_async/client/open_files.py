"""How many calls at once this process can hold: each takes an open file, of which a system gives out only so many."""

from __future__ import annotations

import contextlib
import os
import resource

RESERVED = 128
"""For the journal, pictures that are read, searches, connections that wait to be used again."""
WANTED = 65_536
"""Where the system sets no limit of its own."""
_MAC_OS = 10_240
"""What macOS allows where it claims to allow any number."""


def allow_many() -> int:
    """Raises this process's limit of open files as far as it may; the limit it has then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (WANTED if hard == resource.RLIM_INFINITY else hard, _MAC_OS):
        if soft < wanted:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                return wanted
    return soft if soft != resource.RLIM_INFINITY else WANTED


def calls_at_once(limit: int, shares: int) -> int:
    """What each of so many limit groups may have in flight, at least 1.

    Args:
        limit: open files that this process may have.
        shares: limit groups that may be busy together.
    """
    return max(1, (limit - RESERVED - _open_now()) // max(1, shares))


def _open_now() -> int:
    with contextlib.suppress(OSError):
        return len(os.listdir("/dev/fd"))
    return 16
