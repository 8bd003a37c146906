"""`siuo simulator`: what it is told of limits reaches the server, and what cannot be meant is told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.cli.conftest import Siuo
from tests.simulator.speak import body, headers, path

FLAGS = ["--latency", "0", "--limiter", "bucket", "--rpm", "60", "--burst", "1", "--limits-at", "0=0.5", "--hints", "retry-after"]


def asked(url: str) -> tuple[int, dict[str, str]]:
    data = json.dumps(body("openai", "careful")).encode()
    request = urllib.request.Request(url + path("openai", "careful"), data, headers("openai"))
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as reply:
            return reply.status, dict(reply.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers)


def test_the_limits_reach_the_server() -> None:
    words = [sys.executable, "-m", "siuo_async", "simulator", *FLAGS]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("simulator listening on ")
        replies = [asked(url) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert [status for status, _ in replies] == [200, 429]
    assert {name.lower(): value for name, value in replies[1][1].items()}["retry-after"] == "2"


@pytest.mark.parametrize(
    "flag, value, said",
    [
        ("--limiter", "leaky", "--limiter is `leaky`; it must be one of fixed, sliding, bucket"),
        ("--hints", "some", "--hints is `some`; it must be one of full, retry-after, body, none"),
        ("--limits-at", "soon", "--limits-at is `soon`; it must look like 40=0.3,80=1"),
        ("--tpm", "-1", "--tpm is -1; it must be a number from 0 on"),
    ],
)
def test_a_value_that_cannot_be_meant_is_told_in_one_sentence(siuo: Siuo, flag: str, value: str, said: str) -> None:
    done = siuo("simulator", flag, value, code=2)
    assert said in done.err
    assert done.err.count("\n") == 1
