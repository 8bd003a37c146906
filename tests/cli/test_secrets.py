"""A key is in no file and no output, whatever goes wrong."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from siuo_async.simulator import SimulatorProcess
from tests.cli.program import Siuo, journal

ODD = """
from siuo_async.benchmarks.toolkit import *
class Odd:
    name, metrics = "odd", {"ok": "Ok"}
    def samples(self, data):
        return [Sample("a", ("x",), "What?")]
    async def evaluate(self, sample, ask):
        raise RuntimeError("cannot")
benchmark = Odd()
"""
KEY = "lab-secret-4f1c9a77e0"


@pytest.mark.parametrize("persona", ["flaky", "mixed", "quota", "on-hold"])
@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini"])
def test_no_byte_of_a_key_is_kept_or_shown(dialect: str, persona: str, siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    path = {"openai": "/v1", "anthropic": "", "gemini": "/v1beta"}[dialect]
    (siuo.folder / "run.yaml").write_text(
        f"benchmark: siuo-gen\ndata: {dozen}\nmodels: [lab/{persona}]\nno_judge: true\nlimit: 3\n"
        f"providers: {{lab: {{dialect: {dialect}, base_url: '{simulator.url}{path}', key_env: LAB_KEY}}}}\n",
        encoding="utf-8",
    )
    done = siuo("run", "-c", "run.yaml", code=None, env={"LAB_KEY": KEY})
    shown = siuo("providers", env={"LAB_KEY": KEY, "OPENAI_API_KEY": KEY})
    assert done.code in (0, 3, 4)
    assert KEY not in done.out + done.err + shown.out + shown.err
    assert_nowhere(siuo.folder)


def assert_nowhere(folder: Path) -> None:
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != ".env"]
    assert any(file.name == "run.json" for file in files)
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


ECHOES = {
    "message": ({"message": f"What is {KEY}? Bearer {KEY} is odd."}, ""),
    "code": ({"message": "odd", "code": f"bad:{KEY}"}, ""),
    "request id": ({"message": "odd"}, f"x-request-id: {KEY}\r\n"),
    "filter's reason": ({"message": f"{KEY} is blocked", "code": "content_policy_violation"}, ""),
}


@pytest.fixture
def echoing(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that repeats the key in an error about each request."""
    error, header = ECHOES[request.param]
    loop, ready = asyncio.new_event_loop(), threading.Event()
    address: list[str] = []
    stop = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        await reader.readexactly(length)
        body = json.dumps({"error": error}).encode()
        writer.write(f"HTTP/1.1 400 Bad\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{header}\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async def serve() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            address.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(10)
    yield address[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@pytest.mark.parametrize("echoing", ECHOES, indirect=True)
def test_a_server_that_echoes_the_key_does_not_get_it_into_the_run(siuo: Siuo, dozen: Path, echoing: str) -> None:
    server = {"OPENAI_BASE_URL": echoing, "OPENAI_API_KEY": KEY}
    words = ("-m", "openai/gpt-4o-mini", "--no-judge", "--limit", "4")
    done = siuo("run", "siuo-gen", "--data", dozen, *words, code=None, env=server)
    assert done.code in (0, 3, 4)
    assert KEY not in done.out + done.err
    assert journal(next(siuo.folder.glob("results/*")))
    assert_nowhere(siuo.folder)


def test_a_key_in_a_dotenv_file_is_used_and_stays_there(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    (siuo.folder / ".env").write_text(f"OPENAI_API_KEY={KEY}\nOPENAI_BASE_URL=http://127.0.0.1:9/v1\n", encoding="utf-8")
    server = {"OPENAI_BASE_URL": f"{simulator.url}/v1"}
    siuo("run", "siuo-gen", "--data", dozen, "-m", "openai/careful", "--no-judge", "--limit", "2", env=server)
    assert simulator.stats()["by_route"] == {"openai": 6}
    assert_nowhere(siuo.folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_resume_takes_no_run_of_another_user_that_nobody_named(siuo: Siuo, dozen: Path) -> None:
    words = ("run", "siuo-gen", "--data", dozen, "-m", "sim/openai-quota", "--no-judge", "--limit", "2")
    done = siuo(*words, "--json", code=3)
    run = siuo.folder / done.run
    summary = run / "run_stats.json"
    summary.unlink(missing_ok=True)
    (run / "summary.json").unlink()
    os.chown(run, 12345, 12345)
    refused = siuo("resume", code=2)
    assert f"siuo resume {done.run}" in refused.err
    assert "another user" in refused.err
    assert "another user" not in siuo("resume", done.run, code=3).err


def test_a_files_owner_alone_can_read_a_traceback_of_a_run(siuo: Siuo) -> None:
    (siuo.folder / "odd.py").write_text(ODD, encoding="utf-8")
    siuo("run", "odd.py", "-m", "sim/openai-careful", "--no-judge", code=1)
    log = next(siuo.folder.glob("results/*/errors.log"))
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
