"""The frozen values that every room of the package passes around.

Nothing here does I/O or knows a provider. The words are those of `docs/architecture.md`: a *sample* is asked of a *model*,
which gives *answers*, each with an *outcome*; one API call gives a *completion*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeVar, dataclass_transform

Json: TypeAlias = Any
"""What JSON can hold: None, bool, int, float, str, list, dict."""

Role: TypeAlias = Literal["system", "user", "assistant"]
Protocol: TypeAlias = Literal["corrected", "released"]

EMPTY: Mapping[str, Json] = MappingProxyType({})

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def quick_value(cls: type[T]) -> type[T]:
    """A frozen, slotted dataclass that the type checker alone keeps frozen: for values of which every call makes several.

    Freezing at run time sets each field through `object.__setattr__`, which makes building a value three to four times dearer.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


class Outcome(StrEnum):
    """What became of one answer. The first four are results; a failure is asked again on resume."""

    ANSWERED = "answered"
    """Text came, a refusal in plain prose included."""
    DECLINED = "declined"
    """The API's own refusal signal, with or without text."""
    FILTERED = "filtered"
    """A provider's filter took the prompt or the answer away (`Answer.where`)."""
    EMPTY = "empty"
    """The cap was spent before any visible text, or nothing came."""
    FAILED = "failed"
    """No result after all tries."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, named by content. The bytes are read when a call needs them, never kept here."""

    path: str
    """The file; where `member` is set, the ZIP archive that holds it."""
    sha256: str
    """Hex digest of the file's bytes; stands for the picture in call ids."""
    mime: str
    """Sniffed from the bytes, never from the name: `image/png`, `image/jpeg`, `image/webp`, `image/gif`."""
    size: int
    """Bytes of the picture itself, unpacked."""
    mtime_ns: int = 0
    """Of the file at `path`, so that of the archive for a member."""
    member: str | None = None
    """Its name inside the archive."""

    @property
    def place(self) -> str:
        """Where it is, for messages and look-ups: its path, or `archive/member`; no two pictures share one."""
        return self.path if self.member is None else f"{self.path}/{self.member}"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a prompt: its text and pictures in the order the model sees them. Frozen, since users' modules make it."""

    role: Role
    parts: tuple[str | Picture, ...]


Prompt: TypeAlias = tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call is asked to use, before a profile or a dialect leaves anything out. None means: not asked for."""

    max_tokens: int | None = None
    """The protocol's cap on the *visible* answer, in tokens."""
    thinking_tokens: int | None = None
    """Room for thinking on top of `max_tokens` where thinking counts in the provider's cap; None: the profile decides."""
    cap_scale: int = 1
    """The cap sent is `cap_scale` times what it would be; 4 when an answer was cut before its first visible token."""
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    top_logprobs: int | None = None
    """Log-probabilities of the first tokens, with this many candidates each."""
    answer_schema: Mapping[str, Json] | None = None
    """The JSON schema of the answer: an object, all properties required, no others allowed. Properties are answered in their order."""
    safety_filters: Literal["as-shipped", "off"] | None = None
    extra: Mapping[str, Json] = field(default_factory=lambda: EMPTY)
    """Provider-specific body fields (`--param K=V`), merged into the body last."""


@quick_value
class Usage:
    """Tokens as the provider counted them. None: not told."""

    input: int | None = None
    """All input tokens, cached ones included."""
    output: int | None = None
    """All billed output tokens, thinking included."""
    cached: int | None = None
    """Of the input: read from the provider's cache."""
    reasoning: int | None = None
    cache_write: int | None = None
    """Of the input: written into the provider's cache, at a price of its own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the n answers that a sample gets. Frozen, since users' modules are handed it, and samples that ask the same share it."""

    outcome: Outcome
    text: str = ""
    finish: str | None = None
    """Normalised: `stop`, `length`, or the provider's own word."""
    where: Literal["prompt", "answer"] | None = None
    """Which side a filter took away; only with `filtered`."""
    reason: str | None = None
    """The provider's own word or sentence for a refusal, a block or an emptiness."""
    logprobs: Json = None

    @property
    def cut(self) -> bool:
        """Whether the cap ended the answer."""
        return self.finish == "length"


@quick_value
class Completion:
    """What one API call gave."""

    answers: tuple[Answer, ...]
    usage: Usage = Usage()
    sent: Mapping[str, Json] = field(default_factory=lambda: EMPTY)
    """Parameters really sent, and under `left_out` those asked for but ruled out."""
    served_model: str | None = None
    request_id: str | None = None
    provider_cost_usd: float | None = None
    repaired: bool = False
    """The reply was no strict JSON (lone surrogates, NaN) and was read leniently."""
    redacted: bool = False
    """A key stood in an answer and was taken out, so that it is not what the model said."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a benchmark."""

    id: str
    category: tuple[str, ...]
    """Path from the widest category to the narrowest."""
    text: str
    pictures: tuple[Picture, ...] = ()
    fields: Mapping[str, Json] = field(default_factory=dict)
    """Whatever the benchmark's judge needs: warning, reference, gold."""
