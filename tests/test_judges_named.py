"""How the judges of a run are named, and what they cannot be together."""

from __future__ import annotations

from typing import Any

import pytest

from siuo_async.config import RunConfig, make
from siuo_async.errors import ConfigError
from siuo_async.judges_named import excluded_by, giving_way, split_share


def config(**more: Any) -> RunConfig:
    return make({"benchmark": "demo", "models": ["a/m"], **more})


@pytest.mark.parametrize(
    "text, model, share",
    [
        ("openai/gpt-5", "openai/gpt-5", 1.0),
        ("openai/gpt-5:1/3", "openai/gpt-5", 1 / 3),
        ("openai/gpt-5@2025-08:30%", "openai/gpt-5", 0.3),
        ("openai/gpt-5:0.25", "openai/gpt-5", 0.25),
        ("ollama/llava:13b", "ollama/llava:13b", 1.0),
        ("ollama/llava:13b:12.5%", "ollama/llava:13b", 0.125),
        ("ollama/llava:7", "ollama/llava:7", 1.0),
    ],
)
def test_a_check_judge_may_have_its_share_behind_a_colon(text: str, model: str, share: float) -> None:
    found = config(judge="a/j", check_judge=text)
    assert found.check_judge is not None
    assert (found.check_judge.model, found.check_share) == (model, pytest.approx(share))


def test_what_was_stored_is_read_as_it_was() -> None:
    found = config(judge="a/j", check_judge="b/k@r1:1/3", test_retest="5%", stand_in_judge="c/l")
    assert make(found.model_dump(mode="json", exclude_defaults=True)) == found


@pytest.mark.parametrize(
    "settings, sentence",
    [
        (
            {"panel": ["a/1", "a/2"], "judge": None},
            "must hold an odd number of judges, 3 or more, so that there is a majority; it holds 2",
        ),
        ({"panel": ["a/1"], "judge": None}, "it holds 1"),
        ({"panel": ["a/1", "a/2", "a/1"], "judge": None}, "panel names a/1 twice"),
        ({"panel": ["a/1", "a/2", "a/3"]}, "panel and judge exclude each other"),
        ({"panel": ["a/1", "a/2", "a/3"], "judge": None, "stand_in_judge": "b/4"}, "panel and stand_in_judge exclude each other"),
        ({"panel": ["a/1", "a/2", "a/3"], "judge": None, "check_judge": "a/2"}, "check_judge sits on the panel"),
        ({"panel": ["a/1", "a/2", "a/3"], "judge": None, "protocol": "released"}, "panel is not of the released protocol"),
        ({"stand_in_judge": "b/k", "protocol": "released"}, "stand_in_judge is not of the released protocol"),
        ({"stand_in_judge": "a/j"}, "stand_in_judge is the judge itself"),
        ({"check_judge": "a/j"}, "check_judge is the judge itself; name another model, or use test_retest"),
        ({"check_judge": "b/k", "judge": None}, "check_judge needs a judge"),
        ({"test_retest": "5%", "judge": None}, "test_retest needs a judge"),
        ({"test_retest": "5%", "judge": None, "no_judge": True}, "no_judge and test_retest exclude each other"),
        ({"check_share": 0.5}, "check_share needs check_judge"),
        ({"check_judge": "b/k:150%"}, "'check_share' (--check-judge): must be above 0 and at most 100% of the samples"),
        ({"check_judge": "b/k:0/3"}, "above 0 and at most 100%"),
        ({"check_judge": "b/k:1/0"}, "above 0 and at most 100%"),
        (
            {"test_retest": "often"},
            "'test_retest' (--test-retest): must be a share of the samples, as in 1/3, 30% or 0.3, but it is 'often'",
        ),
        ({"test_retest": 0}, "test_retest"),
        ({"check_judge": {"model": "b/k", "labl": "x"}}, "did you mean 'label'?"),
    ],
)
def test_what_judges_cannot_be_together_is_one_sentence(settings: dict[str, Any], sentence: str) -> None:
    given = {name: value for name, value in ({"judge": "a/j"} | settings).items() if value is not None}
    with pytest.raises(ConfigError) as caught:
        config(**given)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_same_model_with_other_settings_is_another_judge() -> None:
    config(judge="a/j", check_judge={"model": "a/j", "temperature": 1.0})


def test_a_colon_without_a_share_belongs_to_the_name() -> None:
    assert split_share("a/b:c/d") == ("a/b:c/d", None)


def test_who_is_named_now_puts_others_aside() -> None:
    assert excluded_by({"judge": "a/j"}) == ("no_judge", "panel")
    assert excluded_by({"panel": ["a/1"]}) == ("no_judge", "judge", "stand_in_judge")
    before = {"check_judge": {"model": "b/k"}, "check_share": 0.5, "stand_in_judge": {"model": "c/l"}}
    assert giving_way(before, {"judge": {"model": "b/k"}}) == ("check_judge", "check_share")
    assert giving_way(before, {"panel": ["a/1", "c/l", "d/4"]}) == ("stand_in_judge",)
