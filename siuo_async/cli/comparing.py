"""`siuo compare`: two runs, and what of their difference is the models'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path

from siuo_async.analysis.contrast import Contrast, contrast
from siuo_async.analysis.drift import Drift
from siuo_async.analysis.gathered import Gathered, gather
from siuo_async.analysis.instrument import Part, parts, shared_samples
from siuo_async.cli.drift_check import drift_checked
from siuo_async.cli.finding import find_run
from siuo_async.cli.output import console, print_json
from siuo_async.cli.reporting import must_be_a_format
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError
from siuo_async.report.compared import banner, instrument_grid, result_grids, result_sentences
from siuo_async.report.render import as_markdown, bullets, escaped, listed, plain
from siuo_async.report.render import draw as draw_grid
from siuo_async.report.sentences import NOT_IN_INTERVAL
from siuo_async.report.text import in_line

CONFIRMED, NOT_CONFIRMED = 0, 4
UNCHECKED = "judge drift was not checked; `--drift-check 60` has 60 old answers judged again, which sends calls"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed."""

    models: Sequence[str] = ()
    metric: str | None = None
    margin: float | None = None
    anyway: bool = False
    drift_check: int | None = None
    form: str = "terminal"


def compared(first: str, second: str, results: Path, wanted: Wanted) -> int:
    """Prints what differs between two runs; the exit code: 4 where a margin was given and not every model kept it.

    Raises:
        ConfigError: the runs cannot be compared, or were measured with different instruments.
        StoppedEarly: a verdict of the drift check could not be had now.
    """
    must_be_a_format(wanted.form)
    if wanted.margin is not None and not isfinite(wanted.margin):
        raise ConfigError(f"--margin {wanted.margin} is no number of points; write how much worse B may be, as in --margin 3")
    a, b = (gather(RunDirectory(find_run(run, results))) for run in (first, second))
    if a.plan.benchmark.name != b.plan.benchmark.name:
        raise ConfigError(
            f"{first} is of {a.plan.benchmark.name} and {second} of {b.plan.benchmark.name}: only runs of one benchmark compare"
        )
    pairs = _pairs(a, b, wanted.models)
    metric = _metric(b, wanted.metric)
    shared = shared_samples(a, b, pairs)
    if not shared.ids:
        raise ConfigError(f"{first} and {second} have no sample in common that both finished, so there is nothing to compare")
    side_by_side = parts(a, b, pairs, shared)
    if (differing := [part for part in side_by_side if part.stops]) and not wanted.anyway:
        if wanted.form == "terminal":
            draw_grid(console(to_stderr=True), instrument_grid(side_by_side))
        raise ConfigError(_stopped(differing))
    drift = drift_checked(a, b, [one for one, _ in pairs], wanted.drift_check) if wanted.drift_check else None
    found = contrast(a, b, pairs, side_by_side, shared, metric=metric, margin=wanted.margin)
    _print(found, drift, wanted.form)
    return NOT_CONFIRMED if any(each.kept != "confirmed" for each in found.margins) else CONFIRMED


def _pairs(a: Gathered, b: Gathered, named: Sequence[str]) -> list[tuple[str, str]]:
    """Labels in the first run and in the second."""
    if not named:
        if same := [(label, label) for label in a.labels if label in b.labels]:
            return same
        raise ConfigError(
            f"no model has the same label in both runs; -m {a.labels[0]}={b.labels[0]} compares two of different labels "
            f"(there: {', '.join(a.labels)}; here: {', '.join(b.labels)})"
        )
    return list(dict.fromkeys(_pair(a, b, text) for text in named))


def _pair(a: Gathered, b: Gathered, text: str) -> tuple[str, str]:
    if text in a.labels and text in b.labels:
        return text, text
    for place in (place for place, sign in enumerate(text) if sign == "="):  # labels may hold one too
        one, other = text[:place], text[place + 1 :]
        if one in a.labels and other in b.labels:
            return one, other
    there = f"A has {', '.join(a.labels)}; B has {', '.join(b.labels)}"
    raise ConfigError(f"-m {text}: write a label that both runs have, or LABEL_OF_A=LABEL_OF_B; {there}")


def _metric(run: Gathered, wanted: str | None) -> str:
    benchmark = run.plan.benchmark
    scored = {name for item in run.items for take in item.takes.values() if take.seen for name in take.seen.scores}
    if not scored:
        raise ConfigError(f"{run.directory.path} has no scores yet; `siuo resume` goes on with it, `siuo judge` pays for verdicts")
    if wanted is None:
        return benchmark.primary
    known = [name for name in benchmark.metrics if name in scored]
    if wanted not in known:
        raise ConfigError(f"--metric {wanted}: samples of {benchmark.name} score {', '.join(known)}")
    return wanted


def _stopped(differing: Sequence[Part]) -> str:
    names = ", ".join(f"{part.name} ({part.a} / {part.b})" for part in differing)
    return (
        f"the two runs were measured with different instruments: {names}; --anyway compares them all the same, and says so everywhere"
    )


# -- what is printed


def _print(found: Contrast, drift: Drift | None, form: str) -> None:
    if form == "json":
        whole = {**asdict(found), "differing": [part.name for part in found.differing], "drift": asdict(drift) if drift else None}
        print_json(whole)
        return
    sentences = [*result_sentences(found, drift), *([] if drift or not _judged(found) else [UNCHECKED])]
    if form == "markdown":
        blocks = [f"**{name}: {escaped(in_line(line))}**" for name, line in zip("AB", found.protocol_lines, strict=True)]
        blocks += [f"> {escaped(mark)}"] if (mark := banner(found)) else []
        blocks += [as_markdown(instrument_grid(found.parts)), *listed(sentences), *map(as_markdown, result_grids(found))]
        blocks += [f"### {NOT_IN_INTERVAL}", *listed(found.not_in_interval)]
        console().file.write("\n\n".join(blocks) + "\n")
        return
    screen = console()
    style = "bold yellow" if found.simulated or found.partial else "bold"
    for name, line in zip("AB", found.protocol_lines, strict=True):
        screen.print(plain(screen, f"{name}: {in_line(line)}", style))
    draw_grid(screen, instrument_grid(found.parts))
    screen.print()
    bullets(screen, sentences)
    for grid in result_grids(found, screen.width):
        draw_grid(screen, grid)
    screen.print()
    screen.print(plain(screen, NOT_IN_INTERVAL, "bold"))
    bullets(screen, found.not_in_interval, style="dim")


def _judged(found: Contrast) -> bool:
    return any(part.name == "judge asked" and part.a != "nobody" for part in found.parts)
