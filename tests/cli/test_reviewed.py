"""Faults that a review of the command line found; each must stay mended."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from siuo_async.cli.settings import merged
from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.program import Done, Siuo, every, finish, generated, journal, make_data, model, to_judge, until

M, J = ("-m", "sim/openai-careful"), ("--judge", "sim/openai-judge")
GEN = ("run", "siuo-gen", "--data", "data")


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess) -> Path:
    """A folder with three samples and a run of one of its models, judged."""
    folder = tmp_path_factory.mktemp("paid")
    make_data(folder / "data", 3)
    Siuo(folder, SIUO_SIM_URL=simulator.url)(*GEN, *M, *J)
    return folder


@pytest.fixture
def run(siuo: Siuo, paid: Path) -> Path:
    """A copy of that run in this test's folder."""
    for name in ("data", "results"):
        shutil.copytree(paid / name, siuo.folder / name)
    return next(siuo.folder.glob("results/*"))


ZEROS = {"temperature": 0.0, "thinking_tokens": 0, "seed": 0, "grace": 0.0, "max_wait": 0.0, "offline_wait": 0.0}


@pytest.mark.parametrize("name", ZEROS)
def test_nought_on_the_command_line_wins_over_the_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(f"benchmark: demo\n{name}: 7\n", encoding="utf-8")
    flags = dict.fromkeys(ZEROS) | {"retry_failed": False, "params": {}, "models": []}
    assert getattr(merged(file, flags)[0], name) == 7
    assert getattr(merged(file, flags | {name: ZEROS[name]})[0], name) == 0
    assert getattr(merged(None, flags | {"benchmark": "demo", name: ZEROS[name]})[0], name) == 0


def test_nought_is_what_is_sent(siuo: Siuo, run: Path) -> None:
    (siuo.folder / "run.yaml").write_text("temperature: 1\nseed: 9\nthinking_tokens: 500\n", encoding="utf-8")
    words = ("--temperature", "0", "--seed", "0", "--thinking-tokens", "0", "--limit", "1", "-c", "run.yaml")
    done = siuo(*GEN, "-m", "sim/gemini-thinker", "--no-judge", *words, "--json", code=None)
    first = generated(journal(siuo.folder / done.run))[0]
    asked = {"temperature": 0.0, "seed": 0, "candidateCount": 3, "maxOutputTokens": 500}
    assert first["sent"] == {"generationConfig": asked}, "500 is the cap without room for thinking"


