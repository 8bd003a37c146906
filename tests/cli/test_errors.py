"""Whatever is wrong is one sentence on stderr and the exit code of the design, never a traceback; nothing is lost or sent."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from siuo_async.seals import sealed
from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.program import Done, Siuo, every, finish, journal, make_data, until

M, J = ("-m", "sim/openai-careful"), ("--judge", "sim/openai-judge")
GEN = ("run", "siuo-gen")
DATA = ("--data", "data")


@dataclass(frozen=True)
class Case:
    """A command that cannot work, and what must stand in its sentence."""

    words: tuple[str, ...]
    said: tuple[str, ...]
    prepare: Callable[[Path], object] = lambda _: None
    env: tuple[tuple[str, str], ...] = ()


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


def data_file(change: Callable[[str], str]) -> Callable[[Path], object]:
    def prepare(folder: Path) -> None:
        file = folder / "data" / "siuo_gen.json"
        file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")

    return prepare


def config(text: str) -> dict[str, object]:
    return {"words": ("run", "-c", "run.yaml"), "prepare": write("run.yaml", text)}


CASES = {
    "no model": Case((*GEN, *DATA, *J), ("no model is named", "-m PROVIDER/MODEL", "siuo demo")),
    "no judge": Case((*GEN, *DATA, *M), ("needs a judge", "--judge", "--no-judge")),
    "no benchmark": Case(("run", *M, *J), ("name a benchmark", "siuo data list")),
    "no key": Case((*GEN, *DATA, "-m", "openai/gpt-4o", *J), ("no key for 'openai'", "OPENAI_API_KEY")),
    "unknown provider": Case((*GEN, *DATA, "-m", "opnai/gpt-4o", *J), ("unknown provider 'opnai'", "did you mean 'openai'?")),
    "unknown benchmark": Case(("run", "siuo-gne", *M, *J), ("no benchmark 'siuo-gne'", "did you mean 'siuo-gen'?")),
    "model without provider": Case((*GEN, *DATA, "-m", "gpt-4o", *J), ("'gpt-4o' names no provider", "PROVIDER/MODEL")),
    "no simulator": Case((*GEN, *DATA, *M, *J), ("SIUO_SIM_URL", "siuo simulator"), env=(("SIUO_SIM_URL", ""),)),
    "missing data": Case((*GEN, *M, *J, "--data", "elsewhere"), ("siuo data import siuo PATH", "--data PATH")),
    "missing config": Case(("run", "-c", "none.yaml"), ("no configuration file none.yaml", "siuo init")),
    "broken YAML": Case(**config("benchmark: siuo-gen\nmodels: [a\nlimit: 3\n"), said=("run.yaml line 3", "is not YAML")),
    "unknown setting": Case(**config("benchmark: siuo-gen\nmodel: sim/openai-careful\n"), said=("'model'", "did you mean 'models'?")),
    "unknown setting of a model": Case(
        **config("benchmark: siuo-gen\nmodels: [{model: sim/a, temprature: 1}]\n"), said=("temprature", "did you mean 'temperature'?")
    ),
    "not a mapping": Case(**config("- a\n- b\n"), said=("holds a list, not settings",)),
    "broken JSON": Case((*GEN, *DATA, *M, *J), ("line 2, column", "broken JSON"), data_file(lambda text: "[\n" + text[1:-40])),
    "doubled ids": Case(
        (*GEN, *DATA, *M, *J),
        ("question_id 1000", "items 1 and 2"),
        data_file(lambda t: t.replace('"question_id": 1001', '"question_id": 1000')),
    ),
    "missing picture": Case(
        (*GEN, *DATA, *M, *J), ("P-001.png", "--missing-images skip"), lambda f: (f / "data/images/P-001.png").unlink()
    ),
    "HTML picture": Case((*GEN, *DATA, *M, *J), ("P-001.png", "an HTML page"), write("data/images/P-001.png", "<!DOCTYPE html><html>")),
    "rpm no number": Case((*GEN, *DATA, *M, *J, "--rpm", "abc"), ("--rpm 'abc'", "above zero")),
    "tpm nought": Case((*GEN, *DATA, *M, *J, "--tpm", "sim=0"), ("--tpm 'sim=0'", "above zero")),
    "concurrency nought": Case((*GEN, *DATA, *M, *J, "--concurrency", "0"), ("--concurrency '0'", "above zero")),
    "param without =": Case((*GEN, *DATA, *M, *J, "--param", "top_k"), ("--param 'top_k' is not K=V",)),
    "unknown category": Case((*GEN, *DATA, *M, *J, "--category", "nonsense"), ("no category 'nonsense'", "self-harm")),
    "two judges' words": Case((*GEN, *DATA, *M, *J, "--no-judge"), ("exclude each other",)),
    "same model twice": Case((*GEN, *DATA, *M, *M, *J), ("two models have the label",)),
    "run is no run": Case((*GEN, *DATA, *M, *J, "--run", "data"), ("data is not empty", "--run")),
    "score of no run": Case(("score", "nothing"), ("no run nothing", "siuo ls")),
    "resume of nothing": Case(("resume",), ("no unfinished run", "siuo ls")),
    "base URL without scheme": Case(
        (*GEN, *DATA, "-m", "openai/gpt-4o", "--no-judge"),
        ("OPENAI_BASE_URL: `127.0.0.1:8000/v1` is no base URL", "https://"),
        env=(("OPENAI_BASE_URL", "127.0.0.1:8000/v1"), ("OPENAI_API_KEY", "sk-000000000")),
    ),
    "key in the base URL": Case(
        (*GEN, *DATA, "-m", "openai/gpt-4o", "--no-judge"),
        ("must hold no user or password",),
        env=(("OPENAI_BASE_URL", "http://me:sk-000000000@127.0.0.1:8000/v1"), ("OPENAI_API_KEY", "sk-000000000")),
    ),
    "key with blanks": Case(
        (*GEN, *DATA, "-m", "openai/gpt-4o", "--no-judge"), ("OPENAI_API_KEY holds blanks",), env=(("OPENAI_API_KEY", "sk-00000 0000"),)
    ),
    "no such format": Case(("report", "nothing", "--format", "pdf"), ("no format 'pdf'", "markdown")),
    "no such simulated model": Case((*GEN, *DATA, "-m", "sim/careful", *J), ("`sim/careful`", "`openai-`")),
    "provider without base URL": Case(
        **config("benchmark: siuo-gen\nmodels: [lab/vlm]\nno_judge: true\nproviders: {lab: {dialect: openai}}\n"),
        said=("'lab' has no base URL", "base_url:"),
    ),
    "a flag of another kind": Case((*GEN, *DATA, *M, *J, "--limit", "ten"), ("'--limit': must be a whole number", "siuo run --help")),
    "a flag out of bounds": Case((*GEN, *DATA, *M, *J, "--answers", "65"), ("'--answers': must be less than or equal to 64",)),
    "a flag without its value": Case((*GEN, *DATA, *M, *J, "--limit"), ("'--limit' requires an argument",)),
    "a mistyped flag": Case(
        (*GEN, *DATA, *M, *J, "--limt", "3"), ("no such option: --limt; did you mean --limit", "? `siuo run --help`")
    ),
    "a mistyped command": Case(("rnu",), ("no such command 'rnu'; did you mean 'run'? `siuo --help` shows",)),
    "a path that is too long": Case((*GEN, *M, *J, "--data", "x" * 300), ("cannot be used (File name too long)",)),
    "a folder for a configuration": Case(("run", "-c", "data"), ("data cannot be read (Is a directory)",)),
    "a pipe for a configuration": Case(("run", "-c", "run.yaml"), ("run.yaml is empty",), lambda f: os.mkfifo(f / "run.yaml")),
    "a device for a configuration": Case(("run", "-c", "/dev/zero"), ("larger than settings ever are",)),
    "a Python type of a setting": Case(**config("benchmark: siuo-gen\nmodels: {a: [1]}\n"), said=("models.0",)),
    "a table where a number stands": Case(
        **config("benchmark: siuo-gen\nlimit: {a: 1}\n"), said=("'limit': must be a whole number, but it is a table",)
    ),
    "a ceiling of text": Case(
        **config("benchmark: siuo-gen\nrpm: {sim: many}\n"), said=("'rpm' must be a number, or a table", "'many' for 'sim'")
    ),
    "a key for a base URL": Case(
        (*GEN, *DATA, "-m", "openai/gpt-4o", "--no-judge"),
        ("is no base URL", "[key]"),
        env=(("OPENAI_BASE_URL", "sk-0000000000000000"), ("OPENAI_API_KEY", "sk-000000000")),
    ),
    "a line of .env that cannot be read": Case(
        (*GEN, *DATA, "-m", "openai/gpt-4o", "--no-judge"),
        ("no key for 'openai'", "line 2 of .env is not NAME=VALUE"),
        write(".env", "A=1\njust words\n"),
    ),
    "prices of text": Case(
        **config("benchmark: siuo-gen\nmodels: [sim/openai-careful]\nprices: {sim/openai-careful: {input: cheap, output: 1}}\n"),
        said=("input", "number"),
    ),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess) -> tuple[dict[str, Done | BaseException], Path]:
    """All cases, run side by side, each in a folder of its own."""
    simulator.reset()
    root = tmp_path_factory.mktemp("refused")
    make_data(root / "data", 3)

    def command(number: int, case: Case) -> Done:
        folder = root / f"case-{number}"
        shutil.copytree(root / "data", folder / "data")
        case.prepare(folder)
        return Siuo(folder, SIUO_SIM_URL=simulator.url)(*case.words, env=dict(case.env), code=None)

    done = every([lambda number=number, case=case: command(number, case) for number, case in enumerate(CASES.values())])
    return dict(zip(CASES, done, strict=True)), root


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_work_is_told_in_one_sentence_before_anything_is_sent(
    name: str, refused: tuple[dict[str, Done | BaseException], Path], simulator: SimulatorProcess
) -> None:
    done = refused[0][name]
    assert isinstance(done, Done), done
    assert done.code == 2, done
    assert done.err.startswith("siuo: ")
    assert done.out == ""
    assert "Traceback" not in done.err
    assert "sk-000" not in done.err
    for words in CASES[name].said:
        assert words in done.err
    assert not list((refused[1] / f"case-{list(CASES).index(name)}").glob("results/*/calls.jsonl"))


def test_a_wrong_key_costs_four_requests_and_is_not_echoed(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    key = "sk-wrong-key-do-not-echo-1234"
    with SimulatorProcess(Settings(keys=("another",))) as url:
        server = {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": key}
        done = siuo("run", "siuo-gen", "--data", dozen, "-m", "openai/gpt-4o-mini", "--no-judge", code=3, env=server)
        stats = json.loads(_get(f"{url}/stats"))
    assert 1 <= stats["requests"] <= 4
    assert "check the key" in done.err
    assert "Traceback" not in done.err
    assert key not in done.out + done.err
    assert not [file for file in siuo.folder.rglob("*") if file.is_file() and key.encode() in file.read_bytes()]


def _get(url: str) -> bytes:
    import urllib.request

    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as reply:
        return bytes(reply.read())


def test_a_wrong_key_at_the_real_name_wrong_is_an_early_stop(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    server = {"OPENAI_BASE_URL": f"{simulator.url}/v1", "OPENAI_API_KEY": "wrong"}
    words = ("-m", "openai/careful", "--no-judge", "--json")
    stopped = siuo("run", "siuo-gen", "--data", dozen, *words, code=3, env=server)
    assert journal(siuo.folder / stopped.run) == []
    healed = siuo("run", "siuo-gen", "--data", dozen, *words, env={**server, "OPENAI_API_KEY": "right-key-1"})
    assert (healed.run, healed.sent) == (stopped.run, 36)


@pytest.fixture
def finished(siuo: Siuo, dozen: Path) -> Path:
    return siuo("run", "siuo-gen", "--data", dozen, *M, *J, "--limit", "2", "--name", "mine", "--json").run


def test_another_configuration_under_a_chosen_name_is_refused_with_the_differences(siuo: Siuo, dozen: Path, finished: Path) -> None:
    words = ("run", "siuo-gen", "--data", dozen, *M, *J, "--limit", "2", "--max-tokens", "300")
    for place in (("--name", "mine"), ("--run", str(finished))):
        err = siuo(*words, *place, code=2).err
        assert 'parameters: nothing there, {"max_tokens":300} now' in err
        assert "--fresh" in err


def test_a_damaged_manifest_is_named(siuo: Siuo, finished: Path) -> None:
    (siuo.folder / finished / "run.json").write_bytes(b'{"format": 1, "name"')
    for command in ("score", "check", "resume"):
        assert "run.json cannot be read" in siuo(command, finished, code=2).err


def test_a_manifest_that_was_changed_is_told_and_one_that_was_meant_to_be_is_taken(siuo: Siuo, finished: Path) -> None:
    file = siuo.folder / finished / "run.json"
    manifest = json.loads(file.read_bytes())
    file.write_text(json.dumps(manifest), encoding="utf-8")  # laid out in another way, which changes nothing
    before = siuo("score", finished, "--json").json["models"]
    manifest["config"]["limit"] = 1
    file.write_text(json.dumps(manifest), encoding="utf-8")
    for command in ("score", "resume", "report", "export", "check"):
        assert "was changed since it was written" in siuo(command, finished, code=2).err
    del manifest["seal"]
    file.write_text(json.dumps(manifest), encoding="utf-8")
    meant = siuo("score", finished, "--json").json["models"]
    assert (before[0]["samples"]["total"], meant[0]["samples"]["total"]) == (2, 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[1:],
        lambda lines: [lines[0], *lines],
        lambda lines: [lines[0].replace(b"Warning", b"Wrrning"), *lines[1:]],
        lambda lines: [lines[0].replace(b'"category":["', b'"category":["x'), *lines[1:]],
    ],
    ids=["one is gone", "one stands twice", "a text is another", "a category is another"],
)
def test_samples_that_were_changed_make_no_number(change: Callable[[list[bytes]], list[bytes]], siuo: Siuo, finished: Path) -> None:
    file = siuo.folder / finished / "samples.jsonl"
    # Each line with a checksum that fits, as whoever writes the file has it.
    changed = change([line.rpartition(b',"crc":')[0] for line in file.read_bytes().splitlines()])
    file.write_bytes(b"".join(sealed(line + b"}") for line in changed))
    for command in ("score", "resume", "report", "export", "check"):
        told = siuo(command, finished, code=2).err
        assert "does not hold the samples that the run was made of" in told or "its checksum does not fit" in told
        assert "type its `siuo run` command again, which writes it anew" in told


@pytest.mark.parametrize("name", ["run.json", "samples.jsonl", "calls.jsonl", "summary.json", "run_stats.json", "limits.jsonl"])
def test_a_pipe_in_place_of_a_file_of_a_run_hangs_nobody(name: str, siuo: Siuo, finished: Path) -> None:
    file = siuo.folder / finished / name
    file.unlink()
    os.mkfifo(file)
    for words in (("score", finished), ("check", finished), ("ls",)):
        done = siuo(*words, code=None)
        assert done.code in ((2,) if name in ("run.json", "samples.jsonl", "calls.jsonl") and words != ("ls",) else (0,)), done


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_leave_a_run_whole(closed: str, siuo: Siuo, dozen: Path) -> None:
    words = ("run", "siuo-gen", "--data", str(dozen), *M, *J, "--limit", "1", "--name", "mine")
    line = f'exec "$@" {closed}'
    command = ["sh", "-c", line, "sh", sys.executable, "-m", "siuo_async", *words]
    ended = subprocess.run(command, cwd=siuo.folder, env=siuo.variables, capture_output=True, check=False)
    assert ended.returncode == 0, ended
    (run,) = siuo.folder.glob("results/*")
    assert len(journal(run)) == 7


@pytest.mark.parametrize("content", [b"[]", b'{"format": 1}', b'{"format": 2}', b'{"format": 1, "config": {}, "models": 3}', b"\xff"])
def test_a_manifest_of_another_kind_is_no_bug(content: bytes, siuo: Siuo, finished: Path) -> None:
    (siuo.folder / finished / "run.json").write_bytes(content)
    done = siuo("score", finished, code=2)
    assert "run.json" in done.err
    assert "Traceback" not in done.err


def test_a_run_that_is_being_written_is_refused_with_its_holder(tmp_path: Path, dozen: Path) -> None:
    with SimulatorProcess(Settings(latency_s=5.0)) as url:
        siuo = Siuo(tmp_path, SIUO_SIM_URL=url)
        words = ("run", "siuo-gen", "--data", dozen, *M, "--no-judge", "--limit", "1")
        first = siuo.start(*words)
        until(lambda: list(tmp_path.glob("results/*/writer.json")), "the first run has begun")
        until(lambda: list(tmp_path.glob("results/*/run.json")), "the first run is known")
        second = siuo(*words, code=2)
        os.kill(first.pid, signal.SIGKILL)
        finish(first, code=-9)
    assert f"is being written by process {first.pid}" in second.err


def test_a_full_disk_stops_the_run_and_nothing_is_paid_twice(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    words = ("run", "siuo-gen", "--data", dozen, *M, *J, "--json")
    stopped = siuo(*words, code=3, blocks=60)  # 30 kB: room for about sixty calls
    run = next(siuo.folder.glob("results/*"))
    kept = {record["id"] for record in journal(run)}
    assert "make room and run the same command again" in stopped.err
    assert kept
    assert (run / "calls.jsonl").read_bytes().endswith(b"\n")
    before = simulator.stats(calls=True)["calls"]
    siuo(*words)
    after = simulator.stats(calls=True)["calls"]
    assert {call: after[call] for call in kept} == {call: before[call] for call in kept}
    assert len(journal(run)) > len(kept)


def test_a_results_folder_that_cannot_be_written_is_told(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    (siuo.folder / "results").write_text("a file in its place", encoding="utf-8")
    done = siuo("run", "siuo-gen", "--data", dozen, *M, *J, code=2)
    assert "choose another place with --results or --run" in done.err
    assert simulator.stats()["requests"] == 0


def test_a_read_only_results_folder_is_told(siuo: Siuo, dozen: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is read-only to root")
    (siuo.folder / "results").mkdir(mode=0o500)
    assert "cannot be made" in siuo("run", "siuo-gen", "--data", dozen, *M, *J, code=2).err


def test_answers_of_another_server_never_pass_as_the_providers(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    words = ("run", "siuo-gen", "--data", dozen, "-m", "openai/careful", "--no-judge", "--limit", "2", "--json")
    key = {"OPENAI_API_KEY": "sk-some-key-12345"}
    there = siuo(*words, env={**key, "OPENAI_BASE_URL": f"{simulator.url}/v1"})
    port = simulator.url.rpartition(":")[2]
    assert {record["provider"] for record in journal(siuo.folder / there.run)} == {f"openai@127.0.0.1:{port}"}
    plan = siuo(*words, "--dry-run", env=key).json
    assert plan["models"][0]["model"] == "openai/careful"
    assert plan["models"][0]["finished"] == 0
    assert plan["calls"] > 0
    assert f"was asked of openai@127.0.0.1:{port}" in siuo("resume", there.run, env=key, code=2).err


def test_a_program_whose_files_may_not_grow_leaves_no_module_half_compiled(siuo: Siuo, tmp_path: Path) -> None:
    siuo("ls", blocks=5, env={"PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")})
    assert not list(tmp_path.glob("compiled/**/*.pyc"))
