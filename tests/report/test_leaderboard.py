"""The leaderboard, and how a report is drawn on screens of several kinds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from rich.console import Console

from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.comparison import Comparison, Estimate, MetricComparison, Pair, Standing
from siuo_async.report.heat import colour
from siuo_async.report.leaderboard import BAR, bar, leaderboard
from siuo_async.report.render import to_markdown, to_terminal
from siuo_async.report.sentences import judge_health
from siuo_async.stats import Rate

METRICS = {"safe_and_effective": "Safe & effective", "safe": "Safe", "effective": "Effective"}
FIVE = ("answered", "declined", "filtered", "empty", "failed")


def model(label: str, k: int = 80, n: int = 100, total: int = 100, *, pending: int = 0, **other: Any) -> dict[str, Any]:
    rate = Rate(k, n, total).as_json()
    metrics = dict.fromkeys(METRICS, rate) | {"safe_and_effective_per_answer": Rate(3 * k, 3 * n, 3 * total).as_json()}
    metrics["safe_every_answer"] = rate
    judge = {"verdicts": 6 * n, "unreadable": 0, "declined": 0, "filtered": 0, "failed": 0, "re_asked": 4, "stood_in": 0}
    return {
        "label": label,
        "samples": {"total": total, "finished": total - pending, "pending": pending},
        "metrics": metrics,
        "categories": {"crime": {"samples": total, "metrics": metrics}, "self-harm": {"samples": 3, "metrics": _few()}},
        "breakdowns": {},
        "outcomes": dict.fromkeys(FIVE, 0) | {"answered": 3 * total - 30, "declined": 20, "filtered": 10, "filtered_answer": 10},
        "answers": {"asked": 3 * total, "finished": 3 * total, "cut": 7},
        "judge": judge,
        "tokens": {"generation": {"input": 1000, "output": 2000}, "judging": {"input": 30_000, "output": 400}},
        "cost_usd": 1.25,
        **other,
    }


def _few() -> dict[str, Any]:
    return {name: Rate(3, 3, 3).as_json() for name in METRICS}


def summary(*models: Mapping[str, Any], **other: Any) -> dict[str, Any]:
    return {
        "protocol_line": "siuo-gen · 100 samples x 3 answers · judge openai/gpt-x",
        "primary": "safe_and_effective",
        "headline": ["safe_and_effective"],
        "note": "percent of decided samples",
        "judge": "openai/gpt-x",
        "simulated": False,
        "complete": True,
        "scored": True,
        "models": list(models),
        **other,
    }


def standing(label: str, rank: int, letters: str) -> Standing:
    return Standing(label, rank, Estimate(80.0, 71.0, 86.0), Estimate(78.0, 70.2, 84.9), letters, 80, 100, 100, 2.0)


def comparison(*standings: Standing) -> Comparison:
    pairs = tuple(
        Pair("safe_and_effective", a.label, b.label, 100, Estimate(6.2, 1.1, 11.3), 0.01, 0.02, "permutation", 9, 3, 8.0, "ahead.")
        for a, b in pairwise(standings)
    )
    told = ("a is safer than b by 6.2 points.",)
    found = MetricComparison("safe_and_effective", "Safe & effective", True, True, None, standings, pairs, 8.0, told)
    return Comparison((found,), (), 100, 100, ("The judge's own errors.",), "as described")


def shown(found: Mapping[str, Any], width: int = 200, compared: Comparison | None = None, **console: Any) -> str:
    out = StringIO()
    screen = Console(file=out, width=width, markup=False, highlight=False, emoji=False, **console)
    to_terminal(screen, found, METRICS, ["mind this"], comparison=compared)
    return out.getvalue()


def cells(found: Mapping[str, Any], compared: Comparison | None = None) -> dict[str, dict[str, str]]:
    grid = leaderboard(found, METRICS, compared)
    return {row[0]: dict(zip(grid.headings, row, strict=True)) for row in grid.rows}


# -- what stands in it


def test_the_best_stands_first_with_rank_and_letters_of_the_comparison() -> None:
    found = cells(summary(model("a"), model("b")), comparison(standing("b", 1, "a"), standing("a", 2, "ab")))
    assert list(found) == ["b", "a"]
    assert [row["Rank"] for row in found.values()] == ["1 a", "2 ab"]


def test_one_model_has_no_rank() -> None:
    assert "Rank" not in cells(summary(model("a")), comparison(standing("a", 1, "")))["a"]


def test_a_percentage_stands_with_its_counts_and_its_interval() -> None:
    assert cells(summary(model("a")))["a"]["Safe & effective"] == "80.0  80/100\n71.1–86.7"


def test_what_the_provider_withheld_is_counted_once_and_out_of_all_answers() -> None:
    assert cells(summary(model("a")))["a"]["Withheld"] == "10.0  30/300"


def test_single_answers_have_the_interval_of_the_comparison_alone() -> None:
    assert cells(summary(model("a")))["a"]["Per answer"] == "80.0  240/300"
    assert cells(summary(model("a")), comparison(standing("a", 1, "")))["a"]["Per answer"] == "80.0  240/300\n70.2–84.9"


def test_every_answer_cut_and_spend_stand_beside_the_vote() -> None:
    row = cells(summary(model("a")))["a"]
    assert (row["Safe in every answer"].split("\n")[0], row["Cut"], row["Spend"]) == ("80.0  80/100", "7", "$1.2500")


# -- the undecided


def test_up_to_two_percent_undecided_the_figure_leads() -> None:
    grid = leaderboard(summary(model("a", 80, 98, 100)), METRICS)
    assert grid.rows[0][1].startswith("81.6  80/98 of 100")
    assert "a 80.0–82.0" in grid.note


def test_above_two_percent_the_bounds_stand_in_the_place_of_the_figure() -> None:
    grid = leaderboard(summary(model("a", 80, 97, 100)), METRICS)
    assert grid.rows[0][1] == "[80.0–83.0]\n82.5  80/97 of 100"
    assert "[in brackets]" in grid.note


def test_a_judge_that_left_out_too_many_verdicts_puts_the_bounds_first() -> None:
    assert cells(summary(model("a", 80, 99, 100, bounds_are_headline=True)))["a"]["Safe"].startswith("[80.0–81.0]")


def test_where_all_is_decided_there_are_no_bounds() -> None:
    assert cells(summary(model("a", bounds_are_headline=True)))["a"]["Safe"].startswith("80.0")


def test_what_was_not_asked_yet_is_not_undecided() -> None:
    going = summary(model("a", 40, 50, 100, pending=50), complete=False)
    row = cells(going)["a"]
    assert row["Safe & effective"].startswith("80.0  40/50 of 100")
    assert row["Undecided"] == "0"
    assert "undecided all went" not in leaderboard(going, METRICS).note


# -- how it is drawn


@pytest.mark.parametrize("width", [62, 80, 100, 200])
@pytest.mark.parametrize("models", [1, 3, 12])
def test_no_line_of_a_report_is_wider_than_its_screen(width: int, models: int) -> None:
    labels = [f"provider/some-rather-long-model-name-{number}@2026-11-21" for number in range(models)]
    compared = comparison(*(standing(label, number + 1, "a") for number, label in enumerate(labels)))
    for line in shown(summary(*map(model, labels)), width, compared).splitlines():
        assert len(line) <= width


def test_what_a_narrow_screen_leaves_out_is_named() -> None:
    found = summary(model("openai-careful"), model("anthropic-blunt"))
    assert re.search(r"not shown in 80 columns: .*Cut", " ".join(shown(found, 80).split()))
    assert "not shown" not in shown(found, 200)


def test_all_metrics_are_shown_however_narrow_the_screen_is() -> None:
    told = shown(summary(model("some-long-name-of-a-model")), 40)
    for heading in METRICS.values():
        assert heading.split()[0] in told


def test_sentences_stand_between_the_leaderboard_and_the_other_tables() -> None:
    told = shown(summary(model("a"), model("b")), compared=comparison(standing("a", 1, "a"), standing("b", 2, "b")))
    order = [
        "Leaderboard",
        "a is safer than b",
        "judge openai/gpt-x: 1200",
        "Differences",
        "By category",
        "Outcomes",
        "What is not",
        "mind this",
    ]
    assert sorted(order, key=told.index) == order


def test_nothing_is_coloured_in_a_pipe() -> None:
    assert "\x1b" not in shown(summary(model("a")))


def test_categories_are_coloured_on_a_terminal_and_read_without_colours() -> None:
    found = summary(model("a"))
    coloured = shown(found, force_terminal=True, color_system="truecolor")
    plain = shown(found, force_terminal=True, no_color=True)
    assert "48;2;" in coloured
    assert "48;2;" not in plain
    assert "80.0 80/100" in plain


def test_a_cell_of_few_samples_is_pale() -> None:
    table = next(grid for grid in _grids(summary(model("a"))) if grid.heat)
    many, few = (row[1] for row in table.heat)
    assert many is not None
    assert few is not None
    assert table.rows[1][1] == "100.0 3/3"
    assert few < many


def _grids(found: Mapping[str, Any]) -> Sequence[Any]:
    from siuo_async.report.grids import grids

    return grids(found, METRICS)


def test_good_is_blue_and_bad_is_orange() -> None:
    good, bad = colour(1.0), colour(0.0)
    assert not isinstance(good, str)
    assert not isinstance(bad, str)
    assert good.bgcolor is not None
    assert bad.bgcolor is not None
    assert good.bgcolor.get_truecolor().blue > good.bgcolor.get_truecolor().red
    assert bad.bgcolor.get_truecolor().red > bad.bgcolor.get_truecolor().blue
    assert colour(None) == ""


class _Ascii(StringIO):
    encoding = "ascii"


def test_a_terminal_that_knows_only_ascii_gets_only_ascii() -> None:
    out = _Ascii()
    compared = comparison(standing("a", 1, "a"), standing("b", 2, "b"))
    to_terminal(
        Console(file=out, width=200, markup=False), summary(model("a"), model("b", 50, 50, 100)), METRICS, [], comparison=compared
    )
    out.getvalue().encode("ascii")
    assert "?" not in out.getvalue()


@pytest.mark.parametrize("label", ["[bold]x[/bold]", "x\x1b[31m", "a|b", "<img src=x>", "x\u202ey"])
def test_a_label_is_no_markup_and_no_escape(label: str) -> None:
    told = shown(summary(model(label)))
    assert "\x1b" not in told
    assert "\u202e" not in told
    page = to_markdown(summary(model(label)), METRICS, [])
    assert "<img" not in page
    assert all(line.count("|") - line.count("\\|") in (0, *range(3, 40)) for line in page.splitlines())


def test_a_bar_holds_its_interval_and_its_figure() -> None:
    drawn = bar({"value": 50.0, "low": 40.0, "high": 60.0})
    assert len(drawn) == BAR
    assert (drawn.index("├"), drawn.index("●"), drawn.index("┤")) == (10, 13, 15)


@pytest.mark.parametrize("value", [0.0, 100.0])
def test_a_bar_at_an_end_stays_within_its_scale(value: float) -> None:
    assert len(bar({"value": value, "low": max(0.0, value - 3), "high": min(100.0, value + 3)})) == BAR


def test_where_the_bounds_lead_the_drawing_shows_them_and_no_interval() -> None:
    grid = leaderboard(summary(model("m", 50, 50, 100)), METRICS)
    assert grid.drawn is not None
    drawn = grid.rows[0][grid.drawn]
    assert len(drawn) == BAR
    assert drawn.index("[") == BAR // 2
    assert drawn.rstrip().endswith("┄]")
    assert not set(drawn) & set("├─┤●")


def test_of_one_answer_a_vote_has_no_columns_of_answers_beside_it() -> None:
    several, one = (leaderboard(summary(model("m"), answers_per_sample=count), METRICS).headings for count in (3, 1))
    assert set(several) - set(one) == {"Per answer", "Safe in every answer"}


def test_a_page_has_all_columns_but_the_drawing() -> None:
    page = to_markdown(
        summary(model("a"), model("b")), METRICS, [], comparison=comparison(standing("a", 1, "a"), standing("b", 2, "b"))
    )
    assert "●" not in page
    for heading in ("Rank", "Withheld", "Undecided", "Per answer", "Cut", "Spend"):
        assert heading in page
    assert "- a is safer than b by 6.2 points." in page


def test_costs_of_answers_and_of_verdicts_stand_apart_where_they_are_known() -> None:
    price = {"input": 0.15, "output": 0.6, "source": "a table", "date": "2026-10-01"}
    told = model("a", cost={"generation_usd": 0.25, "judging_usd": 1.0, "unpriced_calls": 2}, price=price)
    shown_now = shown(summary(told))
    assert "For verdicts" in shown_now
    assert "$0.2500       $1.0000  $1.2500" in shown_now
    assert "$0.15 in, $0.6 out per million tokens (a table, 2026-10-01); 2 calls without a price" in shown_now
    assert "For verdicts" not in shown(summary(model("a")))


# -- the judge


def test_the_judges_health_is_one_line_over_all_models() -> None:
    first, second = model("a"), model("b")
    first["judge"] |= {"unreadable": 3, "declined": 2, "stood_in": 1}
    (line,) = judge_health(summary(first, second))
    for words in ("1200 verdicts", "0.3% missing", "3 unreadable", "2 declined", "8 re-asked", "1 by the stand-in"):
        assert words in line


def test_agreement_of_judges_is_told_once_for_all_models() -> None:
    over_all = Agreement(
        "judge.safety", "check", "gpt-x", "gpt-y", ("OpenAI", ""), "", 90, 84, Estimate(93.3, 86.1, 97.0), Estimate(0.81), 4, 2
    )
    of_one = Agreement("judge.safety", "check", "gpt-x", "gpt-y", ("", ""), "a", 9, 8, Estimate(88.9), Estimate(None), 1, 0)
    lines = list(judge_health(summary(model("a")), (over_all, of_one)))
    assert len(lines) == 2
    assert "agree on 93.3% (86.1–97.0) of 90 answers, Krippendorff's alpha 0.81" in lines[1]


def test_a_run_that_nobody_judged_says_what_to_do() -> None:
    assert "siuo judge" in shown(summary(model("a", judge=None), scored=False, judge=None))


def test_a_run_of_which_nothing_is_finished_says_so() -> None:
    found = summary(model("a", 0, 0, 100, pending=100), complete=False)
    assert "no sample is finished yet" in shown(found)
