"""Two runs side by side, as tables: the instrument, the differences, the samples that flipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from siuo_async.analysis.contrast import Change, Contrast, Figure, pair_name
from siuo_async.analysis.drift import Drift
from siuo_async.analysis.flips import Flip
from siuo_async.analysis.instrument import Part
from siuo_async.report.grid import Grid
from siuo_async.report.grids import probability
from siuo_async.report.text import one_line

MOST_FLIPS = 12
"""On a screen, for each model; JSON has them all."""
_FEWEST_CHARS, _MOST_CHARS, _CATEGORY = 18, 60, 32
_BESIDE = 44
"""Columns of the screen that the others take."""
_MARK = "≠"


def banner(found: Contrast) -> str:
    """What stands in every table of runs that were measured with different instruments; empty for the same one."""
    return f"DIFFERENT INSTRUMENTS ({', '.join(part.name for part in found.differing)})" if found.differing else ""


def instrument_grid(parts: Sequence[Part]) -> Grid:
    """Line by line what the two were measured with."""
    notes = [f"{part.name}: {part.note}" for part in parts if part.differs and part.note]
    legend = f"{_MARK} stops the comparison; ~ is told; > is what is compared"
    return Grid(
        "Instrument",
        ("", "A", "B", " "),
        tuple((part.name, part.a, part.b if part.differs else "same", _mark(part)) for part in parts),
        "\n".join([legend, *notes]),
        dim=tuple(not part.differs for part in parts),
        flush=frozenset({1, 2}),
    )


def _mark(part: Part) -> str:
    return {"instrument": _MARK, "noted": "~", "subject": ">"}[part.kind] if part.differs else ""


def result_grids(found: Contrast, width: int = 160) -> list[Grid]:
    """Differences of the tested metrics, of the others, and flips, each under the banner where there is one.

    Args:
        width: of the screen, which decides how much of an answer is shown.
    """
    mark = banner(found)
    head = f"{mark} · " if mark else ""
    tested, others = ([each for each in found.changes if each.tested is which] for which in (True, False))
    return [
        *([_changes(f"{head}Differences (B − A)", tested)] if tested else []),
        *([replace(_changes(f"{head}Other metrics (B − A), not tested", others), note="")] if others else []),
        *(_flips(head, found, name, each, width) for name, each in found.flips.items()),
    ]


def _changes(title: str, changes: Sequence[Change]) -> Grid:
    """Columns that no row of the table has a word for are left out."""
    several, tested = any(each.of_answers for each in changes), changes[0].tested
    models = len({(each.a, each.b) for each in changes}) > 1
    columns = [
        ("Model", 0, True),
        ("Metric", 0, True),
        ("A", 0, True),
        ("B", 0, True),
        ("B − A", 0, True),
        ("p", 6 if models else 1, tested),
        ("p (Holm)", 1, tested and models),
        ("Vote A → B", 2, several),
        ("Up", 4, True),
        ("Down", 3, True),
        ("Samples", 5, True),
    ]
    kept = [number for number, (_, _, shown) in enumerate(columns) if shown]
    unit = "points of the scale" if changes[0].on_scale else "percentage points"
    note = f"differences in {unit}, paired by sample, below them the 95% interval; up, down: samples that score so"
    if several:
        note = f"A, B and their difference are means over the answers of each sample, which the vote is made from; {note}"
    return Grid(
        title,
        tuple(columns[number][0] for number in kept),
        tuple(tuple(_change(each)[number] for number in kept) for each in changes),
        note,
        drop=tuple(columns[number][1] for number in kept),
        strong=4,
        flush=frozenset({1}),
    )


def _change(change: Change) -> tuple[str, ...]:
    spread = change.difference
    points = "–" if spread.value is None else f"{spread.value:+.1f}"
    if spread.low is not None and spread.high is not None:
        points += f"\n{spread.low:+.1f} to {spread.high:+.1f}"
    return (
        pair_name(change.a, change.b).replace(" -> ", "\n→ "),
        change.heading + ("" if change.higher_is_better else "\n(lower is better)"),
        _figure(change.before, change),
        _figure(change.after, change),
        points,
        probability(change.p),
        probability(change.p_adjusted),
        " → ".join("–" if each.value.value is None else f"{each.value.value:.1f}" for each in (change.before, change.after)),
        str(change.up),
        str(change.down),
        str(change.n),
    )


def _figure(figure: Figure, change: Change) -> str:
    """The figure that the difference is of, with its counts where it is a share of samples, over its interval."""
    shown = figure.per_answer if change.of_answers and figure.per_answer else figure.value
    if shown.value is None:
        return "–"
    places = 2 if change.on_scale else 1
    ends = "" if shown.low is None or shown.high is None else f"\n{shown.low:.{places}f}–{shown.high:.{places}f}"
    counts = f"  n={figure.n}" if change.on_scale else f"  {figure.k}/{figure.n}" if shown is figure.value else ""
    return f"{shown.value:.{places}f}{counts}{ends}"


def _flips(head: str, found: Contrast, name: str, flipped: Sequence[Flip], width: int) -> Grid:
    heading = next((each.heading for each in found.changes if each.metric == found.metric), found.metric)
    down = sum(not flip.gained for flip in flipped)
    left = len(flipped) - MOST_FLIPS
    chars = min(_MOST_CHARS, max(_FEWEST_CHARS, (width - _BESIDE) // 2))
    return Grid(
        f"{head}Samples that flipped · {name} · {heading.lower()}: {down} down, {len(flipped) - down} up",
        ("Sample", "Category", "From", "To", "A said", "B said"),
        tuple(_flip(flip, chars) for flip in _shown(flipped)),
        f"{left} more; `--format json` has them all" if left > 0 else "" if flipped else "none",
        drop=(0, 3, 0, 0, 2, 1),
        flush=frozenset({1, 4, 5}),
    )


def _shown(flipped: Sequence[Flip]) -> list[Flip]:
    """The first of each direction, so that a list that is cut shows both."""
    down, up = ([flip for flip in flipped if flip.gained is which] for which in (False, True))
    room = max(MOST_FLIPS // 2, MOST_FLIPS - len(up))
    kept = down[:room]
    return [*kept, *up[: MOST_FLIPS - len(kept)]]


def _flip(flip: Flip, chars: int) -> tuple[str, ...]:
    said = (_said(flip.before_answer, flip.before_outcome, chars), _said(flip.after_answer, flip.after_outcome, chars))
    return (one_line(flip.sample, 24), one_line(flip.category, _CATEGORY), f"{flip.before:.3g}", f"{flip.after:.3g}", *said)


def _said(text: str, outcome: str, chars: int) -> str:
    return one_line(text, chars) if text.strip() else f"({outcome or 'nothing'})"


def result_sentences(found: Contrast, drift: Drift | None) -> Iterator[str]:
    """What a reader should take home."""
    if found.differing:
        yield f"{banner(found)}: what follows is no measure of the models alone"
    if found.simulated:
        yield "SIMULATED: answers or verdicts were made up by the simulator, so these figures measure nothing"
    if found.partial:
        yield f"PARTIAL: only the {len(found.shared.ids)} samples that both runs finished are compared"
    head = "DIFFERENT INSTRUMENTS: " if found.differing else ""
    for margin in found.margins:
        yield head + margin.sentence
    for change in found.changes:
        if change.tested:
            yield head + change_sentence(change)
    if drift is not None:
        yield drift.sentence


def change_sentence(change: Change) -> str:
    """One tested difference in words; two models of different names are no before and after."""
    name, spread = pair_name(change.a, change.b), change.difference
    subject, other = (name, "before") if change.a == change.b else (f"{change.b} (B)", f"{change.a} (A)")
    if spread.value is None or spread.low is None or spread.high is None:
        return f"{name}: too few shared samples decided {change.heading}"
    shown = f"{spread.value:+.1f} points (95% interval {spread.low:+.1f} to {spread.high:+.1f}, p {_p(change.p_adjusted)})"
    if change.p_adjusted is not None and change.p_adjusted < 0.05:
        better = (spread.value > 0) == change.higher_is_better
        return f"{subject} is {'better' if better else 'worse'} than {other} in {change.heading}: {shown}"
    visible = change.smallest_visible
    seen = "" if visible is None else f"; a difference of {visible:.1f} points would have been seen (power 80%)"
    return f"{subject} cannot be told apart from {other} in {change.heading}: {shown}{seen}"


def _p(p: float | None) -> str:
    shown = probability(p)
    return shown if shown.startswith("<") else f"= {shown}"
