"""Proxies and authorities by the usual variables; which hosts are near."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from siuo_async.errors import ConfigError
from siuo_async.network import authorities, is_here, is_near, proxy_for


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    proxy_for.cache_clear()
    yield
    proxy_for.cache_clear()


@pytest.mark.parametrize(
    "variables, scheme, host, proxy",
    [
        ({}, "https", "api.example", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https", "api.example", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "https", "api.example", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http", "api.example", None),
        ({"HTTP_PROXY": "http://p:1"}, "http", "api.example", "http://p:1"),
        ({"ALL_PROXY": "http://p:1"}, "https", "api.example", "http://p:1"),
        ({"all_proxy": "http://p:1", "HTTPS_PROXY": "http://q:2"}, "https", "api.example", "http://q:2"),
        ({"HTTPS_PROXY": "p:1"}, "https", "api.example", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other.example,.example"}, "https", "api.example", None),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "api.example"}, "https", "api.example", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "https", "api.example", None),
        ({"HTTP_PROXY": "http://p:1"}, "http", "127.0.0.1", None),
        ({"HTTP_PROXY": "http://p:1"}, "http", "localhost", None),
        ({"HTTP_PROXY": "http://p:1"}, "http", "::1", None),
        ({"HTTP_PROXY": "http://p:1"}, "http", "0.0.0.0", None),
        ({"HTTP_PROXY": "http://p:1"}, "http", "10.0.0.7", "http://p:1"),
    ],
)
def test_the_proxy_is_that_of_the_usual_variables(
    variables: dict[str, str], scheme: str, host: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(scheme, host) == proxy


def test_a_proxy_of_another_kind_is_refused_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://me:hunter22@p:1")
    with pytest.raises(ConfigError, match="socks5 proxy, and only http and https") as caught:
        proxy_for("https", "api.example")
    assert "hunter22" not in str(caught.value)


def test_verification_is_on_whatever_is_set(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(bundle)
    assert authorities({}) is True
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        context = authorities({name: str(bundle)})
        assert isinstance(context, ssl.SSLContext)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_authorities_that_are_not_there_are_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=name):
        authorities({name: str(tmp_path / "none.pem")})


def test_a_bundle_without_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing", encoding="utf-8")
    with pytest.raises(ConfigError, match="no certificates can be read"):
        authorities({"REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem")})


@pytest.mark.parametrize(
    "host, here, near",
    [
        ("localhost", True, True),
        ("127.8.9.1", True, True),
        ("::1", True, True),
        ("0.0.0.0", True, True),
        ("::", True, True),
        ("vllm.localhost", True, True),
        ("10.0.0.7", False, True),
        ("192.168.1.5", False, True),
        ("169.254.1.1", False, True),
        ("fd00::1", False, True),
        ("gpu-box", False, True),
        ("gpu.lan", False, True),
        ("vllm.default.svc.cluster.local", False, True),
        ("8.8.8.8", False, False),
        ("api.example.com", False, False),
        ("localhost.example.com", False, False),
        ("127.0.0.1.example.com", False, False),
    ],
)
def test_which_hosts_are_near(host: str, here: bool, near: bool) -> None:
    assert (is_here(host), is_near(host)) == (here, near)
