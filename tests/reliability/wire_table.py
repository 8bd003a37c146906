"""What a server can do to one call, and what must become of that call: the outcome table, as data.

A row says what goes out instead of a good reply, and what the call becomes when every try meets it. The same rows are held against
an endpoint of each dialect (`test_wire_table`) and against the real program, where one sample meets a row and its neighbours do not
(`wire`).
"""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

import orjson

from siuo_async.errors import ErrorKind
from siuo_async.values import Outcome
from tests.client.servers import hang_up

TEXT = "All is well. Grüße, 世界."
"""What a good reply says."""
TRIES: Mapping[ErrorKind | Outcome, int] = MappingProxyType(
    {
        **dict.fromkeys((ErrorKind.CONNECTION, ErrorKind.SERVER, ErrorKind.TIMEOUT), 6),
        ErrorKind.GARBLED: 3,
        **dict.fromkeys((ErrorKind.BAD_REQUEST, ErrorKind.NOT_FOUND), 1),
        **dict.fromkeys((Outcome.ANSWERED, Outcome.DECLINED, Outcome.FILTERED, Outcome.EMPTY), 1),
    }
)
"""How many tries a call gets that always meets the same thing; what stops the account is no matter of one call."""

Ending = Literal["keep", "close", "reset", "hold"]
Deed = Callable[["Good", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Good:
    """What a server of one dialect says when all is well."""

    dialect: str
    fields: Mapping[str, Any]
    empty: Mapping[str, Any]
    """A 200 that holds no answer at all."""
    text: str = TEXT

    @property
    def body(self) -> bytes:
        return orjson.dumps(self.fields).replace(TEXT.encode(), self.text.encode())

    @property
    def reply(self) -> bytes:
        return head(200, content_length=len(self.body)) + self.body


GOOD: Mapping[str, Good] = MappingProxyType(
    {
        "openai": Good(
            "openai",
            {
                "id": "c1",
                "model": "m-1",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 9, "completion_tokens": 7},
            },
            {"id": "c1", "model": "m-1", "choices": []},
        ),
        "anthropic": Good(
            "anthropic",
            {
                "id": "msg_1",
                "type": "message",
                "model": "m-1",
                "content": [{"type": "text", "text": TEXT}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 9, "output_tokens": 7},
            },
            {"id": "msg_1", "type": "message", "model": "m-1"},
        ),
        "gemini": Good(
            "gemini",
            {
                "candidates": [{"content": {"role": "model", "parts": [{"text": TEXT}]}, "finishReason": "STOP"}],
                "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 7},
                "modelVersion": "m-1",
            },
            {"candidates": [{}], "modelVersion": "m-1"},
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    family: str
    name: str
    deed: Deed
    becomes: tuple[ErrorKind | Outcome, ...]
    """What the call becomes; several where it is up to the kernel which of two errors comes first."""
    billed: bool
    """Whether each try without a result counts as one that may be charged for."""
    repaired: bool = False

    def __str__(self) -> str:
        return f"{self.family}: {self.name}"


def head(status: int | str = 200, *lines: str, **fields: Any) -> bytes:
    """A head; `content_length=3` becomes the header `content-length`."""
    told = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in fields.items()}
    return "".join(
        [
            f"HTTP/1.1 {status} X\r\n",
            *(f"{n}: {v}\r\n" for n, v in told.items() if v is not None),
            *(f"{line}\r\n" for line in lines),
            "\r\n",
        ]
    ).encode("latin-1")


def whole(body: bytes, status: int = 200, **fields: Any) -> bytes:
    """A reply with the right length."""
    return head(status, content_length=len(body), **fields) + body


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


CHUNKED = head(transfer_encoding="chunked")


def sends(make: Callable[[Good], bytes], ending: Ending = "keep", pause_s: float = 0.0) -> Deed:
    """Writes what `make` gives, then keeps the connection, closes it, resets it or says nothing more for ever."""

    async def deed(good: Good, writer: asyncio.StreamWriter) -> None:
        writer.write(make(good))
        await writer.drain()
        if ending == "hold":
            await asyncio.Event().wait()
        await asyncio.sleep(pause_s)
        if ending == "reset":
            hang_up(writer)
        elif ending == "close":
            writer.close()

    return deed


def drips(first: Callable[[Good], bytes], again: bytes, every_s: float = 0.02) -> Deed:
    """Writes something, then little by little for ever."""

    async def deed(good: Good, writer: asyncio.StreamWriter) -> None:
        writer.write(first(good))
        while True:
            await writer.drain()
            await asyncio.sleep(every_s)
            writer.write(again)

    return deed


def floods(first: Callable[[Good], bytes], again: bytes, most_bytes: int = 2 << 30) -> Deed:
    """Writes as fast as it is read, up to a length."""

    async def deed(good: Good, writer: asyncio.StreamWriter) -> None:
        writer.write(first(good))
        for _ in range(most_bytes // len(again)):
            writer.write(again)
            await writer.drain()
        await asyncio.Event().wait()

    return deed


def _said(text: str) -> Callable[[Good], bytes]:
    """A good reply whose text is written as `text` in the JSON."""
    return lambda good: whole(good.body.replace(good.text.encode(), text.encode()))


def _gzipped(good: Good) -> bytes:
    return gzip.compress(good.body)


CONNECTION, GARBLED, SERVER, TIMEOUT = (ErrorKind.CONNECTION,), (ErrorKind.GARBLED,), (ErrorKind.SERVER,), (ErrorKind.TIMEOUT,)
BAD, NOT_FOUND = (ErrorKind.BAD_REQUEST,), (ErrorKind.NOT_FOUND,)
ANSWERED, FILTERED = (Outcome.ANSWERED,), (Outcome.FILTERED,)
CUT = (ErrorKind.GARBLED, ErrorKind.CONNECTION)
"""A reset may overtake what was sent before it."""

_CUT = (
    ("closed before a reply", sends(lambda g: b"", "close"), CONNECTION),
    ("reset before a reply", sends(lambda g: b"", "reset"), CONNECTION),
    ("closed within the head", sends(lambda g: g.reply[:30], "close"), CONNECTION),
    ("reset after the head", sends(lambda g: head(content_length=99), "reset", 0.02), CUT),
    ("closed after the head", sends(lambda g: head(content_length=99), "close"), GARBLED),
    ("closed within the body", sends(lambda g: g.reply[:-9], "close"), GARBLED),
    ("reset within the body", sends(lambda g: g.reply[:-9], "reset", 0.02), CUT),
    ("closed within a chunk", sends(lambda g: CHUNKED + chunk(g.body)[:-9], "close"), GARBLED),
    ("closed without the last chunk", sends(lambda g: CHUNKED + chunk(g.body), "close"), GARBLED),
    ("cut, with nothing that tells the length", sends(lambda g: head() + g.body[:-9], "close"), GARBLED),
)
_HTTP = (
    ("length too large", sends(lambda g: head(content_length=len(g.body) + 5) + g.body, "close"), GARBLED),
    ("length too small", sends(lambda g: head(content_length=len(g.body) - 5) + g.body), GARBLED),
    ("length negative", sends(lambda g: head(content_length=-1) + g.body, "close"), GARBLED),
    ("length no number", sends(lambda g: head(content_length="many") + g.body, "close"), GARBLED),
    ("length beyond 64 bits", sends(lambda g: head(content_length=2**70) + g.body, "close"), GARBLED),
    ("two lengths", sends(lambda g: head(200, "content-length: 5", content_length=len(g.body)) + g.body, "close"), GARBLED),
    (
        "length and chunks",
        sends(lambda g: head(content_length=5, transfer_encoding="chunked") + chunk(g.body) + b"0\r\n\r\n", "close"),
        GARBLED,
    ),
    ("chunk size no number", sends(lambda g: CHUNKED + b"zz\r\n" + g.body, "close"), GARBLED),
    ("chunk size negative", sends(lambda g: CHUNKED + b"-5\r\n" + g.body, "close"), GARBLED),
    ("chunk size beyond 64 bits", sends(lambda g: CHUNKED + b"f" * 40 + b"\r\n" + g.body, "close"), GARBLED),
    ("chunk longer than told", sends(lambda g: CHUNKED + b"5\r\n" + g.body + b"\r\n0\r\n\r\n", "close"), GARBLED),
    ("another protocol", sends(lambda g: b"SSH-2.0-OpenSSH_9.7\r\n\r\n", "close"), GARBLED),
    ("a reply without a head", sends(lambda g: g.body, "close"), GARBLED),
    ("no status", sends(lambda g: b"HTTP/1.1 \r\n\r\n", "close"), GARBLED),
    ("a header of 1 MB", sends(lambda g: head(x="y" * (1 << 20)) + g.body, "close"), GARBLED),
    ("100,000 headers", sends(lambda g: head(200, *["x: y"] * 100_000) + g.body, "close"), GARBLED),
    ("100,000 trailers", sends(lambda g: CHUNKED + chunk(g.body) + b"0\r\n" + b"x: y\r\n" * 100_000 + b"\r\n", "close"), GARBLED),
    ("zero bytes", sends(lambda g: bytes(4096), "close"), GARBLED),
    ("101 switching protocols", sends(lambda g: head(101, upgrade="x", connection="upgrade"), "close"), GARBLED),
    ("gzip that is none", sends(lambda g: whole(b"nope", content_encoding="gzip")), GARBLED),
    ("gzip cut", sends(lambda g: whole(_gzipped(g)[:-12], content_encoding="gzip")), GARBLED),
    ("gzip told twice, packed once", sends(lambda g: whole(_gzipped(g), content_encoding="gzip, gzip")), GARBLED),
    ("an unknown encoding", sends(lambda g: whole(_gzipped(g), content_encoding="xyz")), GARBLED),
    ("an encoding that was not asked for", sends(lambda g: whole(b"\x0b\x02\x80hello\x03", content_encoding="br")), GARBLED),
)
_ODD_BUT_GOOD = (
    (
        "100, 103 and then the reply",
        sends(lambda g: b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: </x>\r\n\r\n" + g.reply),
    ),
    ("HTTP/1.0", sends(lambda g: g.reply.replace(b"HTTP/1.1", b"HTTP/1.0"), "close")),
    ("connection: close", sends(lambda g: head(connection="close", content_length=len(g.body)) + g.body, "close")),
    ("no length, ended by closing", sends(lambda g: head() + g.body, "close")),
    ("chunks with extensions and trailers", sends(lambda g: CHUNKED + b"%x;a=b\r\n%b\r\n0\r\nx-t: 1\r\n\r\n" % (len(g.body), g.body))),
    ("a chunk per byte", sends(lambda g: CHUNKED + b"".join(chunk(bytes([b])) for b in g.body) + b"0\r\n\r\n")),
    ("gzip", sends(lambda g: whole(_gzipped(g), content_encoding="gzip"))),
    ("deflate", sends(lambda g: whole(zlib.compress(g.body), content_encoding="deflate"))),
    ("a wrong content type", sends(lambda g: whole(g.body, content_type="text/html"))),
    ("blank lines before the JSON", sends(lambda g: whole(b"\n \r\n" * 500 + g.body))),
    ("a byte order mark", sends(lambda g: whole(b"\xef\xbb\xbf" + g.body))),
    ("headers of raw bytes", sends(lambda g: head(200, "x-request-id: \xff\xfe\x80", content_length=len(g.body)) + g.body)),
    ("a request id of 8 kB", sends(lambda g: head(200, "x-request-id: " + "r" * 8_000, content_length=len(g.body)) + g.body)),
    (
        "limits that cannot be meant",
        sends(lambda g: whole(g.body, x_ratelimit_limit_requests="-1", x_ratelimit_remaining_requests="NaN")),
    ),
    ("fields nobody knows", sends(lambda g: whole(g.body[:-1] + b',"x":[{"y":[]}]}'))),
    ("a second reply behind it", sends(lambda g: g.reply + replace(g, text="Of another question.").reply)),
    ("half a reply behind it", sends(lambda g: g.reply + replace(g, text="Of another question.").reply[:99])),
    ("a key twice, both the same", sends(lambda g: whole(b'{"model":"m-1",' + g.body[1:]))),
)
_REPAIRED = (
    ("a lone surrogate", sends(_said("All is well. \\ud800"))),
    ("bytes that are no UTF-8", sends(lambda g: whole(g.body.replace(g.text.encode(), b"All is well. \xff\xfe")))),
    ("NaN where a number is", sends(lambda g: whole(g.body.replace(b":9,", b":NaN,")))),
    ("nested deeply beside the answer", sends(lambda g: whole(g.body[:-1] + b',"x":' + b"[" * 400 + b"]" * 400 + b',"y":NaN}'))),
)
_JSON = (
    ("an empty 200", sends(lambda g: whole(b""))),
    ("a 204", sends(lambda g: head(204))),
    ("blanks only", sends(lambda g: whole(b" \n" * 999))),
    ("HTML", sends(lambda g: whole(b"<html><body>Sign in</body></html>", content_type="text/html"))),
    ("plain text", sends(lambda g: whole(b"upstream connect error", content_type="text/plain"))),
    ("JSON cut short", sends(lambda g: whole(g.body[:-9]))),
    ("two JSON values", sends(lambda g: whole(g.body + g.body))),
    ("JSON and then more", sends(lambda g: whole(g.body + b"</html>"))),
    ("an event stream", sends(lambda g: whole(b"data: " + g.body + b"\n\ndata: [DONE]\n\n", content_type="text/event-stream"))),
    ("UTF-16", sends(lambda g: whole(g.body.decode().encode("utf-16"), content_type="application/json; charset=utf-16"))),
    ("nested too deeply", sends(lambda g: whole(b"[" * 100_000 + b"]" * 100_000))),
    ("nested too deeply, and cut", sends(lambda g: whole(b'{"a":' * 100_000))),
    ("a number of 100,000 digits", sends(lambda g: whole(b'{"choices":' + b"9" * 100_000 + b"}"))),
    ("null", sends(lambda g: whole(b"null"))),
    ("a list", sends(lambda g: whole(b"[1]"))),
    ("a number", sends(lambda g: whole(b"7"))),
    ("an object without an answer", sends(lambda g: whole(orjson.dumps(g.empty)))),
    ("an unknown error under a 200", sends(lambda g: whole(b'{"error":{"message":"no"}}'))),
)
_BAD_STATUSES = (400, 406, 411, 412, 413, 414, 415, 417, 418, 421, 422, 423, 424, 426, 428, 431, 451, 499)
_SERVER_STATUSES = (408, 409, 425, 498, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 522, 524, 529, 599)
_NOT_FOUND_STATUSES = (300, 301, 302, 303, 304, 305, 307, 308, 404, 405, 410)
_ERROR_BODIES = (
    b"",
    b"<html>no</html>",
    b'{"error":{"message":"no"}}',
    b'{"error":"no"}',
    b"[]",
    b'{"detail":[{"loc":["body",7],"msg":1}]}',
)
_GATEWAY_GAVE_UP = (504, 524)
_SLOW = (
    ("never a reply", sends(lambda g: b"", "hold"), TIMEOUT),
    ("half a head and no more", sends(lambda g: g.reply[:30], "hold"), TIMEOUT),
    ("half a body and no more", sends(lambda g: g.reply[:-9], "hold"), TIMEOUT),
    ("a byte of the head at a time", drips(lambda g: b"HTTP/1.1 200 X\r\nx: ", b"y"), TIMEOUT),
    ("a header at a time", drips(lambda g: b"HTTP/1.1 200 X\r\n", b"x: y\r\n"), (ErrorKind.TIMEOUT, ErrorKind.GARBLED)),
    ("a byte of the body at a time", drips(lambda g: head(content_length=1 << 30), b"{"), TIMEOUT),
    ("blanks for ever", drips(lambda g: CHUNKED, chunk(b"\n")), TIMEOUT),
    ("103 for ever", drips(lambda g: b"", b"HTTP/1.1 103 Hints\r\n\r\n"), (ErrorKind.TIMEOUT, ErrorKind.GARBLED)),
    ("a chunk's extension without end", drips(lambda g: CHUNKED + b"5;x=", b"y" * 1_000), TIMEOUT),
    ("trailers for ever", drips(lambda g: CHUNKED + chunk(g.body) + b"0\r\n", b"x: y\r\n"), (ErrorKind.TIMEOUT, ErrorKind.GARBLED)),
)
_BLANKS = b" " * (1 << 18)


@cache
def _packed(how: str) -> bytes:
    bomb = bytes(256 << 20)
    return gzip.compress(bomb, 1) if how == "gzip" else zlib.compress(bomb, 1)


_FLOODS = (
    ("2 GB with a length", floods(lambda g: head(content_length=2 << 30), _BLANKS)),
    ("2 GB in chunks", floods(lambda g: CHUNKED, chunk(_BLANKS))),
    ("2 GB until closed", floods(lambda g: head(), _BLANKS)),
    ("a header without end", floods(lambda g: b"HTTP/1.1 200 X\r\nx: ", b"y" * (1 << 18))),
    ("headers without end", floods(lambda g: b"HTTP/1.1 200 X\r\n", b"x: y\r\n" * (1 << 14))),
    ("trailers without end", floods(lambda g: CHUNKED + chunk(g.body) + b"0\r\n", b"x: y\r\n" * (1 << 14))),
    ("103 without end", floods(lambda g: b"", b"HTTP/1.1 103 Hints\r\n\r\n" * (1 << 12))),
    ("a gzip bomb of 256 MB", sends(lambda g: whole(_packed("gzip"), content_encoding="gzip"))),
    ("a deflate bomb of 256 MB", sends(lambda g: whole(_packed("deflate"), content_encoding="deflate"))),
    ("9 million empty tables", sends(lambda g: whole(b'{"choices":[' + b"{}," * (9 << 20) + b"{}]}"))),
    ("a million brackets", sends(lambda g: whole(b"[" * (1 << 20)))),
)


def status_rows(elsewhere: str = "https://elsewhere.invalid/v1") -> list[Row]:
    """A row for each status; the redirects lead `elsewhere`."""
    found = []
    for statuses, kind in ((_BAD_STATUSES, BAD), (_SERVER_STATUSES, SERVER), (_NOT_FOUND_STATUSES, NOT_FOUND)):
        for number, status in enumerate(statuses):
            body = b"" if status == 304 else _ERROR_BODIES[number % len(_ERROR_BODIES)]
            reply = whole(body, status, location=elsewhere if status < 400 else None)
            deed = sends(lambda _, reply=reply: reply)  # type: ignore[misc]
            found.append(Row("status", str(status), deed, kind, status in _GATEWAY_GAVE_UP))
    return found


ROWS: Sequence[Row] = (
    *(Row("cut", name, deed, becomes, True) for name, deed, becomes in _CUT),
    *(Row("http", name, deed, becomes, True) for name, deed, becomes in _HTTP),
    *(Row("odd", name, deed, ANSWERED, False) for name, deed in _ODD_BUT_GOOD),
    *(Row("odd", name, deed, ANSWERED, False, repaired=True) for name, deed in _REPAIRED),
    *(Row("json", name, deed, GARBLED, True) for name, deed in _JSON),
    *status_rows(),
    *(Row("slow", name, deed, becomes, True) for name, deed, becomes in _SLOW),
    *(Row("flood", name, deed, GARBLED, True) for name, deed in _FLOODS),
)
