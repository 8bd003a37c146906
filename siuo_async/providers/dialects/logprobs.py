"""Brings log-probabilities into one form, and keeps few of them. Shared by the dialects.

Only the beginning of an answer is ever looked at (the letter of an option), while those of a long answer would be megabytes
in the journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from siuo_async.providers.dialects import shape
from siuo_async.values import Json

MOST_TOKENS = 16
"""Tokens of an answer that are kept, from its beginning."""

MOST_CANDIDATES = 20
"""Candidates kept per token; no provider gives more."""


def kept(tokens: Sequence[Mapping[str, Json]], candidates: Sequence[Sequence[Json]], field: str) -> Json:
    """One entry per token: `{"token", "logprob", "top": [[token, logprob], ...]}`; None where there are none.

    A log-probability that is no finite number is None, so that tokens keep their places; a candidate without one says nothing
    and is dropped. Values that stand for "not among those given" (-9999) stay as they were sent.

    Args:
        tokens: what was chosen, in order.
        candidates: the candidates at each of these places.
        field: what the dialect calls a log-probability.
    """
    places = zip(tokens[:MOST_TOKENS], candidates, strict=False)
    return [
        {"token": shape.text(token.get("token")), "logprob": shape.number(token.get(field)), "top": _top(others, field)}
        for token, others in places
    ] or None


def _top(candidates: Sequence[Json], field: str) -> list[list[Json]]:
    told = [(one.get("token"), shape.number(one.get(field))) for one in map(shape.table, candidates)]
    return [[token, logprob] for token, logprob in told if isinstance(token, str) and logprob is not None][:MOST_CANDIDATES]
