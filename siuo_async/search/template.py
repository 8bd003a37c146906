"""A search engine's URL with a place for the query. Pure.

The address is taken apart once, with stand-ins for query and key, so that what a model writes can never become anything but one
escaped value, and so that an identity can be made that holds no key.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote

from yarl import URL

from siuo_async.errors import ConfigError

_QUERY, _KEY = "siuo0query0siuo", "siuo0key0siuo"
_SECRET = re.compile(
    r"(?i)(?:.*[_-])?(?:key|token|secret|password|passwd|pwd|signature|sig|auth|authorization|credentials?|bearer|jwt|app_?-?id)"
    r"|.*(?:api|app|access|auth|client|license|private|secret|subscription|user)(?:key|token|secret)"
)
"""Names that keys usually have; what goes by another name, or stands in the path, is not known for a key."""


@dataclass(frozen=True, slots=True)
class UrlTemplate:
    """A URL with `{query}` in its path or query string, perhaps with `{key}`."""

    host: str
    """Host and, where it is not the scheme's own, port; for messages."""
    digest: str
    """16 hex digits of the template, without any key."""
    takes_key: bool
    _marked: str

    def url(self, query: str, key: str | None) -> URL:
        """The address that searches for `query`."""
        filled = self._marked.replace(_KEY, quote(key or "", safe="")).replace(_QUERY, quote(query, safe="", errors="replace"))
        return URL(filled, encoded=True)


def parse_template(text: str) -> UrlTemplate:
    """The template in `text`.

    Raises:
        ConfigError: no `{query}`, no http(s) URL, or a key in plain sight under a usual name.
    """
    text = text.strip()
    if "{query}" not in text:
        raise ConfigError(
            "the search URL has no {query}; put it where the query goes, as in http://localhost:8888/search?format=json&q={query}"
        )
    try:
        url = URL(text.replace("{query}", _QUERY).replace("{key}", _KEY)).with_fragment(None)
        port = url.explicit_port
    except ValueError as error:
        raise ConfigError("the search URL is no usable URL; write it as http(s)://HOST/PATH?q={query}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError("the search URL must begin with http:// or https:// and a host")
    if url.user is not None or url.password is not None:
        raise ConfigError("the search URL must hold no user or password; name the variable that holds the key (`search_key_env`)")
    if _QUERY not in url.raw_path_qs or _QUERY in url.host or _KEY in url.host:
        raise ConfigError("{query} must stand in the path or behind the ? of the search URL, and {key} not in its host")
    for name, value in url.query.items():
        if value and _SECRET.fullmatch(name) and _KEY not in value and _QUERY not in value:
            raise ConfigError(
                f"the search URL holds a key ('{name}'); write {name}={{key}} instead and name the variable that holds it "
                "(`search_key_env`)"
            )
    host = url.host if port is None else f"{url.host}:{port}"
    return UrlTemplate(host, hashlib.blake2b(str(url).encode(), digest_size=8).hexdigest(), _KEY in url.raw_path_qs, str(url))
