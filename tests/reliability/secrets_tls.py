"""Keys on the wire: certificates that nobody vouches for, and proxies on the way."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from tests.cli.program import Done, Siuo, make_data
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.secrets_process import quick_starts, shown
from tests.reliability.secrets_search import leaks
from tests.reliability.secrets_servers import answer, serving, tunnelling

KEY = "sk-lab-4f1C9a77e0Qz7Wm31Bv5"
HOST = "api.lab.invalid"
"""No name server knows it: only by way of a proxy can it be reached."""
PASSWORD = "pr0xy-pass/word-99"


def _tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _run(folder: Path, url: str, **env: str) -> Done:
    folder.mkdir()
    make_data(folder / "data", 1)
    words = ("run", "siuo-gen", "--data", "data", "-m", "openai/m", "--no-judge", "--answers", "1")
    return Siuo(folder)(*words, code=None, env={"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": url, **env})


def unvouched(scene: Scene) -> Seen:
    """Servers whose certificate is of an unknown authority, for another host, or too old, in the place of the provider's."""
    seen = Seen()
    known, unknown = trustme.CA(), trustme.CA()
    authority = scene.folder / "ca.pem"
    known.cert_pem.write_to_path(authority)
    past = datetime.now(UTC) - timedelta(days=2)
    bad = {
        "unknown": unknown.issue_cert("127.0.0.1"),
        "another host": known.issue_cert("elsewhere.invalid"),
        "too old": known.issue_cert("127.0.0.1", not_after=past),
    }
    with quick_starts():
        for name, certificate in list(bad.items())[: scene.times]:
            with serving(lambda _: (200, {}, answer("mine now")), _tls(certificate)) as server:
                done = _run(scene.folder / name, f"https://127.0.0.1:{server.port}/v1", SSL_CERT_FILE=str(authority))
            seen.times += 1
            seen.expect(not server.asked, f"{name}: the key was sent")
            seen.expect("certificate" in done.err, f"{name}: the certificate is not named: {done.err[-500:]}")
            seen.expect(done.code in (3, 4), f"{name}: exit code {done.code}")
            seen.broken += leaks(scene.folder / name, KEY, shown=shown(done))
    seen.words = f"{seen.times} servers ({', '.join(list(bad)[: seen.times])}): no request was sent"
    return seen


PROXIES = ("HTTPS_PROXY", "all_proxy", "https_proxy", "ALL_PROXY")
AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def tunnelled(scene: Scene) -> Seen:
    """A company's network: its own authority, and a proxy with a password, by each of the usual variables."""
    seen = Seen()
    authority = trustme.CA()
    bundle = scene.folder / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    with (
        quick_starts(),
        serving(lambda _: (200, {}, answer("fine")), _tls(authority.issue_cert(HOST))) as server,
        tunnelling(server.port, password=f"me:{PASSWORD}") as proxy,
    ):
        for through, trusted in list(zip(PROXIES, AUTHORITIES, strict=True))[: scene.times]:
            before = len(server.asked), len(proxy.asked)
            url = f"http://me:{PASSWORD.replace('/', '%2F')}@127.0.0.1:{proxy.port}"
            done = _run(scene.folder / f"{through}-{trusted}", f"https://{HOST}/v1", **{through: url, trusted: str(bundle)})
            seen.times += 1
            seen.expect(done.code == 0, f"{through}, {trusted}: exit code {done.code}: {done.err[-500:]}")
            seen.expect(len(server.asked) > before[0] and len(proxy.asked) > before[1], f"{through}: not by way of the proxy")
            seen.broken += leaks(scene.folder / f"{through}-{trusted}", KEY, PASSWORD, shown=shown(done))
    seen.expect(all(KEY not in str(each) for each in proxy.asked), "the proxy was told the key")
    seen.expect(all(each.path == f"CONNECT {HOST}:443 HTTP/1.1" for each in proxy.asked), "the proxy was asked for something else")
    seen.words = f"{seen.times} pairs of variables, {len(server.asked)} calls through CONNECT; the proxy saw no key"
    return seen


def turned_away(scene: Scene) -> Seen:
    """A proxy wants another password, and repeats the one that it was sent."""
    seen = Seen()
    with quick_starts(), tunnelling(9, password="me:another") as proxy:
        url = f"http://me:{PASSWORD.replace('/', '%2F')}@127.0.0.1:{proxy.port}"
        done = _run(scene.folder / "run", f"https://{HOST}/v1", HTTPS_PROXY=url)
    seen.times = len(proxy.asked)
    seen.expect(done.code == 3, f"exit code {done.code}")
    seen.expect("407" in done.out + done.err + _told(scene.folder), "nobody is told why")
    seen.broken += leaks(scene.folder / "run", KEY, PASSWORD, shown=shown(done))
    seen.words = f"407 to {seen.times} tries, exit {done.code}: neither key nor password is anywhere"
    return seen


def _told(folder: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in folder.glob("run/results/*/calls.jsonl"))


def near(scene: Scene) -> Seen:
    """Proxies are set for everything, and a server runs on this machine: it is not asked by way of them."""
    seen = Seen()
    with quick_starts(), serving(lambda _: (200, {}, answer("fine"))) as server, tunnelling(9) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        done = _run(scene.folder / "run", f"{server.url}/v1", HTTP_PROXY=url, http_proxy=url, ALL_PROXY=url)
    seen.times = len(server.asked)
    seen.expect(done.code == 0 and not proxy.asked, f"exit code {done.code}, {len(proxy.asked)} requests to the proxy")
    seen.words = f"{seen.times} calls to a server of this machine, none of them by way of the proxy"
    return seen


FAULTS: Sequence[Fault] = (
    Fault("secrets", "a certificate that nobody vouches for", "the key is not sent", unvouched, 3, 3),
    Fault("secrets", "an authority and a proxy of one's own", "are used as the usual variables say", tunnelled, 2, 4),
    Fault("secrets", "a proxy repeats its password", "it is in no file, no output", turned_away),
    Fault("secrets", "a proxy for everything", "servers of this machine are asked without it", near),
)
