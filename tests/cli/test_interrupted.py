"""Ctrl-C before there is a run: one sentence and exit code 3, whatever was going on."""

from __future__ import annotations

import gc
import inspect
from pathlib import Path

import pytest

from siuo_async.cli.running import in_loop
from tests.cli.program import Siuo, finish


def test_while_modules_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "typer.py").write_text("raise KeyboardInterrupt\n")
    siuo = Siuo(tmp_path)
    path = f"{tmp_path / 'modules'}:{siuo.variables['PYTHONPATH']}"
    done = finish(siuo.start("ls", env={"PYTHONPATH": path}), code=3)
    assert done.err == "siuo: stopped; run the same command again to continue\n"


def test_just_before_the_loop_begins_leaves_no_coroutine_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> None: ...

    def interrupted() -> None:
        raise KeyboardInterrupt

    coroutine = never()
    monkeypatch.setattr(gc, "collect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        in_loop(coroutine)
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
