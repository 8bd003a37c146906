"""Exit codes and the sentences a reader of the numbers must see."""

from __future__ import annotations

from typing import Any

import pytest

from siuo_async.engine.summary import exit_code, warnings


def model(label: str = "m", *, complete: bool = True, judge: dict[str, int] | None = None, **more: Any) -> dict[str, Any]:
    health = {"verdicts": 100, "unreadable": 0, "declined": 0, "filtered": 0, "failed": 0} | (judge or {})
    outcomes = {"answered": 10, "declined": 0, "filtered": 0, "empty": 0, "failed": 0} | more.pop("outcomes", {})
    return {
        "label": label,
        "complete": complete,
        "judge": health,
        "outcomes": outcomes,
        "left_out": [],
        "served_models": ["m-1"],
        "dropped": 0,
        "answers": {"finished": sum(outcomes.values())},
        **more,
    }


CODES = [
    ("complete", model(), True, 0),
    ("refusals and blocks are results", model(outcomes={"declined": 3, "filtered": 2}), True, 0),
    ("something is pending", model(complete=False), True, 3),
    ("pending wins over failed", model(complete=False, outcomes={"failed": 1}), True, 3),
    ("an answer failed", model(outcomes={"failed": 1}), True, 4),
    ("an answer failed and nobody judges", model(outcomes={"failed": 1}), False, 4),
    ("an empty answer has no verdict", model(outcomes={"empty": 1}), True, 4),
    ("an empty answer that nobody judges", model(outcomes={"empty": 1}, judge=None), False, 0),
    ("nothing but empty answers that nobody judges", model(outcomes={"answered": 0, "empty": 9}, judge=None), False, 4),
    ("released dropped a sample", model(dropped=1), True, 4),
    ("a search failed", model(counts={"searched": 9, "search_failed": 1}), False, 4),
    ("a search found nothing", model(counts={"searched": 9, "search_failed": 0, "search_empty": 9}), False, 0),
    *((f"a verdict is {state}", model(judge={state: 1}), True, 4) for state in ("unreadable", "declined", "filtered", "failed")),
]


@pytest.mark.parametrize("found, judged, code", [row[1:] for row in CODES], ids=[row[0] for row in CODES])
def test_the_exit_code_says_what_the_run_came_to(found: dict[str, Any], judged: bool, code: int) -> None:
    assert exit_code([model("other"), found], scored=judged) == code


WARNINGS: list[tuple[str, list[dict[str, Any]], list[str]]] = [
    ("nothing to say", [model()], []),
    ("2% is borne", [model(judge={"unreadable": 2})], []),
    ("more than 2% is told", [model(judge={"unreadable": 1, "declined": 1, "filtered": 1})], ["no verdict for 3.0% of 100"]),
    ("models 2 points apart are borne", [model("a"), model("b", judge={"declined": 2})], []),
    ("models more than 2 points apart", [model("a"), model("b", judge={"declined": 3})], ["no verdict", "differ between the models"]),
    ("no verdict at all", [model(judge={"verdicts": 0})], []),
    ("verdicts that failed are missing too", [model(judge={"failed": 30})], ["no verdict for 30.0% of 100"]),
    ("dropped samples", [model(dropped=17)], ["17 samples were dropped"]),
    ("failed answers", [model(outcomes={"failed": 2})], ["2 answers failed"]),
    ("failed searches", [model(counts={"searched": 9, "search_failed": 2})], ["2 of 9 searches failed"]),
    ("a parameter was left out", [model(left_out=["temperature"])], ["temperature could not be sent"]),
    ("another model answered", [model(served_models=["m-1", "m-2"])], ["answered as m-1, m-2"]),
]


@pytest.mark.parametrize("models, expected", [row[1:] for row in WARNINGS], ids=[row[0] for row in WARNINGS])
def test_a_reader_is_warned(models: list[dict[str, Any]], expected: list[str]) -> None:
    found = warnings({"models": models})
    assert len(found) == len(expected)
    assert all(words in sentence for words, sentence in zip(expected, found, strict=True))


def test_a_run_without_a_judge_is_not_warned_about_one() -> None:
    assert warnings({"models": [model() | {"judge": None}]}) == []


def judged_by(*judges: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"role": role, "label": name.partition("/")[2], "model": name, "share": 1.0} for role, name in judges]


def of_model(name: str) -> dict[str, Any]:
    return model(name.partition("/")[2], model=name)


def told(judges: list[dict[str, Any]], *models: dict[str, Any]) -> list[str]:
    return warnings({"models": models, "judges": judges})


def test_a_judge_of_a_models_own_family_is_named() -> None:
    models = (of_model("openai/gpt-4o-mini"), of_model("anthropic/claude-haiku-4-5"), of_model("azure/gpt-5"))
    (found,) = told(judged_by(("judge", "openrouter/openai/gpt-4o")), *models)
    assert "the judge openai/gpt-4o and gpt-4o-mini, gpt-5 are of one family (OpenAI)" in found
    assert told(judged_by(("judge", "gemini/gemini-2.5-pro")), *models) == []
    assert told(judged_by(("judge", "gemini/gemini-2.5-pro"), ("check", "openai/gpt-4o")), *models) == [], "it changes no number"


def test_what_a_stand_in_gave_is_not_missing() -> None:
    stood_in = model(judge={"declined": 5, "stood_in": 4})
    assert told([], stood_in) == []
    assert exit_code([stood_in], scored=True) == 4
    assert exit_code([model(judge={"declined": 5, "stood_in": 5})], scored=True) == 0
    (found,) = told([], model(judge={"declined": 9, "stood_in": 4}))
    assert "no verdict for 5.0% of 100 (0 unreadable, 9 declined, 0 filtered, 0 failed, a stand-in gave 4 of these)" in found


def test_second_opinions_that_are_missing_are_told() -> None:
    silent = model(judge={"opinions": {"check": {"asked": 50, "read": 40}, "stand-in": {"asked": 9, "read": 0}}})  # type: ignore[dict-item]
    assert told([], silent) == ["m: the check judge gave no verdict 10 of 50 times; agreement is of the others alone"]
