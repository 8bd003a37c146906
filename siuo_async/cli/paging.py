"""`siuo report --html`: the page of each run, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from siuo_async.cli.output import say
from siuo_async.cli.reporting import dossiers
from siuo_async.errors import ConfigError
from siuo_async.report.page import Made, write_page

_ENDINGS = (".html", ".htm")


def paged(runs: Sequence[str], results: Path, to: Path | None, *, content: bool, reference: str | None = None) -> int:
    """Writes the page of each run and says where.

    Raises:
        ConfigError: the file cannot be one, or one file is named for several runs.
        StoppedEarly: the disk would not take it.
    """
    if to is not None:
        _must_be_a_page(to, len(runs))
    for found in dossiers(runs, results, reference=reference):
        say(_words(write_page(found, to, content=content)), to_stderr=False)
    return 0


def _must_be_a_page(to: Path, runs: int) -> None:
    if runs > 1:
        raise ConfigError(f"--to {to}: one file cannot hold {runs} runs; leave --to out, and each run's page is put into its directory")
    if to.suffix.lower() not in _ENDINGS:  # else a slip would replace a run's own file
        raise ConfigError(f"--to {to}: name a file that ends in .html")
    if to.is_dir():
        raise ConfigError(f"--to {to}: it is a folder; name a file in it, as in {to / 'report.html'}")
    if not to.parent.is_dir():
        raise ConfigError(f"--to {to}: there is no folder {to.parent}; make it first, or name another")


def _words(made: Made) -> str:
    inside = "holds answers that may be harmful; --no-content leaves them out" if made.content else "holds no answers"
    left_out = f"; {made.left_out}" if made.left_out else ""
    return f"{made.path} ({made.bytes / 1e6:.1f} MB, {inside}{left_out})"
