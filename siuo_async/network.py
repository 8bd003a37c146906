"""How this machine reaches others: proxies and certificate authorities by the usual variables, and which hosts are near.

Models and search engines are asked in the same way. Verification of certificates is always on; nothing here can turn it off.
"""

from __future__ import annotations

import os
import ssl
import urllib.request
from collections.abc import Mapping
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from siuo_async.errors import ConfigError

_EXTRA_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Of the first that is set, whatever it names is trusted beside the system's own."""
_OWN_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Read by OpenSSL itself, instead of the system's own; of what does not exist it says nothing. They go before the others."""
_NEAR = (".local", ".lan", ".internal", ".intranet", ".home.arpa")


@cache
def proxy_for(scheme: str, host: str | None) -> str | None:
    """The proxy of the usual variables for this host, looked up once (aiohttp's `trust_env` does it per request).

    `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in small or capital letters; this machine is never asked by way of another.

    Raises:
        ConfigError: the proxy is of a kind that cannot be used.
    """
    if host is None or is_here(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = (proxies.get(scheme) or proxies.get("all") or "").strip()
    if not proxy:
        return None
    kind, separator, _ = proxy.partition("://")
    if not separator:
        return f"http://{proxy}"  # as curl understands it
    if kind.lower() not in ("http", "https"):
        raise ConfigError(
            f"the proxy for {scheme}://{host} is a {kind} proxy, and only http and https ones can be used; name one in "
            f"{scheme.upper()}_PROXY, or add {host} to NO_PROXY"
        )
    return proxy


def authorities(variables: Mapping[str, str] | None = None) -> ssl.SSLContext | bool:
    """Who may vouch for a server: True for the system's own, which aiohttp takes by itself, else those that variables name.

    Raises:
        ConfigError: a variable names what is not there, or holds no certificates.
    """
    variables = os.environ if variables is None else variables
    for name in _OWN_AUTHORITIES:
        places = [place for place in variables.get(name, "").split(os.pathsep if name.endswith("DIR") else "\0") if place]
        if places and not any(Path(place).exists() for place in places):
            raise ConfigError(f"{name} names {variables[name]}, which is not there; name the authorities' certificates, or unset it")
    if own := tuple(variables.get(name, "") for name in _OWN_AUTHORITIES if variables.get(name)):
        return _own(own)
    for name in _EXTRA_AUTHORITIES:
        if place := variables.get(name):
            return _with(name, Path(place))
    return True


def authorities_for(scheme: str, host: str | None) -> ssl.SSLContext | bool:
    """Those that vouch for a host; nothing is read, and so nothing refused, where nobody has to prove who it is.

    Raises:
        ConfigError: they cannot be used, or a proxy on the way cannot.
    """
    proxy = proxy_for(scheme, host) or ""
    return authorities() if scheme == "https" or proxy.lower().startswith("https:") else True


@cache
def _own(_: tuple[str, ...]) -> ssl.SSLContext:
    """Shared by all connections: reading a system's worth of certificates takes 50 ms."""
    return ssl.create_default_context()


@cache
def _with(name: str, place: Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        if place.is_dir():
            context.load_verify_locations(capath=place)
        else:
            context.load_verify_locations(cafile=place)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{name} names {place}, of which no certificates can be read ({error.strerror or error}); mend or unset it"
        ) from error
    return context


def is_here(host: str) -> bool:
    """Whether a host is this machine; `0.0.0.0`, which servers print when they start, leads here too."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def is_near(host: str) -> bool:
    """Whether a host is this machine, or on a network of the user's own by its address or its kind of name."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_NEAR) or is_here(host)
