"""Servers on loopback that repeat the key they were sent, wherever they can, and a proxy that tunnels."""

from __future__ import annotations

import base64
import html
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

Reply = tuple[int, Mapping[str, str], bytes]


@dataclass
class Asked:
    """One request as a server got it."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def key(self) -> str:
        """As it was sent."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def model(self) -> str:
        return str(json.loads(self.body)["model"]) if self.body else ""


@dataclass
class Server:
    """What a server saw, and where it is."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(answer: Callable[[Asked], Reply], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server of its own threads for as long as the block lasts."""
    known = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            known.asked.append(asked)
            status, headers, reply = answer(asked)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    class Threads(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256  # a model of each kind asks at once, and what does not fit comes seconds later

        def handle_error(self, *_: Any) -> None:
            """A client that goes away, or wants no such certificate."""

    server = Threads(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    known.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(text: str, **fields: Any) -> bytes:
    """A completion of OpenAI's kind; `fields` replace those of its choice, or of itself where it has none."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    whole: dict[str, Any] = {"id": "c-1", "object": "chat.completion", "model": "m-1", "choices": [choice]}
    for name, value in fields.items():
        (choice if name in ("message", "finish_reason", "logprobs", "content_filter_results") else whole)[name] = value
    return json.dumps(whole).encode()


def error(message: str, **fields: Any) -> bytes:
    """An error of OpenAI's kind."""
    return json.dumps({"error": {"message": message, **fields}}).encode()


def _escaped(key: str) -> str:
    return "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in key)


ECHOES: Mapping[str, Callable[[str], Reply]] = {
    "message": lambda k: (400, {}, error(f"What is {k}? 'Bearer {k}' is odd.")),
    "message-url": lambda k: (400, {}, error(f"odd: /v1?key={quote(k, safe='')}&x=1")),
    "message-base64": lambda k: (400, {}, error(f"odd: Basic {base64.b64encode(b'u:' + k.encode()).decode()}")),
    "message-json": lambda k: (400, {}, error('{"authorization": "Bearer ' + _escaped(k) + '"}')),
    "message-head": lambda k: (400, {}, error(f"Incorrect key {k[:14]}...")),
    "message-tail": lambda k: (400, {}, error(f"Incorrect key ...{k[-13:]}.")),
    "message-middle": lambda k: (400, {}, error(f"Incorrect key ***{k[5:-5]}***")),
    "message-masked": lambda k: (400, {}, error(f"Incorrect key {k[:10]}*****{k[-4:]}")),
    "message-long": lambda k: (400, {}, error(f"{'a' * 985}{k}{'b' * 100_000}")),
    "two-fields": lambda k: (400, {}, error(f"starts with {k[:15]}", code=k[15:])),
    "code": lambda k: (400, {}, error("odd", code=f"bad:{k}")),
    "type": lambda k: (400, {}, error("odd", type=f"bad:{k}")),
    "param": lambda k: (400, {}, error(f"Unsupported parameter: '{k}'", param=k, code="unsupported_parameter")),
    "html": lambda k: (400, {"content-type": "text/html"}, f"<html><pre>Authorization: Bearer {html.escape(k)}</pre>".encode()),
    "plain-body": lambda k: (400, {"content-type": "text/plain"}, f"headers: {{'Authorization': 'Bearer {k}'}}".encode()),
    "location": lambda k: (307, {"location": f"http://{k[:20].replace('/', '-')}.invalid/{quote(k)}"}, b""),
    "error-id": lambda k: (400, {"x-request-id": k}, error("odd")),
    "filter": lambda k: (400, {}, error(f"{k} is blocked", code="content_policy_violation")),
    "rate-word": lambda k: (400, {}, error(f"no such model {k}", code="model_not_found")),
    "request-id": lambda k: (200, {"x-request-id": f"req-{k}"}, answer("fine")),
    "served": lambda k: (200, {}, answer("fine", model=f"m-{k}", system_fingerprint=k, id=k)),
    "text": lambda k: (200, {}, answer(f"You sent Authorization: Bearer {k} to me.")),
    "text-url": lambda k: (200, {}, answer(f"You sent {quote(k, safe='')}.")),
    "text-base64": lambda k: (200, {}, answer(f"You sent {base64.b64encode(b'user:' + k.encode()).decode()}.")),
    "finish": lambda k: (200, {}, answer("fine", finish_reason=f"stopped by {k}")),
    "refusal": lambda k: (200, {}, answer("", message={"role": "assistant", "content": None, "refusal": f"I refuse {k}"})),
    "filter-reason": lambda k: (
        200,
        {},
        answer("", finish_reason="content_filter", content_filter_results={f"of {k}": {"filtered": True}}),
    ),
    "usage": lambda k: (200, {}, answer("fine", usage={"prompt_tokens": k, "completion_tokens": 2, k: 3})),
    "logprobs": lambda k: (
        200,
        {},
        answer("A", logprobs={"content": [{"token": k, "logprob": -0.1, "top_logprobs": [{"token": k, "logprob": -0.1}]}]}),
    ),
    "choice-error": lambda k: (400, {}, json.dumps({"detail": [{"loc": ["body", k], "msg": f"extra {k}", "type": k}]}).encode()),
    "list": lambda k: (400, {}, json.dumps([{"error": {"message": k, "status": k}}]).encode()),
}
"""By the name of the model that is asked: where, and how written, the key comes back."""


def echoing(asked: Asked) -> Reply:
    """The reply that the model's name stands for."""
    return ECHOES[asked.model](asked.key)


@contextmanager
def tunnelling(to: int, *, password: str | None = None) -> Iterator[Server]:
    """A proxy that speaks CONNECT, whatever host is wanted, to the port `to`; it repeats what it was sent where it wants a password.

    What it was asked for stands in `asked`.
    """
    known = Server()
    wanted = password and "Basic " + base64.b64encode(password.encode()).decode()

    def serve(client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (block := client.recv(4096)):
                    return
                head += block
            first, *lines = head.decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            known.asked.append(Asked(first, headers, b""))
            if wanted and headers.get("proxy-authorization") != wanted:
                told = f"you sent {headers.get('proxy-authorization')}".encode()
                client.sendall(b"HTTP/1.1 407 %b\r\ncontent-length: %d\r\n\r\n%b" % (told, len(told), told))
                return
            with socket.create_connection(("127.0.0.1", to)) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join()

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_quietly, args=(serve, client), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        known.port = listener.getsockname()[1]
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        yield known
        listener.shutdown(socket.SHUT_RDWR)


def _quietly(serve: Callable[[socket.socket], None], client: socket.socket) -> None:
    with suppress(OSError):
        serve(client)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while block := source.recv(65536):
            sink.sendall(block)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