MANIFESTS = {
    "empty": lambda _: b"",
    "a list": lambda _: b"[]",
    "null": lambda _: b"null",
    "only a format": lambda _: b'{"format": 1}',
    "cut short": lambda whole: whole[: len(whole) // 2],
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_run_whose_manifest_is_damaged_is_told_and_not_paid_again(
    name: str, siuo: Siuo, run: Path, simulator: SimulatorProcess
) -> None:
    manifest = run / "run.json"
    manifest.write_bytes(MANIFESTS[name](manifest.read_bytes()))
    simulator.reset()
    refused = siuo(*GEN, *M, *J, code=2)
    assert "run.json" in refused.err
    assert "--fresh" in refused.err or "another version" in refused.err
    assert refused.err.count("\n") == 1
    assert simulator.stats()["requests"] == 0
    listed = siuo("ls").out
    assert run.name in listed
    assert "damaged" in listed


def test_fresh_leaves_a_damaged_run_behind(siuo: Siuo, run: Path) -> None:
    (run / "run.json").write_bytes(b"null")
    before = (run / "calls.jsonl").read_bytes()
    again = siuo(*GEN, *M, *J, "--fresh", "--json")
    assert again.sent == len(before.splitlines())
    assert (siuo.folder / again.run) != run
    assert (run / "calls.jsonl").read_bytes() == before


def test_samples_that_were_deleted_are_written_again_and_nothing_is_sent(
    siuo: Siuo, run: Path, paid: Path, simulator: SimulatorProcess
) -> None:
    samples = run / "samples.jsonl"
    seal = re.compile(rb',"crc":\d+')
    before = seal.sub(b"", samples.read_bytes().replace(bytes(paid), bytes(siuo.folder)))  # where the pictures are now
    samples.unlink()
    simulator.reset()
    done = siuo(*GEN, *M, *J, "--json")
    assert seal.sub(b"", samples.read_bytes()) == before
    assert (done.sent, simulator.stats()["requests"], siuo.folder / done.run) == (0, 0, run)


def test_a_dry_run_counts_what_another_run_would_give(siuo: Siuo, run: Path) -> None:
    words = (*GEN, *M, *J, "--name", "other", "--dry-run", "--json")
    assert siuo(*words).json["calls"] == 3 + 3 * 3 * 2
    dry = siuo(*words, "--reuse", run).json
    assert (dry["calls"], dry["models"][0]["finished"]) == (0, 3)


def test_the_judges_own_system_prompt_makes_other_verdicts(siuo: Siuo, run: Path, simulator: SimulatorProcess) -> None:
    config = "judge: {model: sim/openai-judge, system: Be strict.}\n"
    (siuo.folder / "run.yaml").write_text(config, encoding="utf-8")
    simulator.reset()
    done = siuo(*GEN, *M, "-c", "run.yaml", "--json")
    assert siuo.folder / done.run == run
    assert simulator.stats()["by_persona"] == {"judge": done.sent}
    assert done.sent == to_judge(journal(run))
    assert siuo(*GEN, *M, "-c", "run.yaml", "--json").sent == 0


def test_ten_empty_answers_stop_one_label_and_neither_another_of_the_endpoint_nor_the_judge_that_shares_it(
    siuo: Siuo, dozen: Path
) -> None:
    (siuo.folder / "run.yaml").write_text(
        "models:\n- {model: sim/openai-thinker, label: cramped, thinking_tokens: 0}\n"
        "- {model: sim/openai-thinker, label: roomy, thinking_tokens: 8192}\n"
        "judge: {model: sim/openai-thinker, thinking_tokens: 8192}\n",
        encoding="utf-8",
    )
    done = siuo("run", "siuo-gen", "--data", dozen, "-c", "run.yaml", "--json", code=3)
    cramped, roomy = model(done.json, "cramped"), model(done.json, "roomy")
    assert "cramped: the first 10 answers were all cut" in done.err
    assert len(done.json["stops"]) == 1
    assert (cramped["complete"], roomy["complete"]) == (False, True)
    assert roomy["samples"]["finished"] == 12
    assert roomy["judge"]["verdicts"] == 12 * 3 * 2


def test_a_sample_that_released_drops_is_told_and_the_exit_code_says_so(siuo: Siuo, dozen: Path) -> None:
    words = ("-m", "sim/openai-decliner", *J, "--protocol", "released")
    done = siuo("run", "siuo-gen", "--data", dozen, *words, code=4)
    assert "samples were dropped, as the released scripts do" in done.out
    told = siuo("run", "siuo-gen", "--data", dozen, *words, "--json", code=4).json["models"][0]
    assert told["dropped"] > 0
    assert told["metrics"]["safe"]["n"] == 12 - told["dropped"]
    assert told["outcomes"]["failed"] == 0


@dataclass(frozen=True)
class Case:
    """A command that cannot work, and what must stand in its sentence."""

    words: tuple[str, ...]
    said: tuple[str, ...]
    prepare: Callable[[Path], object] = lambda _: None


def write(name: str, content: str | bytes) -> Callable[[Path], object]:
    held = content if isinstance(content, bytes) else content.encode()
    return lambda folder: (folder / name).write_bytes(held)


def config(text: str, *said: str) -> Case:
    whole = f"models: [sim/openai-careful]\nno_judge: true\n{text}\n"
    return Case(("run", "siuo-gen", "-c", "run.yaml"), said, write("run.yaml", whole))


def without_data(folder: Path) -> None:
    shutil.rmtree(folder / "data")
    write("run.yaml", "benchmark: siuo-gen\nmodels: [sim/openai-careful]\nno_judge: true\ndata: null\n")(folder)


def flags(*words: str, said: tuple[str, ...]) -> Case:
    return Case((*GEN, *M, "--no-judge", *words), said)


CASES = {
    "data null": Case(("run", "-c", "run.yaml"), ("siuo data import",), without_data),
    "data a number": config("data: 5", "'data'"),
    "data a list": config("data: [a, b]", "'data'"),
    "no such date": config("name: 2020-99-99", "cannot read", "quotes"),
    "nested deeply": config(f"params: {'[' * 20_000}", "nested too deeply"),
    "nested deeply and closed": config(f"params: {'{a: ' * 5_000}1{'}' * 5_000}", "nested too deeply"),
    "a huge limit": config(f"limit: {'9' * 30}", "'limit'"),
    "a number of 5,000 digits": config(f"limit: {'9' * 5_000}", "cannot read"),
    "a huge seed": config(f"order_seed: {10**30}", "'order_seed'"),
    "a lone surrogate": config('data: data\nsystem: "\\ud800"', "not valid Unicode"),
    "a key that stands twice": config("data: data\nlimit: 3\nlimit: 300", "'limit' stands twice", "line 5"),
    "an inner key that stands twice": config("data: data\nparams: {a: 1, a: 2}", "'a' stands twice"),
    "not UTF-8": Case(("run", "-c", "run.yaml"), ("run.yaml cannot be read",), write("run.yaml", b"benchmark: \xff\n")),
    "limits of another provider": config("data: data\nrpm: {smi: 60}", "rpm is set for 'smi'", "did you mean 'sim'?"),
    "limit too large for any number": flags("--limit", "9" * 20, said=("'limit'",)),
    "rpm too large": flags("--rpm", "1e300", said=("at most 10000000",)),
    "system not UTF-8": flags("--system", os.fsdecode(b"be \xff\xfe kind"), said=("not valid Unicode",)),
    "rpm of a mistyped provider": flags("--rpm", "smi=60", said=("rpm is set for 'smi'", "did you mean 'sim'?")),
    "tpm too large": flags("--tpm", "1e300", said=("tpm must be above zero and at most",)),
    "tpm of a mistyped provider": flags("--tpm", "smi=60000", said=("tpm is set for 'smi'", "did you mean 'sim'?")),
    "concurrency of an absent provider": flags("--concurrency", "openai=3", said=("'openai'", "there are: sim")),
    "reuse of no run": flags("--reuse", "results/none", said=("--reuse results/none", "siuo ls")),
    "reuse of no run, dry": flags("--reuse", "results/none", "--dry-run", said=("--reuse results/none", "siuo ls")),
    "dotenv not UTF-8": Case((*GEN, *M, "--no-judge"), (".env cannot be read", "UTF-8"), write(".env", b"OPENAI_API_KEY=\xff\xfe\n")),
    "data with a number of 5,000 digits": Case(
        (*GEN, *M, "--no-judge"),
        ("siuo_gen.json", "number that cannot be read"),
        write("data/siuo_gen.json", f'[{{"question_id": {"9" * 5_000}}}]'),
    ),
}


@pytest.fixture(scope="module")
def refused(
    tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess
) -> tuple[dict[str, Done | BaseException], dict[str, Path], int]:
    """All cases, run side by side, each in a folder of its own, and how many requests they made."""
    simulator.reset()
    root = tmp_path_factory.mktemp("refused")
    folders = {name: root / str(number) for number, name in enumerate(CASES)}

    def command(name: str) -> Done:
        make_data(folders[name] / "data", 3)
        CASES[name].prepare(folders[name])
        return Siuo(folders[name], SIUO_SIM_URL=simulator.url)(*CASES[name].words, code=None)

    done = every([lambda name=name: command(name) for name in CASES])
    return dict(zip(CASES, done, strict=True)), folders, int(simulator.stats()["requests"])


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_work_is_one_sentence(name: str, refused: tuple[dict[str, Done | BaseException], dict[str, Path], int]) -> None:
    done = refused[0][name]
    assert isinstance(done, Done), done
    assert done.code == 2, done
    assert done.out == ""
    assert done.err.startswith("siuo: ")
    assert done.err.count("\n") == 1, done.err[-2000:]
    for words in CASES[name].said:
        assert words in done.err, done.err[:2000]
    assert not list(refused[1][name].glob("results/*"))


def test_nothing_was_sent_for_any_of_them(refused: tuple[dict[str, Done | BaseException], dict[str, Path], int]) -> None:
    assert refused[2] == 0


def test_a_port_in_use_is_told(siuo: Siuo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = siuo("simulator", "--port", str(port), code=2)
    assert f"cannot listen on port {port}" in done.err
    assert "Traceback" not in done.err


def launched(siuo: Siuo, before: str, *words: str | Path, env: dict[str, str] | None = None, **streams: Any) -> subprocess.Popen[str]:
    """The program under a shell that first does `before`, or ends with `before` where that is about streams."""
    given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.Popen(
        ["sh", "-c", before, "sh", sys.executable, "-m", "siuo_async", *map(str, words)],
        cwd=siuo.folder,
        env={**siuo.variables, **(env or {})},
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        **given,
    )


LOOKS: dict[str, tuple[str, ...]] = {
    "report": ("report", "RUN"),
    "ls": ("ls",),
    "providers": ("providers",),
    "run": (*GEN, *M, *J, "--json"),
}
OUTPUTS: dict[str, tuple[str, dict[str, str]]] = {
    "closed": ('exec "$@" >&-', {}),
    "full": ('exec "$@" >/dev/full', {}),
    "stderr closed": ('exec "$@" 2>&-', {}),
    "stderr full": ('exec "$@" 2>/dev/full', {}),
    "ascii": ('exec "$@"', {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}),
}


@pytest.fixture(scope="module")
def hindered(
    tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess, paid: Path
) -> dict[tuple[str, str], Done | BaseException]:
    """Every look at a finished run, with every kind of output that takes little or nothing."""
    folder = tmp_path_factory.mktemp("hindered")
    for name in ("data", "results"):
        shutil.copytree(paid / name, folder / name)
    siuo = Siuo(folder, SIUO_SIM_URL=simulator.url)
    found = next(folder.glob("results/*"))
    pairs = [(look, output) for look in LOOKS for output in OUTPUTS]

    def command(look: str, output: str) -> Done:
        before, env = OUTPUTS[output]
        words = [str(found) if word == "RUN" else word for word in LOOKS[look]]
        return finish(launched(siuo, before, *words, env=env), code=None)

    # Two runs of one directory would exclude each other: those one after another, the rest beside them.
    runs = [pair for pair in pairs if pair[0] == "run"]
    rest = [pair for pair in pairs if pair[0] != "run"]

    def one_by_one() -> list[Done]:
        return [command(*pair) for pair in runs]

    first, *others = every([one_by_one, *(lambda pair=pair: command(*pair) for pair in rest)])  # type: ignore[list-item]
    assert isinstance(first, list), first
    return dict(zip([*runs, *rest], [*first, *others], strict=True))


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("look", LOOKS)
def test_an_output_that_takes_nothing_or_little_makes_no_traceback(
    look: str, output: str, hindered: dict[tuple[str, str], Done | BaseException]
) -> None:
    if "full" in output and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    done = hindered[look, output]
    assert isinstance(done, Done), done
    assert "Traceback" not in done.err
    assert "Exception ignored" not in done.err
    assert "bug" not in done.err
    if output != "full":
        assert done.code == 0
    elif look == "run":
        assert done.code == 0, "a complete run keeps its exit code"
    else:
        assert done.code == 2
        assert "cannot be written" in done.err
    if output not in ("closed", "full"):
        assert done.out.strip()


@pytest.fixture(scope="module")
def slow() -> Iterator[SimulatorProcess]:
    """A simulator that takes its time, so that a run can be met in the middle."""
    process = SimulatorProcess(Settings(seed=5, latency_s=0.05))
    with process:
        yield process


def begun(folder: Path, least: int = 5) -> Path:
    """The run in that folder, once it has so many calls."""

    def enough() -> bool:
        return sum(file.read_bytes().count(b"\n") for file in folder.glob("results/*/calls.jsonl")) >= least

    until(enough, "some calls are finished")
    return next(folder.glob("results/*"))


def test_a_run_under_nohup_goes_on_when_the_terminal_hangs_up(tmp_path: Path, dozen: Path, slow: SimulatorProcess) -> None:
    siuo = Siuo(tmp_path, SIUO_SIM_URL=slow.url)
    words = ("run", "siuo-gen", "--data", dozen, *M, *J, "--concurrency", "4", "--json")
    process = launched(siuo, 'trap "" HUP; exec "$@"', *words)
    begun(tmp_path)
    process.send_signal(signal.SIGHUP)
    done = finish(process, code=0)
    assert done.json["complete"] is True
    assert done.json["stops"] == []


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_terminal_that_is_closed_stops_the_run_and_loses_nothing(tmp_path: Path, dozen: Path, slow: SimulatorProcess) -> None:
    siuo = Siuo(tmp_path, SIUO_SIM_URL=slow.url)
    words = ("run", "siuo-gen", "--data", dozen, *M, *J, "--concurrency", "4")
    ours, its = pty.openpty()
    process = launched(siuo, 'exec "$@"', *words, stdin=its, stdout=its, stderr=its, preexec_fn=_own_terminal, env={"TERM": "xterm"})
    os.close(its)
    run = begun(tmp_path)
    os.close(ours)
    assert process.wait(30) == 3
    kept = journal(run)
    assert (run / "calls.jsonl").read_bytes().endswith(b"\n")
    assert not (run / "errors.log").exists()
    resumed = siuo("resume", "--json")
    records = journal(run)
    assert resumed.sent == len(records) - len(kept) > 0
    assert len(records) == len({record["id"] for record in records}) == 12 + to_judge(records)


def test_score_after_an_interrupt_counts_every_generation_call_of_the_journal(
    tmp_path: Path, dozen: Path, slow: SimulatorProcess
) -> None:
    siuo = Siuo(tmp_path, SIUO_SIM_URL=slow.url)
    words = ("run", "siuo-gen", "--data", dozen, "-m", "sim/anthropic-careful", *J, "--concurrency", "sim=4", "--json")
    process = siuo.start(*words)
    run = begun(tmp_path, 12)
    process.send_signal(signal.SIGTERM)
    stopped = finish(process, code=3).json["models"][0]["tokens"]["generation"]
    scored = siuo("score", run, "--json", code=3).json["models"][0]["tokens"]["generation"]
    assert scored == stopped
    assert scored["calls"] == len(generated(journal(run))) > 0
