"""Chinese SafetyQA's tables, rates and confidence."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.stats import csqa_category, csqa_confidence, csqa_metrics, csqa_rates
from siuo_async.stats.csqa import LEVEL_1
from siuo_async.stats.csqa_released import CATEGORIES
from siuo_async.stats.logprobs import read_logprob_choice, released_model_response, released_valid_answer

COUNTS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 20))


@pytest.fixture(scope="module")
def tables(shared: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((shared / "vectors" / "csqa_metrics.json").read_text("utf-8"))["cases"]
    return read


@pytest.fixture(scope="module")
def confidence(shared: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((shared / "vectors" / "csqa_confidence.json").read_text("utf-8"))
    return read


def row(value: Any, model: str | None = "m", cate: Any = "health", **more: Any) -> dict[str, Any]:
    named = {"question": "q", "mode": "QA", "rag": "no_rag", "value_type": "answer_check"}
    return {**named, "cate": cate, "model": model, "value": value, **more}


def test_released_tables_are_the_scripts(tables: list[dict[str, Any]]) -> None:
    for case in tables:
        assert csqa_metrics(case["rows"], "released", **case["kwargs"]) == case["upstream"], case["name"]


NO_TEXT = "Can only use .str accessor with string values, not {}"


@pytest.mark.parametrize(
    "rows, error, message",
    [
        ([row("A"), row(None, "other")], "ZeroDivisionError", "division by zero"),
        ([row("A"), row("A", None)], "ZeroDivisionError", "division by zero"),
        ([row("A"), row(1)], "ValueError", "Cannot mask with non-boolean array containing NA / NaN values"),
        ([row("A"), row(1, "other")], "AttributeError", NO_TEXT.format("integer")),
        ([row(1.5), row(2)], "AttributeError", NO_TEXT.format("floating")),
        ([row(True), row(False)], "AttributeError", NO_TEXT.format("boolean")),
        ([row("A", cate=3)], "AttributeError", NO_TEXT.format("integer")),
        ([row("A", cate=None)], "AttributeError", NO_TEXT.format("floating")),
        ([row("A", cate=3), row("A")], "ZeroDivisionError", "division by zero"),
        ([], "KeyError", "'mode'"),
        ([{k: v for k, v in row("A").items() if k != "value"}], "KeyError", "['value']"),
        ([{k: v for k, v in row("A").items() if k != "cate"}], "KeyError", "'cate'"),
    ],
)
def test_released_errors_are_those_of_the_script_under_pandas(rows: list[dict[str, Any]], error: str, message: str) -> None:
    """Expected values measured with pandas 3.1."""
    assert csqa_metrics(rows, "released") == {"error": error, "message": message}


def test_released_counts_one_value_several_times_and_divides_as_numpy() -> None:
    table = csqa_metrics([row("A and C"), row("ABC"), row("INCORRECT"), row("Error: API"), row("NA")], "released")
    counted = table["files"]["QA_no_rag"][0]
    assert (counted["co"], counted["na"], counted["in"], counted["cga"]) == (0.75, 0.75, 0.25, 3)
    assert csqa_metrics([row("AC"), row("C")], "released")["files"]["QA_no_rag"][0]["cga"] == float("inf")


def test_corrected_keeps_names_and_knows_the_chinese_categories(tables: list[dict[str, Any]]) -> None:
    case = next(case for case in tables if case["name"].startswith("Chinese category names"))
    rows = [{**each, "model": "my-model"} for each in case["rows"]]
    counted = csqa_metrics(rows, "corrected")["files"]["QA_no_rag"][0]
    assert counted["model"] == "my-model"
    assert [counted[name] for name in CATEGORIES] == [1, 1, 1, 1, 0, 0, 0]


def test_corrected_counts_each_value_once_and_tells_what_is_missing(tables: list[dict[str, Any]]) -> None:
    for case in tables:
        files = csqa_metrics(case["rows"], "corrected", **case["kwargs"])["files"]
        for counted in (each for table in files.values() for each in table):
            assert counted["n"] + counted["missing"] == counted["total"]
            if counted["n"]:
                assert counted["co"] + counted["na"] + counted["in"] == pytest.approx(1)
                assert counted["worst"]["co"] <= counted["co"] <= counted["best"]["co"]


def test_corrected_agrees_with_the_script_where_the_script_is_sound(tables: list[dict[str, Any]]) -> None:
    sound = {"all correct", "all wrong", "mixed 4A 2B 1C", "quoted verdicts", "MCQ mode", "both modes", "rag after no_rag"}
    for case in tables:
        if case["name"] in sound:
            files = csqa_metrics(case["rows"], "corrected", **case["kwargs"])["files"]
            for name, table in case["upstream"]["files"].items():
                got = [{key: each[key] for key in wanted} for each, wanted in zip(files[name], table, strict=True)]
                assert got == [pytest.approx(wanted) for wanted in table], case["name"]


def test_corrected_takes_an_error_text_for_missing() -> None:
    counted = csqa_metrics([row("A"), row("Error: API"), row(None), row(1)], "corrected")["files"]["QA_no_rag"][0]
    assert (counted["co"], counted["n"], counted["missing"], counted["total"]) == (1, 1, 3, 4)
    assert (counted["worst"]["co"], counted["best"]["co"]) == (0.25, 1)


def test_corrected_counts_every_way_of_searching_that_occurs() -> None:
    rows = [row("A"), row("B", rag="active_rag"), row("A", mode="mcq")]
    assert set(csqa_metrics(rows, "corrected")["files"]) == {"QA_no_rag", "QA_active_rag", "MCQ_no_rag"}


def test_every_category_of_the_released_data_is_known(shared: Path) -> None:
    lines = (shared / "upstream-data" / "chinese_safetyqa.jsonl").read_bytes().split(b"\n")
    assert {csqa_category(json.loads(line)["cate"]) for line in lines if line.strip()} == set(LEVEL_1.values())


@given(st.lists(st.sampled_from(["A", "B", "C", "【A】", "x", "", None, 3]), max_size=30))
def test_no_value_makes_a_table_raise(values: list[Any]) -> None:
    for protocol in ("corrected", "released"):
        csqa_metrics([row(value) for value in values], protocol)


def test_an_unknown_protocol_is_an_error() -> None:
    other: Any = "other"
    with pytest.raises(ValueError, match="unknown protocol 'other'"):
        csqa_metrics([], other)


def test_the_published_rates_follow_from_the_counts() -> None:
    """GPT-4o in the paper's table: CO 59.35, NA 0.30, IN 40.35, CGA 59.53, F 59.44."""
    rates = csqa_rates(1187, 6, 807, 2000)
    values = [round(rates[name]["value"] or 0, 2) for name in ("co", "na", "in", "cga", "f_arithmetic")]
    assert values == [59.35, 0.30, 40.35, 59.53, 59.44]


