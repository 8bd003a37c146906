"""A Hub on loopback: what `siuo data fetch` asks of the real one, over real sockets, with the faults that real ones have.

Large files are handed over by a redirect to another origin, as the Hub does, so that a token sent along would be seen.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

_INFO = re.compile(r"/api/datasets/([^/]+/[^/]+)/revision/([^/?]+)")
_RESOLVE = re.compile(r"/datasets/([^/]+/[^/]+)/resolve/([0-9a-f]{40})/([^?]+)")
_STORED = re.compile(r"/stored/([0-9a-f]{40})/([^?]+)")


@dataclass(frozen=True)
class Seen:
    """A request that came."""

    path: str
    range: str | None
    authorization: str | None
    at_storage: bool


def blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass
class Mirror:
    """One repository, with its commits; every fault is set by the test."""

    commits: dict[str, dict[str, bytes]]
    main: str
    large: frozenset[str] = frozenset()
    """Files in large-file storage."""
    refuse: int | None = None
    """Status for every file."""
    answers: dict[str, int] = field(default_factory=dict)
    """Path in the repository, or `info` -> status instead of an answer."""
    unhashed: frozenset[str] = frozenset()
    """Files that are listed without a hash, as by an incomplete mirror."""
    cuts: dict[str, list[int]] = field(default_factory=dict)
    """Path -> after how many bytes the connection is cut, request by request."""
    lies: dict[str, bytes] = field(default_factory=dict)
    """Path -> what is sent instead of what is listed."""
    ignores_ranges: bool = False
    info_is: str | None = None
    """Text instead of the listing."""
    stalls: dict[str, int] = field(default_factory=dict)
    """Path -> after how many bytes nothing more comes until `go_on`."""
    go_on: threading.Event = field(default_factory=threading.Event)
    seen: list[Seen] = field(default_factory=list)

    def __enter__(self) -> Mirror:
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, storage)) for storage in (False, True)]
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers[0].server_port}"

    @property
    def storage(self) -> str:
        return f"http://127.0.0.1:{self._servers[1].server_port}"

    def listing(self, revision: str) -> dict[str, Any] | None:
        commit = self.main if revision == "main" else revision
        if commit not in self.commits:
            return None
        siblings = []
        for path, content in self.commits[commit].items():
            entry: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": blob_id(content)}
            if path in self.large:
                entry["blobId"] = blob_id(b"a pointer")
                entry["lfs"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "pointerSize": 9}
            siblings.append({key: value for key, value in entry.items() if path not in self.unhashed or key in ("rfilename", "size")})
        return {"id": "owner/name", "sha": commit, "siblings": siblings, "gated": "auto", "private": False}


def _handler(mirror: Mirror, storage: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(self.path)
            mirror.seen.append(Seen(path, self.headers.get("Range"), self.headers.get("Authorization"), storage))
            if found := _INFO.match(path):
                self.info(found[2])
            elif found := (_STORED if storage else _RESOLVE).match(path):
                self.file(*found.groups()[-2:])
            else:
                self.short(404)

        def short(self, status: int, text: str = "", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def info(self, revision: str) -> None:
            listing = mirror.listing(revision)
            if "info" in mirror.answers:
                self.short(mirror.answers["info"])
            elif mirror.info_is is not None:
                self.short(200, mirror.info_is)
            elif listing is None:
                self.short(404, X_Error_Code="RevisionNotFound")
            else:
                self.short(200, json.dumps(listing), Content_Type="application/json")

        def file(self, commit: str, path: str) -> None:
            if mirror.refuse:
                self.short(mirror.refuse, X_Error_Code="GatedRepo", X_Error_Message="Your token hf_secret1234567890 is not in the list")
            elif path in mirror.answers:
                self.short(mirror.answers[path], X_Error_Code="EntryNotFound" if mirror.answers[path] == 404 else "")
            elif path in mirror.large and not storage:
                self.short(302, Location=f"{mirror.storage}/stored/{commit}/{path}", X_Repo_Commit=commit)
            else:
                self.content(commit, path, mirror.lies.get(path, mirror.commits[commit][path]))

        def content(self, commit: str, path: str, content: bytes) -> None:
            start = 0
            if (asked := self.headers.get("Range")) and not mirror.ignores_ranges:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", commit)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            if self.command == "HEAD":
                return
            if mirror.cuts.get(path):
                self.wfile.write(content[start : start + mirror.cuts[path].pop(0)])
                self.close_connection = True
            elif path in mirror.stalls:
                self.wfile.write(content[start : start + mirror.stalls[path]])
                self.wfile.flush()
                mirror.go_on.wait(30)
                self.close_connection = True
            else:
                self.wfile.write(content[start:])

    return Handler
