"""How tests speak to a simulator in each dialect, by hand: no code of the package takes part."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(240, 256)) * 4).decode()
DIALECTS = ("openai", "anthropic", "gemini")


def headers(dialect: str, key: str = "k", call_id: str | None = None) -> dict[str, str]:
    told = {
        "openai": {"Authorization": f"Bearer {key}"},
        "anthropic": {"x-api-key": key, "anthropic-version": "2023-06-01"},
        "gemini": {"x-goog-api-key": key},
    }[dialect]
    return told if call_id is None else told | {"x-siuo-call-id": call_id}


def path(dialect: str, model: str) -> str:
    if dialect == "gemini":
        return f"/v1beta/models/{model}:generateContent"
    return {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}[dialect]


def body(dialect: str, model: str, text: str = "What is shown?", *, cap: int = 500, n: int = 1) -> dict[str, Any]:
    if dialect == "openai":
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
        content = [{"type": "text", "text": text}, picture]
        messages = [{"role": "user", "content": content}]
        return {"model": model, "messages": messages, "max_completion_tokens": cap, "n": n}
    if dialect == "anthropic":
        source = {"type": "base64", "media_type": "image/png", "data": PNG}
        content = [{"type": "image", "source": source}, {"type": "text", "text": text}]
        return {"model": model, "max_tokens": cap, "messages": [{"role": "user", "content": content}]}
    parts = [{"inlineData": {"mimeType": "image/png", "data": PNG}}, {"text": text}]
    config = {"maxOutputTokens": cap, "candidateCount": n}
    return {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}


@dataclass(frozen=True)
class Got:
    status: int
    headers: Any
    raw: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.raw)


@dataclass
class Client:
    session: aiohttp.ClientSession

    async def post(self, where: str, body: Any, headers: dict[str, str]) -> Got:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        async with self.session.post(where, data=data, headers=headers) as reply:
            return Got(reply.status, reply.headers, await reply.read())

    async def ask(self, dialect: str, model: str, text: str = "What is shown?", *, call_id: str | None = None, **asked: Any) -> Got:
        return await self.post(path(dialect, model), body(dialect, model, text, **asked), headers(dialect, "k", call_id))

    async def get(self, where: str, headers: dict[str, str] | None = None) -> Got:
        async with self.session.get(where, headers=headers) as reply:
            return Got(reply.status, reply.headers, await reply.read())

    async def stats(self) -> Any:
        return (await self.get("/stats?calls=1")).body