def test_the_two_f_scores_differ_as_their_formulas_do() -> None:
    rates = csqa_rates(40, 50, 10, 100)
    assert rates["f_arithmetic"]["value"] == pytest.approx((40 + 80) / 2)
    assert rates["f_harmonic"]["value"] == pytest.approx(2 * 40 * 80 / 120)


@given(COUNTS)
def test_rates_lie_in_their_intervals_and_the_intervals_in_0_to_100(counts: tuple[int, int, int, int]) -> None:
    correct, skipped, wrong, missing = counts
    decided = correct + skipped + wrong
    rates = csqa_rates(correct, skipped, wrong, decided + missing)
    for name, each in rates.items():
        assert set(each) == {"value", "low", "high", "k", "n", "total", "worst", "best"}
        if each["value"] is None:
            assert each["low"] is None
            assert each["high"] is None
        else:
            assert 0 <= (each["low"] or 0) <= each["value"] + 1e-9, name
            assert each["value"] - 1e-9 <= (each["high"] or 0) <= 100, name
            assert (each["worst"] or 0) - 1e-9 <= each["value"] <= (each["best"] or 0) + 1e-9, name
    assert (rates["cga"]["value"] is None) == (decided == skipped)


def test_nothing_attempted_leaves_f_undefined() -> None:
    rates = csqa_rates(0, 7, 0, 7)
    assert [rates[name]["value"] for name in ("co", "cga", "f_arithmetic", "f_harmonic")] == [0, None, None, None]


