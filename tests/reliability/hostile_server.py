"""A server that puts hostile texts wherever a reply has room for text."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, bytes, Mapping[str, bytes]]
"""Status, body, headers."""
Answering = Callable[[str, str], Reply]
"""From the model's name and the texts of its prompt."""


def completion(text: str, *, model: str = "m-1", finish: str = "stop", **more: Any) -> bytes:
    """An OpenAI completion; half characters stand as JSON escapes."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish, **more}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return json.dumps({"id": "c-1", "object": "chat.completion", "model": model, "choices": [choice], "usage": usage}).encode()


def number_in(prompt: str) -> int:
    """The number that a row carries as `<<7>>`."""
    found = re.search(r"<<(\d+)>>", prompt)
    return int(found[1]) if found else 0


@contextmanager
def serving(answering: Answering) -> Iterator[str]:
    """The base URL of a server that answers so."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, body, headers = answering(asked["model"], "\n".join(_texts(asked["messages"])))
            head = [b"HTTP/1.1 %d X" % status, b"content-type: application/json", b"content-length: %d" % len(body)]
            head += [name.encode() + b": " + value for name, value in headers.items()]
            self.wfile.write(b"\r\n".join([*head, b"", b""]) + body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _texts(messages: list[dict[str, Any]]) -> Iterator[str]:
    for message in messages:
        content = message["content"]
        yield from [content] if isinstance(content, str) else (part["text"] for part in content if part["type"] == "text")
