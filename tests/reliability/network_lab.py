"""A network of its own for the real program: an interface, names and providers that can be taken away and given back.

The program runs in a network namespace with one interface; what is behind it is `tests.reliability.network_world`. Both namespaces
belong to processes and have no name, so that nothing is left behind whatever happens to a test.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import trustme

from tests.cli.program import Siuo
from tests.reliability.network_world import DNS, HOSTS

ADDRESS, OTHER_ADDRESS = "10.0.0.2/24", "10.0.1.7/24"


@cache
def needs_a_namespace() -> str | None:
    """Why this machine cannot have a network of its own for a test."""
    if lacking := [name for name in ("ip", "unshare", "nsenter", "mount") if shutil.which(name) is None]:
        return f"needs {' and '.join(lacking)}"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "needs /dev/net/tun"
    tried = subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True)
    return None if tried.returncode == 0 else "needs the right to make a network namespace"


@dataclass
class Lab:
    """Both sides of the network."""

    folder: Path
    holder: int
    """The process whose namespaces the program runs in."""
    world: subprocess.Popen[str]
    certificate: Path

    def tell(self, **command: Any) -> dict[str, Any]:
        """Tells the world, or only asks it; what it says of itself afterwards."""
        assert self.world.stdin is not None
        assert self.world.stdout is not None
        self.world.stdin.write(json.dumps(command) + "\n")
        self.world.stdin.flush()
        return dict(json.loads(self.world.stdout.readline()))

    def provider(self, name: str) -> dict[str, Any]:
        """What a provider says of itself."""
        return dict(self.tell()["providers"][name])

    def ip(self, *words: str) -> None:
        """A change to the program's own interface."""
        _run("nsenter", "-t", str(self.holder), "-n", "ip", *words)

    def up(self, address: str = ADDRESS) -> None:
        """The interface with its address and routes, as after a reconnect."""
        self.ip("addr", "flush", "dev", "inner")
        self.ip("addr", "add", address, "dev", "inner")
        self.ip("link", "set", "inner", "up")
        self.ip("route", "replace", "default", "dev", "inner")
        with contextlib.suppress(subprocess.CalledProcessError):  # a kernel without IPv6
            self.ip("-6", "addr", "replace", "2001:db8:1::2/64", "dev", "inner", "nodad")
            self.ip("-6", "route", "replace", "default", "dev", "inner")

    def down(self) -> None:
        """No interface; its routes go with it."""
        self.ip("link", "set", "inner", "down")

    def siuo(self, name: str, **variables: str) -> Siuo:
        """The program in this network, in a folder of that name."""
        inside = ("nsenter", "-t", str(self.holder), "-n", "-m", f"--wd={self.folder / name}")
        keys = {"LAB_KEY": "sk-lab-0123456789abcdef", "SSL_CERT_FILE": str(self.certificate)}
        return Siuo(self.folder / name, inside=inside, **keys, **variables)


@contextlib.contextmanager
def lab(folder: Path, seed: int) -> Iterator[Lab]:
    """A network that works, for as long as the block lasts."""
    resolv, certificate = folder / "resolv.conf", folder / "authority.pem"
    resolv.write_text(f"nameserver {DNS}\noptions timeout:1 attempts:1\n")
    authority, names = trustme.CA(), [f"{name}.test" for name in HOSTS]
    authority.cert_pem.write_to_path(str(certificate))
    files = {"right": str(folder / "right.pem"), "wrong": str(folder / "wrong.pem")}
    authority.issue_cert(*names).private_key_and_cert_chain_pem.write_to_path(files["right"])
    trustme.CA().issue_cert("hotel.test").private_key_and_cert_chain_pem.write_to_path(files["wrong"])
    hold = f"mount --bind {resolv} /etc/resolv.conf && ip link set lo up && echo ready && exec cat"
    with contextlib.ExitStack() as ended:
        holder = _started(ended, ["unshare", "-n", "-m", "--propagation", "private", "sh", "-c", hold], {})
        module = [sys.executable, "-m", "tests.reliability.network_world", str(holder.pid), str(seed), json.dumps(files)]
        world = _started(ended, ["unshare", "-n", *module], {"PYTHONPATH": str(Path(__file__).resolve().parents[2])})
        made = Lab(folder, holder.pid, world, certificate)
        made.up()
        yield made


def _started(ended: contextlib.ExitStack, words: list[str], variables: Mapping[str, str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", env={**os.environ, **variables}, start_new_session=True
    )
    ended.callback(_end, process)
    assert process.stdout is not None
    assert process.stdout.readline(), f"{' '.join(words[:6])} did not start"
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
