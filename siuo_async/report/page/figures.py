"""The figures of the page, drawn by matplotlib: each twice, for wide screens and for phones, since none can be read scaled down.

Sizes are in pixels of the page (one of matplotlib's points each). Every figure says in words what it shows, for those who do not
see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from siuo_async.report.page.marks import mark, told_apart
from siuo_async.report.page.svg import COLOURS, drawn, settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, NARROW = 720, 340
_ROW = 30
_ROW_NARROW = 46
INK, MUTED, LINE, PAPER = (COLOURS[name] for name in ("ink", "muted", "line", "paper"))


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure, ready to stand in the page."""

    title: str
    svgs: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure with its interval, in a row of its own."""

    label: str | tuple[str, str]
    """A model, or two of which the difference is shown."""
    value: float | None
    low: float | None
    high: float | None
    words: str
    """Beside it, as in `66.7`."""
    more: str = ""
    """As in `18/27`, where there is room."""
    number: int = 0
    """Whose mark it has."""
    bounds: tuple[float, float] | None = None
    """What the undecided could make of it, where there are any."""

    @property
    def told(self) -> str:
        """The row in words."""
        label = self.label if isinstance(self.label, str) else " − ".join(self.label)
        return f"{label}: {self.words} {self.more}".strip()


@dataclass(frozen=True, slots=True)
class Point:
    """A model in two figures at once."""

    label: str
    number: int
    x: float
    y: float
    x_interval: tuple[float, float] | None
    y_interval: tuple[float, float] | None
    words: str


@dataclass(slots=True)
class _Canvas:
    figure: Figure
    width: float
    height: float
    narrow: bool
    tips: dict[str, str] = field(default_factory=dict)

    def axes(self, left: float, top: float, right: float, bottom: float) -> Axes:
        """Axes that keep these distances from the edges, in pixels."""
        width, height = self.width, self.height
        return self.figure.add_axes((left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height))

    def tip(self, words: str) -> str:
        """A `gid` for what is drawn next, which then tells `words`."""
        name = f"tip-{len(self.tips)}"
        self.tips[name] = words
        return name


@contextmanager
def _canvas(salt: str, width: float, height: float) -> Iterator[_Canvas]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(settings(salt)):  # type: ignore[arg-type]
        yield _Canvas(Figure(figsize=(width / 72, height / 72)), width, height, width == NARROW)


def _twice(title: str, note: str, draw: Callable[[float], str]) -> Drawing:
    return Drawing(title, (draw(WIDE), draw(NARROW)), note)


def intervals(title: str, bars: Sequence[Bar], *, axis: str, percent: bool = True, note: str = "", zero: bool = False) -> Drawing:
    """A row for each: a mark, its interval, the figure in words.

    Args:
        zero: a line at nothing; for differences, whose axis is made to show it.
    """
    words = "; ".join(bar.told for bar in bars)
    return _twice(title, note, partial(_intervals, title, bars, axis, percent and not zero, zero, words))


def _intervals(title: str, bars: Sequence[Bar], axis: str, percent: bool, zero: bool, words: str, width: float) -> str:
    row = _ROW_NARROW if width == NARROW else _ROW
    with _canvas(f"{title}{width}", width, row * len(bars) + 46) as canvas:
        beside = 8.4 * max(6, *(len(bar.words) for bar in bars)) + 14
        further = 7 * max(len(bar.more) for bar in bars)
        left = 322 if zero else 232
        axes = canvas.axes(*((8, 6, beside, 40) if canvas.narrow else (left, 6, max(150, beside + further + 8), 40)))
        labels = _fitted(bars, 324 if canvas.narrow else left - 14)
        _frame(axes, axis, *_limits(bars, percent=percent, zero=zero))
        axes.set_ylim(len(bars) - 0.5, -0.5)
        axes.set_yticks([])
        if zero:
            axes.axvline(0, color=MUTED, linewidth=1.2)
        for place, bar in enumerate(bars):
            _bar(canvas, axes, place, bar, labels[place], beside, coloured=not zero)
        return drawn(canvas.figure, title, words, canvas.tips, "narrow" if canvas.narrow else "wide")


def _fitted(bars: Sequence[Bar], width: float) -> list[str]:
    """The labels of rows; of two names each gets its half."""
    both = any(isinstance(bar.label, tuple) for bar in bars)
    names = list(dict.fromkeys(name for bar in bars for name in ((bar.label,) if isinstance(bar.label, str) else bar.label)))
    short = told_apart(names, (width - 22) / 2 if both else width)
    return [short[bar.label] if isinstance(bar.label, str) else " − ".join(short[name] for name in bar.label) for bar in bars]


def _bar(canvas: _Canvas, axes: Axes, place: int, bar: Bar, label: str, beside: float, *, coloured: bool) -> None:
    colour, shape = mark(bar.number) if coloured else (INK, "o")
    y = place + 0.16 if canvas.narrow else place
    gid = canvas.tip(bar.told)
    if bar.bounds is not None:
        axes.plot(bar.bounds, [y, y], color=colour, linewidth=1.5, linestyle=(0, (1, 2)), gid=gid, zorder=2)
    if bar.low is not None and bar.high is not None:
        axes.plot([bar.low, bar.high], [y, y], color=colour, linewidth=3, solid_capstyle="round", gid=gid, zorder=3)
    if bar.value is not None:
        axes.plot(
            [bar.value],
            [y],
            marker=shape,
            markersize=13 if shape == "*" else 9,
            color=colour,
            markeredgecolor=PAPER,
            markeredgewidth=1.2,
            gid=canvas.tip(canvas.tips[gid]),
            zorder=4,
            clip_on=False,  # else half of a mark at 0 or 100 is cut off
        )
    across = axes.get_yaxis_transform()
    if canvas.narrow:
        axes.text(0, place - 0.24, label, transform=across, va="center", clip_on=False)
        axes.text(1.03, y, bar.words, transform=across, va="center", fontweight="bold", clip_on=False)
        return
    axes.annotate(label, (0, y), (-12, 0), across, "offset points", ha="right", va="center", annotation_clip=False)
    axes.annotate(bar.words, (1, y), (12, 0), across, "offset points", va="center", fontweight="bold", annotation_clip=False)
    axes.annotate(bar.more, (1, y), (beside, 0), across, "offset points", va="center", color=MUTED, fontsize=11, annotation_clip=False)


def _limits(bars: Sequence[Bar], *, percent: bool, zero: bool) -> tuple[float, float]:
    known = [each for bar in bars for each in (bar.value, bar.low, bar.high) if each is not None] or [0.0, 100.0 if percent else 1.0]
    if percent:
        return 0.0, 100.0
    low, high = min(known), max(known)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    room = (high - low or 1.0) * 0.06
    return low - room, high + room


def _frame(axes: Axes, words: str, low: float, high: float) -> None:
    axes.set_xlim(low, high)
    axes.grid(axis="x", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=5)
    if axes.get_xscale() == "linear":
        axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(words)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)


def crosses(
    title: str, points: Sequence[Point], *, x: str, y: str, percent: tuple[bool, bool] = (True, True), note: str = ""
) -> Drawing:
    """Models in two figures at once, with the intervals of both, and a legend that no two labels overlap in."""
    words = "; ".join(f"{point.label}: {point.words}" for point in points)
    return _twice(title, note, partial(_crosses, title, points, (x, y), percent, words))


def _crosses(
    title: str, points: Sequence[Point], headings: tuple[str, str], percent: tuple[bool, bool], words: str, width: float
) -> str:
    legend = 22 * len(points)
    height = 300 + legend if width == NARROW else max(360, legend + 40)
    with _canvas(f"{title}{width}", width, height) as canvas:
        axes = canvas.axes(48, 8, 12, 54 + legend) if canvas.narrow else canvas.axes(56, 10, 284, 48)
        _frame(axes, headings[0], *_span([(p.x, p.x_interval) for p in points], percent=percent[0]))
        axes.set_ylim(*_span([(p.y, p.y_interval) for p in points], percent=percent[1]))
        axes.grid(axis="y", linewidth=0.8)
        axes.set_ylabel(headings[1])
        for point in points:
            _cross(canvas, axes, point)
        beside = canvas.axes(8, height - legend, 8, 0) if canvas.narrow else canvas.axes(456, 10, 0, height - 10 - legend)
        _legend(beside, [(point.label, *mark(point.number)) for point in points], 300 if canvas.narrow else 228)
        return drawn(canvas.figure, title, words, canvas.tips, "narrow" if canvas.narrow else "wide")


def _span(values: Sequence[tuple[float, tuple[float, float] | None]], *, percent: bool) -> tuple[float, float]:
    if percent:
        return -2.0, 102.0
    known = [each for value, ends in values for each in (value, *(ends or ()))] or [0.0]
    low, high = min(0.0, *known), max(known)
    room = (high - low or 1.0) * 0.06
    return low - (room if low < 0 else 0.0), high + room


def _cross(canvas: _Canvas, axes: Axes, point: Point) -> None:
    colour, shape = mark(point.number)
    told = f"{point.label}: {point.words}"
    for ends, along in ((point.x_interval, True), (point.y_interval, False)):
        if ends is not None:
            beside = [point.y if along else point.x] * 2
            line = (list(ends), beside) if along else (beside, list(ends))
            axes.plot(*line, color=colour, linewidth=2, alpha=0.65, solid_capstyle="round", zorder=3, gid=canvas.tip(told))
    style: dict[str, Any] = {"color": colour, "markeredgecolor": PAPER, "markeredgewidth": 1.2}
    axes.plot([point.x], [point.y], marker=shape, markersize=11, zorder=4, gid=canvas.tip(told), **style)


def _legend(axes: Axes, entries: Sequence[tuple[str, str, str]], width: float) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(max(1, len(entries)) - 0.5, -0.5)
    short = told_apart([label for label, _, _ in entries], width - 30)
    for place, (label, colour, shape) in enumerate(entries):
        axes.plot([8], [place], marker=shape, markersize=9, color=colour, linestyle="", clip_on=False)
        axes.text(22, place, short[label], va="center", clip_on=False)


def stacked(title: str, rows: Sequence[tuple[str, Sequence[tuple[str, str, int]]]], *, note: str = "") -> Drawing:
    """A bar for each row, of parts (name, colour variable, count) that are shown as shares of the row."""
    words = "; ".join(f"{label}: {', '.join(f'{count} {name}' for name, _, count in parts if count)}" for label, parts in rows)
    return _twice(title, note, partial(_stacked, title, rows, words))


def _stacked(title: str, rows: Sequence[tuple[str, Sequence[tuple[str, str, int]]]], words: str, width: float) -> str:
    narrow = width == NARROW
    names = {name: colour for _, parts in rows for name, colour, count in parts if count}
    per_line = 3 if narrow else 6
    top = 24 * -(-max(1, len(names)) // per_line) + 4
    with _canvas(f"{title}{width}", width, (_ROW_NARROW if narrow else _ROW) * len(rows) + 44 + top) as canvas:
        axes = canvas.axes(8, top, 14, 40) if narrow else canvas.axes(232, top, 20, 40)
        _frame(axes, "percent of answers", 0, 100)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks([])
        labels = told_apart([label for label, _ in rows], 324 if narrow else 218)
        for place, (label, parts) in enumerate(rows):
            _parts(canvas, axes, place, (label, labels[label]), parts)
        for number, (name, colour) in enumerate(names.items()):
            x = (8 if narrow else 232) + (number % per_line) * (108 if narrow else 80)
            y = canvas.height - 12 - 24 * (number // per_line)
            place_of = (x / width, y / canvas.height)
            box = (place_of[0], place_of[1] - 5 / canvas.height, 11 / width, 11 / canvas.height)
            swatch = canvas.figure.add_axes(box)
            swatch.set_axis_off()
            swatch.add_patch(_rectangle((0, 0), 1, 1, COLOURS[colour]))
            canvas.figure.text(place_of[0] + 16 / width, place_of[1], name, va="center", fontsize=11, color=MUTED)
        return drawn(canvas.figure, title, words, canvas.tips, "narrow" if narrow else "wide")


def _parts(canvas: _Canvas, axes: Axes, place: int, labels: tuple[str, str], parts: Sequence[tuple[str, str, int]]) -> None:
    label, short = labels
    total = sum(count for _, _, count in parts)
    y, thickness = (place + 0.16, 0.4) if canvas.narrow else (place, 0.6)
    left = 0.0
    for name, colour, count in parts:
        if not count:
            continue
        share = 100 * count / total
        patch = _rectangle((left, y - thickness / 2), share, thickness, COLOURS[colour])
        patch.set_gid(canvas.tip(f"{label}: {count} of {total} answers {name}"))
        patch.set_edgecolor(PAPER)
        patch.set_linewidth(1)
        axes.add_patch(patch)
        if share >= (16 if canvas.narrow else 8):
            axes.text(left + share / 2, y, str(count), ha="center", va="center", fontsize=11, color=PAPER)
        left += share
    across = axes.get_yaxis_transform()
    if canvas.narrow:
        axes.text(0, place - 0.26, short, transform=across, va="center", clip_on=False)
    else:
        axes.text(-0.024, y, short, transform=across, ha="right", va="center", clip_on=False)


def _rectangle(corner: tuple[float, float], width: float, height: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, width, height, facecolor=colour, edgecolor="none")


@dataclass(frozen=True, slots=True)
class Spread:
    """How something is distributed: the 5th, 25th, 50th, 75th and 95th of a hundred, and how many there are."""

    label: str
    number: int
    at: tuple[float, float, float, float, float]
    count: int


def spreads(title: str, rows: Sequence[Spread], *, axis: str, note: str = "") -> Drawing:
    """A row for each: thin from the 5th to the 95th of a hundred, thick over the middle half, a mark at the median; a log scale."""
    words = "; ".join(f"{row.label}: median {row.at[2]:.2f} s, 95% below {row.at[4]:.2f} s" for row in rows)
    return _twice(title, note, partial(_spreads, title, rows, axis, words))


def _spreads(title: str, rows: Sequence[Spread], axis: str, words: str, width: float) -> str:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    row_height = _ROW_NARROW if width == NARROW else _ROW
    with _canvas(f"{title}{width}", width, row_height * len(rows) + 46) as canvas:
        axes = canvas.axes(8, 6, 62, 40) if canvas.narrow else canvas.axes(232, 6, 150, 40)
        least = max(1e-3, min(row.at[0] for row in rows))
        most = max(least * 3, *(row.at[4] for row in rows))
        axes.set_xscale("log")
        _frame(axes, axis, least / 1.15, most * 1.15)
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=20))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks([])
        labels = told_apart([row.label for row in rows], 324 if canvas.narrow else 218)
        for place, row in enumerate(rows):
            _spread(canvas, axes, place, row, labels[row.label])
        return drawn(canvas.figure, title, words, canvas.tips, "narrow" if canvas.narrow else "wide")


def _spread(canvas: _Canvas, axes: Axes, place: int, row: Spread, label: str) -> None:
    low, quarter, middle, three_quarters, high = (max(1e-3, each) for each in row.at)
    told = f"median {middle:.2f} s, half between {quarter:.2f} and {three_quarters:.2f}, 95% below {high:.2f}, {row.count} calls"
    colour, _ = mark(row.number)
    y = place + 0.16 if canvas.narrow else place
    for ends, thickness, alpha in (((low, high), 2, 0.65), ((quarter, three_quarters), 9, 0.65)):
        axes.plot(ends, [y, y], color=colour, linewidth=thickness, alpha=alpha, gid=canvas.tip(f"{row.label}: {told}"), zorder=3)
    axes.plot([middle], [y], marker="|", markersize=15, markeredgewidth=2.5, color=INK, zorder=4)
    bar = Bar(row.label, None, None, None, f"{middle:.2f} s", f"95%: {high:.1f} s", row.number)
    _bar(canvas, axes, place, bar, label, 74, coloured=True)
