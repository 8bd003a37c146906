"""What the limits do, as lines of the screen: one per limit group, or only what is held back where there are many."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from siuo_async.client.bottleneck import GroupView
from siuo_async.report.text import in_line, one_line

MOST_LINES = 4
_NARROW = 100
"""Below so many columns names go without their provider, unless that is all there is."""
_FEW_WORDS, _TAIL = 36, 38
"""Columns of the bottleneck in few words, and of what stands behind the sentence where there is room."""
_LONGEST_NAME = 40


def limit_lines(views: Sequence[GroupView], width: int) -> list[Text]:
    """The lines for a screen that is so wide.

    Args:
        views: the limit groups that had work.
    """
    shown = list(views) if len(views) <= MOST_LINES else _worst_first(views)[:MOST_LINES]
    longest = max(8, min(_LONGEST_NAME, width - _FEW_WORDS))
    names = [one_line((width < _NARROW and view.name.partition("/")[2]) or view.name, longest) for view in shown]
    column = min(longest, max(map(cell_len, names), default=0))
    lines = [_line(view, name, column, width) for view, name in zip(shown, names, strict=True)]
    if others := len(views) - len(shown):
        held = sum(view.held for view in views) - len(shown)
        what = f"{held} of them held back too" if held > 0 else "nothing holds them back"
        lines.append(Text(f"limits of {others} {'more' if shown else 'groups'}: {what}", style="dim"))
    return lines


def in_few_words(views: Sequence[GroupView]) -> str:
    """What holds the run back, for a line of the plain log; empty where nothing does."""
    held = _worst_first(views)
    if not held:
        return ""
    more = f" and {len(held) - 1} more" if len(held) > 1 else ""
    return f"{one_line(held[0].name, 40)}: {in_line(held[0].few_words)}{more}"


def _worst_first(views: Sequence[GroupView]) -> list[GroupView]:
    """Those that are held back. In steps, so that two which are alike do not change places all the time."""
    return sorted((view for view in views if view.held), key=lambda view: -round(view.held_share, 1))


def _line(view: GroupView, name: str, column: int, width: int) -> Text:
    room = width - column - 2
    words = in_line(view.sentence)
    if cell_len(words) > room:
        words = in_line(view.few_words)
    line = Text(f"{set_cell_size(name, column)}  {words}", style="yellow" if view.held else "dim")
    if cell_len(words) + _TAIL <= room:
        line.append(f" · {view.in_use:,} of {view.slots:,} at once · {view.waiting:,} waiting", style="dim")
    line.truncate(width)
    return line
