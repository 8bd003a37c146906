"""What the limits do, on the screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from siuo_async.client.bottleneck import GroupView, Use
from siuo_async.client.controller import Cause, Source
from siuo_async.ui.limit_lines import MOST_LINES, in_few_words, limit_lines

HELD = GroupView(
    name="openai/gpt-4o-mini", cause=Cause.PACE, calls=Use("calls", 500.0, Source.HEADER, 0.974), tokens=Use("tokens"), slots=32,
    slots_source=Source.LEARNT, most_slots=4096, in_use=12, waiting=1_234, proven=True, waited_s=dict.fromkeys(Cause, 1.0), per_s=8.1,
    tokens_per_call=None, cooling_s=0.0, asked_to_wait=False, stocks=(), through=80, rejections=0, cooldowns=0, worked_s=10.0,
    held_share=0.9,
)  # fmt: skip
FREE = replace(HELD, name="sim/free", cause=Cause.NOTHING, held_share=0.0)


def shown(views: list[GroupView], width: int) -> list[str]:
    return [line.plain for line in limit_lines(views, width)]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (50, "gpt-4o-mini  500 calls/min (headers) 97% used"),
        (80, "gpt-4o-mini  held back by 500 calls a minute (told by headers), 97% used"),
        (120, "openai/gpt-4o-mini  held back by 500 calls a minute (told by headers), 97% used · 12 of 32 at once · 1,234 waiting"),
        (160, "openai/gpt-4o-mini  held back by 500 calls a minute (told by headers), 97% used · 12 of 32 at once · 1,234 waiting"),
    ],
)
def test_a_line_is_fitted_to_the_width(width: int, line: str) -> None:
    assert shown([HELD], width) == [line]


@pytest.mark.parametrize("width", range(40, 200))
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    views = [
        replace(HELD, name="lab@localhost:8000/a-model-with-a-very-long-name-that-nobody-reads"),
        replace(HELD, name="模型/" + "模型" * 20),
        FREE,
    ]
    assert max(cell_len(line) for line in shown(views, width)) <= width


def test_an_account_that_limits_all_models_together_is_named_whole() -> None:
    assert shown([replace(HELD, name="openai")], 50)[0].startswith("openai  ")


def test_few_groups_are_all_shown_in_their_order() -> None:
    assert [line.split()[0] for line in shown([FREE, HELD], 160)] == ["sim/free", "openai/gpt-4o-mini"]


def test_of_many_groups_only_the_worst_that_are_held_back_are_shown() -> None:
    shares = (0.2, 0.9, 0.5, 0.7, 0.4)
    views = [FREE, FREE, *(replace(HELD, name=f"p/{share}", held_share=share) for share in shares)]
    lines = shown(views, 160)
    assert [line.split()[0] for line in lines[:MOST_LINES]] == ["p/0.9", "p/0.7", "p/0.5", "p/0.4"]
    assert lines[MOST_LINES:] == ["limits of 3 more: 1 of them held back too"]


def test_many_groups_of_which_none_is_held_back_are_one_line() -> None:
    assert shown([FREE] * 5, 80) == ["limits of 5 groups: nothing holds them back"]


def test_nothing_is_shown_before_a_group_has_work() -> None:
    assert shown([], 80) == []


def test_a_name_from_elsewhere_is_harmless_to_the_terminal() -> None:
    (line,) = shown([replace(HELD, name="evil/\x1b[2J\x07\n[red]")], 160)
    assert "\x1b" not in line
    assert "\x07" not in line
    assert "\n" not in line
    assert "[red]" in line


@pytest.mark.parametrize(
    ("views", "words"),
    [
        ([], ""),
        ([FREE], ""),
        ([FREE, HELD], "openai/gpt-4o-mini: 500 calls/min (headers) 97% used"),
        ([replace(HELD, held_share=0.3), replace(HELD, name="b", cause=Cause.SLOTS)], "b: 32 at once (learnt) and 1 more"),
    ],
)
def test_the_plain_log_says_what_holds_back_most_in_few_words(views: list[GroupView], words: str) -> None:
    assert in_few_words(views) == words
