"""Picks the searcher that a run was told to use. What each of them needs is imported only when it is picked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from siuo_async.errors import ConfigError
from siuo_async.keys import Secrets
from siuo_async.search.base import LIMIT_CHARS, Searcher

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Keys(Protocol):
    """Where keys come from."""

    def key(self, name: str) -> str | None:
        """The key in the variable `name`, or None."""

    @property
    def secrets(self) -> Secrets:
        """What must not get out of what a search says."""


def open_searcher(
    url: str | None = None,
    corpus: Path | str | None = None,
    function: str | None = None,
    *,
    environment: Keys,
    key_env: str | None = None,
    key_header: str = "Authorization",
    limit_chars: int = LIMIT_CHARS,
    top_k: int = 5,
    timeout_s: float | None = None,
    at_once: int = 8,
    rpm: float | None = None,
    identity: str | None = None,
) -> Searcher | None:
    """The searcher of a run, or None where none is named. Nothing is sent before its first search.

    Args:
        url: template with `{query}`, perhaps with `{key}`.
        corpus: folder of documents.
        function: `package.module:function` or `path/to/file.py:function`.
        environment: gives the key.
        key_env: the variable that holds the endpoint's key; only with `url`.
        key_header: where the key goes if the URL has no `{key}`; `Authorization` sends `Bearer KEY`.
        limit_chars: bound of a search's text, in characters.
        top_k: passages per search of a corpus; endpoints and functions decide for themselves.
        timeout_s: of one try; 30 s for an endpoint, 120 s for a function.
        at_once: searches on the way at the same time.
        rpm: an endpoint's requests per minute.
        identity: what stands for the source in call ids, instead of what is made of its settings.

    Raises:
        ConfigError: more than one source, or one that cannot be used as given.
        DataError: a corpus that cannot be read.
    """
    named = [name for name, value in (("url", url), ("corpus", corpus), ("function", function)) if value]
    if len(named) > 1:
        raise ConfigError(f"a run searches in one place, but {' and '.join(named)} of the search are given; keep one of them")
    if key_env and not url:
        raise ConfigError("`search_key_env` goes with a search URL only; leave it out, or give the URL")
    _check_bounds(limit_chars=limit_chars, top_k=top_k, at_once=at_once, rpm=rpm, timeout_s=timeout_s)
    if url:
        from siuo_async.search.http import HttpSearcher, HttpSettings
        from siuo_async.search.template import parse_template

        template = parse_template(url)
        key = _key(environment, key_env, template.takes_key)
        settings = HttpSettings(limit_chars=limit_chars, timeout_s=timeout_s or 30.0, at_once=at_once, rpm=rpm)
        return HttpSearcher(template, settings, key=key, key_header=_header(key_header), secrets=environment.secrets, identity=identity)
    if corpus:
        from siuo_async.search.corpus import CorpusSearcher

        return CorpusSearcher(Path(corpus).expanduser(), top_k=top_k, limit_chars=limit_chars, identity=identity)
    if function:
        from siuo_async.search.function import FunctionSearcher

        return FunctionSearcher(
            function,
            limit_chars=limit_chars,
            timeout_s=timeout_s or 120.0,
            at_once=at_once,
            identity=identity,
            secrets=environment.secrets,
        )
    return None


def _header(name: str) -> str:
    if not _HEADER.fullmatch(name):
        raise ConfigError(f"'{name}' is no name of a header for the search's key; write one such as X-API-Key")
    return name


def _key(environment: Keys, key_env: str | None, wanted: bool) -> str | None:
    if not key_env:
        if wanted:
            raise ConfigError("the search URL has {key}, but no variable is named that holds it; add `search_key_env`")
        return None
    key = environment.key(key_env)
    if not key:
        raise ConfigError(f"no key for the search: set {key_env} in the environment or in a .env file here")
    if any(not 33 <= ord(c) <= 126 for c in key):
        raise ConfigError(f"{key_env} holds blanks or characters that no key has; copy the key again")
    return key


def _check_bounds(**bounds: float | None) -> None:
    for name, value in bounds.items():
        if value is not None and not value > 0:
            raise ConfigError(f"`{name}` of the search must be above zero, not {value:g}")
