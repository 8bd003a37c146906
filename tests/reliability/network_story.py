"""A run in a network that is spoilt: how it is begun, what is looked at afterwards, and what it is compared with."""

from __future__ import annotations

import atexit
import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.cli.program import Done, finish, journal, make_data, until
from tests.reliability.faults import Scene, Seen
from tests.reliability.network_lab import Lab, lab

AT_ONCE = 4
LIMIT_S = 60.0


@dataclass(frozen=True)
class Setting:
    """What is run; equal settings have equal results where nobody disturbs them."""

    providers: tuple[str, ...] = ("alpha", "bravo")
    scheme: str = "https"
    samples: int = 24
    picture_bytes: int = 64
    judged: bool = False
    at_once: int = AT_ONCE
    words: tuple[str, ...] = field(default=(), compare=False)
    """More flags, that change nothing where nobody disturbs."""


@dataclass
class Story:
    """A run that was begun, and the network around it."""

    setting: Setting
    net: Lab
    process: subprocess.Popen[str]

    def providers(self) -> dict[str, Any]:
        """What the providers say."""
        return dict(self.net.tell()["providers"])

    def until_under_way(self, answers: int = 4) -> None:
        """Returns when each provider gave some more answers and has calls that wait for theirs."""

        def given() -> dict[str, int]:
            told = self.providers()
            return {name: sum(status == 200 for _, status in told[name]["answered"]) for name in self.setting.providers}

        before = given()

        def going() -> bool:
            told = self.providers()
            return all(given()[name] >= before[name] + answers and told[name]["waiting"] for name in before)

        until(going, "calls are under way", LIMIT_S)

    def running(self) -> bool:
        """Whether the run still goes on."""
        return self.process.poll() is None


def _command(setting: Setting, folder: Path, data: Path) -> list[str | Path]:
    wanted = (*setting.providers, *(("judge",) if setting.judged else ()))
    told = {
        "benchmark": "siuo-gen",
        "data": str(data),
        "models": [f"{name}/m" for name in setting.providers],
        "providers": {
            name: {"dialect": "openai", "base_url": f"{setting.scheme}://{name}.test/v1", "key_env": "LAB_KEY"} for name in wanted
        },
        **({"judge": "judge/judge"} if setting.judged else {}),
    }
    (folder / "run.yaml").write_text(json.dumps(told))
    judge = () if setting.judged else ("--no-judge",)
    return ["run", "-c", folder / "run.yaml", "--json", "--concurrency", str(setting.at_once), *judge, "--answers", "1", *setting.words]


@cache
def undisturbed(setting: Setting) -> tuple[Path, bytes, dict[str, Any]]:
    """(data, summary, what the providers say) of a run that nobody disturbed; made once for all faults of a process."""
    folder = Path(tempfile.mkdtemp(prefix="undisturbed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    data = make_data(folder / "data", setting.samples, picture_bytes=setting.picture_bytes)
    with lab(folder, seed=0) as net:
        siuo = net.siuo("run")
        done = siuo(*_command(setting, folder, data))
        return data, (siuo.folder / done.run / "summary.json").read_bytes(), dict(net.tell()["providers"])


@contextlib.contextmanager
def begun(scene: Scene, setting: Setting, **providers: Any) -> Iterator[Story]:
    """A run in a network of its own, begun; `providers` is told to all of them before."""
    data = undisturbed(setting)[0]
    with lab(scene.folder, scene.seed) as net:
        net.tell(of="*", **providers)
        story = Story(setting, net, net.siuo("run").start(*_command(setting, scene.folder, data)))
        try:
            yield story
        finally:
            if story.running():
                story.process.kill()
                story.process.communicate()


def ended(story: Story, code: int | None = None) -> Done:
    """Waits for the run."""
    return finish(story.process, code=code)


def again(story: Story) -> Done:
    """The same command once more."""
    return finish(story.net.siuo("run").start("resume", "--json"), code=None)


def records(story: Story) -> list[dict[str, Any]]:
    """The run's journal."""
    return journal(_run_of(story))


def _run_of(story: Story) -> Path:
    return next((story.net.folder / "run" / "results").iterdir())


def summary(story: Story) -> bytes:
    """The run's `summary.json`."""
    return (_run_of(story) / "summary.json").read_bytes()


def went_on(story: Story, done: Done, seen: Seen, *, one_try: bool = True) -> str:
    """Looks whether the run came to what an undisturbed one comes to; what it took, in words."""
    found = list({record["id"]: record for record in records(story)}.values())
    tries = max((record["attempts"] for record in found), default=0)
    seen.expect(done.code == 0, f"exit code {done.code}: {done.err[-600:]}")
    seen.expect(not [record for record in found if record.get("error")], "a call failed for good")
    seen.expect(not one_try or tries == 1, f"a call used {tries} tries")
    seen.expect(summary(story) == undisturbed(story.setting)[1], "the summary is not that of an undisturbed run")
    asked = sum(count for told in story.providers().values() for count in told["asked"].values())
    return f"{len(found)} calls, {asked - len(found)} answered twice, tries used by each: {tries}"


def only_in_soak(inflict: Callable[[Scene], Seen]) -> Callable[[Scene], Seen]:
    """For a fault that takes minutes: the test suite inflicts it no times."""

    def perhaps(scene: Scene) -> Seen:
        return inflict(scene) if scene.times else Seen(words="takes minutes, so not with --few, nor with less than half an hour")

    return perhaps


def said_offline(done: Done) -> bool:
    """Whether the log told of it."""
    return "! offline (" in done.err and "! the network is back after" in done.err
