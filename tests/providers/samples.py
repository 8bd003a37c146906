"""What the tests of the dialects share: a picture, prompts, replies, and the dialects with their presets' phrases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from siuo_async.providers.dialects.base import Dialect, Profile, Reply, Request, WireRequest
from siuo_async.providers.presets import dialect_of, load_presets
from siuo_async.values import Parameters, Picture, Prompt, Turn

PNG = Picture(path="cat.png", sha256="0" * 64, mime="image/png", size=180)
JPEG = Picture(path="dog.jpg", sha256="1" * 64, mime="image/jpeg", size=180)
BASE64 = b"iVBORw0KGgoAAAAN"
NOW = 1_790_000_000.0

OPENAI = dialect_of(load_presets()["openai"])
ANTHROPIC = dialect_of(load_presets()["anthropic"])
GEMINI = dialect_of(load_presets()["gemini"])
DIALECTS = {dialect.name: dialect for dialect in (OPENAI, ANTHROPIC, GEMINI)}


def prompt(*parts: str | Picture, system: str | None = None) -> Prompt:
    user = Turn("user", parts)
    return (Turn("system", (system,)), user) if system else (user,)


def request(model: str = "m", parts: tuple[str | Picture, ...] = ("Q",), **settings: Any) -> Request:
    names = ("n", "profile", "ruled_out", "turns")
    direct = {name: settings.pop(name) for name in names if name in settings}
    turns = direct.pop("turns", prompt(*parts))
    return Request(model=model, turns=turns, parameters=Parameters(**settings), **direct)


def body_of(wire: WireRequest) -> Any:
    """The body as the server gets it, pictures standing as a few bytes of base64."""
    return orjson.loads(b"".join(BASE64 if isinstance(part, Picture) else part for part in wire.body))


def built(dialect: Dialect, **settings: Any) -> Any:
    return body_of(dialect.build(request(**settings), "k"))


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Reply(status, headers or {}, raw, NOW)


PLAIN = Profile(thinking="none", max_n=8)
