"""Providers that no connection leads to, or only one that must not be trusted, beside one that is well."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import trustme

from tests.client.servers import closed_port
from tests.reliability.faults import Scene, Seen
from tests.reliability.wire_server import Misbehaving, right, run
from tests.reliability.wire_table import GOOD

SAMPLES = 1
UNTRUSTED = ("expired", "misnamed", "unknown")
"""Whose certificate no wait makes better, so that they are stopped at once."""


@dataclass
class _Listening:
    """Servers in the loop of another, and what requests they ever saw."""

    bad: Misbehaving
    seen: dict[str, int] = field(default_factory=dict)
    servers: list[asyncio.Server] = field(default_factory=list)

    def start(self, name: str, certificate: ssl.SSLContext | None) -> str:
        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                if certificate is None:
                    await reader.read(100)
                    writer.write(b"HTTP/1.1 400 X\r\ncontent-length: 0\r\n\r\n")
                    await writer.drain()
                    writer.close()
                    return
                while await reader.readuntil(b"\r\n\r\n"):
                    self.seen[name] = self.seen.get(name, 0) + 1
                    writer.write(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n")
                    await writer.drain()
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                pass
            finally:
                if certificate is not None:
                    writer.transport.abort()

        async def start() -> int:
            server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=certificate)
            self.servers.append(server)
            return int(server.sockets[0].getsockname()[1])

        port = asyncio.run_coroutine_threadsafe(start(), self.bad.loop).result(30)
        return f"https://127.0.0.1:{port}/v1"

    def stop(self) -> None:
        """Listens no more; connections that are left end with the loop."""

        async def stop() -> None:
            for server in self.servers:
                server.close()

        asyncio.run_coroutine_threadsafe(stop(), self.bad.loop).result(30)


def _certificate(authority: trustme.CA, *names: str, expired: bool = False) -> ssl.SSLContext:
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_cert(*names, not_before=past, not_after=past + datetime.timedelta(1) if expired else None)
    issued.configure_cert(context)
    return context


@contextmanager
def _silent() -> Iterator[str]:
    """Takes connections, and says nothing on them."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}/v1"


def nobody_there(scene: Scene) -> Seen:
    """One model that answers, and one for each way in which a connection fails."""
    seen = Seen()
    for turn in range(scene.times):
        folder = scene.folder / str(turn)
        folder.mkdir()
        authority, stranger = trustme.CA(), trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "authority.pem"))
        with Misbehaving({}, dialects=("openai",)) as bad, _silent() as silent:
            listening = _Listening(bad)
            failing = {
                "refused": f"http://127.0.0.1:{closed_port()}/v1",
                "nameless": "http://nowhere.invalid/v1",
                "plain": listening.start("plain", None),
                "stalling": silent,
                "expired": listening.start("expired", _certificate(authority, "127.0.0.1", expired=True)),
                "misnamed": listening.start("misnamed", _certificate(authority, "elsewhere.invalid")),
                "unknown": listening.start("unknown", _certificate(stranger, "127.0.0.1")),
            }
            dialects = list(GOOD)
            urls = {"openai": ("openai", bad.server.url)}
            urls |= {name: (dialects[place % 3], url) for place, (name, url) in enumerate(failing.items())}
            words = ("--timeout", "1", "--concurrency", "8")
            ran = run(folder, SAMPLES, urls, *words, SSL_CERT_FILE=str(folder / "authority.pem"))
            listening.stop()
        seen.expect(ran.code == 3, f"exit code {ran.code}: {ran.err[-600:]}")
        texts = {number: record["answers"][0].get("text") for number, record in ran.of("openai").items()}
        seen.expect(texts == {number: right(number) for number in range(SAMPLES)}, f"the model that is well answered {texts}")
        seen.expect(not listening.seen, f"requests went out to {', '.join(listening.seen)}")
        stops = (ran.summary or {}).get("stops", [])
        for name in failing:
            if name in UNTRUSTED:
                told = [stop for stop in stops if stop.startswith(f"{name}@") and "is not trusted" in stop]
                seen.expect(len(told) == 1 and not ran.of(name), f"{name}: {len(ran.of(name))} records, stops {stops}")
            else:
                _look(seen, name, ran.of(name))
        seen.times += len(failing)
    told_of = "6 tries each, none billed, or a stop at once; no request sent; the model beside them answered"
    seen.words = f"{len(failing)} kinds: {told_of}; {ran.took_s:.0f} s"
    return seen


def _look(seen: Seen, name: str, records: Mapping[int, dict[str, object]]) -> None:
    kinds = {str((record.get("error") or {}).get("kind")) for record in records.values()}  # type: ignore[attr-defined]
    seen.expect(len(records) == SAMPLES and kinds == {"connection"}, f"{name}: {len(records)} records of kinds {kinds}")
    told = {(record["attempts"], record.get("maybe_billed", 0)) for record in records.values()}
    seen.expect(told == {(6, 0)}, f"{name}: tries and of these maybe billed {told}")
