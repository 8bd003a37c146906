"""What a dialect is: one wire format as pure functions from values to values.

A dialect never does I/O: `build` says what to send, `read` says what a reply means. The client in `siuo_async.client` does
the sending, so a dialect is tested with tables and without a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from siuo_async.values import EMPTY, Completion, Json, Parameters, Picture, Prompt, quick_value


@dataclass(frozen=True, slots=True)
class Profile:
    """What a model accepts, as data (`providers/models.toml`); the defaults fit an unknown model."""

    sampling: Literal["accepted", "fixed", "ignored"] = "accepted"
    """`fixed`: temperature, top_p and penalties are refused and left out. `ignored`: accepted without effect; left out too."""
    thinking: Literal["none", "switchable", "always", "unknown"] = "unknown"
    """Whether the model thinks inside the provider's cap, and whether that can be switched off."""
    thinking_off: Mapping[str, Json] = field(default_factory=lambda: EMPTY)
    """The body fragment that switches thinking off, deep-merged into the body; only with `switchable`."""
    cap_field: str = "max_tokens"
    """The body field of the cap, where the dialect has a choice (`max_tokens`, `max_completion_tokens`)."""
    max_n: int = 1
    """The most answers one call can be asked for."""
    seed: bool = True
    logprobs: bool = True
    penalties: bool = True
    """Whether a frequency penalty is accepted beside the other sampling parameters."""
    structured: bool = True
    """Whether the answer can be held to a JSON schema. An unknown model is asked, since its server can refuse."""
    anthropic_version: str = "2026-10-21"
    """The `anthropic-version` header; `2023-06-01` is chosen for models that accept sampling parameters when any is asked."""


@quick_value
class Request:
    """One call as asked: what a dialect turns into bytes."""

    model: str
    turns: Prompt
    parameters: Parameters
    n: int = 1
    profile: Profile = field(default_factory=Profile)
    ruled_out: frozenset[str] = frozenset()
    """Parameters (as named in `Parameters`, plus `n`) that an earlier 400 of this endpoint ruled out."""


@quick_value
class WireRequest:
    """One HTTP POST, without the base URL."""

    path: str
    """Appended to the base URL, begins with a slash."""
    headers: Mapping[str, str] = field(repr=False)
    """Everything but Content-Length, credentials included; never logged."""
    body: tuple[bytes | Picture, ...]
    """The body in parts, in order; a Picture stands for the standard base64 of its bytes."""
    sent: Mapping[str, Json]
    """Body fields that are neither model nor content, and `left_out` with what was asked for but not sent."""


@quick_value
class Reply:
    """One HTTP reply, whole."""

    status: int
    headers: Mapping[str, str]
    """Looked up case-insensitively (aiohttp's CIMultiDictProxy), or with lower-case keys."""
    body: bytes
    received_at: float = 0.0
    """Epoch seconds, for hints that are dates."""


class Dialect(Protocol):
    """One wire format."""

    name: str

    def build(self, request: Request, key: str | None) -> WireRequest:
        """The HTTP request for `request`. Never asks for more than `profile.max_n` answers."""

    def read(self, reply: Reply, asked: int) -> Completion:
        """What `reply` means.

        A refusal, a block (also one told by a 4xx) and an empty answer are results and come back as answers; a block of the
        whole prompt comes back `asked` times.

        Raises:
            CallError: the reply holds no result.
        """
