"""Ranks passages by BM25, for Chinese and for languages with spaces.

The scores are bm25s's (Lucene's variant). The order is ours: equal scores keep the order of the passages, so the same folder gives the
same results on every machine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA_HANGUL = "\u3040-\u30ff\u31f0-\u31ff\uac00-\ud7af"
_RUN = re.compile(rf"[{_HAN}{_KANA_HANGUL}]+|[^\W_{_HAN}{_KANA_HANGUL}]+")
_UNSPACED = re.compile(rf"[{_HAN}{_KANA_HANGUL}]")


def tokens(text: str) -> list[str]:
    """The terms of a text: pairs of neighbouring characters in scripts without spaces (a lone one stands alone), else words."""
    found: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if len(run) > 1 and _UNSPACED.match(run):
            found += [run[at : at + 2] for at in range(len(run) - 1)]
        else:
            found.append(run)
    return found


class Bm25:
    """An index over passages; made once, then only read, so several threads may ask it.

    Args:
        passages: at least one of them holds a term.
    """

    __slots__ = ("_index", "_terms")

    def __init__(self, passages: Iterable[str]) -> None:
        import bm25s  # type: ignore[import-untyped]  # here, since it takes a third of a second and only a corpus needs it

        terms: dict[str, int] = {}
        ids = [[terms.setdefault(term, len(terms)) for term in tokens(passage)] for passage in passages]
        self._terms = terms
        self._index: Any = bm25s.BM25(method="lucene", backend="numpy", csc_backend="numpy")
        self._index.index((ids, dict(terms)), create_empty_token=True, show_progress=False)

    def best(self, query: str, most: int) -> Sequence[int]:
        """Numbers of the at most `most` passages that share a term with `query`, best first."""
        known = [self._terms[term] for term in tokens(query) if term in self._terms]
        if not known:
            return ()
        scores = self._index.get_scores_from_ids(known)
        order = (-scores).argsort(kind="stable")[:most]
        return [int(number) for number in order if scores[number] > 0]