@pytest.mark.parametrize("name", ["f_arithmetic", "f_harmonic"])
def test_the_delta_interval_covers_the_spread_of_simulated_runs(name: str) -> None:
    low, high = (csqa_rates(600, 200, 200, 1000)[name][end] for end in ("low", "high"))
    draw = random.Random(7)
    inside = 0
    for _ in range(400):
        drawn = draw.choices("ABC", (0.6, 0.2, 0.2), k=1000)
        value = csqa_rates(drawn.count("A"), drawn.count("B"), drawn.count("C"), 1000)[name]["value"]
        inside += (low or 0) <= (value or 0) <= (high or 0)
    assert 0.92 <= inside / 400 <= 0.98


def test_an_interval_has_width_where_everything_is_correct_or_nothing_is() -> None:
    for counts in ((50, 0, 0, 50), (0, 10, 40, 50), (40, 10, 0, 50)):
        each = csqa_rates(*counts)["f_arithmetic"]
        assert (each["high"] or 0) - (each["low"] or 0) > 1


@pytest.mark.parametrize("counts", [(-1, 0, 0, 5), (3, 3, 3, 8)])
def test_counts_that_contradict_each_other_are_an_error(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"negative|k <= n <= total"):
        csqa_rates(*counts)


def test_released_confidence_is_the_scripts(confidence: dict[str, Any]) -> None:
    for case in confidence["confidence"]:
        assert csqa_confidence(case["response"], case["true_answer"], "released") == case["get_confidence"], case["name"]
        got = released_model_response(case["response"], case["true_answer"])
        assert got == (case["process_model_response"], case["process_error"]), case["name"]


def test_released_answers_are_valid_where_the_script_says_so(confidence: dict[str, Any]) -> None:
    cases = confidence["validate_answer"]
    assert [released_valid_answer(case["content"]) for case in cases] == [case["upstream"] for case in cases]


def choice(content: str, *tokens: tuple[str, float]) -> dict[str, Any]:
    listed = [{"token": name, "logprob": logprob} for name, logprob in tokens]
    first = {**listed[0], "top_logprobs": listed}
    return {"message": {"content": content}, "logprobs": {"content": [first]}}


PROBABILITIES = st.floats(-20, 0)


@given(st.sampled_from("AB"), PROBABILITIES, st.lists(st.tuples(st.sampled_from("ABC"), PROBABILITIES), max_size=4))
def test_released_confidence_is_one_whether_read_from_a_reply_or_from_the_journal(
    token: str, logprob: float, top: list[tuple[str, float]]
) -> None:
    first = {"token": token, "logprob": logprob, "top_logprobs": [{"token": name, "logprob": value} for name, value in top]}
    reply = csqa_confidence({"message": {"content": token}, "logprobs": {"content": [first]}}, "A", "released")
    kept = read_logprob_choice([{"token": token, "logprob": logprob, "top": top}], "ABC", "released")
    assert kept is not None
    assert (kept.letter, kept.chosen, kept.of("A")) == (
        reply["model_answer"],
        reply["model_answer_probs"],
        reply["right_logprob_probs"],
    )


@pytest.mark.parametrize("written", ["a", " A", "A", "Ａ"])
def test_corrected_confidence_reads_a_token_as_its_letter(written: str) -> None:
    got = csqa_confidence(choice(written, (written, -0.5), ("B", -1.5)), "A", "corrected")
    assert (got["answer_right"], got["model_answer"]) == (True, "A")
    assert got["right_logprob_probs"] == pytest.approx(0.6065306597)
    assert got["right_normalised"] == pytest.approx(1 / (1 + 2.718281828**-1))


def test_corrected_confidence_accepts_the_golds_own_letter() -> None:
    assert csqa_confidence(choice("E", ("E", -0.1)), "E", "corrected")["answer_right"] is True


def test_corrected_confidence_tells_a_text_that_differs_from_its_tokens() -> None:
    assert csqa_confidence(choice("B", ("A", -0.1)), "A", "corrected")["status"] == "error"


@given(
    st.recursive(
        st.none() | st.text(max_size=4) | st.floats(), lambda x: st.lists(x, max_size=2) | st.dictionaries(st.just("logprobs"), x)
    )
)
def test_no_reply_makes_the_confidence_raise(response: Any) -> None:
    for protocol in ("corrected", "released"):
        assert csqa_confidence(response, "A", protocol)["status"] == "error"
