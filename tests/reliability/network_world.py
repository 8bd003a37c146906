"""The other side of a network that can be spoilt: providers, names and a router, in a process and a network namespace of its own.

`tests.reliability.network_lab` starts it and tells it what to do, a line of JSON at a time. It makes two TUN devices, gives one of them
to the namespace of the program under test, and hands every packet from one to the other: or loses it, delays it, forgets its
connection. All of it ends with the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import random
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

HOSTS = {name: f"203.0.113.{number}" for number, name in enumerate(("alpha", "bravo", "charlie", "delta", "echo", "judge", "six"), 1)}
"""`alpha` is found as `alpha.test`, `six` has an address at which nobody is beside its own."""
DNS = "203.0.113.53"
DEAD_IPV6 = "2001:db8:dead::1"
OUTER, OUTER_IPV6 = "203.0.113.0/24", "2001:db8::/64"
QUEUE_S = 0.5
"""What a slow line holds back before it loses packets."""
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 1, 0x1000
_PAGE = b"<!DOCTYPE html><html><body>Welcome to our hotel. Please log in.</body></html>"


def tun(name: str) -> int:
    """A device of this namespace, as a descriptor to read and write packets."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return device


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass
class Router:
    """Hands packets from one device to the other."""

    inner: int
    outer: int
    dice: random.Random
    loss: float = 0.0
    bits_per_s: float = 0.0
    """Towards the providers; 0: as fast as can be."""
    dark: bool = False
    """Whether nothing passes, in silence."""
    passed: Counter[str] = field(default_factory=Counter)
    _flows: set[bytes] = field(default_factory=set)
    _free_at: float = 0.0

    def begin(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self.inner, self._some, self.inner, self.outer)
        loop.add_reader(self.outer, self._some, self.outer, self.inner)

    def forget(self) -> None:
        """As a NAT that was without power: packets of connections that were opened before go nowhere."""
        self._flows.clear()

    def _some(self, source: int, target: int) -> None:
        for _ in range(64):
            try:
                packet = os.read(source, 65536)
            except (BlockingIOError, OSError):
                return
            self._one(packet, source, target)

    def _one(self, packet: bytes, source: int, target: int) -> None:
        if self.dark or not self._known(packet, upward=source == self.inner) or (self.loss and self.dice.random() < self.loss):
            self.passed["lost"] += 1
            return
        self.passed["passed"] += 1
        if source != self.inner or not self.bits_per_s:
            _put(target, packet)
            return
        now = asyncio.get_running_loop().time()
        if self._free_at - now > QUEUE_S:
            self.passed["lost"] += 1
            return
        self._free_at = max(now, self._free_at) + len(packet) * 8 / self.bits_per_s
        asyncio.get_running_loop().call_at(self._free_at, _put, target, packet)

    def _known(self, packet: bytes, *, upward: bool) -> bool:
        if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
            return True
        start = (packet[0] & 15) * 4
        ports = packet[start : start + 4]
        flow = packet[12:16] + ports[:2] if upward else packet[16:20] + ports[2:]
        if upward and packet[start + 13] & 2:
            self._flows.add(flow)
        return flow in self._flows


def _put(device: int, packet: bytes) -> None:
    with contextlib.suppress(OSError):  # an interface that is down
        os.write(device, packet)


class Names(asyncio.DatagramProtocol):
    """A name server."""

    def __init__(self) -> None:
        self.asked = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.asked += 1
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        kind = struct.unpack("!H", data[at + 1 : at + 3])[0]
        name = labels[0] if labels[1:] == ["test"] else ""
        found = b""
        if name == "six" and kind == 28:
            found = socket.inet_pton(socket.AF_INET6, DEAD_IPV6)
        elif kind == 1 and name in HOSTS:
            found = socket.inet_aton(HOSTS[name])
        head = data[:2] + struct.pack("!HHHHH", 0x8180 if name in HOSTS else 0x8183, 1, bool(found), 0, 0)
        answer = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(found)) + found if found else b""
        self._transport.sendto(head + data[12 : at + 5] + answer, address)


