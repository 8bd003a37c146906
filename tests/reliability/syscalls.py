"""Puts a hand on every system call by which the real program changes a file: it may go on, fail, or be the program's last.

The kernel itself asks (seccomp's user notification), so the program is the real one and nothing in it is replaced. Linux only, no root.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import functools
import os
import platform
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cli.forker import Forker
from tests.cli.program import LIMIT_S, Done, Siuo

KILL, TEAR = "kill", "tear"
"""Acts: the program is killed before the call; it is killed when half of a write is in the file."""
Act = str | int | None
"""None: the call goes on. A number: it fails with that `errno`."""

_NUMBERS = {
    "x86_64": {
        "write": 1, "pwrite64": 18, "writev": 20, "pwritev2": 328, "flock": 73, "fsync": 74, "fdatasync": 75, "ftruncate": 77,
        "rename": 82, "mkdir": 83, "link": 86, "unlink": 87, "openat": 257, "unlinkat": 263, "renameat": 264, "renameat2": 316,
    },
    "aarch64": {
        "write": 64, "pwrite64": 68, "writev": 66, "pwritev2": 287, "flock": 32, "fsync": 82, "fdatasync": 83, "ftruncate": 46,
        "mkdirat": 34, "openat": 56, "unlinkat": 35, "renameat": 38, "renameat2": 276,
    },
}  # fmt: skip
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_PATH_AT = {"rename": 0, "mkdir": 0, "link": 1, "unlink": 0, "openat": 1, "unlinkat": 1, "renameat": 1, "renameat2": 1, "mkdirat": 1}
"""Which argument holds the path; of all others the first is a descriptor."""
_WRITES = frozenset({"write", "pwrite64"})
_PREAD, _RECEIVE, _SEND = 2, 0xC0502100, 0xC0182101
_NOTICE, _REPLY, _GO_ON = struct.Struct("QIIiIQ6Q"), struct.Struct("QqiI"), 1


@dataclass(frozen=True, slots=True)
class FileCall:
    """A system call that is about to change a file."""

    number: int
    """From 1 on, of those that change a file."""
    name: str
    path: Path
    size: int
    """Bytes of a write."""
    thread: int
    arguments: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.path.name}"

    def write_half(self) -> int:
        """Puts the first half of what would be written into the file; how much that was."""
        with open(f"/proc/{self.thread}/mem", "rb", buffering=0) as memory:
            content = os.pread(memory.fileno(), self.size // 2, self.arguments[1])
        handle = os.open(f"/proc/{self.thread}/fd/{self.arguments[0]}", os.O_WRONLY)
        try:
            at = os.fstat(handle).st_size  # all that the program writes it appends
            return os.pwrite(handle, content, at)
        finally:
            os.close(handle)


_OWN_PATH = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
Decide = Callable[[FileCall], Act]


def impossible() -> str | None:
    """Why this machine cannot put a hand on system calls, or None."""
    return _impossible()


@functools.cache
def _impossible() -> str | None:
    if sys.platform != "linux" or platform.machine() not in _NUMBERS:
        return "system calls can be held on Linux alone"
    tried = subprocess.run([sys.executable, __file__], capture_output=True, cwd="/", env=_OWN_PATH)
    return "this kernel, or the container, lets nobody hold system calls" if tried.returncode else None


def run_held(siuo: Siuo, words: Sequence[str | Path], decide: Decide, *, within: Path) -> Done:
    """Runs the program; `decide` is asked of each system call that is to change a file below `within`."""
    over = threading.Event()
    place = siuo.folder / "asked"
    with socket.socket(socket.AF_UNIX) as waiting:
        waiting.bind(str(place))
        waiting.listen()
        waiting.settimeout(LIMIT_S)
        holder = threading.Thread(target=_hold, args=(waiting, over, decide, within.resolve()))
        holder.start()
        try:
            return in_fork(siuo, words, held=str(place))
        finally:
            over.set()
            place.unlink()
            holder.join()


def in_fork(siuo: Siuo, words: Sequence[str | Path], held: str = "") -> Done:
    """Runs the program to whatever end in a fork of a process that has imported it, which takes a quarter of the time."""
    out = siuo.folder / "said"
    temporary = siuo.folder / "tmp"
    temporary.mkdir(exist_ok=True)
    env = {**siuo.variables, "TMPDIR": str(temporary)}
    code = forker().run([str(word) for word in words], siuo.folder, env, out, LIMIT_S, held)
    return Done(code, *(Path(f"{out}.{stream}").read_text(encoding="utf-8") for stream in (1, 2)))


@functools.cache
def forker() -> Forker:
    """The one for all faults, as long as this process lives."""
    found = Forker()
    atexit.register(found.close)
    return found


def be_held(place: str) -> None:
    """In the child: from now on the parent is asked."""
    with socket.socket(socket.AF_UNIX) as parent:
        parent.connect(place)
        socket.send_fds(parent, [b"."], [_install()])


def _install() -> int:
    """A filter that asks about the calls of `_NUMBERS` and lets all others pass; its descriptor."""
    machine = platform.machine()
    numbers = dict(_NUMBERS[machine])
    opening = numbers.pop("openat")
    load, equal, bits, end = 0x20, 0x15, 0x45, 0x06
    code = [(load, 0, 0, 0), (equal, 0, 3, opening), (load, 0, 0, 32), (bits, 0, len(numbers) + 1, os.O_CREAT), (end, 0, 0, 0x7FC00000)]
    code += [(equal, len(numbers) - at, 0, number) for at, number in enumerate(numbers.values())]
    code += [(end, 0, 0, 0x7FFF0000), (end, 0, 0, 0x7FC00000)]
    program = b"".join(struct.pack("HBBI", *each) for each in code)
    held = ctypes.create_string_buffer(program, len(program))
    told = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(held)), 16)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0):  # no new privileges, without which only root may
        raise OSError(ctypes.get_errno(), "no_new_privs")
    found: int = libc.syscall(_SECCOMP[machine], 1, 8, ctypes.c_void_p(ctypes.addressof(told)))
    if found < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return found


def _hold(waiting: socket.socket, over: threading.Event, decide: Decide, within: Path) -> None:
    with waiting.accept()[0] as child:
        _, (listener,), _, _ = socket.recv_fds(child, 1, 1)
    try:
        _answer(listener, over, decide, within)
    finally:
        os.close(listener)  # whoever still asks is told that there is no such call


def _answer(listener: int, over: threading.Event, decide: Decide, within: Path) -> None:
    names = {number: name for name, number in _NUMBERS[platform.machine()].items()}
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    seen = 0
    while not over.is_set():
        events = poll.poll(100)
        if not events or not events[0][1] & select.POLLIN:
            if events:
                return
            continue
        notice = bytearray(_NOTICE.size)
        try:
            fcntl.ioctl(listener, _RECEIVE, notice)
            mark, thread, _, number, _, _, *arguments = _NOTICE.unpack(notice)
            act: Act = None
            path = _path(thread, names[number], arguments)
            if path is not None and path.is_relative_to(within):
                seen += 1
                size = arguments[2] if names[number] in _WRITES else 0
                call = FileCall(seen, names[number], path, size, thread, tuple(arguments))
                act = decide(call)
                if act == TEAR and size > 1:
                    call.write_half()
                if act in (KILL, TEAR):
                    os.kill(_process(thread), signal.SIGKILL)
                    return
            reply = _REPLY.pack(mark, 0, 0, _GO_ON) if act is None else _REPLY.pack(mark, 0, -int(act), 0)
            fcntl.ioctl(listener, _SEND, reply)
        except (OSError, ValueError):  # who asked is gone
            continue


def _process(thread: int) -> int:
    told = Path(f"/proc/{thread}/status").read_text(encoding="utf-8")
    return int(told.split("\nTgid:", 1)[1].split(None, 1)[0])


def _path(thread: int, name: str, arguments: Sequence[int]) -> Path | None:
    """The file that a call is about; None where it is no file."""
    if name not in _PATH_AT:
        target = os.readlink(f"/proc/{thread}/fd/{arguments[0]}")
        return Path(target.removesuffix(" (deleted)")) if target.startswith("/") else None
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        place = arguments[_PATH_AT[name]]
        text = os.pread(memory.fileno(), 4096 - place % 4096, place)  # not beyond the page: the next may not be there
        if b"\0" not in text:
            text += os.pread(memory.fileno(), 4096, place + len(text))
    return Path(os.readlink(f"/proc/{thread}/cwd"), os.fsdecode(text.split(b"\0", 1)[0]))


if __name__ == "__main__":
    _install()
