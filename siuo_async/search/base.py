"""The seam between a run and whatever searches for it.

A search is asked with a query and gives bounded text. Nothing here caches or keeps a journal: the engine does that for searches as it
does for calls, under the searcher's identity and the query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol

from siuo_async.errors import RETRYABLE, ErrorKind, SiuoError

LIMIT_CHARS: Final = 30_000
"""Longest text of a search, in characters, as the contract of Chinese SafetyQA's released scripts has it."""
LONGEST_QUERY: Final = 500
"""Characters of a query that are sent. A model may answer with its whole train of thought, and servers refuse URLs above 8 KiB."""
TOO_SHORT_CHARS: Final = 10
"""The released QA script takes no search text shorter than this."""

_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")


class SearchError(SiuoError):
    """One search gave no result.

    Args:
        kind: what went wrong, in the words used for calls.
        message: one sentence without any secret.
        status: HTTP status, if one came.
        retry_after_s: the server's hint, in seconds.
    """

    def __init__(self, kind: ErrorKind, message: str, *, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.retry_after_s = retry_after_s
        self.attempts = 1
        """Tries that were made, this one included."""

    def __str__(self) -> str:
        return self.message

    @property
    def retryable(self) -> bool:
        """Whether the same search may succeed later."""
        return self.kind in RETRYABLE or self.kind is ErrorKind.RATE_LIMITED


@dataclass(frozen=True, slots=True)
class Entry:
    """One result: a page, a passage."""

    title: str
    content: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave. No hit is a result, not an error."""

    text: str
    """The results as a model sees them, bounded; empty where nothing was found."""
    hits: int
    """Results found, those cut away included; text that came as a whole is one."""
    cut: bool = False
    """Whether the bound took something away."""
    attempts: int = 1


NOTHING: Final = Found("", 0)


class Searcher(Protocol):
    """Searches. Equal queries give equal results as far as the source allows."""

    @property
    def identity(self) -> str:
        """What stands for the source and its settings in call ids and fingerprints; holds no key, no path of this machine."""

    async def search(self, query: str) -> Found:
        """What is found for `query`; an empty query finds nothing.

        Raises:
            SearchError: no result after all tries.
        """

    async def close(self) -> None:
        """Closes connections; safe to call twice, or without a search before."""


def clean(text: str) -> str:
    """`text` without control characters, lone surrogates and noncharacters; lines end with a newline."""
    return _UNFIT.sub("", _LINE_ENDS.sub("\n", text)).strip()


def clean_query(query: str) -> str:
    """The query as it is sent: one line, bounded. Queries that are equal after this are one search."""
    return " ".join(clean(query).split())[:LONGEST_QUERY].rstrip()


def too_short(text: str) -> bool:
    """Whether the released QA script would refuse this search text."""
    return len(text) < TOO_SHORT_CHARS