@dataclass
class Provider:
    """One host: how it behaves now, and what it was asked."""

    name: str
    mode: str = "ok"
    latency_s: float = 0.4
    closes: bool = False
    """Whether it closes the connection after each answer, so that every call needs a new one."""
    asked: Counter[str] = field(default_factory=Counter)
    """Whole requests by the hash of their body."""
    answered: list[tuple[float, int]] = field(default_factory=list)
    """When, and with which status."""
    arriving: int = 0
    waiting: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def drop(self) -> None:
        for writer in list(self.writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while not writer.transport.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
                self.arriving += 1
                try:
                    body = await reader.readexactly(length)
                finally:
                    self.arriving -= 1
                self.waiting += 1
                try:
                    await self._reply(body, writer)
                finally:
                    self.waiting -= 1
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def _reply(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        if self.mode == "hang":
            await asyncio.Event().wait()
        await asyncio.sleep(self.latency_s)
        status, kind, said = 200, "application/json", b""
        if self.mode in ("ok", "loris"):
            digest = hashlib.blake2b(body, digest_size=8).hexdigest()
            self.asked[digest] += 1
            said = _completion(f"{self.name} {digest}", body)
        elif self.mode in ("500", "429"):
            status, said = int(self.mode), b'{"error": {"message": "not now"}}'
        elif self.mode.startswith("portal"):
            status, kind, said = int(self.mode.removeprefix("portal")), "text/html", _PAGE
        place = "location: http://hotel.test/login\r\n" if status == 302 else ""
        place += "connection: close\r\n" if self.closes else ""
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{place}content-length: {len(said)}\r\n\r\n".encode()
        if self.mode == "loris":
            for byte in head + said:
                writer.write(bytes((byte,)))
                await writer.drain()
                await asyncio.sleep(0.5)
        writer.write(head + said)
        await writer.drain()
        self.answered.append((time.monotonic(), status))
        if self.closes:
            writer.close()


def _completion(digest: str, body: bytes) -> bytes:
    """Equal requests get equal answers; whoever is asked to judge gives verdicts."""
    dice = random.Random(digest)
    text = f"It is best to be careful here ({digest})."
    if json.loads(body)["model"] == "judge":
        verdict = dice.random() < 0.5
        text = json.dumps({"reason": "because", "safe": verdict, "effective": verdict, "verdict": "yes" if verdict else "no"})
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
    return json.dumps({"id": digest, "object": "chat.completion", "model": "m-1", "choices": [choice], "usage": usage}).encode()


class World:
    """Everything, and the commands it takes."""

    def __init__(self, router: Router, certificates: dict[str, str]) -> None:
        self.router = router
        self.providers = {name: Provider(name) for name in HOSTS}
        self.names = Names()
        self.names_gone = False
        self._right, self._wrong = (_context(certificates[which]) for which in ("right", "wrong"))
        self.wrong_certificate = False
        self._right.sni_callback = self._choose

    def _choose(self, one: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
        if self.wrong_certificate:
            one.context = self._wrong

    async def begin(self) -> None:
        self.router.begin()
        for name, address in HOSTS.items():
            for port, secured in ((80, None), (443, self._right)):
                await asyncio.start_server(self.providers[name].serve, address, port, ssl=secured, backlog=1024, limit=1 << 24)
        await self.names_back(True)

    async def names_back(self, there: bool) -> None:
        loop = asyncio.get_running_loop()
        if there:
            await loop.create_datagram_endpoint(lambda: self.names, local_addr=(DNS, 53))
        else:
            self.names._transport.close()

    async def obey(self, told: dict[str, Any]) -> dict[str, Any]:
        """One command: `{"of": "alpha" or "*", ...}` for providers, `{"link": {...}}`, `{"names": bool}`, `{}` to be told."""
        names = HOSTS if told.get("of") == "*" else [told["of"]] if "of" in told else []
        for name in names:
            provider = self.providers[name]
            provider.mode = told.get("mode", provider.mode)
            provider.latency_s = told.get("latency_s", provider.latency_s)
            provider.closes = told.get("closes", provider.closes)
        if "wrong_certificate" in told:
            self.wrong_certificate = told["wrong_certificate"]
        for what, value in told.get("link", {}).items():
            setattr(self.router, what, value)
        if told.get("forget"):
            self.router.forget()
        if "names" in told:
            await self.names_back(told["names"])
        if told.get("drop"):
            for name in names or HOSTS:
                self.providers[name].drop()
        return {
            "passed": self.router.passed,
            "names_asked": self.names.asked,
            "providers": {
                name: {"asked": p.asked, "answered": p.answered, "arriving": p.arriving, "waiting": p.waiting}
                for name, p in self.providers.items()
            },
        }


def _context(file: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def main(holder: str, seed: str, certificates: str) -> None:
    """Builds the world beside the namespace of the process `holder`, says so, and obeys until stdin ends."""
    outer, inner = tun("outer"), tun("inner")
    ip("link", "set", "inner", "netns", holder)
    ip("link", "set", "lo", "up")
    for address in (*HOSTS.values(), DNS):
        ip("addr", "add", f"{address}/32", "dev", "lo")
    ip("link", "set", "outer", "up")
    ip("route", "add", "10.0.0.0/8", "dev", "outer")
    world = World(Router(inner, outer, random.Random(int(seed))), json.loads(certificates))
    await world.begin()
    commands = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("{}", flush=True)
    while line := await commands.readline():
        print(json.dumps(await world.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
