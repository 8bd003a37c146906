"""How a connection's socket is set up, so that a dead peer is noticed.

A peer that is gone without a word (a network that was lost, a NAT that forgot) is otherwise noticed after the full timeout of a
call, and by the kernel alone after 15 minutes.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any

SILENT_S = 90
"""A connection over which nothing comes back for so long, not even the kernel's own sign of life, is dead."""
FIRST_SIGN_S, NEXT_SIGN_S = 30, 15
"""An idle connection's peer is asked for a sign of life after so long, and again."""

_OPTIONS = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", FIRST_SIGN_S),
    (socket.IPPROTO_TCP, "TCP_KEEPALIVE", FIRST_SIGN_S),  # macOS's name for it
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", NEXT_SIGN_S),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", (SILENT_S - FIRST_SIGN_S) // NEXT_SIGN_S),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", SILENT_S * 1000),
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
