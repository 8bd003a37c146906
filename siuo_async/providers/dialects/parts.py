"""Builds bodies: chooses the parameters to send, merges fragments, and cuts dumped JSON where pictures go. Shared by the dialects.

A body of 1.6 MB is mostly base64. Dumping it as one string would hold it three times; so JSON is dumped with a marker per
picture and cut there, and the transport writes the parts.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from siuo_async.errors import ConfigError
from siuo_async.providers.dialects.base import Request
from siuo_async.providers.lenient import scrub
from siuo_async.values import Json, Picture, Prompt, quick_value

PICTURE = secrets.token_hex(16)
"""Stands in a body for the base64 of the next picture. Random per process and never sent, so no text can forge it."""

_PICTURE = PICTURE.encode()
_HOLE = secrets.token_hex(16)
"""Stands in a frame for the content, in the same way."""
_MOST_FRAMES = 64
"""A run has one per model and stage; only re-asks with a larger cap make more."""

_OPTIONAL = ("temperature", "top_p", "frequency_penalty", "seed", "stop", "top_logprobs", "answer_schema")
_SAMPLING = frozenset({"temperature", "top_p", "frequency_penalty"})


def choose(
    request: Request, never: frozenset[str] = frozenset(), replaced: frozenset[str] = frozenset()
) -> tuple[dict[str, Json], dict[str, Json]]:
    """The optional parameters to send, and those asked for but ruled out; both by their names in `Parameters`.

    Args:
        request: the call.
        never: parameters that the dialect has no field for.
        replaced: parameters for which the user's own fields stand: neither sent nor left out.
    """
    profile, asked = request.profile, request.parameters
    out = set(never | request.ruled_out)
    if profile.sampling != "accepted":
        out |= _SAMPLING
    if not profile.penalties:
        out.add("frequency_penalty")
    if not profile.structured:
        out.add("answer_schema")
    if not profile.seed:
        out.add("seed")
    if not profile.logprobs:
        out.add("top_logprobs")
    named = (name for name in _OPTIONAL if name not in replaced)
    wanted = {name: plain(value) for name in named if (value := getattr(asked, name)) not in (None, ())}
    left_out = {name: value for name, value in wanted.items() if name in out}
    if asked.safety_filters == "off" and "safety_filters" in out:
        left_out["safety_filters"] = "off"
    if request.profile.thinking == "switchable" and "thinking_tokens" in request.ruled_out:
        left_out["thinking_off"] = dict(profile.thinking_off)
    return {name: value for name, value in wanted.items() if name not in out}, left_out


def answers_to_ask(request: Request) -> int:
    """How many answers one call asks for: never more than the profile's `max_n`."""
    return 1 if "n" in request.ruled_out else max(1, min(request.n, request.profile.max_n))


def plain(value: Json) -> Json:
    """A copy of `value` in nothing but dicts and lists, whatever mappings and tuples it was made of."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def merge(body: dict[str, Json], fragment: Mapping[str, Json]) -> dict[str, Json]:
    """`body` with `fragment` merged into it: tables join, anything else is replaced. Neither argument is changed."""
    merged = dict(body)
    for name, value in fragment.items():
        old = merged.get(name)
        merged[name] = merge(old if isinstance(old, dict) else {}, value) if isinstance(value, Mapping) else value
    return merged


def merge_extra(body: dict[str, Json], extra: Mapping[str, Json], reserved: frozenset[str]) -> dict[str, Json]:
    """`body` with the user's own fields merged into it last.

    Args:
        body: what the dialect wrote.
        extra: the user's fields.
        reserved: top-level fields that say what is asked of whom, or that change the shape of the reply.

    Raises:
        ConfigError: `extra` sets a reserved field.
    """
    for name in extra:
        if name in reserved:
            raise ConfigError(f"`--param {name}=...` is not possible: siuo sets `{name}` itself.")
    return merge(body, extra)


def sent(body: Mapping[str, Json], content: frozenset[str], left_out: Mapping[str, Json]) -> dict[str, Json]:
    """The record of what was really sent: `body` without the fields in `content`, and `left_out` where there is any."""
    record = {name: value for name, value in body.items() if name not in content}
    return {**record, "left_out": dict(left_out)} if left_out else record


def encode(body: Json, turns: Prompt, before: bytes = b"", after: bytes = b"") -> tuple[bytes | Picture, ...]:
    """`body` as JSON in parts: bytes, and the pictures of `turns` where the body holds `PICTURE`, in the same order.

    Args:
        before, after: what the JSON stands between.
    """
    dumped = b"%b%b%b" % (before, _dump(body), after)
    pictures = [part for turn in turns for part in turn.parts if not isinstance(part, str)]
    if not pictures:
        return (dumped,)
    pieces = dumped.split(_PICTURE)
    assert len(pieces) == len(pictures) + 1, "a dialect writes one marker per picture"
    return tuple(_alternate(pieces, pictures))


def _alternate(pieces: list[bytes], pictures: list[Picture]) -> Iterator[bytes | Picture]:
    yield pieces[0]
    for picture, piece in zip(pictures, pieces[1:], strict=True):
        yield picture
        yield piece


def _dump(body: Json) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:
        # Text from a data file or an answer may hold lone surrogates, which no wire format can carry.
        return orjson.dumps(scrub(dict(body) if isinstance(body, Mapping) else body))


@quick_value
class Frame:
    """A request without its content: the same bytes for all calls with the same parameters."""

    headers: Mapping[str, str]
    before: bytes
    after: bytes
    sent: Mapping[str, Json]

    def around(self, content: Json, turns: Prompt) -> tuple[bytes | Picture, ...]:
        """The body with `content` in its place."""
        return encode(content, turns, self.before, self.after)


def frame(body: dict[str, Json], place: str, headers: Mapping[str, str], record: Mapping[str, Json]) -> Frame:
    """The frame of `body`, whose field `place` is for the content."""
    before, after = _dump({**body, place: _HOLE}).split(b'"%b"' % _HOLE.encode())
    return Frame(headers, before, after, record)


class Frames:
    """Frames made before. A cache and no state: what it gives depends on nothing but what it is asked for."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], tuple[Frame, Request]] = {}

    def of(self, request: Request, key: str | None, make: Callable[[Request, str | None], Frame]) -> Frame:
        """The frame of `request`.

        Parameters and profiles cannot be hashed, so they are known by identity; the request is kept so that they live as long.
        """
        at = (id(request.parameters), id(request.profile), request.model, request.n, request.ruled_out, key)
        if (found := self._kept.get(at)) is None:
            if len(self._kept) >= _MOST_FRAMES:
                self._kept.clear()
            made = make(request, key), replace(request, turns=())
            found = self._kept.setdefault(at, made)
        return found[0]
