"""The wheel, installed apart from the checkout, has everything that the demonstration needs."""

from __future__ import annotations

import importlib.util
import json
import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(
    not importlib.util.find_spec("hatchling") or not importlib.util.find_spec("build"), reason="needs build and hatchling"
)
def test_the_wheel_runs_the_demonstration_outside_the_checkout(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(REPOSITORY)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True, capture_output=True)
    packages = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(packages)], check=True)
    # Not through site.addsitedir: that would bring the editable checkout with it.
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    where = "import siuo_async; print(siuo_async.__file__)"
    python = str(tmp_path / "venv" / "bin" / "python")
    found = subprocess.run([python, "-c", where], check=True, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert found.stdout.startswith(str(packages))
    demo = [python, "-m", "siuo_async", "demo", "--json", "--limit", "2"]
    done = subprocess.run(demo, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["complete"] is True
