"""How a connection's socket is set up, so that a dead peer is noticed.

A peer that is gone without a word (a network that was lost, a NAT that forgot) is otherwise noticed after the full timeout of a
call, and by the kernel alone after 15 minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

SILENT_S = 90
"""A connection over which nothing comes back for so long, not even the kernel's own sign of life, is dead."""
FIRST_SIGN_S, NEXT_SIGN_S = 30, 15
"""An idle connection's peer is asked for a sign of life after so long, and again."""
TAKEN_UNREAD = 1 << 15
"""A body up to this size is taken by the server's machine even while the server reads nothing."""
_UNTAKEN = "TCP_USER_TIMEOUT"
"""For how long what was sent may wait to be taken: by a network that is gone, or by a server that is there and reads nothing yet."""

_OPTIONS = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", FIRST_SIGN_S),
    (socket.IPPROTO_TCP, "TCP_KEEPALIVE", FIRST_SIGN_S),  # macOS's name for it
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", NEXT_SIGN_S),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", (SILENT_S - FIRST_SIGN_S) // NEXT_SIGN_S),
    (socket.IPPROTO_TCP, _UNTAKEN, SILENT_S * 1000),
)


def open_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket for an address as `getaddrinfo` gives it; what a system does not know of, or refuses, is left out.

    Raises:
        OSError: there is no such kind of socket here.
    """
    opened = socket.socket(*address[:3])
    for level, name, value in _OPTIONS:
        if (number := getattr(socket, name, None)) is not None:
            with contextlib.suppress(OSError):  # named, but not there: sandboxes and layers that only look like the system
                opened.setsockopt(level, number, value)
    return opened


def may_be_taken_late(connection: asyncio.BaseTransport | None, *, late: bool = True) -> None:
    """Lets what is sent wait as long as the call itself does, or no longer than `SILENT_S` again.

    A server with more calls than it works on leaves large bodies unread for minutes. The kernel counts that as silence, whatever signs
    of life come back.
    """
    opened = connection.get_extra_info("socket") if connection is not None else None
    if opened is not None and (number := getattr(socket, _UNTAKEN, None)) is not None:
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.IPPROTO_TCP, number, 0 if late else SILENT_S * 1000)
